// The inside of Call, in files by concern:
// - call_start.cc: the caller's INVITE, and the INVITEs to the callees.
// - call_trunk.cc: one callee after the other, and answers to their challenges.
// - call_answer.cc: what the callees answer, until the caller has its 2xx or its failure.
// - call_reliable.cc: reliable provisional responses (RFC 3262), on each leg for itself.
// - call_redirect.cc: 3xx, and the answers to who their targets and those of transfers are.
// - call_offer.cc: re-INVITE and UPDATE, from either side (RFC 3261 14, RFC 3311).
// - call_transfer.cc: REFER, which puts another leg in the place of the one that sends it (RFC 3515, RFC 5589).
// - call_identity.cc: who the parties are, and to whom that is told (RFC 3323, RFC 3325).
// - call_session_id.cc: the names of both ends in Session-ID (RFC 7989).
// - call_replace.cc: dialogs that another call's INVITE takes the place of (RFC 3891).
// - call_standing.cc: what outlives the controller, and the call that is made of it.
// - call_in_dialog.cc: other requests in the dialogs, passed to the other leg.
// - call_media.cc: asking for media and writing SDP.
// - call_timers.cc: session timers (RFC 4028) and the other timers.
// - call_probe.cc: asking silent sides whether they are there (RFC 5057).
// - call_end.cc: CANCEL, BYE and the way to Ended.
//
// Every public function collects actions and hands them out at its end (`Take`), where it is also seen whether the call
// is over: when it is ending and neither an INVITE nor a BYE of ours, nor an ACK of theirs, is awaited any more.
#ifndef SLUICE_SIGNALING_CALL_CALL_CORE_H_
#define SLUICE_SIGNALING_CALL_CALL_CORE_H_

#include <array>
#include <boost/container/stable_vector.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "signaling/call/call.h"
#include "signaling/call/leg.h"
#include "signaling/call/media_negotiation.h"
#include "signaling/call/reliable_responses.h"
#include "signaling/sdp/session_description.h"
#include "signaling/sip/uri.h"

namespace sluice::call {

// What both sides may send us in a call.
inline constexpr absl::string_view kAllow =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, INFO, UPDATE, MESSAGE, NOTIFY, REFER";

// And which extensions of an INVITE we know, with reliable provisional responses and without.
inline constexpr absl::string_view kSupported = "timer, 100rel, replaces";
inline constexpr absl::string_view kSupportedButReliable = "timer, replaces";

// Until what another request in the dialog stands in the way of is tried again.
inline constexpr absl::Duration kRetry = absl::Seconds(5);

class Call::Core {
 public:
  Core(const CallOptions& options, Names& names) : options_(options), names_(names) {}

  // As in Call.
  Actions Start(const sip::Message& invite, sip::ServerTransactionId transaction, const Party& caller,
                const std::vector<Party>& callees, absl::Time now);
  Actions OnRequest(LegNumber number, sip::ServerTransactionId transaction, const sip::Message& request,
                    const sip::Hop& hop, absl::Time now);
  Actions OnAck(LegNumber number, const sip::Message& ack, absl::Time now);
  Actions OnAckMissing(LegNumber number, absl::Time now);
  Actions OnCancel(LegNumber number, sip::ServerTransactionId transaction, const sip::Message& cancel, absl::Time now);
  Actions OnResponse(LegNumber number, RequestNumber request, const sip::Message& response, absl::Time now);
  Actions OnRequestFailed(LegNumber number, RequestNumber request, sip::TransactionFailure failure, absl::Time now);
  Actions OnMedia(const MediaAnswer& answer, absl::Time now);
  Actions OnRoute(uint32_t question, uint16_t status, const std::vector<Party>& targets, absl::Time now,
                  absl::string_view reason);
  Actions OnMediaTimeout(absl::string_view text, absl::Time now);
  Actions OnTimer(CallTimer timer, absl::Time now);
  Actions HangUp(Ended::By by, absl::string_view text, absl::Time now);

  std::optional<state::v1::Call> StandingState() const;
  absl::StatusOr<Actions> Restore(const state::v1::Call& state, const CredentialsFunction& credentials, absl::Time now);

  std::optional<Replacement> FindReplacement(LegNumber number, absl::string_view remote_tag);
  const std::string& AccountOf(LegNumber number) const { return legs_[number].party.account; }
  bool IsOnCallersSide(LegNumber number) const { return legs_[number].side == 0; }
  LegNumber next_leg() const { return static_cast<LegNumber>(legs_.size()); }
  bool ended() const { return ended_; }

 private:
  using Outcome = MediaAnswer::Outcome;

