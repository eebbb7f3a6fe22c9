// What a call knows of one of its legs.
//
// Threads: the shard's. A value of Call::Core.
#ifndef SLUICE_SIGNALING_CALL_LEG_H_
#define SLUICE_SIGNALING_CALL_LEG_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "signaling/call/call.h"
#include "signaling/call/early_dialogs.h"
#include "signaling/call/leg_credentials.h"
#include "signaling/call/session_id.h"
#include "signaling/call/session_timer.h"
#include "signaling/sdp/session_description.h"
#include "signaling/sip/dialog.h"
#include "signaling/sip/message.h"

namespace sluice::call {

// A request of the peer's that waits for our final answer.
struct ServerRequest {
  sip::ServerTransactionId transaction = 0;
  sip::Message request;
  LegNumber leg = kCaller;
};

struct Leg {
  enum class State : uint8_t {
    // The INVITE (the caller's to us, ours to a callee) has no final answer yet.
    kInviting,
    // Ours has been cancelled, and its final answer is awaited.
    kCancelling,
    // 2xx has been sent, or come.
    kAnswered,
    // Our BYE is out, or waits for the peer's ACK.
    kEnding,
    kOver,
  };

  // 0 for the caller, 1 for its callees; a transfer's target has that of the one whose place it takes.
  size_t side = 0;
  LegNumber number = kCaller;
  State state = State::kInviting;
  // Invited by a transfer.
  bool is_target = false;
  // Something has come for its first INVITE, be it 100.
  bool answered = false;
  // An INVITE or UPDATE of ours is under way within the answered call: one of theirs gets 491.
  bool request_pending = false;
  // Our 2xx to an INVITE of theirs waits for its ACK. A BYE must not go out before (RFC 3261 15).
  bool ack_awaited = false;
  bool bye_after_ack = false;
  // From the peer's Allow.
  bool allows_update = false;
  // Our address is another one than the peer knows, since the call has come here from another controller: a refresh
  // tells it.
  bool has_moved = false;
  // Seconds since 1970, rounded down: small, and set by every message.
  uint32_t heard_at_seconds = 0;

  // Of the peer; nil: not known yet.
  SessionUuid session;

  Party party;
  std::optional<sip::Dialog> dialog;

  // Null: the peer's challenges are not answered.
  std::unique_ptr<LegCredentials> credentials;

  // The first INVITE of ours, and its CSeq for the ACK.
  RequestNumber invite = 0;
  uint32_t invite_cseq = 0;
  // An INVITE of ours that was answered by 2xx: its ACK waits for the other leg's answer (late offer).
  RequestNumber unacknowledged = 0;

  // What we told this side last, and under which name.
  sdp::Origin origin;
  std::string sent_sdp;
  // What a callee said in a provisional response, until the answer.
  std::string early_sdp;
  // Of our first INVITE, until the answer; null: no response has been reliable.
  std::unique_ptr<EarlyDialogs> early_dialogs;
  // RSeq of the callee's early offer, whose PRACK is to carry the caller's answer; 0: none is owed.
  uint32_t owed_rseq = 0;

  SessionTimer timer;
  // Session-Expires of the INVITE that we sent.
  absl::Duration asked_expires = absl::ZeroDuration();
  uint32_t min_expires = 0;

  // An INVITE or UPDATE is under way on it.
  bool IsNegotiating() const { return request_pending || ack_awaited || unacknowledged != 0; }

  // Something of the peer's has come: it is there.
  void Hear(absl::Time now) { heard_at_seconds = static_cast<uint32_t>(absl::ToUnixSeconds(now)); }
  absl::Time heard_at() const { return absl::FromUnixSeconds(heard_at_seconds); }

  // What the dialog with this To tag has said reliably; empty: nothing.
  absl::string_view EarlySession(absl::string_view to_tag) const {
    return early_dialogs == nullptr ? absl::string_view() : early_dialogs->SessionOf(to_tag);
  }
  void SetParty(const Party& who) {
    party = who;
    SetCredentials(who.credentials);
  }
  void SetCredentials(const std::shared_ptr<const Credentials>& us) {
    party.credentials = us;
    if (us == nullptr) return;
    credentials = std::make_unique<LegCredentials>(us->username, us->password, us->realm);
  }
  // Frees what only the first INVITE needed: the dialog knows its own target and route.
  void ForgetInvite() {
    std::string().swap(party.target_uri);
    party.invitation = nullptr;
    std::vector<std::string>().swap(party.route);
  }
  // A callee whose turn has not come.
  bool IsUnasked() const { return number != kCaller && state == State::kInviting && invite == 0; }
};

}  // namespace sluice::call

#endif  // SLUICE_SIGNALING_CALL_LEG_H_
