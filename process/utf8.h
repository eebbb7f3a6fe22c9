// Text of the network in messages of gRPC.
#ifndef SLUICE_PROCESS_UTF8_H_
#define SLUICE_PROCESS_UTF8_H_

#include <string>

namespace sluice::process {

// What came from the network may be no UTF-8, and nobody could parse a message with such a string in it: broken bytes
// become "?".
std::string ToUtf8(const std::string& text);

}  // namespace sluice::process

#endif  // SLUICE_PROCESS_UTF8_H_
