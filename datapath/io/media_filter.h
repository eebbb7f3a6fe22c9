// The XDP program that takes media off a kernel interface, from the relay's side (xdp/media_filter.bpf.cc is the
// program).
//
// How it works. DPDK's AF_XDP driver loads and attaches the program from a file; ours is a part of this binary and is
// given to it as an anonymous file, so nothing lies about on disk. Once attached, the relay finds the program's map
// through the interface (interface -> program -> its maps) and writes the media ranges. Nothing is pinned in bpffs, so
// nothing is left there either, any number of relays can run side by side, and no mount is needed.
//
// A relay that was killed leaves its program attached (it passes everything on to the kernel then, as its AF_XDP
// sockets are gone). The next relay recognises it by its name and its map and takes it off; a program of anybody else
// stays, and is an error.
//
// Threads: one.

#ifndef SLUICE_DATAPATH_IO_MEDIA_FILTER_H_
#define SLUICE_DATAPATH_IO_MEDIA_FILTER_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "datapath/io/interface_options.h"
#include "datapath/io/kernel_interface.h"

namespace sluice::io {

// A file that holds the program, for as long as this lives.
class MediaFilterFile {
 public:
  static absl::StatusOr<MediaFilterFile> Make();
  ~MediaFilterFile();
  MediaFilterFile(MediaFilterFile&& other) noexcept;
  MediaFilterFile& operator=(MediaFilterFile&&) = delete;

  // Good within this process.
  std::string path() const;

 private:
  explicit MediaFilterFile(int fd) : fd_(fd) {}
  int fd_;
};

// OK if AF_XDP is there and nothing is attached to `interface`, or only what a killed relay left, which is taken off.
// The caller has claimed the interface (media_claims.h), so a program of ours has no owner that lives.
absl::Status PrepareForMediaFilter(const KernelInterface& interface);

// Tells the program that was attached to `interface` which media to take. Once; until then it takes none.
absl::Status SetMedia(const KernelInterface& interface, const std::vector<MediaRange>& media);

}  // namespace sluice::io

#endif  // SLUICE_DATAPATH_IO_MEDIA_FILTER_H_
