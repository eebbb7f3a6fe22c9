#include "datapath/io/media_filter.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <spdlog/spdlog.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "datapath/io/xdp/media_filter_object.h"
#include "datapath/io/xdp/media_range_map.h"

namespace sluice::io {
namespace {

// A file descriptor that closes itself.
class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&&) = delete;
  ~Fd() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

 private:
  int fd_;
};

// What libbpf writes, here and in DPDK's driver, would go to standard error.
int LogLibbpf(libbpf_print_level level, const char* format, va_list arguments) {
  std::array<char, 512> line;
  if (level == LIBBPF_DEBUG || vsnprintf(line.data(), line.size(), format, arguments) < 0) return 0;
  const std::string_view text(line.data());
  spdlog::debug("{}", text.substr(0, text.find_last_not_of('\n') + 1));
  return 0;
}

absl::Status SystemError(const std::string& what, int error) {
  const std::string text = absl::StrCat(what, ": ", strerror(error));
  if (error == EPERM || error == EACCES) {
    return absl::PermissionDeniedError(
        absl::StrCat(text, "; AF_XDP needs root, or CAP_NET_ADMIN, CAP_NET_RAW and CAP_BPF"));
  }
  return absl::InternalError(text);
}

// The program that is attached to an interface, if any.
struct AttachedProgram {
  Fd fd;
  uint32_t id = 0;
  uint32_t mode = 0;  // XDP_FLAGS_..._MODE, to detach it.
  std::string name;
  Fd media_ranges;  // Open if it is one of ours.
};

// The map of `program` that is called kMediaMapName. Not open if there is none.
Fd FindMediaRanges(int program) {
  uint32_t ids[16] = {};
  bpf_prog_info info = {};
  info.nr_map_ids = std::size(ids);
  info.map_ids = reinterpret_cast<uintptr_t>(ids);
  uint32_t size = sizeof(info);
  if (bpf_obj_get_info_by_fd(program, &info, &size) != 0) return Fd();
  for (uint32_t i = 0; i < info.nr_map_ids && i < std::size(ids); ++i) {
    Fd map(bpf_map_get_fd_by_id(ids[i]));
    bpf_map_info map_info = {};
    uint32_t map_size = sizeof(map_info);
    if (map.is_open() && bpf_obj_get_info_by_fd(map.get(), &map_info, &map_size) == 0 &&
        std::string_view(map_info.name) == kMediaMapName && map_info.key_size == sizeof(MediaRangeKey)) {
      return map;
    }
  }
  return Fd();
}

absl::StatusOr<AttachedProgram> FindAttached(const KernelInterface& interface) {
  LIBBPF_OPTS(bpf_xdp_query_opts, query);
  if (const int result = bpf_xdp_query(static_cast<int>(interface.index), 0, &query); result != 0) {
    return SystemError(absl::StrCat("cannot ask for the XDP program of ", interface.name), -result);
  }
  AttachedProgram attached;
  for (const auto& [id, mode] :
       {std::pair(query.drv_prog_id, XDP_FLAGS_DRV_MODE), std::pair(query.skb_prog_id, XDP_FLAGS_SKB_MODE),
        std::pair(query.hw_prog_id, XDP_FLAGS_HW_MODE)}) {
    if (id != 0) {
      attached.id = id;
      attached.mode = mode;
      break;
    }
  }
  if (attached.id == 0) return attached;
  const int fd = bpf_prog_get_fd_by_id(attached.id);
  if (fd < 0) return SystemError(absl::StrCat("cannot look at the XDP program of ", interface.name), errno);
  bpf_prog_info info = {};
  uint32_t size = sizeof(info);
  if (bpf_obj_get_info_by_fd(fd, &info, &size) == 0) attached.name = info.name;
  return AttachedProgram{Fd(fd), attached.id, attached.mode, attached.name,
                         attached.name == kMediaProgramName ? FindMediaRanges(fd) : Fd()};
}

}  // namespace

absl::StatusOr<MediaFilterFile> MediaFilterFile::Make() {
  const int fd = memfd_create("media_filter", MFD_CLOEXEC);
  if (fd < 0) return SystemError("cannot make a file for the XDP program", errno);
  MediaFilterFile file(fd);
  size_t written = 0;
  while (written < std::size(kMediaFilterObject)) {
    const ssize_t result = write(fd, kMediaFilterObject + written, std::size(kMediaFilterObject) - written);
    if (result < 0) return SystemError("cannot write the XDP program", errno);
    written += static_cast<size_t>(result);
  }
  return file;
}

MediaFilterFile::MediaFilterFile(MediaFilterFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

MediaFilterFile::~MediaFilterFile() {
  if (fd_ >= 0) close(fd_);
}

std::string MediaFilterFile::path() const { return absl::StrCat("/proc/self/fd/", fd_); }

absl::Status PrepareForMediaFilter(const KernelInterface& interface) {
  libbpf_set_print(LogLibbpf);
  const Fd probe(socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (!probe.is_open()) {
    if (errno == EAFNOSUPPORT) {
      return absl::UnimplementedError("this kernel has no AF_XDP (CONFIG_XDP_SOCKETS); use af_packet");
    }
    return SystemError("cannot open an AF_XDP socket", errno);
  }
  const auto attached = FindAttached(interface);
  if (!attached.ok()) return attached.status();
  if (attached->id == 0) return absl::OkStatus();
  if (!attached->media_ranges.is_open()) {
    return absl::AlreadyExistsError(absl::StrCat(interface.name, " has an XDP program of somebody else (",
                                                 attached->name, ", id ", attached->id,
                                                 "); detach it with its owner's tool or use af_packet"));
  }
  // Only if it still is the one that was looked at.
  LIBBPF_OPTS(bpf_xdp_attach_opts, detach, .old_prog_fd = attached->fd.get());
  const int result = bpf_xdp_detach(static_cast<int>(interface.index), attached->mode | XDP_FLAGS_REPLACE, &detach);
  if (result != 0) {
    return SystemError(absl::StrCat("cannot take the XDP program of a dead relay off ", interface.name), -result);
  }
  return absl::OkStatus();
}

absl::Status SetMedia(const KernelInterface& interface, const std::vector<MediaRange>& media) {
  const auto attached = FindAttached(interface);
  if (!attached.ok()) return attached.status();
  if (!attached->media_ranges.is_open()) {
    return absl::InternalError(absl::StrCat(interface.name, " does not have our XDP program attached"));
  }
  for (const MediaRange& range : media) {
    const MediaRangeKey key = {range.address.raw_high(), range.address.raw_low()};
    const MediaRangePorts ports = {range.first_port, range.last_port};
    if (bpf_map_update_elem(attached->media_ranges.get(), &key, &ports, BPF_NOEXIST) != 0) {
      if (errno == EEXIST) {
        return absl::InvalidArgumentError(absl::StrCat(range.address.ToString(), " has two ranges of media ports on ",
                                                       interface.name, "; AF_XDP takes one"));
      }
      return SystemError(absl::StrCat("cannot tell the XDP program of ", interface.name, " its media ports"), errno);
    }
  }
  return absl::OkStatus();
}

}  // namespace sluice::io
