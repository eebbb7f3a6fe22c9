#include "signaling/sip/message.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "signaling/sip/text.h"

namespace sluice::sip {
namespace {

// A field's value must stay in its field.
bool IsCleanValue(absl::string_view text) {
  return text.empty() || (std::memchr(text.data(), '\r', text.size()) == nullptr &&
                          std::memchr(text.data(), '\n', text.size()) == nullptr && !HasBareNul(text));
}

// INVITE, SUBSCRIBE, REFER and NOTIFY can make a dialog; then the answer carries Record-Route (RFC 3261 12.1.1).
bool MakesDialog(Method method) {
  return method == Method::kInvite || method == Method::kSubscribe || method == Method::kRefer ||
         method == Method::kNotify;
}

}  // namespace

bool Message::IsOwn(absl::string_view text) const {
  return text.data() >= text_.data() && text.data() < text_.data() + text_.size();
}

Message::Range Message::Keep(absl::string_view text) {
  const Range range = {static_cast<uint32_t>(text_.size()), static_cast<uint32_t>(text.size())};
  if (IsOwn(text)) {
    text_.append(std::string(text));
  } else {
    text_.append(text.data(), text.size());
  }
  return range;
}

Message::Range Message::KeepClean(absl::string_view text) {
  text = Trim(text);
  if (IsCleanValue(text)) return Keep(text);
  std::string clean(text);
  for (char& c : clean) {
    if (c == '\r' || c == '\n' || c == '\0') c = ' ';
  }
  return Keep(clean);
}

Message::Entry Message::MakeEntry(Header header, absl::string_view name, absl::string_view value) {
  // Keeping the name would move it.
  if (IsOwn(value)) return MakeEntry(header, name, std::string(value));
  Entry entry;
  entry.header = header;
  // A name that is known is clean.
  entry.name = header == Header::kOther ? KeepClean(name) : Keep(name);
  entry.value = KeepClean(value);
  return entry;
}

bool Message::Is(const Entry& entry, Header header, absl::string_view name) const {
  if (entry.header != header) return false;
  return header != Header::kOther || absl::EqualsIgnoreCase(View(entry.name), name);
}

const Message::Entry* Message::Find(Header header) const {
  for (const Entry& entry : fields_) {
    if (entry.header == header) return &entry;
  }
  return nullptr;
}

const Message::Entry* Message::Find(absl::string_view name) const {
  const Header header = ParseHeaderName(name);
  for (const Entry& entry : fields_) {
    if (Is(entry, header, name)) return &entry;
  }
  return nullptr;
}

Message Message::Request(absl::string_view method, absl::string_view uri) {
  Message message;
  message.is_request_ = true;
  message.method_ = ParseMethod(method);
  message.text_.reserve(1024);
  message.fields_.reserve(24);
  message.method_name_ = message.KeepClean(method);
  message.uri_ = message.KeepClean(uri);
  return message;
}

Message Message::Response(uint16_t status, absl::string_view reason) {
  Message message;
  message.status_ = status;
  message.text_.reserve(1024);
  message.fields_.reserve(24);
  message.reason_ = message.KeepClean(reason.empty() ? ReasonPhrase(status) : reason);
  return message;
}

Message Message::ResponseTo(const Message& request, uint16_t status, absl::string_view to_tag,
                            absl::string_view reason) {
  Message response = Response(status, reason);
  response.method_ = request.method_;
  const bool record_route = status > 100 && status < 300 && MakesDialog(request.method_);
  for (const Entry& entry : request.fields_) {
    const absl::string_view value = request.View(entry.value);
    switch (entry.header) {
      case Header::kVia:
      case Header::kFrom:
      case Header::kCallId:
      case Header::kCSeq:
        response.Add(entry.header, value);
        break;
      case Header::kTo:
        if (status == 100 || to_tag.empty() || !TagOf(value).empty()) {
          response.Add(Header::kTo, value);
        } else {
          response.Add(Header::kTo, absl::StrCat(value, ";tag=", to_tag));
        }
        break;
      case Header::kTimestamp:
        if (status == 100) response.Add(Header::kTimestamp, value);
        break;
      case Header::kRecordRoute:
        if (record_route) response.Add(Header::kRecordRoute, value);
        break;
      default:
        break;
    }
  }
  return response;
}

absl::string_view Message::method_name() const {
  if (is_request_) return View(method_name_);
  if (method_ != Method::kOther) return MethodName(method_);
  const absl::string_view cseq = Get(Header::kCSeq);
  return Trim(cseq.substr(FirstWord(cseq).size()));
}

void Message::SetRequestUri(absl::string_view uri) { uri_ = KeepClean(uri); }

std::string Message::StartLine() const {
  if (is_request_) return absl::StrCat(View(method_name_), " ", View(uri_), " SIP/2.0");
  return absl::StrCat("SIP/2.0 ", status_, " ", View(reason_));
}

Message::Field Message::field(size_t index) const {
  const Entry& entry = fields_[index];
  return {entry.header, View(entry.name), View(entry.value)};
}

absl::string_view Message::Get(Header header) const {
  const Entry* entry = Find(header);
  return entry == nullptr ? absl::string_view() : View(entry->value);
}

absl::string_view Message::Get(absl::string_view name) const {
  const Entry* entry = Find(name);
  return entry == nullptr ? absl::string_view() : View(entry->value);
}

std::vector<absl::string_view> Message::Elements(Header header) const {
  std::vector<absl::string_view> elements;
  for (const Entry& entry : fields_) {
    if (entry.header != header) continue;
    absl::string_view list = View(entry.value);
    if (!IsList(header)) {
      elements.push_back(list);
      continue;
    }
    while (const std::optional<absl::string_view> element = NextElement(list)) elements.push_back(*element);
  }
  return elements;
}

bool Message::HasElement(Header header, absl::string_view element) const {
  for (const Entry& entry : fields_) {
    if (entry.header != header) continue;
    absl::string_view list = View(entry.value);
    while (const std::optional<absl::string_view> candidate = NextElement(list)) {
      if (absl::EqualsIgnoreCase(*candidate, element)) return true;
    }
  }
  return false;
}

void Message::Add(Header header, absl::string_view name, absl::string_view value) {
  if (is_response() && method_ == Method::kOther && header == Header::kCSeq) {
    if (const std::optional<sip::CSeq> cseq = sip::CSeq::Parse(value)) method_ = cseq->method;
  }
  fields_.push_back(MakeEntry(header, name, value));
}

void Message::AddFirst(Header header, absl::string_view value) {
  const Entry entry = MakeEntry(header, HeaderName(header), value);
  fields_.insert(fields_.begin(), entry);
}

void Message::Set(Header header, absl::string_view name, absl::string_view value) {
  bool replaced = false;
  for (size_t i = 0; i < fields_.size();) {
    if (!Is(fields_[i], header, name)) {
      ++i;
    } else if (!replaced) {
      fields_[i].value = KeepClean(value);
      replaced = true;
      ++i;
    } else {
      fields_.erase(fields_.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  if (!replaced) Add(header, name, value);
}

void Message::Remove(Header header) {
  std::erase_if(fields_, [header](const Entry& entry) { return entry.header == header; });
}

void Message::Remove(absl::string_view name) {
  const Header header = ParseHeaderName(name);
  std::erase_if(fields_, [&](const Entry& entry) { return Is(entry, header, name); });
}

void Message::SetFirstElement(Header header, absl::string_view value) {
  for (Entry& entry : fields_) {
    if (entry.header != header) continue;
    absl::string_view rest = View(entry.value);
    if (!NextElement(rest)) continue;
    const std::string behind(Trim(rest));
    entry.value = KeepClean(behind.empty() ? std::string(value) : absl::StrCat(value, ", ", behind));
    return;
  }
}

void Message::RemoveFirstElement(Header header) {
  for (size_t i = 0; i < fields_.size(); ++i) {
    if (fields_[i].header != header) continue;
    absl::string_view rest = View(fields_[i].value);
    NextElement(rest);
    const absl::string_view behind = Trim(rest);
    if (behind.empty()) {
      fields_.erase(fields_.begin() + static_cast<std::ptrdiff_t>(i));
    } else {
      fields_[i].value = KeepClean(behind);
    }
    return;
  }
}

void Message::SetBody(absl::string_view content_type, absl::string_view body) {
  const std::string kept_type(content_type);
  body_ = Keep(body);
  if (body_.length == 0 && kept_type.empty()) {
    Remove(Header::kContentType);
  } else {
    Set(Header::kContentType, kept_type);
  }
}

std::optional<Via> Message::TopVia() const {
  absl::string_view list = Get(Header::kVia);
  const std::optional<absl::string_view> element = NextElement(list);
  return element ? Via::Parse(*element) : std::nullopt;
}

absl::string_view Message::TopBranch() const {
  absl::string_view list = Get(Header::kVia);
  const std::optional<absl::string_view> element = NextElement(list);
  const std::optional<ViaParts> via = element ? ParseViaParts(*element) : std::nullopt;
  return via ? via->branch() : absl::string_view();
}

uint32_t Message::CSeqNumber() const {
  const absl::string_view value = Get(Header::kCSeq);
  return static_cast<uint32_t>(ParseNumber(FirstWord(value), kMaxCSeq).value_or(0));
}

std::optional<uint32_t> Message::MaxForwards() const {
  const std::optional<uint64_t> value = ParseNumber(Get(Header::kMaxForwards), 255);
  return value ? std::optional<uint32_t>(static_cast<uint32_t>(*value)) : std::nullopt;
}

std::vector<Reason> Message::Reasons() const {
  std::vector<Reason> reasons;
  for (const absl::string_view element : Elements(Header::kReason)) {
    if (std::optional<Reason> reason = Reason::Parse(element)) reasons.push_back(*std::move(reason));
  }
  return reasons;
}

std::vector<NameAddress> Message::Addresses(Header header) const {
  std::vector<NameAddress> addresses;
  for (const absl::string_view element : Elements(header)) {
    if (std::optional<NameAddress> address = NameAddress::Parse(element)) addresses.push_back(*std::move(address));
  }
  return addresses;
}

std::optional<NameAddress> Message::Contact() const {
  for (const Entry& entry : fields_) {
    if (entry.header != Header::kContact) continue;
    absl::string_view list = View(entry.value);
    while (const std::optional<absl::string_view> element = NextElement(list)) {
      if (std::optional<NameAddress> address = NameAddress::Parse(*element)) return address;
    }
  }
  return std::nullopt;
}

std::vector<absl::string_view> Message::UnsupportedOptions(const std::vector<absl::string_view>& supported,
                                                           Header header) const {
  std::vector<absl::string_view> unsupported;
  for (const absl::string_view option : Elements(header)) {
    bool found = false;
    for (const absl::string_view known : supported) found = found || absl::EqualsIgnoreCase(known, option);
    if (!found) unsupported.push_back(option);
  }
  return unsupported;
}

std::string Message::Serialize() const {
  std::string out;
  AppendTo(out);
  return out;
}

void Message::AppendTo(std::string& out) const {
  const std::string start = absl::StrCat(StartLine(), "\r\n");
  const std::string length = absl::StrCat(body_.length);
  const absl::string_view length_name = Has(Header::kContentLength) ? "" : "Content-Length: ";
  // Its size is known, so that it is written in place.
  size_t size = start.size() + 2 + body_.length;
  for (const Entry& entry : fields_) {
    size += entry.name.length + 4 + (entry.header == Header::kContentLength ? length.size() : entry.value.length);
  }
  if (!length_name.empty()) size += length_name.size() + length.size() + 2;
  const size_t begin = out.size();
  out.resize(begin + size);
  char* at = out.data() + begin;
  const auto put = [&at](absl::string_view text) { at = std::copy(text.begin(), text.end(), at); };
  put(start);
  for (const Entry& entry : fields_) {
    put(View(entry.name));
    put(": ");
    put(entry.header == Header::kContentLength ? length : View(entry.value));
    put("\r\n");
  }
  if (!length_name.empty()) {
    put(length_name);
    put(length);
    put("\r\n");
  }
  put("\r\n");
  put(View(body_));
  assert(at == out.data() + out.size());
}

}  // namespace sluice::sip
