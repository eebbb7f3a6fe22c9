// A SIP request or response (RFC 3261 7): read from bytes, built, edited, written.
//
// A message keeps one text. The start line and header fields are index entries into it, made in one pass; nothing else
// is read until somebody asks (`TopVia`, `Contacts`, …), so a message that is passed on costs no more than its index.
// Fields keep their order and their spelling, also those that nobody here knows. An edit appends to the text and
// changes entries; views that a message gave out are valid until its next change.
//
// Lists: `Get` answers one field's whole value, `Elements` the elements of all fields of a name as one list.
//
// Parse is strict about what a dialog and a transaction need and lenient about the rest: line ends may be LF, fields
// may be folded (they are unfolded), names may be compact, text may be any bytes but lone CR and unquoted NUL. A
// request with a fault is still a message as far as it could be read, so that its sender can be answered.
#ifndef SLUICE_SIGNALING_SIP_MESSAGE_H_
#define SLUICE_SIGNALING_SIP_MESSAGE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "signaling/sip/header_name.h"
#include "signaling/sip/header_values.h"
#include "signaling/sip/method.h"
#include "signaling/sip/name_address.h"
#include "signaling/sip/parse_error.h"
#include "signaling/sip/uri.h"
#include "signaling/sip/via.h"

namespace sluice::sip {

// What a received message may have at most.
struct MessageLimits {
  // 513.
  size_t message_bytes = 65535;
  // One field with its folded lines, 400.
  size_t field_bytes = 16384;
  // 400.
  size_t fields = 200;
};

struct ParseResult;

class Message {
 public:
  struct Field {
    Header header = Header::kOther;
    // As written: "Via", "v", "X-Unknown".
    absl::string_view name;
    // Without white space around it.
    absl::string_view value;
  };

  // A request without header fields; `method` may be any token.
  static Message Request(absl::string_view method, absl::string_view uri);
  static Message Request(Method method, const Uri& uri) { return Request(MethodName(method), uri.text()); }
  // A response without header fields; an empty `reason` becomes that of RFC 3261 21.
  static Message Response(uint16_t status, absl::string_view reason = "");
  // The response to `request` (RFC 3261 8.2.6.2): all Via, From, To, Call-ID, CSeq; in a 100 Timestamp; in 101 to 299
  // of a request that makes a dialog Record-Route. `to_tag` is added if To has none and status is not 100; empty: none.
  static Message ResponseTo(const Message& request, uint16_t status, absl::string_view to_tag,
                            absl::string_view reason = "");

  // A whole message: a datagram, or what StreamFramer cut. Bytes behind Content-Length are dropped.
  static ParseResult Parse(absl::string_view bytes, const MessageLimits& limits = {});

  // A response without a status, to be assigned to.
  Message() = default;

  bool is_request() const { return is_request_; }
  bool is_response() const { return !is_request_; }

  // Of a request; in a response, that of CSeq.
  Method method() const { return method_; }
  absl::string_view method_name() const;
  absl::string_view request_uri() const { return View(uri_); }
  // Nothing: the Request-URI is none.
  std::optional<Uri> RequestUri() const { return Uri::Parse(request_uri()); }
  void SetRequestUri(absl::string_view uri);

  // 100 to 699; 0 for a request.
  uint16_t status() const { return status_; }
  absl::string_view reason() const { return View(reason_); }
  bool is_provisional() const { return status_ >= 100 && status_ < 200; }
  bool is_success() const { return status_ >= 200 && status_ < 300; }
  bool is_final() const { return status_ >= 200; }

  // "INVITE sip:… SIP/2.0" or "SIP/2.0 200 OK".
  std::string StartLine() const;

  size_t field_count() const { return fields_.size(); }
  Field field(size_t index) const;

  bool Has(Header header) const { return Find(header) != nullptr; }
  bool Has(absl::string_view name) const { return Find(name) != nullptr; }
  // The value of the first field of this name; empty if there is none.
  absl::string_view Get(Header header) const;
  absl::string_view Get(absl::string_view name) const;
  // Elements of all fields of this name in order, as one list (see IsList); for other names one element a field.
  std::vector<absl::string_view> Elements(Header header) const;
  // True if the list (Supported, Require, Allow, …) has this element, in any case.
  bool HasElement(Header header, absl::string_view element) const;

  // Appends a field at the end. Line ends and NUL in a value become spaces: nobody can smuggle in a field.
  void Add(Header header, absl::string_view value) { Add(header, HeaderName(header), value); }
  void Add(absl::string_view name, absl::string_view value) { Add(ParseHeaderName(name), name, value); }
  // Inserts before all fields.
  void AddFirst(Header header, absl::string_view value);
  // Replaces the value of the first field of this name and removes the others; appends if there is none.
  void Set(Header header, absl::string_view value) { Set(header, HeaderName(header), value); }
  void Set(absl::string_view name, absl::string_view value) { Set(ParseHeaderName(name), name, value); }
  void Remove(Header header);
  void Remove(absl::string_view name);
  // Replaces or takes away the first element of a list; the others stay. Nothing happens if there is none.
  void SetFirstElement(Header header, absl::string_view value);
  void RemoveFirstElement(Header header);

