#include "datapath/capture/pcapng_writer.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

namespace sluice::capture {
namespace {

std::string NewPath(const std::string& name) { return std::string(std::getenv("TEST_TMPDIR")) + "/" + name; }

std::string Read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

uint32_t U32(const std::string& bytes, size_t at) {
  uint32_t value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

TEST(PcapngWriter, WritesBlocksWhoseTwoLengthsAgreeAndFillTheFile) {
  const std::string path = NewPath("whole.pcapng");
  const std::vector<uint8_t> frame(61, 0x5a);
  {
    auto writer = PcapngWriter::Create(path, "a84b4c76e66710@198.18.1.2");
    ASSERT_TRUE(writer.ok()) << writer.status();
    ASSERT_EQ((*writer)->AddInterface("leg-a", "caller").value(), 0u);
    ASSERT_EQ((*writer)->AddInterface("leg-b", "callee").value(), 1u);
    ASSERT_TRUE((*writer)->Write(1, absl::FromUnixNanos(1234567890123456789), FrameDirection::kSent, frame).ok());
  }
  const std::string bytes = Read(path);
  std::vector<uint32_t> types;
  size_t last = 0;
  for (size_t at = 0; at < bytes.size(); at += U32(bytes, at + 4)) {
    ASSERT_GE(U32(bytes, at + 4), 12u);
    ASSERT_LE(at + U32(bytes, at + 4), bytes.size());
    ASSERT_EQ(U32(bytes, at + 4), U32(bytes, at + U32(bytes, at + 4) - 4));
    types.push_back(U32(bytes, at));
    last = at;
  }
  EXPECT_EQ(types, (std::vector<uint32_t>{0x0A0D0D0A, 1, 1, 6}));
  EXPECT_EQ(U32(bytes, last + 4), PcapngWriter::BlockBytes(frame.size()));
  EXPECT_EQ(U32(bytes, last + 8), 1u) << "interface";
  EXPECT_EQ((uint64_t{U32(bytes, last + 12)} << 32) | U32(bytes, last + 16), 1234567890123456789u) << "time";
  EXPECT_EQ(U32(bytes, last + 20), frame.size());
  EXPECT_NE(bytes.find("a84b4c76e66710@198.18.1.2"), std::string::npos);
}

TEST(PcapngWriter, CountsTheBytesOfTheFile) {
  const std::string path = NewPath("counted.pcapng");
  auto writer = PcapngWriter::Create(path, "");
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->AddInterface("leg-a", "").ok());
  ASSERT_TRUE((*writer)->Write(0, absl::UnixEpoch(), FrameDirection::kReceived, {}).ok());
  EXPECT_EQ((*writer)->bytes(), Read(path).size());
}

TEST(PcapngWriter, RefusesAFileThatExists) {
  const std::string path = NewPath("there.pcapng");
  std::ofstream(path) << "something";
  EXPECT_EQ(PcapngWriter::Create(path, "").status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(Read(path), "something");
}

TEST(PcapngWriter, SaysThatTheFolderIsMissing) {
  const absl::Status status = PcapngWriter::Create(NewPath("no/folder.pcapng"), "").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(status.message().find("no/folder.pcapng"), absl::string_view::npos);
}

TEST(PcapngWriter, RefusesAnInterfaceThatWasNotAdded) {
  auto writer = PcapngWriter::Create(NewPath("interface.pcapng"), "");
  ASSERT_TRUE(writer.ok());
  EXPECT_EQ((*writer)->Write(0, absl::UnixEpoch(), FrameDirection::kReceived, {}).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(PcapngWriter, KeepsAReadableFileWhenThereIsNoMoreRoom) {
  const std::string path = NewPath("full.pcapng");
  auto writer = PcapngWriter::Create(path, "");
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->AddInterface("leg-a", "").ok());
  const std::vector<uint8_t> frame(200, 1);
  ASSERT_TRUE((*writer)->Write(0, absl::UnixEpoch(), FrameDirection::kReceived, frame).ok());
  const uint64_t whole = (*writer)->bytes();
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit limit = {whole + 100, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  const absl::Status status = (*writer)->Write(0, absl::UnixEpoch(), FrameDirection::kReceived, frame);
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_EQ((*writer)->bytes(), whole);
  EXPECT_EQ(Read(path).size(), whole);
  EXPECT_TRUE((*writer)->Write(0, absl::UnixEpoch(), FrameDirection::kReceived, frame).ok());
  EXPECT_EQ(Read(path).size(), whole + PcapngWriter::BlockBytes(frame.size()));
}

}  // namespace
}  // namespace sluice::capture
