#include <utility>

#include "signaling/call/call_core.h"

namespace sluice::call {
namespace {

// A relay answers within a round trip; a caller notices seconds.
constexpr absl::Duration kAnswerWait = absl::Seconds(3);

}  // namespace

Actions Call::Core::OnMedia(const MediaAnswer& answer, absl::Time now) {
  Begin(now);
  if (!media_asked_) return Take();
  media_asked_ = false;
  if (answer.outcome == Outcome::kDone) ports_ = answer.streams;
  media_text_ = answer.text;
  if (end_) return Take();
  if (media_stale_) {
    SendWanted();
  } else {
    FinishMedia(answer.outcome);
  }
  return Take();
}

void Call::Core::AskForMedia(MediaSession wanted, std::function<void(Outcome)> then) {
  const bool same = media_created_ && wanted == media_;
  media_ = std::move(wanted);
  if (options_.media_released) {
    if (then) then(Outcome::kDone);
    return;
  }
  // One that still waits has been overtaken: a provisional response by the answer.
  after_media_ = std::move(then);
  if (same && !media_asked_) return FinishMedia(Outcome::kDone);
  SetTimer(CallTimer::kAnswerWait, kAnswerWait);
  if (media_asked_) {
    media_stale_ = media_stale_ || !same;
  } else {
    SendWanted();
  }
}

void Call::Core::SendWanted() {
  media_asked_ = true;
  media_stale_ = false;
  if (media_created_) {
    actions_.push_back(UpdateMedia{media_});
  } else {
    media_created_ = true;
    actions_.push_back(CreateMedia{media_});
  }
}

void Call::Core::FinishMedia(Outcome outcome) {
  CancelTimer(CallTimer::kAnswerWait);
  const std::function<void(Outcome)> then = std::exchange(after_media_, nullptr);
  if (then) then(outcome);
}

MediaPeers Call::Core::Peers() const {
  // Before the answer the first callee stands for all; the answer corrects it.
  const Leg* legs[] = {&legs_[ends_[0]], &legs_[callee() != kCaller ? callee() : 1]};
  MediaPeers peers;
  for (size_t side = 0; side < 2; ++side) {
    const Party& party = legs[side]->party;
    peers[side] = {.behind_nat = party.behind_nat,
                   .is_phone = party.is_phone,
                   .sip_address = party.hop.remote.Address(),
                   .is_v6 = party.hop.remote.is_v6};
  }
  return peers;
}

const std::string& Call::Core::WriteSdp(Leg& leg, sdp::SessionDescription description) {
  if (options_.media_released) {
    leg.sent_sdp = description.ToString();
    return leg.sent_sdp;
  }
  const std::vector<std::optional<sdp::RelayAddress>> relay = RelayAddresses(description, ports_, leg.side);
  description.Anchor(relay);
  if (leg.origin.session_id == 0) {
    if (!description.origin_user().empty()) leg.origin.user = std::string(description.origin_user());
    leg.origin.session_id = names_.NewCSeq();
    leg.origin.version = leg.origin.session_id;
    leg.origin.address = leg.party.hop.local.Address();
    leg.origin.is_v6 = leg.party.hop.local.is_v6;
    for (size_t i = relay.size(); i-- > 0;) {
      if (!relay[i]) continue;
      leg.origin.address = relay[i]->address;
      leg.origin.is_v6 = relay[i]->is_v6;
    }
  }
  description.SetOrigin(leg.origin);
  std::string text = description.ToString();
  // RFC 3264 8: the version goes up with every change, and only then.
  if (!leg.sent_sdp.empty() && text != leg.sent_sdp) {
    ++leg.origin.version;
    description.SetOrigin(leg.origin);
    text = description.ToString();
  }
  leg.sent_sdp = std::move(text);
  return leg.sent_sdp;
}

}  // namespace sluice::call
