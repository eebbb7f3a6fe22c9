// Whom TLS connections that we open are for, as small numbers that fit into a hop: the same for all shards.
//
// Names and trunks are those of the config, so there are few, and none is forgotten.
//
// Threads: any.
#ifndef SLUICE_SIGNALING_TRANSPORT_TLS_PEERS_H_
#define SLUICE_SIGNALING_TRANSPORT_TLS_PEERS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace sluice::transport {

struct TlsPeer {
  // Domain or address that the certificate there must speak for (RFC 5922). Empty: the address that is connected to.
  std::string name;
  // The trunk whose own files the connection is made from (TlsContexts::trunks). Empty: it is made from those for all.
  std::string trunk;

  bool operator==(const TlsPeer&) const = default;
};

class TlsPeers {
 public:
  // The same for each call with this peer. 0 for the one without name and trunk.
  uint32_t NumberOf(const TlsPeer& peer);
  // Without name and trunk for 0 and for what NumberOf has never given.
  TlsPeer Find(uint32_t number) const;

 private:
  mutable absl::Mutex mutex_;
  // By number, from 1.
  std::vector<TlsPeer> peers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sluice::transport

#endif  // SLUICE_SIGNALING_TRANSPORT_TLS_PEERS_H_
