// Where an account can be reached (RFC 3261 10): one Contact that one phone has registered.
#ifndef SLUICE_SIGNALING_STORE_BINDING_H_
#define SLUICE_SIGNALING_STORE_BINDING_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace sluice::store {

struct Binding {
  // The Contact URI as it was registered, without angle brackets and header parameters.
  std::string contact;
  // Order of REGISTER requests (RFC 3261 10.3 step 7).
  std::string call_id;
  uint32_t cseq = 0;
  absl::Time expire_time;
  // q of the Contact in thousandths.
  uint32_t priority = 1000;
  std::string user_agent;
  // Path header values, topmost first, comma-separated (RFC 3327). Empty: none.
  std::string path;
  // +sip.instance and reg-id (RFC 5626). Empty and 0: none.
  std::string instance;
  uint32_t reg_id = 0;
  // "udp", "tcp", …: how the REGISTER came.
  std::string transport;
  // Where its packets come from, "198.18.2.9:43518", and which of our listeners they reach, "198.18.1.1:5060". A phone
  // behind NAT is reached only from that address to that source.
  std::string source;
  std::string local;
  // The Contact's address is not the source.
  bool behind_nat = false;
  // The connection that the REGISTER came by; 0: none. Means nothing after a restart and is not kept on disk.
  uint64_t connection = 0;
};

// What can be wrong with one that was read from somewhere, as text for people; empty: nothing.
std::string BindingDefect(const Binding& binding);

// All bindings of one account. Never changed once it is shared: an update makes another.
using BindingSet = std::vector<Binding>;

}  // namespace sluice::store

#endif  // SLUICE_SIGNALING_STORE_BINDING_H_
