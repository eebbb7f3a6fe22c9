#ifndef SLUICE_DATAPATH_CAPTURE_PCAPNG_WRITER_H_
#define SLUICE_DATAPATH_CAPTURE_PCAPNG_WRITER_H_

// Writes Ethernet frames to a pcapng file (draft-ietf-opsawg-pcapng): a section header with a comment, one interface
// description a leg and direction, one enhanced packet block a frame with nanosecond timestamps and its direction.
//
// Every block is written whole or not at all, so a file that ends early (a full disk, a killed process) still opens.
//
// Threads: one at a time.

#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace sluice::capture {

enum class FrameDirection { kReceived = 1, kSent = 2 };

class PcapngWriter {
 public:
  // Creates `path`, which must not exist yet. `comment` stands in the section header: the Call-ID.
  // ALREADY_EXISTS, PERMISSION_DENIED, NOT_FOUND (no such folder), or INTERNAL with the system's words.
  static absl::StatusOr<std::unique_ptr<PcapngWriter>> Create(const std::string& path, absl::string_view comment);

  ~PcapngWriter();
  PcapngWriter(const PcapngWriter&) = delete;
  PcapngWriter& operator=(const PcapngWriter&) = delete;

  // Adds an Ethernet interface and returns its index. All interfaces come before the first frame.
  absl::StatusOr<uint32_t> AddInterface(absl::string_view name, absl::string_view description);

  // Adds one frame. RESOURCE_EXHAUSTED when the disk is full; the file ends with the frame before then.
  absl::Status Write(uint32_t interface_index, absl::Time time, FrameDirection direction,
                     std::span<const uint8_t> frame);

  // Bytes of the file so far.
  uint64_t bytes() const { return bytes_; }

  // What Write would add to the file for a frame of `frame_bytes`.
  static uint64_t BlockBytes(size_t frame_bytes);

 private:
  PcapngWriter(std::FILE* file, std::string path) : file_(file), path_(std::move(path)) {}

  absl::Status WriteBlock(uint32_t type, const std::vector<uint8_t>& body);

  std::FILE* file_;
  std::string path_;
  uint64_t bytes_ = 0;
  uint32_t interfaces_ = 0;
};

}  // namespace sluice::capture

#endif  // SLUICE_DATAPATH_CAPTURE_PCAPNG_WRITER_H_
