// The values of the smaller header fields. Each is read by Parse (nothing: the text is no such value) and written by
// ToString.
#ifndef SLUICE_SIGNALING_SIP_HEADER_VALUES_H_
#define SLUICE_SIGNALING_SIP_HEADER_VALUES_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "signaling/sip/method.h"
#include "signaling/sip/parameters.h"

namespace sluice::sip {

// Below 2^31 (RFC 3261 8.1.1.5).
inline constexpr uint32_t kMaxCSeq = 0x7fffffff;

// CSeq: 1 INVITE (RFC 3261 20.16).
struct CSeq {
  uint32_t number = 0;
  Method method = Method::kOther;
  // Also of a method that `Method` does not name.
  std::string method_name;

  static std::optional<CSeq> Parse(absl::string_view text);
  std::string ToString() const;
};

// RAck: 776656 1 INVITE (RFC 3262 7.2).
struct RAck {
  uint32_t rseq = 0;
  CSeq cseq;

  static std::optional<RAck> Parse(absl::string_view text);
  std::string ToString() const;
};

// Session-Expires: 1800;refresher=uac (RFC 4028 4). Min-SE is the same without refresher.
struct SessionExpires {
  enum class Refresher : uint8_t { kNone, kUac, kUas };
  uint32_t seconds = 0;
  Refresher refresher = Refresher::kNone;

  static std::optional<SessionExpires> Parse(absl::string_view text);
  std::string ToString() const;
};

// Replaces: 425928@example.org;to-tag=7743;from-tag=6472 (RFC 3891 6.1).
struct Replaces {
  std::string call_id;
  std::string to_tag;
  std::string from_tag;
  bool early_only = false;

  static std::optional<Replaces> Parse(absl::string_view text);
  std::string ToString() const;
};

// Reason: Q.850;cause=16;text="Terminated" (RFC 3326 2); one element of the list.
struct Reason {
  std::string protocol;
  // 0: none given.
  uint32_t cause = 0;
  std::string text;

  static std::optional<Reason> Parse(absl::string_view text);
  std::string ToString() const;
};

// Retry-After: 18 (comment);duration=3600 (RFC 3261 20.33); the comment is not kept.
struct RetryAfter {
  uint32_t seconds = 0;

  static std::optional<RetryAfter> Parse(absl::string_view text);
  std::string ToString() const;
};

// Event: refer;id=93809 (RFC 6665 8.2.1).
struct Event {
  std::string package;
  std::string id;

  static std::optional<Event> Parse(absl::string_view text);
  std::string ToString() const;
};

// Subscription-State: terminated;reason=noresource;expires=60 (RFC 6665 8.2.3).
struct SubscriptionState {
  std::string state;
  std::string reason;
  std::optional<uint32_t> expires;

  static std::optional<SubscriptionState> Parse(absl::string_view text);
  std::string ToString() const;
};

// Content-Type: application/sdp;charset=utf-8 (RFC 3261 20.15).
struct MediaType {
  std::string type;
  std::string subtype;
  Parameters parameters;

  // Case does not matter: Is("application", "sdp").
  bool Is(absl::string_view wanted_type, absl::string_view wanted_subtype) const;

  static std::optional<MediaType> Parse(absl::string_view text);
  std::string ToString() const;
};

// Seconds as Expires, Min-Expires, Min-SE carry them: a number below 2^32. Parameters behind it are skipped.
std::optional<uint32_t> ParseSeconds(absl::string_view text);

// q of a Contact in thousandths: "0.7" is 700. Nothing: no qvalue.
std::optional<uint32_t> ParseQValue(absl::string_view text);

}  // namespace sluice::sip

#endif  // SLUICE_SIGNALING_SIP_HEADER_VALUES_H_
