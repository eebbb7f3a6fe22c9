// A phone for tests: it makes the messages that a phone of the seed call would, and leaves to the test which of them it
// sends and what it expects.
#ifndef SLUICE_SIGNALING_AGENT_PHONE_FAKE_H_
#define SLUICE_SIGNALING_AGENT_PHONE_FAKE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "signaling/sip/hop.h"
#include "signaling/sip/message.h"
#include "signaling/store/account.h"

namespace sluice::agent {

// What is between phones and the server.
class PhoneLine {
 public:
  virtual ~PhoneLine() = default;
  virtual void Deliver(const sip::Hop& hop, absl::string_view message) = 0;
  // The oldest message to the phone of this hop; nothing if there is none.
  virtual std::optional<std::string> Take(const sip::Hop& hop) = 0;
};

inline constexpr absl::string_view kPhoneRealm = "ASG Switch";

// An account of kPhoneRealm with digests of all algorithms that we offer.
store::Account MakePhoneAccount(const std::string& name, const std::string& password);

class Phone {
 public:
  // `hop`: as the server sees its messages. `says_at`: the address that it writes into them.
  Phone(PhoneLine& line, std::string number, absl::string_view says_at, const sip::Hop& hop);

  // Bytes on the wire, both ways. Receive fails the test if nothing has come.
  void Send(const sip::Message& message);
  void SendText(absl::string_view text) { line_.Deliver(hop_, text); }
  sip::Message Receive();

  // A request outside a dialog, from this phone to `to`, with a fresh Call-ID.
  sip::Message NewRequest(absl::string_view method, absl::string_view to);
  sip::Message NewInvite(absl::string_view to);
  // The same request once more: next CSeq, new branch.
  sip::Message Again(sip::Message request);
  // A response of this phone; a 180 or 200 to INVITE has a Contact, the latter SDP.
  sip::Message Answer(const sip::Message& request, uint16_t status);
  // The ACK of a response to `invite`: in the INVITE's transaction for a failure, of its own for a 2xx.
  sip::Message AckOf(const sip::Message& invite, const sip::Message& response);
  // A request in the dialog that `response` to `invite` made, from the caller's side.
  sip::Message InDialog(absl::string_view method, const sip::Message& invite, const sip::Message& response);
  // From the callee's side: of the dialog that this phone's `response` made.
  sip::Message InDialogOfCallee(absl::string_view method, const sip::Message& invite, const sip::Message& response);

  // Sends the request, answers the challenge, ACKs it where that is due, and sends it again. Answers what was sent.
  sip::Message SendAuthorized(sip::Message request, absl::string_view password = "secret");
  // Registers for an hour. Answers the response.
  sip::Message Register(absl::string_view password = "secret");

  const std::string& number() const { return number_; }
  const sip::Hop& hop() const { return hop_; }
  std::string contact() const;
  std::string Sdp() const;

 private:
  std::string NewBranch();

  PhoneLine& line_;
  const std::string number_;
  const sip::Endpoint says_at_;
  const sip::Hop hop_;
  uint32_t next_name_ = 1;
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_PHONE_FAKE_H_
