#include "signaling/call/call_simulation.h"

#include <array>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "signaling/call/call_test_bed.h"
#include "sluice/state/v1/standing_call.pb.h"

namespace sluice::call {
namespace {

constexpr sip::ServerTransactionId kInviteTransaction = 1;

class Simulation : public Names {
 public:
  explicit Simulation(const std::function<uint8_t()>& next)
      : next_(next), options_(Options(next() % 2 == 0)), call_(std::make_unique<Call>(options_, *this)) {}

  std::string Run(int events) {
    const uint8_t kind = next_();
    std::vector<Party> callees = {CallTestBed::Callee(1)};
    if ((kind & 1) != 0) callees.push_back(CallTestBed::Callee(2));
    // At once, or the second one when the first is silent or out of service.
    callees.front().patience = absl::Seconds(4);
    callees.back().group = (kind & 65) == 65 ? 1 : 0;
    const sip::Message invite = CallTestBed::Invite(
        absl::StrCat((kind & 2) != 0 ? "Supported: timer\r\nSession-Expires: 120\r\nAllow: UPDATE\r\n" : "",
                     (kind & 8) != 0 ? "Supported: 100rel\r\n" : "", (kind & 48) == 48 ? "Require: 100rel\r\n" : ""),
        (kind & 4) != 0 ? std::string() : PhoneSdp("198.18.1.2"));
    OpenTransaction(kCaller, kInviteTransaction, invite);
    // Whom it goes to may be said later.
    const bool waits = (kind & 48) == 16;
    if (waits) questions_.push_back(kCallersQuestion);
    Do(call_->Start(invite, kInviteTransaction, CallTestBed::Caller(), waits ? std::vector<Party>() : callees, now_));
    // Most of what can go wrong needs a call that has come some way.
    const uint8_t orderly = next_() % 12;
    for (uint8_t step = 0; step < orderly && broken_.empty() && !call_->ended(); ++step) GoOn(step, kind);
    for (int i = 0; i < events && broken_.empty() && !call_->ended(); ++i) Step();
    for (int i = 0; i < 100 && broken_.empty() && !call_->ended(); ++i) Settle(i);
    if (!broken_.empty()) return broken_;
    if (!call_->ended()) return "the call is stuck";
    for (const auto& [id, transaction] : transactions_) {
      if (!transaction.answered) return absl::StrCat("request ", id, " was never answered");
    }
    if (media_created_ != media_deleted_) return "media was left behind";
    if (!dialogs_.empty()) return "a dialog was not ended";
    if (!timers_.empty()) return "a timer was left running";
    return "";
  }

  int restarts() const { return restarts_; }
  int probes() const { return probes_; }

  std::string NewCallId() override { return absl::StrCat("ours", ++names_); }
  std::string NewTag() override { return absl::StrCat("tag", ++names_); }
  uint32_t NewCSeq() override { return 1000 + static_cast<uint32_t>(++names_); }
  uint64_t NewNumber() override { return next_(); }

 private:
  static CallOptions Options(bool session_timers) {
    CallOptions options = CallTestBed::DefaultOptions();
    options.follows_redirections = true;
    if (!session_timers) options.session_expires = absl::ZeroDuration();
    options.probe_interval = absl::Seconds(10);
    return options;
  }

  struct Transaction {
    LegNumber leg = kCaller;
    sip::Message request;
    bool answered = false;
  };
  struct Sent {
    SendRequest request;
    bool cancelled = false;
    // A real transaction gives one final answer; it is kept for more, which must do no harm.
    bool over = false;
  };

  void Break(absl::string_view text) {
    if (broken_.empty()) broken_ = std::string(text);
  }

  void OpenTransaction(LegNumber leg, sip::ServerTransactionId id, const sip::Message& request) {
    transactions_[id] = {leg, request, false};
  }

  void Do(Actions actions) {
    for (Action& action : actions) {
      if (ended_) Break("an action behind Ended");
      std::visit([this](auto& one) { On(one); }, action);
    }
  }

