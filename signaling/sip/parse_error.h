// What is wrong with a message, where, and which answer fits.
#ifndef SLUICE_SIGNALING_SIP_PARSE_ERROR_H_
#define SLUICE_SIGNALING_SIP_PARSE_ERROR_H_

#include <cstddef>
#include <cstdint>
#include <string>

namespace sluice::sip {

struct ParseError {
  // The response that fits a request: 400, 413, 414, 416, 505. 0: this is no SIP message; drop and count it.
  uint16_t status = 400;
  // One line, fit for a reason phrase: "CSeq: number above 2147483647".
  std::string text;
  // Byte of the message where it was seen.
  size_t offset = 0;
};

}  // namespace sluice::sip

#endif  // SLUICE_SIGNALING_SIP_PARSE_ERROR_H_
