// One call through the B2BUA: two (or, while it forks, more) dialogs and the media session between them, as a state
// machine without I/O, clock or lock.
//
// How it works. The agent feeds events with the present time; every function answers the actions to be carried out, in
// order. The call makes whole messages but for Via (the transaction layer's) and knows its peers by leg number: leg 0
// is the caller (A), legs from 1 on are the callee's branches (B). Media is asked for in the call's own terms
// (`MediaSession`), which the agent writes to a relay.
//
// What is passed between the legs and what is not: ARCHITECTURE.md, "Life of a call". Each leg has its own Call-ID,
// tags, CSeq and Contact; header fields that are not known and not blocked, bodies that are no SDP, and SDP lines that
// the relay does not need to change are passed on as they came.
//
// Threads: the shard's.
#ifndef SLUICE_SIGNALING_CALL_CALL_H_
#define SLUICE_SIGNALING_CALL_CALL_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "signaling/call/media_session.h"
#include "signaling/sip/header_values.h"
#include "signaling/sip/hop.h"
#include "signaling/sip/message.h"
#include "signaling/sip/transaction_layer.h"

namespace sluice::state::v1 {
class Call;
}

namespace sluice::call {

using LegNumber = uint32_t;
inline constexpr LegNumber kCaller = 0;

// A request that the call sent, by a number of the call's own: the agent keeps which client transaction it is.
using RequestNumber = uint32_t;

// Fresh names, from the shard's source of randomness.
class Names {
 public:
  virtual ~Names() = default;
  virtual std::string NewCallId() = 0;
  virtual std::string NewTag() = 0;
  // Below 2^31 - 2^16, so that a dialog's CSeq does not run over.
  virtual uint32_t NewCSeq() = 0;
  // Any number, for waits that are to differ.
  virtual uint64_t NewNumber() = 0;
};

// Who we are to a party that challenges us. Only challenges of `realm` are answered.
struct Credentials {
  std::string username;
  std::string password;
  std::string realm;
};

// What our INVITE to a callee says otherwise than the caller's, each empty if it does not.
struct Invitation {
  // From and To, without tag. Else what the caller's say, in our domain.
  std::string from;
  std::string to;
  // Takes the place of a dialog that the callee has (RFC 3891).
  std::string replaces;
  // P-Asserted-Identity (RFC 3325), for those only who are trusted with it; and whether they are to keep it to
  // themselves.
  std::string identity;
  bool hides_identity = false;
};

// Those by which the challenges of this account or trunk are answered; null: they are not.
using CredentialsFunction = std::function<std::shared_ptr<const Credentials>(const std::string& account)>;

// Who is at the other end of a leg and how it is reached.
struct Party {
  // Where its requests go to and come from. For a phone behind NAT: where its packets come from, whatever its Contact
  // says.
  sip::Hop hop;
  // Requests in the dialog go to `hop` and not to the Contact's address.
  bool behind_nat = false;
  // An account's and not a trunk's: its SDP may name an address of the inside of its NAT though its Contact does not.
  bool is_phone = false;
  // It is told who others are, and believed in what it says of them (RFC 3325).
  bool is_trusted = false;
  // Callee: its 300, 301 and 302 are followed or not; nothing: as the options say.
  std::optional<bool> follow_redirections;
  // "host:port" that the party knows us by, for our Contact; `secure` makes it sips-free transport=tls etc. by
  // hop.protocol.
  std::string advertised;
  // Request-URI of the INVITE (callee): the registered Contact, or the trunk's URI.
  std::string target_uri;
  // Route header field values to put on the INVITE (Path of the binding). May be empty.
  std::vector<std::string> route;
  // Callee; null: nothing of its own.
  std::shared_ptr<const Invitation> invitation;
  // Callee: the lowest group is asked first, all of it at once, and the next one only if none of it does its service
  // (408, 500, 502 to 504, or no answer at all): the trunks of a route, one a group.
  uint32_t group = 0;
  // Callee: who has not answered at all for as long is given up for the next group, if there is one. 0: waits for Timer
  // B.
  absl::Duration patience;
  // Null: its challenges are not answered.
  std::shared_ptr<const Credentials> credentials;
  // Callee: how long the call may be from its answer on, beside what the options say; 0: no limit.
  absl::Duration max_duration;
  // Account or trunk, for records.
  std::string account;
  // Caller: shown to the callees if its own From has none.
  std::string display_name;
};

struct CallOptions {
  // What stands in From/To of our side, and in o= lines: the realm's host part or our address.
  std::string domain;
  std::string user_agent = "Sluice";
  absl::Duration ring_timeout = absl::Seconds(180);
  // Session-Expires that we ask for; 0: off.
  absl::Duration session_expires = absl::Seconds(1800);
  absl::Duration max_duration = absl::ZeroDuration();
  // After so much silence a side without session timer is asked whether it is there (OPTIONS in its dialog); 0: never.
  absl::Duration probe_interval = absl::Seconds(300);
  uint32_t retry_after_seconds = 5;
  // SDP is passed through as it is, and no relay takes part.
  bool media_released = false;
  // A callee's 300, 301 and 302 lead to the targets that they name, by the callee's own rights; else the caller gets
  // them.
  bool follows_redirections = false;
  // REFER goes to the other side, which makes the transfer; else it is made here.
  bool passes_refer = false;
  // Lower-case names of header fields that are not passed on, beside those that every leg makes itself.
  absl::flat_hash_set<std::string> blocked_headers;
};

// Actions.

struct SendRequest {
  LegNumber leg;
  RequestNumber number;
  sip::Message message;
  sip::Hop hop;
};
struct SendAck {
  LegNumber leg;
  // Of the INVITE.
  RequestNumber number;
  sip::Message message;
  sip::Hop hop;
};
struct CancelRequest {
  LegNumber leg;
  RequestNumber number;
  std::string reason;
};
struct Respond {
  LegNumber leg;
  sip::ServerTransactionId transaction;
  sip::Message message;
};
// Answered by OnMedia. At most one is under way.
struct CreateMedia {
  MediaSession session;
};
struct UpdateMedia {
  MediaSession session;
};
// What an earlier run of the controller has created, as it was wanted and answered last. Not answered.
struct AdoptMedia {
  MediaSession session;
  std::vector<MediaAnswer::Stream> ports;
};
// Answered to the agent, for the record; the call does not wait.
struct DeleteMedia {};
enum class CallTimer : uint8_t {
  kRing,
  kSession,
  kRefresh,
  kDuration,
  kPrack,
  kTransfer,
  kPatience,
  kAnswerWait,
  kProbe
};
// One a kind; setting it again moves it.
struct SetTimer {
  CallTimer timer;
  absl::Duration after;
};
struct CancelTimer {
  CallTimer timer;
};
// The question that Start itself is, where it is given no callees.
inline constexpr uint32_t kCallersQuestion = 0;
// A party names another one that is to be invited in its place: a callee by its 3xx, either side of the answered call
// by REFER. Answered by OnRoute, at once or later.
struct FindTarget {
  // Names this question; never used again.
  uint32_t question;
  // By REFER; else by 3xx.
  bool is_transfer;
  // Who wants it, and by whose rights it is done: an account's or, where it is no phone, a trunk's.
  LegNumber leg;
  std::string account;
  bool is_phone;
  sip::Hop hop;
  // As its address says.
  std::string number;
  // It does not want to be known (RFC 3323).
  bool anonymous;
  // A URI without header fields.
  std::string target;
  // The call that it is to take the place of (RFC 3891), as the one who asks names it: the target is who is at the
  // other end of that.
  std::optional<sip::Replaces> replaces;
};
// A dialog's name, as requests in it will carry it (Call-ID and our tag), so that the agent finds the call; and that it
// is no more.
struct DialogMade {
  LegNumber leg;
  std::string call_id;
  std::string local_tag;
};
struct DialogEnded {
  LegNumber leg;
  std::string call_id;
  std::string local_tag;
};
// Progress, for records and operators.
struct Progress {
  enum class Step : uint8_t { kRinging, kAnswered };
  Step step;
  // For kAnswered: the leg that was taken.
  LegNumber leg = 1;
};
// The last action of a call; nothing of it is left. Exactly one, with DeleteMedia before it if there was media.
struct Ended {
  enum class By : uint8_t { kCaller, kCallee, kController, kOperator, kMediaTimeout, kSessionTimer, kUnreachable };
  By by;
  // Final status before the answer; 200 for a call that was answered.
  uint16_t sip_status;
  uint16_t q850_cause;
  std::string text;
};

// A leg is over ahead of the call: its callee has failed, has lost the call to another one or is given up, or another
// leg has taken its place. Perhaps told again, which says nothing new; of legs that end with the call it is not told.
struct LegEnded {
  LegNumber leg;
  Ended::By by;
  uint16_t q850_cause;
};

// The call is over for its users, and how it has ended is certain; what follows are answers of peers to BYE and CANCEL.
// Exactly one, ahead of Ended (at once, if nothing is owed) and behind DeleteMedia.
struct Ending {
  Ended how;
};

using Action =
    std::variant<SendRequest, SendAck, CancelRequest, Respond, CreateMedia, UpdateMedia, AdoptMedia, DeleteMedia,
                 SetTimer, CancelTimer, FindTarget, DialogMade, DialogEnded, Progress, LegEnded, Ending, Ended>;
using Actions = std::vector<Action>;

// Who an INVITE that takes the place of a leg is for: whoever is at the other end, named as that one knows its dialog.
struct Replacement {
  // Of the leg whose place is taken.
  std::string account;
  // The other end, and its number.
  Party party;
  std::string number;
  // The call is not answered yet: whoever takes the place has picked it up.
  bool is_early = false;
};

class Call {
 public:
  // `options` and `names` outlive the call.
  Call(const CallOptions& options, Names& names);
  ~Call();