  void On(SendRequest& action) {
    const sip::Message& request = action.message;
    if (request.method() == sip::Method::kPrack &&
        !acknowledged_.insert(absl::StrCat(action.leg, request.ToTag(), request.Get(sip::Header::kRAck))).second) {
      Break("a second PRACK for one response");
    }
    if (request.method() == sip::Method::kOptions) {
      ++probes_;
      if (ending_) Break("a side of a call that has ended is asked whether it is there");
      for (const Sent& sent : sent_) {
        if (!sent.over && sent.request.leg == action.leg && sent.request.message.ToTag() == request.ToTag()) {
          Break("a side is asked whether it is there while it owes an answer");
        }
      }
    }
    sent_.push_back({std::move(action), false, false});
  }
  void On(SendAck& action) {
    if (!IsInvite(action.number)) Break("ACK for what is no INVITE");
  }
  void On(CancelRequest& action) {
    if (!IsInvite(action.number)) Break("CANCEL for what is no INVITE");
    for (Sent& sent : sent_) sent.cancelled = sent.cancelled || sent.request.number == action.number;
  }
  void On(Respond& action) {
    const auto found = transactions_.find(action.transaction);
    if (found == transactions_.end()) return Break("an answer to nobody");
    Transaction& transaction = found->second;
    if (transaction.leg != action.leg) Break("an answer on the wrong leg");
    if (transaction.answered) Break("a second final answer");
    if (action.message.Get(sip::Header::kCSeq) != transaction.request.Get(sip::Header::kCSeq)) Break("another CSeq");
    transaction.answered = action.message.is_final();
    if (action.transaction == kInviteTransaction) SeeByCaller(action.message);
  }
  void SeeByCaller(const sip::Message& response) {
    if (response.Has(sip::Header::kRSeq)) {
      const bool again = response.Get(sip::Header::kRSeq) == unacknowledged_.Get(sip::Header::kRSeq);
      if (unacknowledged_.is_provisional() && !again) Break("two reliable responses without a PRACK");
      unacknowledged_ = response;
    } else if (response.is_success() && !unacknowledged_.body().empty()) {
      Break("a 2xx ahead of the PRACK");
    }
  }
  void On(CreateMedia& action) {
    if (media_created_) Break("media created twice");
    media_created_ = true;
    AskMedia(action.session);
  }
  void On(UpdateMedia& action) {
    if (!media_created_ || media_deleted_) Break("an update of no media");
    AskMedia(action.session);
  }
  void AskMedia(const MediaSession& session) {
    if (media_asked_) Break("two media requests at a time");
    media_asked_ = true;
    session_ = session;
  }
  void On(AdoptMedia& action) {
    if (!media_created_ || media_deleted_) Break("media adopted that is not there");
    if (!(action.session == session_)) Break("other media adopted than was asked for");
  }
  void On(DeleteMedia&) {
    if (!media_created_ || media_deleted_) Break("media deleted that is not there");
    media_deleted_ = true;
  }
  void On(SetTimer& action) {
    if (action.after < absl::ZeroDuration()) Break("a timer in the past");
    timers_.insert(action.timer);
  }
  void On(CancelTimer& action) { timers_.erase(action.timer); }
  void On(DialogMade& action) {
    if (!dialogs_.emplace(action.leg, std::make_pair(action.call_id, action.local_tag)).second) Break("a dialog twice");
  }
  void On(DialogEnded& action) {
    if (dialogs_.erase(action.leg) == 0) Break("the end of no dialog");
  }
  void On(FindTarget& action) { questions_.push_back(action.question); }
  void On(Progress&) {}
  void On(LegEnded& action) {
    if (ending_) Break("the end of a leg behind Ending");
    if (action.leg >= call_->next_leg()) Break("the end of no leg");
  }
  void On(Ending&) {
    if (std::exchange(ending_, true)) Break("a second Ending");
    if (media_created_ && !media_deleted_) Break("Ending ahead of DeleteMedia");
  }
  void On(Ended&) {
    if (!ending_) Break("Ended without Ending");
    ended_ = true;
  }