  // A request of ours that waits for its final answer.
  struct ClientRequest {
    enum class Kind : uint8_t {
      // The first INVITE to a callee.
      kInvite,
      // Carries an exchange (re-INVITE or UPDATE) over to the other leg.
      kOffer,
      // Refreshes the session of one leg.
      kRefresh,
      // Passed on for `passed`.
      kPassed,
      kPrack,
      // Tells a transferor how its transfer goes.
      kNotify,
      // Asks a side whether it is there.
      kProbe,
      kBye,
    };
    RequestNumber number = 0;
    LegNumber leg = kCaller;
    Kind kind = Kind::kBye;
    sip::Method method = sip::Method::kOther;
    uint32_t cseq = 0;
    ServerRequest passed;
    // As it went out, where it may have to go out once more with credentials; else null.
    std::shared_ptr<const sip::Message> sent;
    // Answered before it went out this time.
    uint32_t challenges = 0;
  };

  // An offer and answer within the answered call, or, after both sides have agreed reliably, ahead of the answer; at
  // most one is under way.
  struct Exchange {
    // Who asks for it, and its INVITE, UPDATE or PRACK; `transaction` 0: it has been answered.
    LegNumber from = kCaller;
    LegNumber to = kCaller;
    ServerRequest request;
    // Of ours to `to`; 0: not sent yet, or answered.
    RequestNumber carried = 0;
    // The request brought no offer: the other side's 2xx does, and the answer comes in the ACK.
    bool late = false;
    // The offer is that of a transfer's target: there is no request, and the answer goes out in our ACK.
    bool joins = false;
    // As it came.
    std::string offer;
    // To go back to when it fails: the session, and what the other side was told.
    MediaSession before;
    std::string sdp_before;
  };

  // A REFER on its way; at most one.
  struct Transfer {
    LegNumber transferor = kCaller;
    // "refer;id=…" of the subscription that the REFER made.
    std::string event;
    bool is_subscribed = true;
    std::string referred_by;
    // As Refer-To has it, and the question for it.
    std::string target;
    uint32_t question = 0;
    uint16_t told_status = 100;
    // When the targets were found, and when the call was to end before one of them answered.
    absl::Time found = absl::InfinitePast();
    absl::Time latest_end = absl::InfiniteFuture();
    // The target that has answered, and its 2xx with the offer, until that is carried on.
    LegNumber answered = kCaller;
    std::optional<sip::Message> answer;
    // Of its offer, which goes on with as many as the other side has seen.
    size_t media_lines = 0;
    uint32_t glares = 0;
  };

  // What callees have said by 3xx.
  struct Redirections {
    // Targets that were asked for.
    std::vector<sip::Uri> targets;
    // Questions without an answer, and whose 3xx they come from.
    std::vector<std::pair<uint32_t, LegNumber>> open;
  };

  // What is due to a caller that takes reliable responses, until its 2xx.
  struct EarlyCaller {
    // A callee's response that the caller gets when a PRACK has come, with the description in its own terms.
    struct Held {
      sip::Message response;
      std::string sdp;
    };
    // A callee's 2xx that waits for the end of an exchange.
    struct HeldSuccess {
      ClientRequest request;
      sip::Message response;
    };
    EarlyCaller(const sip::Message& invite, uint32_t first_rseq) : responses(invite, first_rseq) {}

    ReliableResponses responses;
    std::vector<Held> provisionals;
    std::optional<Held> answer;
    std::vector<HeldSuccess> successes;
  };

  // How the call ends, once that is decided.
  struct End {
    Ended::By by = Ended::By::kController;
    uint16_t status = 0;
    uint16_t cause = 0;
    std::string text;
  };

  // call_start.cc
  // What the caller's INVITE says can be done. False: it cannot, and has been refused.
  bool CheckInvite();
  // Asks for media and invites the callees.
  void InviteCallees();
  Leg& AddLeg(size_t side, const Party& party);
  void InviteCallee(Leg& leg);
  sip::Message MakeInvite(Leg& leg);
  // An INVITE for `leg` with the line and fields that name it: Request-URI, Route, From, To, Call-ID, CSeq, Contact.
  // Once more with the next CSeq where there was one. `from` and `to`: without tag.
  sip::Message NameInvite(const Leg& leg, absl::string_view target, uint32_t max_forwards, absl::string_view from,
                          absl::string_view to);
  // What we can do, and the session timer that we ask for.
  void AddAbilities(Leg& leg, absl::string_view supported, sip::Message& invite);
  void RefuseCaller(uint16_t status, absl::string_view text, sip::Header header = sip::Header::kOther,
                    absl::string_view value = "");

