#include "signaling/call/call_test_bed.h"

#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "sluice/state/v1/standing_call.pb.h"

namespace sluice::call {
namespace {

sip::Hop HopBetween(absl::string_view local, absl::string_view remote) {
  sip::Hop hop;
  hop.local = *sip::Endpoint::Parse(local);
  hop.remote = *sip::Endpoint::Parse(remote);
  return hop;
}

std::string Body(absl::string_view sdp) {
  return sdp.empty() ? "\r\n" : absl::StrCat("Content-Type: application/sdp\r\n\r\n", sdp);
}

}  // namespace

std::string PhoneSdp(absl::string_view address, int audio_port, int video_port) {
  return absl::StrCat("v=0\r\no=20002230001@198.18.1.1 0 0 IN IP4 ", address, "\r\ns=Session SIP/SDP\r\nc=IN IP4 ",
                      address, "\r\nt=0 0\r\nm=audio ", audio_port,
                      " RTP/AVP 114 101\r\na=rtpmap:114 AMR/8000\r\na=fmtp:114 mode-set=0\r\n"
                      "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:100\r\nm=video ",
                      video_port,
                      " RTP/AVP 126\r\na=rtpmap:126 H264/90000\r\n"
                      "a=fmtp:126 profile-level-id=42e00b;cif=1;fps=10\r\n");
}

sip::Message Parsed(absl::string_view text) {
  sip::ParseResult result = sip::Message::Parse(text);
  EXPECT_TRUE(result.ok()) << result.error->text << "\n" << text;
  return std::move(result.message);
}

CallTestBed::CallTestBed(CallOptions call_options)
    : options(std::move(call_options)), call_(std::make_unique<Call>(options, *this)) {}

CallOptions CallTestBed::DefaultOptions() {
  CallOptions options;
  options.domain = "198.18.1.1";
  options.session_expires = absl::Seconds(90);
  return options;
}

Party CallTestBed::Caller() {
  Party party;
  party.hop = HopBetween(kControllerAddress, kCallerAddress);
  party.advertised = std::string(kControllerAddress);
  party.account = "20002230001";
  return party;
}

Party CallTestBed::Callee(int number) {
  Party party;
  party.hop = HopBetween(kControllerAddress,
                         number == 1 ? std::string(kCalleeSeenAt) : absl::StrCat("198.18.2.", 9 + number, ":43518"));
  party.behind_nat = true;
  party.advertised = std::string(kControllerAddress);
  party.target_uri = number == 1 ? std::string(kCalleeContact) : absl::StrCat("sip:20002230000@192.168.2.", number);
  party.account = "20002230000";
  return party;
}

sip::Message CallTestBed::Invite(absl::string_view fields, absl::string_view sdp) {
  return Parsed(
      absl::StrCat("INVITE sip:20002230000@198.18.1.1 SIP/2.0\r\n"
                   "Via: SIP/2.0/UDP 198.18.1.2:45426;rport;branch=z9hG4bK16771\r\n"
                   "Max-Forwards: 70\r\n"
                   "To: <sip:20002230000@198.18.1.1>\r\n"
                   "From: \"测试APP2\" <sip:20002230001@198.18.1.1>;tag=z9hG4bK73846736\r\n"
                   "Call-ID: 509381976447\r\n"
                   "CSeq: 2 INVITE\r\n"
                   "Contact: <sip:20002230001@198.18.1.2:45426;transport=udp>\r\n"
                   "User-Agent: Zed-3-PDA\r\n"
                   "Service1-Extension: V1.0\r\n",
                   fields, Body(sdp)));
}

void CallTestBed::Start(const sip::Message& invite, int callees) {
  std::vector<Party> parties;
  for (int i = 1; i <= callees; ++i) parties.push_back(Callee(i));
  Do(call_->Start(invite, 1, Caller(), parties, now));
}

void CallTestBed::Request(LegNumber leg, const sip::Message& request) {
  const Party party = leg == kCaller ? Caller() : Callee(static_cast<int>(leg));
  Do(call_->OnRequest(leg, ++last_transaction_, request, party.hop, now));
}

void CallTestBed::Ack(LegNumber leg, const sip::Message& ack) { Do(call_->OnAck(leg, ack, now)); }

void CallTestBed::Reply(const SendRequest& request, const sip::Message& response) {
  Do(call_->OnResponse(request.leg, request.number, response, request.hop, now));
}

void CallTestBed::Media(MediaAnswer::Outcome outcome) {
  MediaAnswer answer;
  answer.outcome = outcome;
  answer.text = "as the test wants";
  if (outcome == MediaAnswer::Outcome::kDone) {
    for (const MediaStream& stream : media_) {
      MediaAnswer::Stream ports;
      ports.id = stream.id;
      const uint16_t base = static_cast<uint16_t>(20000 + 100 * stream.id);
      ports.legs[0] = {"198.18.1.1", base, static_cast<uint16_t>(base + 1), false};
      ports.legs[1] = {"198.18.2.1", static_cast<uint16_t>(base + 10), static_cast<uint16_t>(base + 11), false};
      answer.streams.push_back(ports);
    }
  }
  Do(call_->OnMedia(answer, now));
}

void CallTestBed::Fire(CallTimer timer, absl::Duration after) {
  now += after;
  Do(call_->OnTimer(timer, now));
}

void CallTestBed::Restart(absl::Duration down, const CredentialsFunction& credentials) {
  const std::optional<state::v1::Call> kept = call_->StandingState();
  ASSERT_TRUE(kept.has_value()) << "the call is not quiet";
  now += down;
  call_ = std::make_unique<Call>(options, *this);
  absl::StatusOr<Actions> actions = call_->Restore(*kept, credentials, now);
  ASSERT_TRUE(actions.ok()) << actions.status();
  Do(*std::move(actions));
}

void CallTestBed::Do(Actions actions) {
  for (Action& action : actions) {
    if (const auto* respond = std::get_if<Respond>(&action)) {
      if (respond->leg == kCaller) seen_by_caller_ = respond->message;
    } else if (const auto* request = std::get_if<SendRequest>(&action)) {
      if (request->leg == 1 && request->message.method() == sip::Method::kInvite) seen_by_callee_ = request->message;
    } else if (const auto* create = std::get_if<CreateMedia>(&action)) {
      EXPECT_FALSE(media_created_) << "media is created once";
      media_created_ = true;
      media_ = create->session.streams;
    } else if (const auto* update = std::get_if<UpdateMedia>(&action)) {
      EXPECT_TRUE(media_created_);
      media_ = update->session.streams;
    }
    actions_.push_back(std::move(action));
  }
}

sip::Message CallTestBed::Answer(const SendRequest& request, uint16_t status, absl::string_view sdp,
                                 absl::string_view fields, absl::string_view tag) {
  const std::string own_tag = tag.empty() ? absl::StrCat("callee", request.leg) : std::string(tag);
  sip::Message response = sip::Message::ResponseTo(request.message, status, own_tag);
  response.AddFirst(sip::Header::kVia, "SIP/2.0/UDP 198.18.1.1:7080;branch=z9hG4bKours");
  std::string text = response.Serialize();
  // Content-Length is the last of a response without a body.
  text.resize(text.find("Content-Length"));
  const absl::string_view contact = request.leg == 0 ? "sip:20002230001@198.18.1.2:45426" : kCalleeContact;
  if (status != 100) absl::StrAppend(&text, "Contact: <", contact, ">\r\n");
  absl::StrAppend(&text, "User-Agent: Zed-3-PDA\r\n", fields, Body(sdp));
  return Parsed(text);
}

sip::Message CallTestBed::InDialog(LegNumber leg, absl::string_view method, uint32_t cseq, absl::string_view fields,
                                   absl::string_view sdp) {
  const bool is_caller = leg == kCaller;
  const sip::Message& seen = is_caller ? seen_by_caller_ : seen_by_callee_;
  std::string from(is_caller ? seen.Get(sip::Header::kFrom) : seen.Get(sip::Header::kTo));
  if (sip::TagOf(from).empty()) absl::StrAppend(&from, ";tag=callee", leg);
  const absl::string_view to = is_caller ? seen.Get(sip::Header::kTo) : seen.Get(sip::Header::kFrom);
  return Parsed(absl::StrCat(method, " sip:x@198.18.1.1:7080 SIP/2.0\r\nVia: SIP/2.0/UDP 198.18.1.2;branch=z9hG4bKi",
                             cseq, "\r\nMax-Forwards: 70\r\nFrom: ", from, "\r\nTo: ", to,
                             "\r\nCall-ID: ", seen.CallId(), "\r\nCSeq: ", cseq, " ", method, "\r\nContact: <",
                             is_caller ? "sip:20002230001@198.18.1.2:45426" : kCalleeContact, ">\r\n", fields,
                             Body(sdp)));
}

SendRequest CallTestBed::Establish(const sip::Message& invite, absl::string_view answer_fields) {
  Start(invite);
  Media();
  SendRequest request = Take<SendRequest>();
  Reply(request, Answer(request, 180));
  Reply(request, Answer(request, 200, PhoneSdp("192.168.2.63"), answer_fields));
  Media();
  Ack(kCaller, InDialog(kCaller, "ACK", 2));
  Forget();
  return request;
}

Ended CallTestBed::TakeEnd() {
  EXPECT_TRUE(call_->ended());
  EXPECT_EQ(Count<Ended>(), 1);
  EXPECT_EQ(Count<DeleteMedia>(), media_created_ ? 1 : 0);
  EXPECT_TRUE(!actions_.empty() && std::holds_alternative<Ended>(actions_.back()));
  return Take<Ended>();
}

absl::Duration CallTestBed::TakeLimit() {
  absl::Duration limit = absl::InfiniteDuration();
  while (Has<SetTimer>()) {
    const SetTimer timer = Take<SetTimer>();
    if (timer.timer == CallTimer::kDuration) limit = timer.after;
  }
  return limit;
}

std::string CallTestBed::NewCallId() { return absl::StrCat("ours", ++names_); }
std::string CallTestBed::NewTag() { return absl::StrCat("tag", ++names_); }
uint32_t CallTestBed::NewCSeq() { return 26032645 + static_cast<uint32_t>(++names_); }

}  // namespace sluice::call