  bool IsInvite(RequestNumber number) const {
    for (const Sent& sent : sent_) {
      if (sent.request.number == number) return sent.request.message.method() == sip::Method::kInvite;
    }
    return false;
  }

  template <size_t kSize>
  absl::string_view Pick(const std::array<absl::string_view, kSize>& choices) {
    return choices[next_() % kSize];
  }

  // One step of a call as it should be, with the first callee.
  void GoOn(uint8_t step, uint8_t kind) {
    if (step == 0) AnswerRoute(1);
    AnswerMedia(MediaAnswer::Outcome::kDone);
    const bool early = (kind & 64) != 0;
    if (step == 1 && early) AnswerInvite(183, PhoneSdp("192.168.2.63"));
    if (step == 2 && early) Acknowledge(++cseq_, (kind & 4) != 0 ? PhoneSdp("198.18.1.2") : std::string());
    if (step == 3) AnswerInvite(200, early ? std::string() : PhoneSdp("192.168.2.63"));
    if (step == 5) Do(call_->OnAck(kCaller, CallTestBed::Invite("", early ? "" : PhoneSdp("198.18.1.2")), now_));
    if ((kind & 128) == 0) return;
    if (step == 6) SendRequestOf(kind & 1, "REFER", ++cseq_, "");
    if (step == 7) AnswerRoute(0);
    if (step == 8) AnswerInvite(200, PhoneSdp("192.168.2.2"));
    if (step == 10) AnswerInvite(200, PhoneSdp("192.168.2.63"));
  }

  // The INVITE of ours that went out last.
  void AnswerInvite(uint16_t status, absl::string_view sdp) {
    size_t last = sent_.size();
    while (last > 0 && sent_[last - 1].request.message.method() != sip::Method::kInvite) --last;
    if (last == 0 || sent_[last - 1].over) return;
    sent_[last - 1].over = status >= 200;
    const SendRequest request = sent_[last - 1].request;
    const std::string reliable = absl::StrCat("Require: 100rel\r\nRSeq: ", ++rseqs_[request.leg], "\r\n");
    Do(call_->OnResponse(
        request.leg, request.number,
        CallTestBed::Answer(request, status, sdp, absl::StrCat("Allow: UPDATE\r\n", status < 200 ? reliable : "")),
        request.hop, now_));
  }

  void Step() {
    now_ += absl::Milliseconds(next_() * 100);
    // Where the call can be kept; mostly it cannot.
    if (next_() % 2 == 0) Restart();
    switch (next_() % 13) {
      case 0:
      case 1:
      case 2:
        return AnswerSomething();
      case 3:
        return AnswerMedia(static_cast<MediaAnswer::Outcome>(next_() % 4));
      case 4:
      case 5:
        return SendSomething();
      case 6:
        return FireSomething();
      case 7:
        return Do(call_->OnAck(PickLeg(), CallTestBed::Invite("", PickSdp()), now_));
      case 8:
        return Do(call_->OnAckMissing(PickLeg(), kInviteTransaction, now_));
      case 9:
        return CancelSomething();
      case 10:
        return FailSomething();
      case 11:
        return AnswerRoute(next_());
      default:
        if (next_() % 4 == 0) return Do(call_->HangUp(Ended::By::kOperator, "operator", now_));
        if (next_() % 4 == 0) return Do(call_->OnMediaTimeout("silence", now_));
        return Replace(PickLeg());
    }
  }

