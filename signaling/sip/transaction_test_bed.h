// A transaction layer in a test: its wire is a record, its user a list of events in words, its clock a variable.
#ifndef SLUICE_SIGNALING_SIP_TRANSACTION_TEST_BED_H_
#define SLUICE_SIGNALING_SIP_TRANSACTION_TEST_BED_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "signaling/sip/hop.h"
#include "signaling/sip/message.h"
#include "signaling/sip/transaction_layer.h"

namespace sluice::sip {

inline Hop TestHop(Protocol protocol = Protocol::kUdp) {
  Hop hop;
  hop.protocol = protocol;
  hop.local = *Endpoint::Parse("198.18.0.1:5060");
  hop.remote = *Endpoint::Parse("198.18.1.1:45426");
  return hop;
}

// A request as a phone sends it; `more` are whole header lines.
inline std::string TestRequest(absl::string_view method, absl::string_view branch = "z9hG4bKa1",
                               absl::string_view to_tag = "", uint32_t cseq = 1, absl::string_view more = "",
                               absl::string_view cseq_method = "") {
  return absl::StrCat(method, " sip:b@198.18.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=", branch,
                      ";rport\r\n", "Max-Forwards: 70\r\nFrom: <sip:a@198.18.0.1>;tag=from\r\nTo: <sip:b@198.18.0.1>",
                      to_tag.empty() ? "" : ";tag=", to_tag, "\r\nCall-ID: call-1\r\nCSeq: ", cseq, " ",
                      cseq_method.empty() ? method : cseq_method, "\r\n", more, "Content-Length: 0\r\n\r\n");
}

class TransactionTestBed : public Wire, public TransactionUser {
 public:
  struct Sent {
    absl::Time at;
    Hop hop;
    Message message;
    std::string bytes;
    bool retransmission = false;
  };

  explicit TransactionTestBed(const TransactionOptions& options = {}, uint64_t seed = 1)
      : layer(options, *this, *this, [this, seed] { return seed + (++random_ << 8); }) {}

  // The clock goes on to `time`; what is due on the way is done when it is due.
  void AdvanceTo(absl::Time time) {
    while (layer.NextDeadline() <= time) {
      now = std::max(now, layer.NextDeadline());
      layer.Advance(now);
    }
    now = time;
    layer.Advance(now);
  }
  void AdvanceBy(absl::Duration duration) { AdvanceTo(now + duration); }
  void Receive(absl::string_view bytes, const Hop& hop = TestHop()) { layer.OnMessage(hop, bytes, now); }

  // The response of a peer to the request that we sent as number `index`.
  std::string Answer(size_t index, uint16_t status, absl::string_view to_tag = "to") const {
    return Message::ResponseTo(sent.at(index).message, status, to_tag).Serialize();
  }

  // "0 0.5 1.5" for INVITE: seconds since `begin` of all that was sent with this start line's beginning.
  std::string TimesOf(absl::string_view start) const {
    std::string text;
    for (const Sent& one : sent) {
      if (one.message.StartLine().compare(0, start.size(), std::string(start)) != 0) continue;
      absl::StrAppend(&text, text.empty() ? "" : " ", absl::ToDoubleSeconds(one.at - begin));
    }
    return text;
  }
  size_t CountOf(absl::string_view start) const {
    return static_cast<size_t>(std::count_if(sent.begin(), sent.end(), [start](const Sent& one) {
      return one.message.StartLine().compare(0, start.size(), std::string(start)) == 0;
    }));
  }

  void Send(const Hop& hop, absl::string_view message, bool retransmission) override {
    sent.push_back({now, hop, Message::Parse(message).message, std::string(message), retransmission});
    if (on_send) on_send(message);
  }
  std::string SentBy(const Hop& hop) override { return hop.local.ToString(); }
  std::optional<Hop> StreamHop(const Hop& hop) override {
    if (!has_streams) return std::nullopt;
    Hop stream = hop;
    stream.protocol = Protocol::kTcp;
    return stream;
  }
  void OnStreamSilent(const Hop&) override { events.emplace_back("stream silent"); }

  void OnRequest(ServerTransactionId id, const Message& request, const Hop&) override {
    events.push_back(absl::StrCat("request ", request.method_name()));
    requests.push_back({id, request});
    if (on_request) on_request(id, request);
  }
  void OnCancel(ServerTransactionId, const Message&) override { events.emplace_back("cancel"); }
  void OnAck(ServerTransactionId, const Message&, const Hop&) override { events.emplace_back("ack"); }
  void OnAckMissing(ServerTransactionId) override { events.emplace_back("ack missing"); }
  void OnResponse(ClientTransactionId id, const Message& response, const Hop&) override {
    events.push_back(absl::StrCat("response ", response.status()));
    if (on_response) on_response(id, response);
  }
  void OnFailure(ClientTransactionId, TransactionFailure failure) override {
    constexpr absl::string_view kNames[] = {"timeout", "undelivered", "too many"};
    events.emplace_back(kNames[static_cast<size_t>(failure)]);
  }
  void OnTrace(bool received, const Hop&, const Message& message, absl::string_view, bool retransmission) override {
    trace.push_back(absl::StrCat(received ? "< " : "> ", message.StartLine(), retransmission ? " (again)" : ""));
  }

  struct Received {
    ServerTransactionId id = 0;
    Message request;
  };

  const absl::Time begin = absl::FromUnixSeconds(1'700'000'000);
  absl::Time now = begin;
  std::vector<Sent> sent;
  std::vector<std::string> events;
  std::vector<std::string> trace;
  std::vector<Received> requests;
  bool has_streams = false;
  std::function<void(absl::string_view)> on_send;
  std::function<void(ServerTransactionId, const Message&)> on_request;
  std::function<void(ClientTransactionId, const Message&)> on_response;

 private:
  uint64_t random_ = 0;

 public:
  TransactionLayer layer;
};

}  // namespace sluice::sip

#endif  // SLUICE_SIGNALING_SIP_TRANSACTION_TEST_BED_H_