  // The caller's INVITE, authenticated and routed: 100 goes out, media is asked for, the callees are invited (group by
  // group). Without `callees` it waits for an OnRoute of kCallersQuestion, which says who they are. Credentials of
  // `invite` are not passed on.
  Actions Start(const sip::Message& invite, sip::ServerTransactionId transaction, const Party& caller,
                const std::vector<Party>& callees, absl::Time now);

  // A request in one of its dialogs (the agent found the leg by Call-ID and To tag), other than ACK and CANCEL. `hop`
  // empty: it has come by another controller, which does not say where the peer's packets come from.
  Actions OnRequest(LegNumber leg, sip::ServerTransactionId transaction, const sip::Message& request,
                    const sip::Hop& hop, absl::Time now);
  Actions OnAck(LegNumber leg, const sip::Message& ack, absl::Time now);
  Actions OnAckMissing(LegNumber leg, sip::ServerTransactionId transaction, absl::Time now);
  Actions OnCancel(LegNumber leg, sip::ServerTransactionId transaction, const sip::Message& cancel, absl::Time now);

  Actions OnResponse(LegNumber leg, RequestNumber number, const sip::Message& response, const sip::Hop& hop,
                     absl::Time now);
  Actions OnRequestFailed(LegNumber leg, RequestNumber number, sip::TransactionFailure failure, absl::Time now);

