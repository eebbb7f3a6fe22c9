#include "datapath/capture/pcapng_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace sluice::capture {
namespace {

// Block types and options, draft-ietf-opsawg-pcapng sections 4.1, 4.2 and 4.3. All integers are in host order; the
// section header's magic says which that is.
constexpr uint32_t kSectionHeader = 0x0A0D0D0A;
constexpr uint32_t kInterfaceDescription = 1;
constexpr uint32_t kEnhancedPacket = 6;
constexpr uint32_t kByteOrderMagic = 0x1A2B3C4D;
constexpr uint16_t kEthernet = 1;
constexpr uint16_t kOptionEnd = 0;
constexpr uint16_t kOptionComment = 1;
constexpr uint16_t kOptionName = 2;
constexpr uint16_t kOptionDescription = 3;
constexpr uint16_t kOptionTimestampResolution = 9;
constexpr uint16_t kOptionFlags = 2;
constexpr uint8_t kNanoseconds = 9;

// type, length, interface, two halves of the time, two lengths, the flags option, the end of options, length again.
constexpr size_t kPacketBlockBytes = 4 + 4 + 4 + 8 + 8 + 8 + 4 + 4;

template <typename T>
void Put(std::vector<uint8_t>& out, T value) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(&value);
  out.insert(out.end(), bytes, bytes + sizeof value);
}

void Pad(std::vector<uint8_t>& out) {
  while (out.size() % 4 != 0) out.push_back(0);
}

void PutOption(std::vector<uint8_t>& out, uint16_t code, absl::string_view value) {
  value = value.substr(0, UINT16_MAX - 3);
  Put(out, code);
  Put(out, static_cast<uint16_t>(value.size()));
  out.insert(out.end(), value.begin(), value.end());
  Pad(out);
}

absl::Status FileError(const std::string& path, int error) {
  const std::string text = absl::StrCat("capture file ", path, ": ", std::strerror(error));
  switch (error) {
    case EEXIST:
      return absl::AlreadyExistsError(text);
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::PermissionDeniedError(text);
    case ENOENT:
    case ENOTDIR:
      return absl::NotFoundError(text);
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return absl::ResourceExhaustedError(text);
    default:
      return absl::InternalError(text);
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<PcapngWriter>> PcapngWriter::Create(const std::string& path, absl::string_view comment) {
  // Calls are private: nobody but the relay's user reads them.
  const int handle = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (handle < 0) return FileError(path, errno);
  auto writer = std::unique_ptr<PcapngWriter>(new PcapngWriter(fdopen(handle, "wb"), path));
  std::vector<uint8_t> body;
  Put(body, kByteOrderMagic);
  Put(body, uint16_t{1});
  Put(body, uint16_t{0});
  Put(body, int64_t{-1});
  PutOption(body, kOptionComment, comment);
  PutOption(body, kOptionEnd, "");
  const absl::Status status = writer->WriteBlock(kSectionHeader, body);
  if (!status.ok()) return status;
  return writer;
}

PcapngWriter::~PcapngWriter() { std::fclose(file_); }

absl::StatusOr<uint32_t> PcapngWriter::AddInterface(absl::string_view name, absl::string_view description) {
  std::vector<uint8_t> body;
  Put(body, kEthernet);
  Put(body, uint16_t{0});
  Put(body, uint32_t{0});
  PutOption(body, kOptionName, name);
  PutOption(body, kOptionDescription, description);
  PutOption(body, kOptionTimestampResolution, absl::string_view(reinterpret_cast<const char*>(&kNanoseconds), 1));
  PutOption(body, kOptionEnd, "");
  const absl::Status status = WriteBlock(kInterfaceDescription, body);
  if (!status.ok()) return status;
  return interfaces_++;
}

absl::Status PcapngWriter::Write(uint32_t interface_index, absl::Time time, FrameDirection direction,
                                 std::span<const uint8_t> frame) {
  if (interface_index >= interfaces_) {
    return absl::InvalidArgumentError(absl::StrCat("interface ", interface_index, ": there are ", interfaces_));
  }
  const auto nanoseconds = static_cast<uint64_t>(absl::ToUnixNanos(time));
  std::vector<uint8_t> body;
  body.reserve(BlockBytes(frame.size()));
  Put(body, interface_index);
  Put(body, static_cast<uint32_t>(nanoseconds >> 32));
  Put(body, static_cast<uint32_t>(nanoseconds));
  Put(body, static_cast<uint32_t>(frame.size()));
  Put(body, static_cast<uint32_t>(frame.size()));
  body.insert(body.end(), frame.begin(), frame.end());
  Pad(body);
  Put(body, kOptionFlags);
  Put(body, uint16_t{4});
  Put(body, static_cast<uint32_t>(direction));
  PutOption(body, kOptionEnd, "");
  return WriteBlock(kEnhancedPacket, body);
}

uint64_t PcapngWriter::BlockBytes(size_t frame_bytes) { return kPacketBlockBytes + (frame_bytes + 3) / 4 * 4; }

absl::Status PcapngWriter::WriteBlock(uint32_t type, const std::vector<uint8_t>& body) {
  const auto length = static_cast<uint32_t>(body.size() + 12);
  std::vector<uint8_t> block;
  block.reserve(length);
  Put(block, type);
  Put(block, length);
  block.insert(block.end(), body.begin(), body.end());
  Put(block, length);
  if (std::fwrite(block.data(), block.size(), 1, file_) == 1 && std::fflush(file_) == 0) {
    bytes_ += block.size();
    return absl::OkStatus();
  }
  const int error = errno;
  // Half a block would make the whole file unreadable, so it goes away again.
  std::clearerr(file_);
  if (ftruncate(fileno(file_), static_cast<off_t>(bytes_)) == 0) std::fseek(file_, static_cast<long>(bytes_), SEEK_SET);
  return FileError(path_, error);
}

}  // namespace sluice::capture
