// Which media ports are taken on this host: two relays must not share any, or each would swallow the other's packets.
//
// How it works. Nothing binds media ports in the kernel, so the claim is a name: an abstract UNIX socket a range,
// "sluice/media/<process>/<address>/<first>-<last>". The kernel lists all of them in /proc/net/unix, keeps them apart
// by network namespace, as ports are, and forgets them with the process, however it ends. A process binds its own names
// first and then looks for others, so of two that start at once at least one sees the other.
//
// Threads: one.

#ifndef SLUICE_DATAPATH_IO_MEDIA_CLAIMS_H_
#define SLUICE_DATAPATH_IO_MEDIA_CLAIMS_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "datapath/io/interface_options.h"

namespace sluice::io {

class MediaClaims {
 public:
  MediaClaims() = default;
  // Gives all claims back.
  ~MediaClaims();
  MediaClaims(const MediaClaims&) = delete;
  MediaClaims& operator=(const MediaClaims&) = delete;

  // Takes the ports of `range`. ALREADY_EXISTS, naming the process and its range, if some are taken.
  absl::Status ClaimPorts(const MediaRange& range);

  // Takes `interface` as this process' own, as AF_XDP needs it. ALREADY_EXISTS if another has it.
  absl::Status ClaimInterface(const std::string& interface);

 private:
  // By name.
  std::map<std::string, int> sockets_;
};

}  // namespace sluice::io

#endif  // SLUICE_DATAPATH_IO_MEDIA_CLAIMS_H_