  // call_trunk.cc
  // Invites those callees of the lowest group whose turn has not come. False: there are none.
  bool InviteNextGroup();
  // Max-Breadth for `count` INVITEs at once (RFC 5393 5.3.3.1). False: the caller's does not suffice, and it has been
  // refused.
  bool DivideBreadth(uint32_t count);
  // Gives up those who are asked now if none of them has answered at all, and asks the next ones.
  void OnSilence();
  // Sends a challenged request once more, with credentials. False: it cannot be answered.
  bool AnswerChallenge(Leg& leg, const ClientRequest& request, const sip::Message& response);

  // call_answer.cc
  void OnInviteResponse(Leg& leg, const ClientRequest& request, const sip::Message& response);
  void OnProvisional(Leg& leg, const sip::Message& response);
  void PassProvisional(const sip::Message& response, absl::string_view sdp);
  void OnSuccess(Leg& leg, const sip::Message& response);
  void OnLateOffer(Leg& leg, const sip::Message& response);
  void AnswerCaller(const sip::Message& response, absl::string_view sdp);
  void OnCallerAck(const sip::Message& ack);
  void OnFailure(Leg& leg, const sip::Message& response);
  // `response`: of a callee, or of a transfer's target, that is no way any more.
  void GoOnWithout(bool is_target, const sip::Message& response);
  void PassFailure();
  void EndSpareDialog(Leg& leg, const sip::Message& response);
  // The first INVITE's 2xx could not be used: 200 has come, so the callee gets BYE and the caller `status`.
  void EndUnusable(uint16_t status, absl::string_view text);

  // call_reliable.cc
  // Callees may answer reliably. An offer of theirs needs a caller that can answer it before the 2xx, and one callee
  // alone: the caller cannot answer several.
  bool TakesReliableResponses() const;
  void SendPrack(Leg& leg, const sip::Message& response);
  // `prack`: of the dialog that the response came in.
  void SendPrack(Leg& leg, sip::Message prack, uint32_t rseq, absl::string_view sdp);
  void OnEarlyOffer(Leg& leg, const sip::Message& response);
  void OnPrack(Leg& leg, sip::ServerTransactionId transaction, const sip::Message& prack);
  // An offer in a PRACK is carried as UPDATE; it is refused by 488 where that cannot be.
  void OnOfferInPrack(Leg& leg, sip::ServerTransactionId transaction, const sip::Message& prack);
  void OnEarlyAnswer(const sip::Message& prack);
  void OnPrackWait();
  // Sends `response` of ours, which has `sdp`, to the caller, reliably where that applies.
  void RespondEarly(sip::Message response, absl::string_view sdp);
  // The caller has an answer that `sdp` contradicts, from another callee: what follows is in another early dialog.
  void RenewCallerDialog(absl::string_view sdp);
  // The INVITE to `leg` has failed: what was agreed ahead of its answer is void, and another callee may be heard.
  void ForgetEarly(Leg& leg);
  // Offer and answer are complete towards `leg`, ahead of the 2xx.
  bool IsAgreedEarly(const Leg& leg) const;

  // call_redirect.cc
  void OnCallersRoute(uint16_t status, absl::string_view reason, const std::vector<Party>& callees);
  // Asks for the targets of a 3xx. False: it is a failure like others.
  bool FollowRedirection(const Leg& leg, const sip::Message& response);
  // `wish`: the peer's, that named the target.
  uint32_t AskForTarget(const Leg& leg, const sip::Message& wish, const std::string& target,
                        std::optional<sip::Replaces> replaces = std::nullopt);

  // call_identity.cc
  // From of our INVITEs in the name of `leg`'s peer, without tag.
  std::string ShownAddress(const Leg& leg) const;
  // The peer does not want to be known to whom `message` leads.
  bool Hides(const Leg& leg, const sip::Message& message) const;
  // In our INVITE to `leg`.
  static void AssertIdentityTo(const Leg& leg, sip::Message& invite);
  // P-Asserted-Identity of `message`, which `from` has sent, if both are trusted with it.
  void PassIdentity(const Leg& from, const Leg& to, const sip::Message& message, sip::Message& passed) const;

  // call_session_id.cc
  // Takes over the UUID that `leg`'s peer says it has; gives it one if it says none.
  void LearnSession(Leg& leg, const sip::Message& message);
  // Names the session for `leg`'s peer. `sender`: whose message it is; null: ours alone.
  void NameSession(const Leg& leg, const Leg* sender, sip::Message& message) const;
  // The callee that has sent `response`; null: nobody has.
  const Leg* SenderOf(const sip::Message& response) const;

