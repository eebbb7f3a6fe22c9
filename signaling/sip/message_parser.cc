// Message::Parse: one pass over the bytes that makes the index, then checks of what transactions and dialogs live by.

#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "signaling/sip/message.h"
#include "signaling/sip/text.h"

namespace sluice::sip {

class MessageParser {
 public:
  MessageParser(absl::string_view bytes, const MessageLimits& limits) : bytes_(bytes), limits_(limits) {}

  ParseResult Run() {
    Index();
    // The first fault of the index is told; the checks would only repeat its consequences.
    if (!error_) Check();
    return {std::move(message_), std::move(error_)};
  }

 private:
  using Range = Message::Range;

  void Fail(uint16_t status, std::string text, size_t offset) {
    if (!error_) error_ = ParseError{status, std::move(text), offset};
  }
  absl::string_view View(Range range) const { return message_.View(range); }
  Range RangeOf(absl::string_view part) const {
    return {static_cast<uint32_t>(part.data() - message_.text_.data()), static_cast<uint32_t>(part.size())};
  }

  void Index();
  // Answers false if it is no SIP message at all.
  bool ReadStartLine(absl::string_view line);
  void ReadField(absl::string_view line, size_t offset);
  void Unfold(absl::string_view line);
  void ReadBody(size_t begin);

  void Check();
  void CheckOnce();
  void CheckAddress(Header header);
  void CheckCSeq();
  void CheckVia();
  void CheckContacts();
  size_t OffsetOf(Header header) const;