  // Answer to CreateMedia or UpdateMedia.
  Actions OnMedia(const MediaAnswer& answer, absl::Time now);
  // Answer to FindTarget, or to kCallersQuestion: who is to be invited, or, if nobody, the `status` of why, and
  // `reason` for its reason phrase (empty: the usual one). A transfer's limits count from here, and those that are
  // earlier hold.
  Actions OnRoute(uint32_t question, uint16_t status, const std::vector<Party>& targets, absl::Time now,
                  absl::string_view reason = "");
  // Both directions are silent (or the relay lost the session for good): both legs are ended.
  Actions OnMediaTimeout(absl::string_view text, absl::Time now);

  Actions OnTimer(CallTimer timer, absl::Time now);
  // An operator, or the controller that shuts down: BYE after the answer; CANCEL and 480 before.
  Actions HangUp(Ended::By by, absl::string_view text, absl::Time now);

  // All that the call has to be made of again after a restart of the controller, while it is quiet: both ends have
  // answered, and no request, ACK, transfer or media of theirs or ours is awaited. Nothing: it is not.
  std::optional<state::v1::Call> StandingState() const;
  // Makes the call of `state`, instead of Start; its options may be others by now. Its dialogs and timers are told as
  // if they began, and what has become due meanwhile is due now; refreshes, within some seconds; whether a side is
  // there, within an interval. `credentials` is asked for those who had some. INVALID_ARGUMENT, saying what is damaged:
  // the call is of no use.
  absl::StatusOr<Actions> Restore(const state::v1::Call& state, const CredentialsFunction& credentials, absl::Time now);

  // What `leg`, which the caller of this function has found by Call-ID and our tag, and whose own tag is to be
  // `remote_tag`, can be replaced by. Nothing: it is no such dialog, or the two do not talk with each other any more;
  // or not yet, and it is the caller's: a callee must not be replaced a dialog that it has not begun (RFC 3891 3).
  std::optional<Replacement> FindReplacement(LegNumber leg, absl::string_view remote_tag) const;

  // Of the one who is at the other end of `leg`, which this run of the controller has seen begin.
  const std::string& AccountOf(LegNumber leg) const;
  // And this one talks for the caller's side.
  bool IsOnCallersSide(LegNumber leg) const;
  // What the first of the targets of an OnRoute will be.
  LegNumber next_leg() const;
  bool ended() const;

 private:
  class Core;
  const std::unique_ptr<Core> core_;
};

}  // namespace sluice::call

#endif  // SLUICE_SIGNALING_CALL_CALL_H_