  // All that the earlier controller waited for, and whatever waited for it, is gone.
  void Restart() {
    const std::optional<state::v1::Call> kept = call_->StandingState();
    if (!kept.has_value()) return;
    if (ending_) Break("what has ended is kept");
    for (const auto& [id, transaction] : transactions_) {
      if (!transaction.answered) Break("a call is kept while a request has no answer");
    }
    ++restarts_;
    sent_.clear();
    questions_.clear();
    timers_.clear();
    dialogs_.clear();
    unacknowledged_ = sip::Message();
    now_ += absl::Seconds(next_());
    call_ = std::make_unique<Call>(options_, *this);
    const std::string text = kept->SerializeAsString();
    state::v1::Call read;
    if (!read.ParseFromString(text)) return Break("what was kept cannot be read");
    absl::StatusOr<Actions> actions = call_->Restore(
        read, [](const std::string&) { return nullptr; }, now_);
    if (!actions.ok()) return Break(actions.status().message());
    Do(*std::move(actions));
    std::optional<state::v1::Call> again = call_->StandingState();
    if (!again.has_value() || again->legs_size() != read.legs_size()) return Break("another call than was kept");
    for (int i = 0; i < read.legs_size(); ++i) {
      // Numbers go on, and leave out some.
      state::v1::Leg& leg = *again->mutable_legs(i);
      if (leg.dialog().local_cseq() <= read.legs(i).dialog().local_cseq()) Break("a CSeq comes twice");
      leg.mutable_dialog()->set_local_cseq(read.legs(i).dialog().local_cseq());
      leg.mutable_origin()->set_version(read.legs(i).origin().version());
      // One that is overdue waits a little.
      leg.mutable_timer()->set_refresh_nanos(read.legs(i).timer().refresh_nanos());
    }
    if (again->SerializeAsString() != text) Break("another call than was kept");
  }

  void Replace(LegNumber leg) {
    const auto replacement =
        call_->FindReplacement(leg, leg == kCaller ? "z9hG4bK73846736" : absl::StrCat("callee", leg));
    if (!replacement.has_value()) return;
    if (ending_) Break("what has ended is replaced");
    if (replacement->is_early && leg == kCaller) Break("a callee is to replace a dialog that it has not begun");
    if (replacement->party.target_uri.empty()) Break("nobody to replace");
  }

  LegNumber PickLeg() { return next_() % 4; }

  std::string PickSdp() {
    switch (next_() % 6) {
      case 0:
        return "";
      case 1:
        return "v=0\r\nc=IN IP4 192.168.2.63\r\nm=audio 21000 RTP/AVP 0\r\n";
      case 2:
        return "garbage";
      case 3:
        return PhoneSdp("192.168.2.63", 30000, 0);
      default:
        return PhoneSdp("192.168.2.63");
    }
  }

  Sent* PickSent() { return sent_.empty() ? nullptr : &sent_[next_() % sent_.size()]; }

  void AnswerSomething() {
    static constexpr std::array<uint16_t, 16> kStatuses = {100, 180, 183, 199, 200, 200, 200, 302,
                                                           401, 408, 422, 481, 486, 491, 501, 603};
    Sent* sent = PickSent();
    if (sent == nullptr) return;
    const uint16_t status = kStatuses[next_() % kStatuses.size()];
    const std::string sdp = PickSdp();
    std::string fields(Pick<3>({"", "Allow: UPDATE\r\n", "Min-SE: 300\r\nSession-Expires: 300;refresher=uas\r\n"}));
    if (status == 302) absl::StrAppend(&fields, "Contact: <sip:", next_() % 8, "@198.18.1.1>;q=0.5\r\n");
    if (status < 200 && next_() % 2 == 0) {
      absl::StrAppend(&fields, "Require: 100rel\r\nRSeq: ", next_() % 4 == 0 ? 7 : ++rseqs_[sent->request.leg], "\r\n");
    }
    const std::string tag = next_() % 8 == 0 ? "fork" : "";
    sent->over = sent->over || status >= 200;
    const SendRequest request = sent->request;
    Do(call_->OnResponse(request.leg, request.number, CallTestBed::Answer(request, status, sdp, fields, tag),
                         request.hop, now_));
  }