  const absl::string_view bytes_;
  const MessageLimits& limits_;
  Message message_;
  std::optional<ParseError> error_;
  // The line before was a field, so that this one may continue it.
  bool may_fold_ = false;
  std::optional<uint64_t> content_length_;
};

void MessageParser::Index() {
  // Empty lines may stand ahead of a message (RFC 3261 7.5).
  size_t skipped = 0;
  while (skipped < bytes_.size() && (bytes_[skipped] == '\r' || bytes_[skipped] == '\n')) ++skipped;
  absl::string_view bytes = bytes_.substr(skipped);
  if (bytes.empty()) return Fail(0, "empty", 0);
  if (bytes.size() > limits_.message_bytes) {
    Fail(513, absl::StrCat("message of ", bytes.size(), " bytes, at most ", limits_.message_bytes), 0);
    bytes = bytes.substr(0, limits_.message_bytes);
  }
  // Room for the edits that a received request usually sees (received, rport), so that they do not move the text.
  message_.text_.reserve(bytes.size() + 192);
  message_.text_.assign(bytes.data(), bytes.size());
  message_.fields_.reserve(24);

  const absl::string_view text = message_.text_;
  size_t begin = 0;
  bool first = true;
  while (begin < text.size()) {
    const void* found = std::memchr(text.data() + begin, '\n', text.size() - begin);
    const size_t end =
        found == nullptr ? text.size() : static_cast<size_t>(static_cast<const char*>(found) - text.data());
    absl::string_view line = text.substr(begin, end - begin);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    const size_t offset = begin;
    begin = end + 1;
    if (first) {
      first = false;
      if (!ReadStartLine(line)) return;
      continue;
    }
    if (line.empty() && found != nullptr) return ReadBody(begin);
    if (HasBareNul(line) || std::memchr(line.data(), '\r', line.size()) != nullptr) {
      Fail(400, "NUL or lone CR in a header field", offset);
      may_fold_ = false;
    } else if (!line.empty() && (line.front() == ' ' || line.front() == '\t')) {
      Unfold(line);
    } else {
      ReadField(line, offset);
    }
  }
  Fail(400, "no empty line behind the header fields", text.size());
}

bool MessageParser::ReadStartLine(absl::string_view line) {
  if (line.size() >= 8 && absl::EqualsIgnoreCase(line.substr(0, 4), "SIP/")) {
    const size_t space = line.find(' ');
    if (space == absl::string_view::npos) {
      Fail(0, "no status in the status line", 0);
      return false;
    }
    const absl::string_view code = line.substr(space + 1, line.find(' ', space + 1) - space - 1);
    const std::optional<uint64_t> status = ParseNumber(code, 699);
    if (!absl::EqualsIgnoreCase(line.substr(0, space), "SIP/2.0") || !status || *status < 100 || code.size() != 3) {
      Fail(0, "status line is not SIP/2.0 with a status from 100 to 699", 0);
      return false;
    }
    message_.status_ = static_cast<uint16_t>(*status);
    const size_t reason = space + 1 + code.size();
    message_.reason_ = RangeOf(Trim(line.substr(reason < line.size() ? reason : line.size())));
    return true;
  }
  const size_t method_end = line.find(' ');
  const size_t version_begin = line.rfind(' ');
  if (method_end == absl::string_view::npos || version_begin == method_end) {
    Fail(0, "no request line", 0);
    return false;
  }
  absl::string_view uri = line.substr(method_end + 1, version_begin - method_end - 1);
  absl::string_view version = line.substr(version_begin + 1);
  if (version.empty()) {
    // Spaces behind the version (RFC 4475 3.1.1.? trws): unusual, and clear what is meant.
    const absl::string_view trimmed = Trim(line);
    const size_t space = trimmed.rfind(' ');
    if (space == absl::string_view::npos || space <= method_end) {
      Fail(0, "no request line", 0);
      return false;
    }
    uri = trimmed.substr(method_end + 1, space - method_end - 1);
    version = trimmed.substr(space + 1);
  }
  if (version.size() < 4 || !absl::EqualsIgnoreCase(version.substr(0, 4), "SIP/")) {
    Fail(0, "request line does not end with SIP/2.0", version_begin + 1);
    return false;
  }
  const absl::string_view method = line.substr(0, method_end);
  message_.is_request_ = true;
  message_.method_name_ = RangeOf(method);
  message_.method_ = ParseMethod(method);
  message_.uri_ = RangeOf(uri);
  if (!IsToken(method)) {
    Fail(0, "method is no token", 0);
    return false;
  }
  if (!absl::EqualsIgnoreCase(version, "SIP/2.0")) {
    Fail(505, absl::StrCat("version is not SIP/2.0"), version_begin + 1);
  } else if (!ParseUriParts(uri)) {
    Fail(400, "Request-URI is no URI", method_end + 1);
  }
  return true;
}

void MessageParser::ReadField(absl::string_view line, size_t offset) {
  may_fold_ = false;
  const size_t colon = line.find(':');
  const absl::string_view name = colon == absl::string_view::npos ? absl::string_view() : Trim(line.substr(0, colon));
  if (!IsToken(name)) return Fail(400, "header field without a name", offset);
  if (line.size() > limits_.field_bytes) {
    return Fail(400, absl::StrCat(name.substr(0, 40), ": field above ", limits_.field_bytes, " bytes"), offset);
  }
  if (message_.fields_.size() >= limits_.fields) {
    return Fail(400, absl::StrCat("more than ", limits_.fields, " header fields"), offset);
  }
  Message::Entry entry;
  entry.header = ParseHeaderName(name);
  entry.name = RangeOf(name);
  entry.value = RangeOf(Trim(line.substr(colon + 1)));
  message_.fields_.push_back(entry);
  may_fold_ = true;
}

void MessageParser::Unfold(absl::string_view line) {
  const size_t offset = RangeOf(line).begin;
  if (!may_fold_) return Fail(400, "folded line without a field", offset);
  Range& value = message_.fields_.back().value;
  const absl::string_view more = Trim(line);
  if (more.empty()) return;
  const size_t end = static_cast<size_t>(more.data() - message_.text_.data()) + more.size();
  if (value.length == 0) value.begin = RangeOf(more).begin;
  if (end - value.begin > limits_.field_bytes) {
    may_fold_ = false;
    return Fail(400, absl::StrCat("folded field above ", limits_.field_bytes, " bytes"), offset);
  }
  // A line end with its white space means one space; several mean the same and keep the text where it is.
  for (size_t i = value.begin + value.length; i < static_cast<size_t>(more.data() - message_.text_.data()); ++i) {
    message_.text_[i] = ' ';
  }
  value.length = static_cast<uint32_t>(end - value.begin);
}

void MessageParser::ReadBody(size_t begin) {
  const size_t available = message_.text_.size() - begin;
  size_t length = available;
  for (const Message::Entry& entry : message_.fields_) {
    if (entry.header != Header::kContentLength) continue;
    content_length_ = ParseNumber(View(entry.value), 0xffffffff);
    if (!content_length_) {
      Fail(400, "Content-Length is no number", entry.value.begin);
    } else if (*content_length_ > available) {
      Fail(400, absl::StrCat("Content-Length ", *content_length_, " above the ", available, " bytes that came"),
           entry.value.begin);
    } else {
      length = static_cast<size_t>(*content_length_);
    }
    break;
  }
  message_.body_ = {static_cast<uint32_t>(begin), static_cast<uint32_t>(length)};
}

size_t MessageParser::OffsetOf(Header header) const {
  const Message::Entry* entry = message_.Find(header);
  return entry == nullptr ? 0 : entry->value.begin;
}

void MessageParser::Check() {
  CheckOnce();
  for (const Header header : {Header::kVia, Header::kFrom, Header::kTo, Header::kCallId, Header::kCSeq}) {
    if (!message_.Has(header)) Fail(400, absl::StrCat(HeaderName(header), " is missing"), 0);
  }
  if (error_) return;
  CheckVia();
  CheckAddress(Header::kFrom);
  CheckAddress(Header::kTo);
  CheckCSeq();
  const absl::string_view call_id = message_.CallId();
  if (call_id.empty() || FirstWord(call_id).size() != call_id.size()) {
    Fail(400, "Call-ID is empty or holds spaces", OffsetOf(Header::kCallId));
  }
  if (message_.Has(Header::kMaxForwards) && !message_.MaxForwards()) {
    Fail(400, "Max-Forwards is no number from 0 to 255", OffsetOf(Header::kMaxForwards));
  }
  CheckContacts();
}

void MessageParser::CheckOnce() {
  uint64_t seen[2] = {0, 0};
  static_assert(static_cast<size_t>(Header::kCount) <= 128);
  for (const Message::Entry& entry : message_.fields_) {
    if (!IsSingle(entry.header)) continue;
    const size_t bit = static_cast<size_t>(entry.header);
    if ((seen[bit / 64] >> (bit % 64)) & 1) {
      Fail(400, absl::StrCat(HeaderName(entry.header), " stands more than once"), entry.value.begin);
    }
    seen[bit / 64] |= uint64_t{1} << (bit % 64);
  }
}

void MessageParser::CheckAddress(Header header) {
  const absl::string_view value = message_.Get(header);
  if (!ParseNameAddressParts(value)) {
    Fail(400, absl::StrCat(HeaderName(header), " is no address"), OffsetOf(header));
  }
}

void MessageParser::CheckCSeq() {
  const absl::string_view value = message_.Get(Header::kCSeq);
  const absl::string_view number = FirstWord(value);
  const absl::string_view method = Trim(value.substr(number.size()));
  if (!ParseNumber(number, kMaxCSeq) || !IsToken(method)) {
    return Fail(400, absl::StrCat("CSeq is no number up to ", kMaxCSeq, " with a method"), OffsetOf(Header::kCSeq));
  }
  if (message_.is_request_) {
    if (method != message_.method_name()) Fail(400, "CSeq names another method", OffsetOf(Header::kCSeq));
  } else {
    message_.method_ = ParseMethod(method);
  }
}

void MessageParser::CheckVia() {
  absl::string_view list = message_.Get(Header::kVia);
  const std::optional<absl::string_view> top = NextElement(list);
  if (!top || !ParseViaParts(*top)) Fail(400, "Via is no SIP/2.0/transport host", OffsetOf(Header::kVia));
}

void MessageParser::CheckContacts() {
  for (const Message::Entry& entry : message_.fields_) {
    if (entry.header != Header::kContact) continue;
    absl::string_view list = View(entry.value);
    if (list == "*") continue;
    while (const std::optional<absl::string_view> element = NextElement(list)) {
      if (!ParseNameAddressParts(*element)) return Fail(400, "Contact is no address", entry.value.begin);
    }
  }
}

ParseResult Message::Parse(absl::string_view bytes, const MessageLimits& limits) {
  return MessageParser(bytes, limits).Run();
}

}  // namespace sluice::sip
