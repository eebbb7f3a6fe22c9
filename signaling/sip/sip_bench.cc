// What a message and a call cost. Baseline: sofia-sip parses an INVITE of this size in 5.7 us (on another machine).

#include <benchmark/benchmark.h>

#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "signaling/sip/message.h"
#include "signaling/sip/transaction_layer.h"

namespace sluice::sip {
namespace {

std::string ReadInvite() {
  std::ifstream file("signaling/sip/testdata/call/04-A-invite-authorized.sip", std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

void BM_ParseInvite(benchmark::State& state) {
  const std::string bytes = ReadInvite();
  for (auto _ : state) {
    ParseResult parsed = Message::Parse(bytes);
    if (!parsed.ok()) state.SkipWithError("the INVITE is not read");
    benchmark::DoNotOptimize(parsed);
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * bytes.size()));
  state.SetLabel(absl::StrCat(bytes.size(), " bytes"));
}
BENCHMARK(BM_ParseInvite);

void BM_RespondAndSerialize(benchmark::State& state) {
  const Message invite = Message::Parse(ReadInvite()).message;
  for (auto _ : state) {
    std::string bytes = Message::ResponseTo(invite, 180, "tag").Serialize();
    benchmark::DoNotOptimize(bytes);
  }
}
BENCHMARK(BM_RespondAndSerialize);

// An end of a call without a network: what is sent is handed to the other end when this one is done.
class End : public Wire, public TransactionUser {
 public:
  explicit End(uint64_t seed)
      : layer({}, *this, *this, [this, seed] { return seed + (random_ += 0x9e3779b97f4a7c15); }) {}

  void Send(const Hop&, absl::string_view message, bool) override { out.append(message.data(), message.size()); }
  std::string SentBy(const Hop&) override { return "198.18.0.1:5060"; }
  void OnRequest(ServerTransactionId id, const Message& request, const Hop&) override {
    layer.Respond(id, Message::ResponseTo(request, 200, "callee"), now);
  }
  void OnCancel(ServerTransactionId, const Message&) override {}
  void OnAck(ServerTransactionId, const Message&, const Hop&) override {}
  void OnAckMissing(ServerTransactionId) override {}
  void OnResponse(ClientTransactionId, const Message&, const Hop&) override {}
  void OnFailure(ClientTransactionId, TransactionFailure) override {}
  void OnTrace(bool, const Hop&, const Message&, absl::string_view, bool) override {}

  absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  std::string out;

 private:
  uint64_t random_ = 0;

 public:
  TransactionLayer layer;
};

void Deliver(End& from, End& to, const Hop& hop) {
  const std::string bytes = std::exchange(from.out, {});
  to.layer.OnMessage(hop, bytes, to.now);
}

Message InDialog(const Message& invite, absl::string_view method, int cseq) {
  Message request = Message::Request(method, "sip:b@198.18.1.1");
  request.Add(Header::kFrom, invite.Get(Header::kFrom));
  request.Add(Header::kTo, absl::StrCat(invite.Get(Header::kTo), ";tag=callee"));
  request.Add(Header::kCallId, invite.CallId());
  request.Add(Header::kCSeq, absl::StrCat(cseq, " ", method));
  return request;
}

// INVITE, 200, ACK, BYE, 200 through a layer on each side, with all timers run to their end.
void BM_CallThroughTwoLayers(benchmark::State& state) {
  End caller(1), callee(2);
  Hop hop;
  hop.remote = *Endpoint::Parse("198.18.1.1:5060");
  const Message invite = [] {
    Message message = Message::Parse(ReadInvite()).message;
    message.Remove(Header::kVia);
    return message;
  }();
  uint64_t calls = 0;
  for (auto _ : state) {
    Message request = invite;
    request.Set(Header::kCallId, absl::StrCat("call-", ++calls));
    const ClientTransactionId id = caller.layer.SendRequest(request, hop, caller.now);
    Deliver(caller, callee, hop);
    Deliver(callee, caller, hop);
    caller.layer.SendAck(id, InDialog(request, "ACK", 2), hop, caller.now);
    Deliver(caller, callee, hop);
    caller.layer.SendRequest(InDialog(request, "BYE", 3), hop, caller.now);
    Deliver(caller, callee, hop);
    Deliver(callee, caller, hop);
    // A thousand calls a second: transactions of the last 32 s stand.
    caller.now = callee.now += absl::Milliseconds(1);
    caller.layer.Advance(caller.now);
    callee.layer.Advance(callee.now);
  }
  state.counters["standing"] = static_cast<double>(caller.layer.statistics().transactions);
  state.counters["strays"] =
      static_cast<double>(callee.layer.statistics().stray_acks + callee.layer.statistics().malformed +
                          caller.layer.statistics().stray_responses);
}
BENCHMARK(BM_CallThroughTwoLayers);

}  // namespace
}  // namespace sluice::sip

BENCHMARK_MAIN();