  void FailSomething() {
    Sent* sent = PickSent();
    if (sent == nullptr) return;
    sent->over = true;
    const auto failure = next_() % 4 == 0 ? sip::TransactionFailure::kUndelivered : sip::TransactionFailure::kTimeout;
    Do(call_->OnRequestFailed(sent->request.leg, sent->request.number, failure, now_));
  }

  void AnswerMedia(MediaAnswer::Outcome outcome) {
    // A relay does not answer what nobody asked.
    if (!media_asked_) return;
    media_asked_ = false;
    MediaAnswer answer;
    answer.outcome = outcome;
    for (const MediaStream& stream : session_.streams) {
      MediaAnswer::Stream ports;
      ports.id = stream.id;
      ports.legs[0] = {"198.18.1.1", 20000, 20001, false};
      ports.legs[1] = {"198.18.2.1", 20010, 20011, false};
      answer.streams.push_back(ports);
    }
    Do(call_->OnMedia(answer, now_));
  }

  void SendSomething() {
    const LegNumber leg = PickLeg();
    const absl::string_view method = Pick<8>({"BYE", "INVITE", "INVITE", "UPDATE", "INFO", "PRACK", "REFER", "X"});
    const uint32_t cseq = next_() % 8 == 0 ? 1 : ++cseq_;
    const std::string sdp = PickSdp();
    if (method == "PRACK" && next_() % 8 != 0) return Acknowledge(cseq, sdp);
    SendRequestOf(leg, method, cseq, sdp);
  }

  void SendRequestOf(LegNumber leg, absl::string_view method, uint32_t cseq, absl::string_view sdp) {
    const auto dialog = dialogs_.find(leg);
    if (dialog == dialogs_.end()) return;
    const sip::Message request = Parsed(absl::StrCat(
        method, " sip:x@198.18.1.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.18.1.2;branch=z9hG4bK", cseq,
        "\r\nFrom: <sip:p@x>;tag=", leg == kCaller ? "z9hG4bK73846736" : absl::StrCat("callee", leg),
        "\r\nTo: <sip:q@x>;tag=", dialog->second.second, "\r\nCall-ID: ", dialog->second.first, "\r\nCSeq: ", cseq, " ",
        method, "\r\n", Pick<3>({"", "Supported: timer\r\nSession-Expires: 60\r\n", "Contact: <sip:p@198.18.1.7>\r\n"}),
        method == "REFER" ? "Refer-To: <sip:t@198.18.1.1>\r\n" : "",
        sdp.empty() ? "" : "Content-Type: application/sdp\r\n", "\r\n", sdp));
    const sip::ServerTransactionId id = ++last_transaction_;
    OpenTransaction(leg, id, request);
    Do(call_->OnRequest(leg, id, request, CallTestBed::Caller().hop, now_));
  }

  // The caller has the reliable response that came last.
  void Acknowledge(uint32_t cseq, absl::string_view sdp) {
    const auto dialog = dialogs_.find(kCaller);
    if (!unacknowledged_.is_provisional() || dialog == dialogs_.end()) return;
    const sip::Message prack =
        Parsed(absl::StrCat("PRACK sip:x@198.18.1.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.18.1.2;branch=z9hG4bK", cseq,
                            "\r\nFrom: <sip:p@x>;tag=z9hG4bK73846736\r\nTo: <sip:q@x>;tag=", dialog->second.second,
                            "\r\nCall-ID: ", dialog->second.first, "\r\nCSeq: ", cseq,
                            " PRACK\r\nRAck: ", unacknowledged_.Get(sip::Header::kRSeq), " 2 INVITE\r\n",
                            sdp.empty() ? "" : "Content-Type: application/sdp\r\n", "\r\n", sdp));
    // One that comes out of order acknowledges nothing.
    if (cseq > 1) unacknowledged_ = sip::Message();
    const sip::ServerTransactionId id = ++last_transaction_;
    OpenTransaction(kCaller, id, prack);
    Do(call_->OnRequest(kCaller, id, prack, CallTestBed::Caller().hop, now_));
  }

