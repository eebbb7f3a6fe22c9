// Plays everybody around a call: both phones, the relay and the clock. For tests.
//
// Actions are kept in the order in which they came. `Take<T>` takes the first of a kind and fails the test if there is
// none; what a test does not ask for stays.
#ifndef SLUICE_SIGNALING_CALL_CALL_TEST_BED_H_
#define SLUICE_SIGNALING_CALL_CALL_TEST_BED_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "signaling/call/call.h"

namespace sluice::call {

// The addresses of the demo's call. A is seen where it says; B is behind NAT and says a private address.
inline constexpr absl::string_view kControllerAddress = "198.18.1.1:7080";
inline constexpr absl::string_view kCallerAddress = "198.18.1.2:45426";
inline constexpr absl::string_view kCalleeSeenAt = "198.18.2.9:43518";
inline constexpr absl::string_view kCalleeContact = "sip:20002230000@192.168.2.63:43518;transport=udp";

// Audio (AMR, telephone-event) and video (H264) of the phone at `address`, CRLF.
std::string PhoneSdp(absl::string_view address, int audio_port = 21000, int video_port = 21070);

// Parses; fails the test if it cannot.
sip::Message Parsed(absl::string_view text);

class CallTestBed : public Names {
 public:
  explicit CallTestBed(CallOptions options = DefaultOptions());

  static CallOptions DefaultOptions();
  static Party Caller();
  // `number` 1 is the phone of the demo; others are at other addresses.
  static Party Callee(int number = 1);

  // The caller's INVITE with further header fields ("Name: value\r\n…") and body.
  static sip::Message Invite(absl::string_view fields = "", absl::string_view sdp = PhoneSdp("198.18.1.2"));

  // Feeds; each keeps what comes out.
  void Start(const sip::Message& invite, int callees = 1);
  void Request(LegNumber leg, const sip::Message& request);
  void Ack(LegNumber leg, const sip::Message& ack);
  void Reply(const SendRequest& request, const sip::Message& response);
  void Media(MediaAnswer::Outcome outcome = MediaAnswer::Outcome::kDone);
  void Fire(CallTimer timer, absl::Duration after = absl::ZeroDuration());
  void Do(Actions actions);
  // The controller dies, and goes on after `down` with the call as it can be kept now.
  void Restart(
      absl::Duration down = absl::Seconds(1),
      const CredentialsFunction& credentials = [](const std::string&) { return nullptr; });

  // What a callee answers to `request`: its tag (the leg's), its Contact, further fields, SDP.
  static sip::Message Answer(const SendRequest& request, uint16_t status, absl::string_view sdp = "",
                             absl::string_view fields = "", absl::string_view tag = "");
  // A request in a dialog as a phone makes it: the caller's from the last 2xx or 1xx that it got, the callee's from our
  // INVITE to it.
  sip::Message InDialog(LegNumber leg, absl::string_view method, uint32_t cseq, absl::string_view fields = "",
                        absl::string_view sdp = "");

  // Rings, is answered and acknowledged; leaves no actions behind. Answers our INVITE to the callee.
  SendRequest Establish(const sip::Message& invite = Invite(), absl::string_view answer_fields = "");

  template <typename T>
  bool Has() const {
    for (const Action& action : actions_) {
      if (std::holds_alternative<T>(action)) return true;
    }
    return false;
  }
  template <typename T>
  T Take() {
    for (auto action = actions_.begin(); action != actions_.end(); ++action) {
      if (!std::holds_alternative<T>(*action)) continue;
      T taken = std::get<T>(std::move(*action));
      actions_.erase(action);
      return taken;
    }
    ADD_FAILURE() << "no such action";
    return T();
  }
  template <typename T>
  int Count() const {
    int count = 0;
    for (const Action& action : actions_) count += std::holds_alternative<T>(action) ? 1 : 0;
    return count;
  }
  void Forget() { actions_.clear(); }

  // The call is over: Ended has come, once, after DeleteMedia if there was media, and nothing is owed.
  Ended TakeEnd();
  // How long the call may still be, by the latest timer for it that has been set; infinite: none has. Takes all timers.
  absl::Duration TakeLimit();

  Call& call() { return *call_; }
  absl::Time now = absl::FromUnixSeconds(1700000000);
  // What NewNumber answers.
  uint64_t number = 0;
  CallOptions options;

  // Names, in a row.
  std::string NewCallId() override;
  std::string NewTag() override;
  uint32_t NewCSeq() override;
  uint64_t NewNumber() override { return number; }

 private:
  std::deque<Action> actions_;
  // What the phones have seen last of the other side.
  sip::Message seen_by_caller_;
  sip::Message seen_by_callee_;
  sip::ServerTransactionId last_transaction_ = 100;
  std::vector<MediaStream> media_;
  bool media_created_ = false;
  int names_ = 0;
  std::unique_ptr<Call> call_;
};

}  // namespace sluice::call

#endif  // SLUICE_SIGNALING_CALL_CALL_TEST_BED_H_