  // call_replace.cc
  // As its address says.
  static std::string NumberOf(const Leg& leg);

  // call_offer.cc
  void OnOfferRequest(Leg& leg, sip::ServerTransactionId transaction, const sip::Message& request);
  void AnswerRefresh(Leg& leg, sip::ServerTransactionId transaction, const sip::Message& request);
  // An exchange can begin. The leg that it would go to; null: not now.
  Leg* ExchangePartner(Leg& leg);
  void BeginExchange(Leg& from, const Leg& to, ServerRequest request);
  void CarryOffer();
  void OnOfferResponse(const ClientRequest& request, const sip::Message& response);
  void FinishOffer(const sip::Message& response, absl::string_view sdp);
  void OnOfferAck(const sip::Message& ack);
  // Nothing has changed: `response` to the requester, and media as before.
  void FailOffer(sip::Message response);
  // One side has agreed to what the other cannot get: the call ends.
  void FailAgreement(absl::string_view text);

  // call_transfer.cc
  void OnRefer(Leg& leg, sip::ServerTransactionId transaction, const sip::Message& refer);
  sip::Message MakeTargetInvite(Leg& leg);
  void OnTargetProvisional(Leg& leg, const sip::Message& response);
  void OnTargetSuccess(Leg& leg, const ClientRequest& request, const sip::Message& response);
  // Gives the target's offer to the one that stays, as soon as nothing else is negotiated.
  void JoinTarget();
  // Both sides have agreed: `answer` goes to the target, and the transferor is let go.
  void FinishJoin(sdp::SessionDescription answer);
  // The one that stays did not take the target's offer.
  void FailJoin(uint16_t status);
  // The transferor and the other side stay as they are; the call ends if the transferor has gone.
  // `reason`: for the transferor; empty: the usual phrase.
  void FailTransfer(uint16_t status, absl::string_view reason = "");
  // `cause`: as in Cancel.
  void CancelTargets(absl::string_view reason, uint16_t cause);
  void Notify(uint16_t status, bool is_last, absl::string_view reason = "");
  void EndSubscription(const Leg& leg);

  // call_standing.cc
  bool IsQuiet() const;
  absl::Duration NoticeWait();
  absl::Status ReadState(const state::v1::Call& state, const CredentialsFunction& credentials);

  // call_in_dialog.cc
  void PassRequest(Leg& leg, sip::ServerTransactionId transaction, const sip::Message& request);
  void PassResponse(const ClientRequest& request, const sip::Message& response);

  // call_media.cc
  // Asks for `wanted`; `then` is called once, now if nothing changes, and never after the call's end began.
  void AskForMedia(MediaSession wanted, std::function<void(Outcome)> then);
  void SendWanted();
  void FinishMedia(Outcome outcome);
  MediaPeers Peers() const;
  // `description` for this leg's peer, anchored and under the leg's own origin; kept as the leg's sent SDP.
  const std::string& WriteSdp(Leg& leg, sdp::SessionDescription description);

  // call_timers.cc
  void SetTimer(CallTimer timer, absl::Duration after);
  void CancelTimer(CallTimer timer);
  bool IsSet(CallTimer timer) const { return (timers_ & BitOf(timer)) != 0; }
  static uint32_t BitOf(CallTimer timer) { return 1u << static_cast<uint32_t>(timer); }
  // The call ends then, if not before.
  void LimitTo(absl::Time end);
  // As long as it was to last before.
  void RestoreEnd(absl::Time end);
  void ScheduleSessionTimers();
  void RefreshDueLegs();
  void Refresh(Leg& leg);
  void OnRefreshResponse(const ClientRequest& request, const sip::Message& response);
  // Until a request that met another one is tried again (RFC 3261 14.1): longer where the Call-ID is ours, so that the
  // two do not meet again.
  absl::Duration GlareWait(const Leg& leg);
  void OnSessionExpired();

  // call_probe.cc
  // Nothing else finds out when its peer is gone.
  bool IsProbed(const Leg& leg) const;
  // Runs one timer for both sides: not moved by what is heard, it looks whom it is time to ask, and runs on.
  void ScheduleProbe();
  void ProbeSilentLegs();
  void Probe(Leg& leg);
  void OnProbeResponse(const ClientRequest& request, const sip::Message& response);
  // A relay carries media that is to flow both ways, and would say if it stopped.
  bool IsMediaWatched() const;