  // One or two targets, or nobody.
  void AnswerRoute(uint8_t choice) {
    if (questions_.empty()) return;
    const uint32_t question = questions_.back();
    questions_.pop_back();
    std::vector<Party> targets;
    for (int i = 0; i < choice % 3; ++i) targets.push_back(CallTestBed::Callee(5 + i));
    if (choice == 0) targets.push_back(CallTestBed::Callee(5));
    for (Party& target : targets) target.max_duration = absl::Seconds(choice);
    Do(call_->OnRoute(question, targets.empty() ? 404 : 0, targets, now_, choice > 99 ? "Because" : ""));
  }

  void FireSomething() {
    CallTimer timer = static_cast<CallTimer>(next_() % 9);
    // Mostly one that runs.
    if (next_() % 4 != 0 && !timers_.empty()) timer = *std::next(timers_.begin(), next_() % timers_.size());
    timers_.erase(timer);
    Do(call_->OnTimer(timer, now_));
  }

  void CancelSomething() {
    const sip::ServerTransactionId id = next_() % 2 == 0 ? kInviteTransaction : last_transaction_;
    const auto found = transactions_.find(id);
    // The transaction layer knows nothing else to cancel.
    if (found == transactions_.end() || found->second.request.method() != sip::Method::kInvite) return;
    Do(call_->OnCancel(found->second.leg, id, found->second.request, now_));
  }

  // Everybody answers, the relay too; what nobody answers runs out; at last an operator hangs up.
  void Settle(int round) {
    now_ += absl::Minutes(1);
    AnswerMedia(MediaAnswer::Outcome::kDone);
    while (!questions_.empty()) AnswerRoute(3);
    for (size_t i = 0; i < sent_.size() && !call_->ended(); ++i) {
      if (std::exchange(sent_[i].over, true)) continue;
      const SendRequest request = sent_[i].request;
      const uint16_t status = sent_[i].cancelled ? 487 : request.message.method() == sip::Method::kBye ? 200 : 486;
      Do(call_->OnResponse(request.leg, request.number, CallTestBed::Answer(request, status), request.hop, now_));
    }
    for (LegNumber leg = 0; leg < 12; ++leg) Do(call_->OnAckMissing(leg, kInviteTransaction, now_));
    const std::set<CallTimer> timers = std::exchange(timers_, {});
    for (const CallTimer timer : timers) Do(call_->OnTimer(timer, now_));
    if (round == 5) Do(call_->HangUp(Ended::By::kOperator, "operator", now_));
  }

  const std::function<uint8_t()>& next_;
  const CallOptions options_;
  absl::Time now_ = absl::FromUnixSeconds(1700000000);
  std::map<sip::ServerTransactionId, Transaction> transactions_;
  sip::ServerTransactionId last_transaction_ = kInviteTransaction;
  uint32_t cseq_ = 10;
  std::map<LegNumber, uint32_t> rseqs_;
  // What the caller has not acknowledged yet, and what we have.
  sip::Message unacknowledged_;
  std::set<std::string> acknowledged_;
  std::vector<Sent> sent_;
  std::map<LegNumber, std::pair<std::string, std::string>> dialogs_;
  std::set<CallTimer> timers_;
  MediaSession session_;
  bool media_asked_ = false;
  bool media_created_ = false;
  bool media_deleted_ = false;
  std::vector<uint32_t> questions_;
  bool ending_ = false;
  bool ended_ = false;
  int names_ = 0;
  int restarts_ = 0;
  int probes_ = 0;
  std::string broken_;
  std::unique_ptr<Call> call_;
};

}  // namespace

SimulationResult SimulateCall(const std::function<uint8_t()>& next, int events) {
  Simulation simulation(next);
  std::string broken = simulation.Run(events);
  return {std::move(broken), simulation.restarts(), simulation.probes()};
}

}  // namespace sluice::call
