#include "signaling/agent/phone_fake.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "signaling/sip/digest.h"
#include "signaling/sip/digest_client.h"

namespace sluice::agent {

store::Account MakePhoneAccount(const std::string& name, const std::string& password) {
  store::Account account{.name = name, .create_time = absl::UnixEpoch()};
  for (const auto algorithm : {sip::DigestAlgorithm::kMd5, sip::DigestAlgorithm::kSha256}) {
    account.digests.push_back({std::string(kPhoneRealm), std::string(sip::DigestAlgorithmName(algorithm)),
                               sip::HashA1(name, kPhoneRealm, password, algorithm)});
  }
  return account;
}

Phone::Phone(PhoneLine& line, std::string number, absl::string_view says_at, const sip::Hop& hop)
    : line_(line), number_(std::move(number)), says_at_(*sip::Endpoint::Parse(says_at)), hop_(hop) {}

void Phone::Send(const sip::Message& message) { line_.Deliver(hop_, message.Serialize()); }

sip::Message Phone::Receive() {
  const std::optional<std::string> bytes = line_.Take(hop_);
  EXPECT_TRUE(bytes.has_value()) << "nothing was sent to " << number_;
  if (!bytes.has_value()) return sip::Message();
  sip::ParseResult result = sip::Message::Parse(*bytes);
  EXPECT_TRUE(result.ok()) << *bytes;
  return std::move(result.message);
}

std::string Phone::NewBranch() {
  return absl::StrCat("SIP/2.0/UDP ", says_at_.ToString(), ";rport;branch=z9hG4bK", number_, next_name_++);
}

std::string Phone::contact() const { return absl::StrCat("sip:", number_, "@", says_at_.ToString()); }

std::string Phone::Sdp() const {
  return absl::StrCat("v=0\r\no=", number_, "@198.18.1.1 0 0 IN IP4 ", says_at_.Address(),
                      "\r\ns=Session SIP/SDP\r\nc=IN IP4 ", says_at_.Address(),
                      "\r\nt=0 0\r\nm=audio 21000 RTP/AVP 114 101\r\na=rtpmap:114 AMR/8000\r\n"
                      "a=fmtp:114 mode-set=0\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
                      "a=ptime:100\r\nm=video 21070 RTP/AVP 126\r\na=rtpmap:126 H264/90000\r\n"
                      "a=fmtp:126 profile-level-id=42e00b;cif=1;fps=10\r\n");
}

sip::Message Phone::NewRequest(absl::string_view method, absl::string_view to) {
  sip::Message request = sip::Message::Request(method, absl::StrCat("sip:", to, to.empty() ? "" : "@", "198.18.1.1"));
  request.Add(sip::Header::kVia, NewBranch());
  request.Add(sip::Header::kMaxForwards, "70");
  request.Add(sip::Header::kTo, absl::StrCat("<sip:", to.empty() ? number_ : to, "@198.18.1.1>"));
  request.Add(sip::Header::kFrom, absl::StrCat("<sip:", number_, "@198.18.1.1>;tag=", number_, "t", next_name_));
  request.Add(sip::Header::kCallId, absl::StrCat(number_, "-", next_name_++));
  request.Add(sip::Header::kCSeq, absl::StrCat("1 ", method));
  request.Add(sip::Header::kContact, absl::StrCat("<", contact(), ">"));
  request.Add(sip::Header::kUserAgent, "Zed-3-PDA");
  return request;
}

sip::Message Phone::NewInvite(absl::string_view to) {
  sip::Message invite = NewRequest("INVITE", to);
  invite.Add("Service1-Extension", "V1.0");
  invite.SetBody("application/sdp", Sdp());
  return invite;
}

sip::Message Phone::Again(sip::Message request) {
  request.Set(sip::Header::kVia, NewBranch());
  request.Set(sip::Header::kCSeq, absl::StrCat(request.CSeqNumber() + 1, " ", request.method_name()));
  return request;
}

sip::Message Phone::Answer(const sip::Message& request, uint16_t status) {
  sip::Message response = sip::Message::ResponseTo(request, status, absl::StrCat(number_, "t", next_name_));
  response.Add(sip::Header::kUserAgent, "Zed-3-PDA");
  if (request.method() != sip::Method::kInvite || status == 100 || status >= 300) return response;
  response.Add(sip::Header::kContact, absl::StrCat("<", contact(), ">"));
  response.Add("Service1-Extension", "V1.0");
  if (status >= 200) response.SetBody("application/sdp", Sdp());
  return response;
}

sip::Message Phone::AckOf(const sip::Message& invite, const sip::Message& response) {
  if (response.is_success()) {
    sip::Message ack = InDialog("ACK", invite, response);
    ack.Set(sip::Header::kCSeq, absl::StrCat(invite.CSeqNumber(), " ACK"));
    return ack;
  }
  sip::Message ack = sip::Message::Request("ACK", invite.request_uri());
  ack.Add(sip::Header::kVia, invite.Get(sip::Header::kVia));
  ack.Add(sip::Header::kMaxForwards, "70");
  ack.Add(sip::Header::kFrom, invite.Get(sip::Header::kFrom));
  ack.Add(sip::Header::kTo, response.Get(sip::Header::kTo));
  ack.Add(sip::Header::kCallId, invite.CallId());
  ack.Add(sip::Header::kCSeq, absl::StrCat(invite.CSeqNumber(), " ACK"));
  return ack;
}

sip::Message Phone::InDialog(absl::string_view method, const sip::Message& invite, const sip::Message& response) {
  const std::optional<sip::NameAddress> target = response.Contact();
  sip::Message request =
      sip::Message::Request(method, target.has_value() ? target->uri.text() : std::string(invite.request_uri()));
  request.Add(sip::Header::kVia, NewBranch());
  request.Add(sip::Header::kMaxForwards, "70");
  request.Add(sip::Header::kFrom, invite.Get(sip::Header::kFrom));
  request.Add(sip::Header::kTo, response.Get(sip::Header::kTo));
  request.Add(sip::Header::kCallId, invite.CallId());
  // Phones skip numbers.
  request.Add(sip::Header::kCSeq, absl::StrCat(invite.CSeqNumber() + 4, " ", method));
  return request;
}

sip::Message Phone::InDialogOfCallee(absl::string_view method, const sip::Message& invite,
                                     const sip::Message& response) {
  sip::Message request = sip::Message::Request(method, invite.Contact()->uri.text());
  request.Add(sip::Header::kVia, NewBranch());
  request.Add(sip::Header::kMaxForwards, "70");
  request.Add(sip::Header::kFrom, response.Get(sip::Header::kTo));
  request.Add(sip::Header::kTo, response.Get(sip::Header::kFrom));
  request.Add(sip::Header::kCallId, invite.CallId());
  request.Add(sip::Header::kCSeq, absl::StrCat("1 ", method));
  return request;
}

sip::Message Phone::SendAuthorized(sip::Message request, absl::string_view password) {
  Send(request);
  const sip::Message challenge = Receive();
  EXPECT_TRUE(challenge.status() == 401 || challenge.status() == 407) << challenge.StartLine();
  if (request.method() == sip::Method::kInvite) Send(AckOf(request, challenge));
  sip::DigestClient client(number_, password);
  EXPECT_TRUE(client.Accept(challenge));
  request = Again(std::move(request));
  client.Authorize(request, "c0ffee");
  Send(request);
  return request;
}

sip::Message Phone::Register(absl::string_view password) {
  sip::Message request = NewRequest("REGISTER", "");
  request.Add(sip::Header::kExpires, "3600");
  SendAuthorized(std::move(request), password);
  return Receive();
}

}  // namespace sluice::agent