  absl::string_view body() const { return View(body_); }
  // Also sets Content-Type; an empty body removes it. Content-Length is always written as the body is.
  void SetBody(absl::string_view content_type, absl::string_view body);

  // Typed access. Nothing: the field is not there or cannot be read; `Has` tells them apart. What Parse has checked
  // (Via, From, To, Call-ID, CSeq, Contact, Max-Forwards) can be read if it is there.
  std::optional<Via> TopVia() const;
  // Branch of the topmost Via; empty: none.
  absl::string_view TopBranch() const;
  std::optional<NameAddress> From() const { return NameAddress::Parse(Get(Header::kFrom)); }
  std::optional<NameAddress> To() const { return NameAddress::Parse(Get(Header::kTo)); }
  // Empty: none.
  absl::string_view FromTag() const { return TagOf(Get(Header::kFrom)); }
  absl::string_view ToTag() const { return TagOf(Get(Header::kTo)); }
  absl::string_view CallId() const { return Get(Header::kCallId); }
  std::optional<sip::CSeq> CSeq() const { return sip::CSeq::Parse(Get(Header::kCSeq)); }
  // 0: there is none.
  uint32_t CSeqNumber() const;
  std::optional<uint32_t> MaxForwards() const;
  std::optional<uint32_t> Expires() const { return ParseSeconds(Get(Header::kExpires)); }
  std::optional<sip::SessionExpires> SessionExpires() const {
    return sip::SessionExpires::Parse(Get(Header::kSessionExpires));
  }
  std::optional<uint32_t> MinSe() const { return ParseSeconds(Get(Header::kMinSe)); }
  std::optional<sip::RAck> RAck() const { return sip::RAck::Parse(Get(Header::kRAck)); }
  std::optional<uint32_t> RSeq() const { return ParseSeconds(Get(Header::kRSeq)); }
  std::optional<sip::RetryAfter> RetryAfter() const { return sip::RetryAfter::Parse(Get(Header::kRetryAfter)); }
  std::optional<sip::Replaces> Replaces() const { return sip::Replaces::Parse(Get(Header::kReplaces)); }
  std::optional<sip::Event> Event() const { return sip::Event::Parse(Get(Header::kEvent)); }
  std::optional<MediaType> ContentType() const { return MediaType::Parse(Get(Header::kContentType)); }
  std::vector<Reason> Reasons() const;
  // Contact: *
  bool HasWildcardContact() const { return Get(Header::kContact) == "*"; }
  // The readable ones of Contact, Route, Record-Route, Path, P-Asserted-Identity, …, in order.
  std::vector<NameAddress> Addresses(Header header) const;
  // The first of them.
  std::optional<NameAddress> Contact() const;

  // Options that Require names (Proxy-Require with `header`) and `supported` does not have: for a 420's Unsupported.
  std::vector<absl::string_view> UnsupportedOptions(const std::vector<absl::string_view>& supported,
                                                    Header header = Header::kRequire) const;

  // The bytes for the wire, with CRLF and a Content-Length that is right.
  std::string Serialize() const;
  void AppendTo(std::string& out) const;

 private:
  friend class MessageParser;

  // A part of text_. Offsets, so that a message can be copied and its text can grow.
  struct Range {
    uint32_t begin = 0;
    uint32_t length = 0;
  };
  struct Entry {
    Range name;
    Range value;
    Header header = Header::kOther;
  };

  absl::string_view View(Range range) const { return absl::string_view(text_.data() + range.begin, range.length); }
  // A view into text_, which keeping more moves.
  bool IsOwn(absl::string_view text) const;
  Range Keep(absl::string_view text);
  Range KeepClean(absl::string_view text);
  Entry MakeEntry(Header header, absl::string_view name, absl::string_view value);
  // `header` is what `name` means.
  void Add(Header header, absl::string_view name, absl::string_view value);
  void Set(Header header, absl::string_view name, absl::string_view value);
  bool Is(const Entry& entry, Header header, absl::string_view name) const;
  const Entry* Find(Header header) const;
  const Entry* Find(absl::string_view name) const;

  std::string text_;
  std::vector<Entry> fields_;
  Range method_name_;
  Range uri_;
  Range reason_;
  Range body_;
  uint16_t status_ = 0;
  Method method_ = Method::kOther;
  bool is_request_ = false;
};

struct ParseResult {
  // As far as it could be read.
  Message message;
  // Nothing: the message is good.
  std::optional<ParseError> error;

  bool ok() const { return !error.has_value(); }
};

// "OK" for 200; "Unknown" for what RFC 3261 and its extensions do not name.
absl::string_view ReasonPhrase(uint16_t status);

}  // namespace sluice::sip

#endif  // SLUICE_SIGNALING_SIP_MESSAGE_H_
