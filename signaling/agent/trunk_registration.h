// Keeps us registered at one trunk: the client's side of RFC 3261 10.2, without I/O or clock.
//
// How it works. `due` says when the next REGISTER wants to be sent, `Next` makes it, and exactly one of OnResponse and
// OnFailure tells what became of it. Registered, the next one is due after 75 to 90 % of the time that was granted, by
// chance, so that many trunks and controllers do not come at once. A challenge of the trunk's realm is answered at
// once, a 423 met. Anything else is a failure: the next server has its turn, after Retry-After if there is one, else
// after a pause that doubles from 30 s to 30 min, of which each takes 50 to 100 % (RFC 5626 4.5).
//
// Threads: the shard's.
#ifndef SLUICE_SIGNALING_AGENT_TRUNK_REGISTRATION_H_
#define SLUICE_SIGNALING_AGENT_TRUNK_REGISTRATION_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "signaling/agent/trunk_book.h"
#include "signaling/agent/trunk_servers.h"
#include "signaling/routing/trunk.h"
#include "signaling/sip/digest_client.h"
#include "signaling/sip/hop.h"
#include "signaling/sip/message.h"

namespace sluice::agent {

class TrunkRegistration {
 public:
  // What it is called by. Both are of the agent's making and unique.
  struct Names {
    std::string call_id;
    std::string from_tag;
  };

  // `trunk`: with a user to be registered. `random`: 64 bits with each call.
  TrunkRegistration(std::shared_ptr<const routing::Trunk> trunk, Names names, std::function<uint64_t()> random);

  // InfiniteFuture while an answer is awaited.
  absl::Time due() const { return due_; }
  // Which of the trunk's servers has its turn: counts up.
  size_t turn() const { return turn_; }
  const routing::Trunk& trunk() const { return *trunk_; }

  // The REGISTER to `server`, by which we can be reached at `advertised` ("host:port").
  sip::Message Next(const TrunkServer& server, absl::string_view advertised);
  // The same to take it back; nobody waits for the answer.
  sip::Message Last(const TrunkServer& server, absl::string_view advertised);
  void OnResponse(const sip::Message& response, absl::Time now);
  void OnFailure(absl::string_view text, absl::Time now);
  // Nobody knows yet where its servers are: due again soon.
  void Wait(absl::Time now);

  const TrunkBook::Registration& state() const { return state_; }

 private:
  sip::Message Make(const TrunkServer& server, absl::string_view advertised, absl::Duration expires);
  void OnSuccess(const sip::Message& response, absl::Time now);
  bool AnswerChallenge(const sip::Message& challenge);
  // The next server's turn after `wait`.
  void Fail(absl::string_view text, absl::Duration wait, absl::Time now);
  absl::Duration NextPause();
  // Between `least` and 1, by chance, of `whole`.
  absl::Duration Some(absl::Duration whole, double least, double most);

  const std::shared_ptr<const routing::Trunk> trunk_;
  const Names names_;
  const std::function<uint64_t()> random_;
  std::optional<sip::DigestClient> digest_;
  // Answered since the last success or failure.
  uint32_t challenges_ = 0;
  absl::Duration expires_;
  TrunkBook::Registration state_;
  // Of the last REGISTER.
  std::string contact_;
  size_t turn_ = 0;
  uint32_t cseq_ = 0;
  uint32_t failures_ = 0;
  absl::Time due_ = absl::InfinitePast();
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_TRUNK_REGISTRATION_H_
