// The provisional responses that we send reliably to one INVITE (RFC 3262 3): their numbers, the one that waits for its
// PRACK, and when it is sent again or given up.
//
// Which ones: all but 100 where the INVITE requires 100rel, and those with a session description where it supports it.
// The others lose nothing when they are lost, and a round trip each is saved. One at a time is outstanding; its owner
// keeps later ones back until the PRACK has come.
//
// Threads: the shard's. Pure: the time goes in.
#ifndef SLUICE_SIGNALING_CALL_RELIABLE_RESPONSES_H_
#define SLUICE_SIGNALING_CALL_RELIABLE_RESPONSES_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "signaling/sip/message.h"

namespace sluice::call {

class ReliableResponses {
 public:
  enum class Prack : uint8_t {
    // Not for the outstanding response: 481.
    kUnknown,
    kTaken,
    // Taken, and the response had a session description.
    kTakenWithSession,
  };

  // The INVITE's sender can take reliable responses.
  static bool IsSupportedBy(const sip::Message& invite);

  // `first_rseq`: below 2^31 - 2^16, and hard to guess.
  ReliableResponses(const sip::Message& invite, uint32_t first_rseq);

  // A response with a session description, or without one, goes reliably.
  bool AppliesTo(bool has_session) const { return required_ || has_session; }
  bool is_outstanding() const { return outstanding_.has_value(); }
  // A 2xx must wait for the PRACK (RFC 3262 3, sixth paragraph from the end).
  bool DelaysSuccess() const { return outstanding_ && !outstanding_session_.empty(); }
  // What was said reliably in the present dialog last: the offer or answer that its peer has. Empty: nothing.
  const std::string& session() const { return session_; }
  // The next response is the first one in another dialog of the same INVITE.
  void BeginDialog() { session_.clear(); }

  // Numbers `response`, which is about to be sent; `session`: its description, may be empty. None is outstanding.
  void Send(sip::Message& response, absl::string_view session, absl::Time now);
  Prack OnPrack(const sip::Message& prack);

  // The outstanding response once more. Null: it has been tried for 64*T1, and the INVITE is to be refused.
  const sip::Message* Repeat(absl::Time now);
  // Until Repeat.
  absl::Duration wait() const { return wait_; }

 private:
  const bool required_;
  const uint32_t invite_cseq_;
  uint32_t rseq_;
  std::optional<sip::Message> outstanding_;
  std::string outstanding_session_;
  std::string session_;
  absl::Time give_up_at_ = absl::InfiniteFuture();
  absl::Duration wait_ = absl::ZeroDuration();
};

}  // namespace sluice::call

#endif  // SLUICE_SIGNALING_CALL_RELIABLE_RESPONSES_H_
