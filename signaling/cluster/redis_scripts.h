// What is done in Redis, each script at one go.
//
// Keys (all begin with "sluice:"):
//   next_run      the number that was given last
//   runs          set of the numbers of all runs
//   run:N         hash: token (of the start), name, home, host, epoch, address, shards, owner (N, another run, or 0 for
//                 nobody), taken (Unix time of the first takeover)
//   lease:N       there while run N lives
//   calls:N       hash from call id to state, of the standing calls that run N has kept
//   bindings:A    the bindings of account A; there until the last of them expires
//   binding_changes     sorted set of all accounts that have had bindings, by the number of their last change
//   binding_version     the number that was given last
//   binding_generation  another one when all this has been lost and begins anew
//
// Scripts are told the run and its token first; they answer {"ok", …}, {"unknown"} when Redis does not know the run
// (it lost its data), or {"ousted", NAME} when another run has its calls or its number.
//
// Threads: any; constants.
#ifndef SLUICE_SIGNALING_CLUSTER_REDIS_SCRIPTS_H_
#define SLUICE_SIGNALING_CLUSTER_REDIS_SCRIPTS_H_

#include <string>

namespace sluice::cluster {

// ARGV: 0, token, lease in ms, name, home, host, epoch, address, shards, a random number. Makes a run of it and takes
// over the earlier ones of that name: {"ok", number}; or, if one of them lives at another home, {"busy", host}.
extern const std::string kJoinScript;

// ARGV: run, token, lease in ms, name, home, host, epoch, address, shards; then the number, name and epoch of each run
// that it has taken over. Renews the lease; makes known again what Redis has lost. {"ok", 1 if the lease had not run
// out, then of each run: number, owner, 1 if its lease has not run out, name, epoch, address, shards}.
extern const std::string kBeatScript;

// ARGV: run, token, then runs that it would take over. {"ok", those that it has taken}: a run that has come back, or
// that somebody else was faster to take, is left; all are, if its own lease has run out.
extern const std::string kTakeScript;

// ARGV: run, token, count of kept calls, of each: call id, state, origin; then of each ended one: call id, origin.
extern const std::string kKeepScript;

// ARGV: run, token, a run whose calls it has, call ids: Redis has states of these that it should not have.
extern const std::string kDropScript;

// ARGV: run, token, the version and the generation that were answered last; then of each account whose bindings have
// changed here: name, bindings (empty: none are left), how long they last in ms. {"ok", generation, version, 1 if there
// is no more to read, then of each account that has changed since: name, bindings}. Written are those that are not
// among these, and none while there is more to read.
extern const std::string kBindingsScript;

// ARGV: run, token. The run gives its calls and its lease up.
extern const std::string kLeaveScript;

}  // namespace sluice::cluster

#endif  // SLUICE_SIGNALING_CLUSTER_REDIS_SCRIPTS_H_
