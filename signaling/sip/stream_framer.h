// Cuts a stream (TCP, TLS) into messages by Content-Length, with the keep-alives of RFC 5626 4.4.1 between them.
//
// A message without Content-Length has none on a stream (RFC 3261 18.3 demands the field; such a message ends with its
// header). Nothing is searched twice: bytes that came before are not looked at again when more come. After kError the
// stream has no further beginning of a message and must be closed.
#ifndef SLUICE_SIGNALING_SIP_STREAM_FRAMER_H_
#define SLUICE_SIGNALING_SIP_STREAM_FRAMER_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace sluice::sip {

class StreamFramer {
 public:
  struct Item {
    enum Kind {
      // `bytes` is a whole message, valid until the next call.
      kMessage,
      // CRLF CRLF: answer with CRLF.
      kPing,
      // Nothing whole is there.
      kMore,
      // `error` says what is wrong.
      kError,
    };
    Kind kind = kMore;
    absl::string_view bytes;
    std::string error;
  };

  explicit StreamFramer(size_t max_message_bytes = 65535) : max_message_bytes_(max_message_bytes) {}

  void Append(absl::string_view bytes);
  // Call until it answers kMore or kError.
  Item Next();

  // A message has begun and is not complete.
  bool in_message() const { return begin_ < buffer_.size(); }

 private:
  Item Fail(std::string error);
  // Finds the end of the header and reads Content-Length. False: not complete.
  bool FindHeaderEnd();
  bool ReadContentLength();

  const size_t max_message_bytes_;
  std::string buffer_;
  // Of the message that is being read.
  size_t begin_ = 0;
  size_t searched_ = 0;
  size_t header_end_ = 0;
  size_t content_length_ = 0;
  // How much of a ping has come.
  size_t ping_bytes_ = 0;
  std::string error_;
};

}  // namespace sluice::sip

#endif  // SLUICE_SIGNALING_SIP_STREAM_FRAMER_H_
