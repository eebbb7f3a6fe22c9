// Two transaction layers over a network that loses, doubles and reorders, and a clock that nobody waits for.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "signaling/sip/transaction_test_bed.h"

namespace sluice::sip {
namespace {

// Moves datagrams from each bed to the other.
class Network {
 public:
  Network(double loss, uint64_t seed) : random_(seed), loss_(loss) {
    for (TransactionTestBed* bed : {&caller, &callee}) {
      bed->on_send = [this, bed](absl::string_view bytes) { Carry(*bed, bytes); };
    }
  }

  // Until nothing moves and no timer waits, at most `limit`.
  void Run(absl::Duration limit) {
    const absl::Time end = caller.now + limit;
    while (caller.now < end) {
      absl::Time next = std::min(caller.layer.NextDeadline(), callee.layer.NextDeadline());
      if (!flying_.empty()) next = std::min(next, flying_.begin()->first);
      if (next > end) return;
      next = std::max(next, caller.now);
      caller.now = callee.now = next;
      while (!flying_.empty() && flying_.begin()->first <= next) {
        const auto datagram = flying_.extract(flying_.begin());
        datagram.mapped().first->Receive(datagram.mapped().second);
      }
      caller.layer.Advance(next);
      callee.layer.Advance(next);
    }
  }

  TransactionTestBed caller{{}, 1};
  TransactionTestBed callee{{}, 2};
  // Datagrams carried, lost ones too.
  size_t carried = 0;

 private:
  void Carry(TransactionTestBed& from, absl::string_view bytes) {
    TransactionTestBed& to = &from == &caller ? callee : caller;
    ++carried;
    const int copies = Chance(0.1) ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      if (Chance(loss_)) continue;
      // Up to 300 ms: datagrams overtake each other.
      const absl::Time arrival = from.now + absl::Milliseconds(static_cast<int64_t>(random_() % 300));
      flying_.emplace(arrival, std::make_pair(&to, std::string(bytes)));
    }
  }
  bool Chance(double probability) { return static_cast<double>(random_() % 1000) < probability * 1000; }

  std::mt19937_64 random_;
  const double loss_;
  std::multimap<absl::Time, std::pair<TransactionTestBed*, std::string>> flying_;
};

Message Request(absl::string_view method, uint32_t cseq, absl::string_view to_tag = "") {
  return Message::Parse(TestRequest(method, "z9hG4bKunused", to_tag, cseq)).message;
}

Message WithoutVia(Message request) {
  request.Remove(Header::kVia);
  return request;
}

// One call: INVITE, 180, 200, ACK, BYE, 200.
void PlaceCall(Network& network) {
  TransactionTestBed& caller = network.caller;
  TransactionTestBed& callee = network.callee;
  callee.on_request = [&callee](ServerTransactionId id, const Message& request) {
    if (request.method() == Method::kInvite) {
      callee.layer.Respond(id, Message::ResponseTo(request, 180, "callee"), callee.now);
    }
    callee.layer.Respond(id, Message::ResponseTo(request, 200, "callee"), callee.now);
  };
  caller.on_response = [&caller](ClientTransactionId id, const Message& response) {
    if (response.method() != Method::kInvite || response.status() != 200) return;
    caller.layer.SendAck(id, WithoutVia(Request("ACK", 1, "callee")), TestHop(), caller.now);
  };
  caller.layer.SendRequest(WithoutVia(Request("INVITE", 1)), TestHop(), caller.now);
  network.Run(absl::Seconds(20));
  caller.layer.SendRequest(WithoutVia(Request("BYE", 2, "callee")), TestHop(), caller.now);
  network.Run(absl::Seconds(200));
}

size_t Count(const TransactionTestBed& bed, absl::string_view event) {
  return static_cast<size_t>(std::count(bed.events.begin(), bed.events.end(), event));
}

TEST(Transactions, CarryACallOverANetworkThatLosesDoublesAndReorders) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Network network(0.2, seed);
    PlaceCall(network);
    // Each message that must come, came once.
    EXPECT_EQ(Count(network.callee, "request INVITE"), 1) << seed;
    EXPECT_EQ(Count(network.callee, "request BYE"), 1) << seed;
    EXPECT_EQ(Count(network.callee, "ack"), 1) << seed;
    EXPECT_EQ(Count(network.caller, "response 200"), 2) << seed;
    EXPECT_EQ(Count(network.caller, "timeout"), 0) << seed;
    EXPECT_EQ(network.caller.layer.statistics().transactions, 0) << seed;
    EXPECT_EQ(network.callee.layer.statistics().transactions, 0) << seed;
  }
}

TEST(Transactions, SendNothingTwiceOverANetworkThatLosesNothingAndIsFast) {
  TransactionTestBed caller({}, 1), callee({}, 2);
  caller.on_send = [&callee](absl::string_view bytes) { callee.Receive(std::string(bytes)); };
  callee.on_send = [&caller](absl::string_view bytes) { caller.Receive(std::string(bytes)); };
  callee.on_request = [&callee](ServerTransactionId id, const Message& request) {
    callee.layer.Respond(id, Message::ResponseTo(request, 200, "callee"), callee.now);
  };
  caller.on_response = [&caller](ClientTransactionId id, const Message& response) {
    if (response.method() == Method::kBye) return;
    caller.layer.SendAck(id, WithoutVia(Request("ACK", 1, "callee")), TestHop(), caller.now);
  };
  caller.layer.SendRequest(WithoutVia(Request("INVITE", 1)), TestHop(), caller.now);
  caller.layer.SendRequest(WithoutVia(Request("BYE", 2, "callee")), TestHop(), caller.now);
  caller.AdvanceBy(absl::Seconds(40));
  callee.AdvanceBy(absl::Seconds(40));
  EXPECT_EQ(caller.sent.size() + callee.sent.size(), 5);
  EXPECT_EQ(caller.layer.statistics().transactions + callee.layer.statistics().transactions, 0);
}

TEST(Transactions, EndOnBothSidesWhenNothingArrivesAtAll) {
  Network network(1, 1);
  PlaceCall(network);
  EXPECT_EQ(Count(network.caller, "timeout"), 2);
  EXPECT_EQ(network.carried, 18);
  EXPECT_EQ(network.caller.layer.statistics().transactions, 0);
}

}  // namespace
}  // namespace sluice::sip
