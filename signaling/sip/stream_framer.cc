#include "signaling/sip/stream_framer.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "signaling/sip/header_name.h"
#include "signaling/sip/text.h"

namespace sluice::sip {

void StreamFramer::Append(absl::string_view bytes) {
  if (begin_ > 0) {
    buffer_.erase(0, begin_);
    searched_ -= begin_;
    if (header_end_ != 0) header_end_ -= begin_;
    begin_ = 0;
  }
  buffer_.append(bytes.data(), bytes.size());
}

StreamFramer::Item StreamFramer::Fail(std::string error) {
  error_ = std::move(error);
  return {Item::kError, {}, error_};
}

bool StreamFramer::FindHeaderEnd() {
  while (true) {
    const size_t line_end = buffer_.find('\n', searched_);
    if (line_end == std::string::npos) {
      searched_ = buffer_.size();
      return false;
    }
    searched_ = line_end + 1;
    // The line that ends here is empty if the one before ended just ahead of it.
    size_t before = line_end;
    if (before > begin_ && buffer_[before - 1] == '\r') --before;
    if (before > begin_ && buffer_[before - 1] == '\n') {
      header_end_ = searched_;
      return true;
    }
  }
}

bool StreamFramer::ReadContentLength() {
  content_length_ = 0;
  bool found = false;
  absl::string_view rest(buffer_.data() + begin_, header_end_ - begin_);
  while (!rest.empty()) {
    const size_t line_end = rest.find('\n');
    const absl::string_view line = rest.substr(0, line_end);
    rest.remove_prefix(line_end == absl::string_view::npos ? rest.size() : line_end + 1);
    const size_t colon = line.find(':');
    if (colon == absl::string_view::npos || line.empty() || Is(line[0], kSpaceCharacter)) continue;
    if (ParseHeaderName(Trim(line.substr(0, colon))) != Header::kContentLength) continue;
    std::string value(line.substr(colon + 1));
    // The value may stand in a folded line.
    while (!rest.empty() && (rest[0] == ' ' || rest[0] == '\t')) {
      const size_t end = rest.find('\n');
      absl::StrAppend(&value, rest.substr(0, end));
      rest.remove_prefix(end == absl::string_view::npos ? rest.size() : end + 1);
    }
    const std::optional<uint64_t> length = ParseNumber(Trim(value), max_message_bytes_);
    if (!length) {
      error_ = absl::StrCat("Content-Length is no number up to ", max_message_bytes_);
      return false;
    }
    // Two lengths that differ are two ways to cut the stream; nobody can say which is right.
    if (found && *length != content_length_) {
      error_ = "two Content-Length fields that differ";
      return false;
    }
    found = true;
    content_length_ = *length;
  }
  return true;
}

StreamFramer::Item StreamFramer::Next() {
  if (!error_.empty()) return {Item::kError, {}, error_};
  if (header_end_ == 0 && searched_ <= begin_) {
    // Between messages. A single CRLF is a pong or a peer's decoration; two in a row are a ping.
    constexpr absl::string_view kPing = "\r\n\r\n";
    while (begin_ < buffer_.size() && (buffer_[begin_] == '\r' || buffer_[begin_] == '\n')) {
      ping_bytes_ = buffer_[begin_] == kPing[ping_bytes_] ? ping_bytes_ + 1 : 0;
      ++begin_;
      if (ping_bytes_ == kPing.size()) {
        ping_bytes_ = 0;
        searched_ = begin_;
        return {Item::kPing, {}, {}};
      }
    }
    searched_ = begin_;
    if (begin_ < buffer_.size()) ping_bytes_ = 0;
  }
  if (header_end_ == 0) {
    if (!FindHeaderEnd()) {
      if (buffer_.size() - begin_ > max_message_bytes_)
        return Fail(absl::StrCat("no end of header in ", max_message_bytes_, " bytes"));
      return {};
    }
    if (!ReadContentLength()) return Fail(std::move(error_));
  }
  const size_t size = header_end_ - begin_ + content_length_;
  if (size > max_message_bytes_) return Fail(absl::StrCat("a message above ", max_message_bytes_, " bytes"));
  if (buffer_.size() - begin_ < size) return {};
  const Item item = {Item::kMessage, absl::string_view(buffer_).substr(begin_, size), {}};
  begin_ += size;
  searched_ = begin_;
  header_end_ = 0;
  return item;
}

}  // namespace sluice::sip
