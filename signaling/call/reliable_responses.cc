#include "signaling/call/reliable_responses.h"

#include "absl/strings/str_cat.h"

namespace sluice::call {
namespace {

constexpr absl::Duration kT1 = absl::Milliseconds(500);

}  // namespace

bool ReliableResponses::IsSupportedBy(const sip::Message& invite) {
  return invite.HasElement(sip::Header::kSupported, "100rel") || invite.HasElement(sip::Header::kRequire, "100rel");
}

ReliableResponses::ReliableResponses(const sip::Message& invite, uint32_t first_rseq)
    : required_(invite.HasElement(sip::Header::kRequire, "100rel")),
      invite_cseq_(invite.CSeqNumber()),
      rseq_(first_rseq - 1) {}

void ReliableResponses::Send(sip::Message& response, absl::string_view session, absl::Time now) {
  response.Add(sip::Header::kRequire, "100rel");
  response.Add(sip::Header::kRSeq, absl::StrCat(++rseq_));
  outstanding_ = response;
  outstanding_session_ = std::string(session);
  if (!session.empty()) session_ = outstanding_session_;
  wait_ = kT1;
  give_up_at_ = now + 64 * kT1;
}

ReliableResponses::Prack ReliableResponses::OnPrack(const sip::Message& prack) {
  const std::optional<sip::RAck> rack = prack.RAck();
  if (!outstanding_ || !rack || rack->rseq != rseq_ || rack->cseq.number != invite_cseq_ ||
      rack->cseq.method != sip::Method::kInvite) {
    return Prack::kUnknown;
  }
  outstanding_.reset();
  return outstanding_session_.empty() ? Prack::kTaken : Prack::kTakenWithSession;
}

const sip::Message* ReliableResponses::Repeat(absl::Time now) {
  if (now >= give_up_at_) return nullptr;
  wait_ *= 2;
  if (now + wait_ > give_up_at_) wait_ = give_up_at_ - now;
  return &*outstanding_;
}

}  // namespace sluice::call
