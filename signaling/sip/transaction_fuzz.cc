// A sequence of messages and times: the layer never crashes, and once time has passed it keeps nothing but what its
// user owes an answer.
//
// Input: steps of one byte of what, one byte of how, taken from the messages of a call and their damage.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "signaling/sip/transaction_test_bed.h"

namespace sip = sluice::sip;

namespace {

constexpr const char* kMethods[] = {"INVITE", "ACK", "CANCEL", "BYE", "OPTIONS"};
constexpr const char* kBranches[] = {"z9hG4bK1", "z9hG4bK2", "z9hG4bK", "old"};
constexpr uint16_t kStatuses[] = {100, 180, 200, 202, 408, 486, 487, 699};

class Run {
 public:
  void Step(uint8_t what, uint8_t how) {
    switch (what % 8) {
      case 0:
        bed_.Receive(
            sip::TestRequest(kMethods[how % 5], kBranches[(how >> 3) % 4], (how & 32) != 0 ? "to" : "", 1 + (how >> 6)),
            sip::TestHop((what & 8) != 0 ? sip::Protocol::kTcp : sip::Protocol::kUdp));
        break;
      case 1: {
        std::string damaged = sip::TestRequest(kMethods[how % 5]);
        damaged[what * 7 % damaged.size()] = static_cast<char>(how);
        bed_.Receive(damaged);
        break;
      }
      case 2:
        if (!bed_.requests.empty()) {
          const auto& one = bed_.requests[how % bed_.requests.size()];
          bed_.layer.Respond(one.id, sip::Message::ResponseTo(one.request, kStatuses[(what >> 3) % 8], "to"), bed_.now);
        }
        break;
      case 3: {
        sip::Message request = sip::Message::Parse(sip::TestRequest(how % 2 == 0 ? "INVITE" : "BYE")).message;
        request.Remove(sip::Header::kVia);
        clients_.push_back(bed_.layer.SendRequest(
            request, sip::TestHop((how & 2) != 0 ? sip::Protocol::kTcp : sip::Protocol::kUdp), bed_.now));
        break;
      }
      case 4:
        if (!bed_.sent.empty() && bed_.sent[how % bed_.sent.size()].message.is_request()) {
          bed_.Receive(bed_.Answer(how % bed_.sent.size(), kStatuses[(what >> 3) % 8], (how & 128) != 0 ? "a" : "b"));
        }
        break;
      case 5:
        if (!clients_.empty()) bed_.layer.Cancel(clients_[how % clients_.size()], "", bed_.now);
        break;
      case 6:
        if (!clients_.empty()) {
          sip::Message ack = sip::Message::Parse(sip::TestRequest("ACK", "x", (what & 8) != 0 ? "a" : "b")).message;
          bed_.layer.SendAck(clients_[how % clients_.size()], ack, sip::TestHop(), bed_.now);
        }
        break;
      default:
        bed_.AdvanceBy(absl::Milliseconds(1 << (how % 16)));
        break;
    }
  }

  void Finish() {
    // Who was invited answers in the end, and who was rung is cancelled.
    for (const auto& one : bed_.requests) {
      bed_.layer.Respond(one.id, sip::Message::ResponseTo(one.request, 603, "to"), bed_.now);
    }
    for (const auto client : clients_) bed_.layer.Cancel(client, "", bed_.now);
    bed_.AdvanceBy(absl::Seconds(65));
    if (bed_.layer.statistics().transactions != 0) std::abort();
    if (bed_.layer.NextDeadline() != absl::InfiniteFuture()) std::abort();
  }

 private:
  sip::TransactionTestBed bed_;
  std::vector<sip::ClientTransactionId> clients_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Run run;
  const size_t end = std::min<size_t>(size, 400);
  for (size_t i = 0; i + 1 < end; i += 2) run.Step(data[i], data[i + 1]);
  run.Finish();
  return 0;
}
