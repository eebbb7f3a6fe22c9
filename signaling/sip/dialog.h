// One dialog (RFC 3261 12): its identifiers, sequence numbers, route set and remote target, and the requests that are
// made in it. On either side, early or confirmed.
//
// How it works. The side that invites makes a Dialog of its own request and shows it each response; until one carries a
// tag there is only the local half. The side that is invited makes it of the request. A dialog does not send: requests
// come out without Via (the transaction layer's) and without body, and `NextHop` says which URI they go to by the RFC;
// a user whose peer is behind NAT sends them elsewhere.
//
// Threads: the owner's. A value: a copy is the start of a forked dialog.
#ifndef SLUICE_SIGNALING_SIP_DIALOG_H_
#define SLUICE_SIGNALING_SIP_DIALOG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "signaling/sip/message.h"
#include "signaling/sip/method.h"
#include "signaling/sip/uri.h"

namespace sluice::sip {

class Dialog {
 public:
  // What becomes of a request of the peer's.
  enum class Order : uint8_t {
    kInOrder,
    // Its CSeq is not above that of the last one: 500 (12.2.2).
    kOutOfOrder,
  };

  // All that there is of a dialog.
  struct State {
    std::string call_id;
    // Values of From (ours) and To (the peer's) of our requests, tags included.
    std::string local;
    std::string remote;
    std::string target;
    std::vector<std::string> routes;
    uint32_t local_cseq = 0;
    // 0: the peer has not sent any.
    uint32_t remote_cseq = 0;
    bool confirmed = false;
  };
  explicit Dialog(State state) : state_(std::move(state)) {}
  const State& state() const { return state_; }

  // For the INVITE that we are about to send: Call-ID, From with our tag, To, CSeq and Route are in it.
  static Dialog OfSentRequest(const Message& request);
  // For a request that we are about to answer with `local_tag`.
  static Dialog OfReceivedRequest(const Message& request, absl::string_view local_tag);

  // A response to the request that made the dialog, on its sender's side: takes To tag, Contact and Record-Route
  // (12.1.2). A provisional one without tag changes nothing. A 2xx confirms, and replaces what an early response of
  // another tag has set (13.2.2.4).
  void OnResponse(const Message& response);
  // Our 2xx was sent, on the other side.
  void Confirm() { state_.confirmed = true; }

  // A request of the peer's in the dialog, other than ACK and CANCEL: checks its order, and takes the Contact of one
  // that refreshes the target (INVITE, UPDATE, SUBSCRIBE, NOTIFY; RFC 6665 4.4.1).
  Order OnRequest(const Message& request);
  // A 2xx to such a request of ours.
  void RefreshTarget(const Message& message);

  // A request in the dialog with the next CSeq: Request-URI, Route, From, To, Call-ID, CSeq, Max-Forwards 70
  // (12.2.1.1).
  Message MakeRequest(absl::string_view method);
  Message MakeRequest(Method method) { return MakeRequest(MethodName(method)); }
  // The ACK of a 2xx to our INVITE with this CSeq (13.2.2.4).
  Message MakeAck(uint32_t cseq) const;

  // `fork` began as a copy of this dialog: what comes next here has a CSeq above all that was made there.
  void ShareCSeq(const Dialog& fork) { state_.local_cseq = fork.state_.local_cseq; }

  // Where the RFC sends requests: the first route, else the remote target.
  absl::string_view NextHop() const { return state_.routes.empty() ? absl::string_view(state_.target) : NextRoute(); }

  const std::string& call_id() const { return state_.call_id; }
  // Values of From and To as our requests carry them.
  const std::string& local() const { return state_.local; }
  const std::string& remote() const { return state_.remote; }
  absl::string_view local_tag() const { return TagOf(state_.local); }
  // Empty: no response has carried a tag yet.
  absl::string_view remote_tag() const { return TagOf(state_.remote); }
  const std::string& remote_target() const { return state_.target; }
  // Elements of Route, in order.
  const std::vector<std::string>& routes() const { return state_.routes; }
  uint32_t local_cseq() const { return state_.local_cseq; }
  // Requests can be made in it: the peer has named itself.
  bool is_established() const { return !remote_tag().empty(); }
  bool is_confirmed() const { return state_.confirmed; }

 private:
  Dialog() = default;

  Message Make(absl::string_view method, uint32_t cseq) const;
  absl::string_view NextRoute() const;

  State state_;
};

}  // namespace sluice::sip

#endif  // SLUICE_SIGNALING_SIP_DIALOG_H_