  // call_end.cc
  // Begins the end of all legs that are not over yet. BYEs and CANCELs that go out carry the header fields of
  // `message`, the one that ended the call.
  void Finish(End end, const sip::Message* message = nullptr);
  void OnBye(Leg& leg, sip::ServerTransactionId transaction, const sip::Message& bye);
  // `message`: as in Finish.
  void SendBye(Leg& leg, const sip::Message* message = nullptr);
  // `cause`: of Q.850, for the record, where the call goes on.
  void Cancel(Leg& leg, std::string reason, uint16_t cause);
  // `leg` is over for its peer; says so if the call goes on.
  void EndLeg(const Leg& leg, Ended::By by, uint16_t cause);
  void Close(Leg& leg);
  bool IsOver() const;

  // call.cc
  void Begin(absl::Time now);
  Actions Take();
  Leg* Find(LegNumber number);
  Leg& caller() { return legs_[kCaller]; }
  LegNumber callee() const { return ends_[1]; }
  // It talks with the other end, or may yet; false for one whose place another leg has taken.
  bool IsEnd(const Leg& leg) const { return ends_[leg.side] == leg.number || callee() == kCaller; }
  Ended::By EndedBy(const Leg& leg) const { return leg.side == 0 ? Ended::By::kCaller : Ended::By::kCallee; }
  // The leg at the other end: before the answer the only callee that may; null if there is none.
  Leg* Opposite(const Leg& leg) { return const_cast<Leg*>(std::as_const(*this).Opposite(leg)); }
  const Leg* Opposite(const Leg& leg) const;
  sip::Hop HopOf(const Leg& leg) const;
  // Our Contact towards `party`, who knows us as the one of `local_address` (a From or To value).
  static std::string ContactFor(const Party& party, absl::string_view local_address);
  std::string ContactOf(const Leg& leg) const { return ContactFor(leg.party, leg.dialog->local()); }
  // `response` is the peer's, or stands for one that did not come: without header fields.
  void TakeResponse(Leg& leg, RequestNumber request, const sip::Message& response);
  RequestNumber Send(Leg& leg, ClientRequest::Kind kind, sip::Message message, ServerRequest passed = {});
  void Acknowledge(Leg& leg, RequestNumber number, uint32_t cseq, const sip::Dialog& dialog, absl::string_view sdp);
  // A response of our own, without body.
  sip::Message Answer(const ServerRequest& request, uint16_t status, absl::string_view text = "") const;
  void Respond(const Leg& leg, sip::ServerTransactionId transaction, sip::Message message);
  void Refuse(const Leg& leg, sip::ServerTransactionId transaction, const sip::Message& request, uint16_t status,
              absl::string_view text = "");

  const CallOptions& options_;
  Names& names_;
  absl::Time now_ = absl::InfinitePast();
  Actions actions_;

  // Addresses of legs are stable.
  boost::container::stable_vector<Leg> legs_;
  std::vector<ClientRequest> requests_;
  RequestNumber last_request_ = 0;

  // The caller's INVITE until its final answer.
  std::optional<ServerRequest> invite_;
  // Only those who are trusted with it learn who the caller is.
  bool hides_caller_ = false;
  // The caller has made no offer.
  bool late_offer_ = false;
  // The legs that talk with each other, by side; kCaller on the callee's: none was taken yet.
  std::array<LegNumber, 2> ends_ = {kCaller, kCaller};
  // The leg whose early media the caller gets; 0: none.
  LegNumber early_leg_ = 0;
  // The best failure of the callees so far.
  std::optional<sip::Message> failure_;
  bool ringing_ = false;
  // Null: none is under way.
  std::unique_ptr<Exchange> exchange_;
  // Null: the caller cannot take reliable responses.
  std::unique_ptr<EarlyCaller> early_;
  // Null: none is under way.
  std::unique_ptr<Transfer> transfer_;
  // Null: nobody has redirected.
  std::unique_ptr<Redirections> redirections_;
  uint32_t last_question_ = 0;
  // Max-Breadth of the INVITEs that go out (RFC 5393); 0: none.
  uint32_t breadth_ = 0;

  MediaSession media_;
  std::vector<MediaAnswer::Stream> ports_;
  std::function<void(Outcome)> after_media_;
  std::string media_text_;
  bool media_created_ = false;
  // CreateMedia or UpdateMedia is under way; `media_` is newer than it.
  bool media_asked_ = false;
  bool media_stale_ = false;

  // When the longest duration of the call is reached.
  absl::Time latest_end_ = absl::InfiniteFuture();
  // Bits by CallTimer.
  uint32_t timers_ = 0;
  std::optional<End> end_;
  bool ended_ = false;
};

}  // namespace sluice::call

#endif  // SLUICE_SIGNALING_CALL_CALL_CORE_H_
