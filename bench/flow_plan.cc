#include "bench/flow_plan.h"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <random>

namespace sluice::bench {
namespace {

constexpr uint32_t kEthernetBytes = 14;
constexpr uint32_t kUdpBytes = 8;
constexpr uint32_t kRtpBytes = 12;
// 192.0.2/24 and its kin are for documentation; 198.18.0.0/15 is for benchmarks (RFC 2544), so peers live there too.
constexpr uint32_t kLocalIpv4Base = 0xC6120100;   // 198.18.1.0
constexpr uint32_t kRemoteIpv4Base = 0xC6130000;  // 198.19.0.0
constexpr uint32_t kFlowsPerRemoteAddress = 16;
constexpr uint32_t kFirstPort = 1024;
constexpr uint32_t kMediaBytes = 160;  // 20 ms of G.711.

void Put16(std::vector<uint8_t>& out, uint32_t value) {
  out.push_back(static_cast<uint8_t>(value >> 8));
  out.push_back(static_cast<uint8_t>(value));
}

void Put32(std::vector<uint8_t>& out, uint32_t value) {
  Put16(out, value >> 16);
  Put16(out, value & 0xffff);
}

uint16_t Fold(uint64_t sum) {
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

uint64_t Sum(const std::vector<uint8_t>& bytes, size_t from, size_t to) {
  uint64_t sum = 0;
  for (size_t i = from; i < to; i += 2) sum += (bytes[i] << 8) | (i + 1 < to ? bytes[i + 1] : 0);
  return sum;
}

std::string Ipv4Text(uint32_t address) {
  char text[16];
  std::snprintf(text, sizeof text, "%u.%u.%u.%u", address >> 24, (address >> 16) & 255, (address >> 8) & 255,
                address & 255);
  return text;
}

}  // namespace

FlowPlan::FlowPlan(uint32_t flows, uint32_t addresses, Families families)
    : flows_(flows), addresses_(addresses), families_(families) {}

bool FlowPlan::IsIpv6(uint32_t flow) const {
  return families_ == Families::kIpv6 || (families_ != Families::kIpv4 && flow % 2 == 1);
}

std::string FlowPlan::LocalAddress(uint32_t index) const {
  if (!IsIpv6(index)) return Ipv4Text(kLocalIpv4Base + index);
  char text[40];
  std::snprintf(text, sizeof text, "2001:db8:1::%x", index + 1);
  return text;
}

Address FlowPlan::Local(uint32_t flow) const {
  return {LocalAddress(flow % addresses_), static_cast<uint16_t>(kFirstPort + 2 * (flow / addresses_))};
}

Address FlowPlan::Remote(uint32_t flow) const {
  const uint32_t host = flow / kFlowsPerRemoteAddress + 1;
  const auto port = static_cast<uint16_t>(20000 + 2 * (flow % kFlowsPerRemoteAddress));
  if (!IsIpv6(flow)) return {Ipv4Text(kRemoteIpv4Base + host), port};
  char text[40];
  std::snprintf(text, sizeof text, "2001:db8:2::%x:%x", host >> 16, host & 0xffff);
  return {text, port};
}

std::vector<uint8_t> FlowPlan::Frame(uint32_t flow) const {
  const bool ipv6 = IsIpv6(flow);
  constexpr uint32_t udp_length = kUdpBytes + kRtpBytes + kMediaBytes;
  const uint32_t host = flow / kFlowsPerRemoteAddress + 1;
  std::vector<uint8_t> out = {0x02, 0x70, 0x63, 0x61, 0x70, 0x00, 0x02, 0, 0, 0, 0, 1};
  uint64_t pseudo = 0;
  if (ipv6) {
    Put16(out, 0x86DD);
    Put32(out, 0x60000000);
    Put16(out, udp_length);
    Put16(out, 0x1140);
    Put32(out, 0x20010db8);
    Put32(out, 0x00020000);
    Put32(out, 0);
    Put32(out, host);
    Put32(out, 0x20010db8);
    Put32(out, 0x00010000);
    Put32(out, 0);
    Put32(out, flow % addresses_ + 1);
    pseudo = Sum(out, kEthernetBytes + 8, kEthernetBytes + 40);
  } else {
    Put16(out, 0x0800);
    Put16(out, 0x4500);
    Put16(out, 20 + udp_length);
    Put32(out, 0x00004000);
    Put16(out, 0x4011);
    Put16(out, 0);
    Put32(out, kRemoteIpv4Base + host);
    Put32(out, kLocalIpv4Base + flow % addresses_);
    const uint16_t checksum = Fold(Sum(out, kEthernetBytes, kEthernetBytes + 20));
    out[kEthernetBytes + 10] = static_cast<uint8_t>(checksum >> 8);
    out[kEthernetBytes + 11] = static_cast<uint8_t>(checksum);
    pseudo = Sum(out, kEthernetBytes + 12, kEthernetBytes + 20);
  }
  const size_t udp = out.size();
  Put16(out, 20000 + 2 * (flow % kFlowsPerRemoteAddress));
  Put16(out, kFirstPort + 2 * (flow / addresses_));
  Put16(out, udp_length);
  Put16(out, 0);
  Put16(out, 0x8000);
  Put16(out, flow);
  Put32(out, flow * 160);
  Put32(out, 0x51000000 + flow);
  for (uint32_t i = 0; i < kMediaBytes; ++i) out.push_back(static_cast<uint8_t>(i));
  uint16_t checksum = Fold(pseudo + 17 + udp_length + Sum(out, udp, out.size()));
  if (checksum == 0) checksum = 0xffff;
  out[udp + 6] = static_cast<uint8_t>(checksum >> 8);
  out[udp + 7] = static_cast<uint8_t>(checksum);
  return out;
}

bool FlowPlan::WritePcaps(const std::vector<std::string>& paths, uint64_t seed) const {
  std::vector<uint32_t> order;
  for (uint32_t flow = 0; flow < flows_; ++flow) {
    if (families_ != Families::kIpv4ToIpv6 || !IsIpv6(flow)) order.push_back(flow);
  }
  if (seed != 0) {
    std::mt19937_64 random(seed);
    std::shuffle(order.begin(), order.end(), random);
  }
  const size_t share = (order.size() + paths.size() - 1) / paths.size();
  for (size_t i = 0; i < paths.size(); ++i) {
    const auto begin = order.begin() + static_cast<std::ptrdiff_t>(i * share);
    const auto end = order.begin() + static_cast<std::ptrdiff_t>(std::min((i + 1) * share, order.size()));
    if (!WritePcap(paths[i], {begin, end})) return false;
  }
  return true;
}

bool FlowPlan::WritePcap(const std::string& path, const std::vector<uint32_t>& flows) const {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) return false;
  const uint32_t header[] = {0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1};
  bool written = std::fwrite(header, sizeof header, 1, file) == 1;
  for (uint32_t flow : flows) {
    const std::vector<uint8_t> frame = Frame(flow);
    const auto length = static_cast<uint32_t>(frame.size());
    const uint32_t record[] = {0, 0, length, length};
    written = written && std::fwrite(record, sizeof record, 1, file) == 1 &&
              std::fwrite(frame.data(), frame.size(), 1, file) == 1;
  }
  return std::fclose(file) == 0 && written;
}

}  // namespace sluice::bench
