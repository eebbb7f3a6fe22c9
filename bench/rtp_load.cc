// Sends RTP over many flows at a fixed rate from one network namespace and counts what arrives in another.
//
//   rtp_load --send_namespace=/proc/7/ns/net --receive_namespace=/proc/8/ns/net --source=198.18.1.2:20000
//            --sink=198.18.2.2:20000 --targets=198.18.1.1:30000+2x100 --rate=50000 --seconds=5
//
// One socket sends, one receives, so that the generator costs little beside what it measures. Flow k goes to the k-th
// target ("ADDRESS:PORT+STEPxCOUNT": COUNT ports, STEP apart; several, comma-separated). Each packet is 172 bytes of
// RTP (12 header, 160 payload); the payload carries flow, sequence and send time. Prints one JSON object: sent,
// received, lost, reordered (behind a later packet of its flow), duplicates, delay percentiles in microseconds, the
// rate that was kept, and how long after the phase began the last packet was sent that did not arrive.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

ABSL_FLAG(std::string, send_namespace, "", "file of the sender's network namespace; empty: this one");
ABSL_FLAG(std::string, receive_namespace, "", "file of the receiver's");
ABSL_FLAG(std::string, source, "", "address and port that packets come from");
ABSL_FLAG(std::string, sink, "", "address and port that packets arrive at");
ABSL_FLAG(std::string, targets, "", "ADDRESS:PORT+STEPxCOUNT, comma-separated, that packets are sent to");
ABSL_FLAG(double, rate, 10000, "packets a second over all flows");
ABSL_FLAG(double, seconds, 5, "how long");
ABSL_FLAG(double, overload_rate, 0, "packets a second of a first phase that is not counted; 0: none");
ABSL_FLAG(double, overload_seconds, 10, "length of that phase");

namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kPacketBytes = 172;
constexpr int kBurst = 16;
constexpr int kSocketBufferBytes = 16 << 20;
constexpr auto kDrainTime = std::chrono::milliseconds(300);

// What the payload behind the RTP header carries.
struct Stamp {
  uint32_t flow;
  uint32_t phase;
  uint64_t sequence;  // Within the flow, over all phases.
  uint64_t number;    // Within the phase, over all flows.
  uint64_t sent_ns;
};

uint64_t Now() { return Clock::now().time_since_epoch().count(); }

[[noreturn]] void Fail(const std::string& text) {
  std::cerr << "rtp_load: " << text << "\n";
  std::exit(1);
}

sockaddr_in ParseAddress(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, ':');
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  int port = 0;
  if (parts.size() != 2 || inet_pton(AF_INET, parts[0].c_str(), &address.sin_addr) != 1 ||
      !absl::SimpleAtoi(parts[1], &port)) {
    Fail(absl::StrCat("'", text, "' is not ADDRESS:PORT"));
  }
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

std::vector<sockaddr_in> ParseTargets(const std::string& text) {
  std::vector<sockaddr_in> targets;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    const std::vector<std::string> range = absl::StrSplit(part, '+');
    const std::vector<std::string> numbers = absl::StrSplit(range.back(), 'x');
    int step = 0, count = 0;
    if (range.size() != 2 || numbers.size() != 2 || !absl::SimpleAtoi(numbers[0], &step) ||
        !absl::SimpleAtoi(numbers[1], &count) || count < 1) {
      Fail("--targets wants ADDRESS:PORT+STEPxCOUNT");
    }
    for (int i = 0; i < count; ++i) {
      sockaddr_in target = ParseAddress(range[0]);
      target.sin_port = htons(static_cast<uint16_t>(ntohs(target.sin_port) + i * step));
      targets.push_back(target);
    }
  }
  return targets;
}

// A socket of the namespace that `file` stands for, bound to `address`. The thread stays in its own namespace.
int OpenSocket(const std::string& file, const sockaddr_in& address) {
  const int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  if (!file.empty()) {
    const int there = open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (there < 0 || setns(there, CLONE_NEWNET) != 0) Fail(absl::StrCat("cannot enter namespace ", file));
    close(there);
  }
  const int handle = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  setsockopt(handle, SOL_SOCKET, SO_RCVBUFFORCE, &kSocketBufferBytes, sizeof kSocketBufferBytes);
  setsockopt(handle, SOL_SOCKET, SO_SNDBUFFORCE, &kSocketBufferBytes, sizeof kSocketBufferBytes);
  if (handle < 0 || bind(handle, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    Fail(absl::StrCat("cannot bind in namespace '", file, "': ", std::strerror(errno)));
  }
  if (setns(home, CLONE_NEWNET) != 0) Fail("cannot return to the first namespace");
  close(home);
  return handle;
}

class Sender {
 public:
  Sender(int handle, std::vector<sockaddr_in> targets)
      : handle_(handle), targets_(std::move(targets)), sequences_(targets_.size(), 0) {
    for (int i = 0; i < kBurst; ++i) {
      vectors_[i] = {packets_[i], kPacketBytes};
      headers_[i].msg_hdr.msg_iov = &vectors_[i];
      headers_[i].msg_hdr.msg_iovlen = 1;
      headers_[i].msg_hdr.msg_namelen = sizeof(sockaddr_in);
    }
  }

  // Sends at `rate` for `seconds`; returns how many went out.
  uint64_t Run(double rate, double seconds, uint32_t phase) {
    const uint64_t begin = Now();
    const auto total = static_cast<uint64_t>(rate * seconds);
    uint64_t sent = 0;
    while (sent < total) {
      const double elapsed = (Now() - begin) * 1e-9;
      // A generator that falls behind must not catch up in a burst that nobody asked for: it stops at its time.
      if (elapsed > seconds) break;
      const auto due = std::min(total, static_cast<uint64_t>(elapsed * rate) + 1);
      if (due <= sent) {
        std::this_thread::sleep_for(std::chrono::microseconds(20));
        continue;
      }
      const int burst = static_cast<int>(std::min<uint64_t>(kBurst, due - sent));
      for (int i = 0; i < burst; ++i) Fill(i, phase, sent + i);
      const int done = sendmmsg(handle_, headers_, burst, 0);
      if (done <= 0) Fail(absl::StrCat("cannot send: ", std::strerror(errno)));
      if (done < burst) Fail("the sender's own queue is full");
      sent += done;
    }
    return sent;
  }

 private:
  void Fill(int index, uint32_t phase, uint64_t number) {
    const uint32_t flow = next_flow_;
    next_flow_ = (next_flow_ + 1) % targets_.size();
    const uint64_t sequence = sequences_[flow]++;
    uint8_t* packet = packets_[index];
    packet[0] = 0x80;
    packet[1] = 0;
    const uint16_t rtp_sequence = htons(static_cast<uint16_t>(sequence));
    const uint32_t timestamp = htonl(static_cast<uint32_t>(sequence * 160));
    const uint32_t ssrc = htonl(0x53000000 + flow);
    std::memcpy(packet + 2, &rtp_sequence, 2);
    std::memcpy(packet + 4, &timestamp, 4);
    std::memcpy(packet + 8, &ssrc, 4);
    const Stamp stamp = {flow, phase, sequence, number, Now()};
    std::memcpy(packet + 12, &stamp, sizeof stamp);
    headers_[index].msg_hdr.msg_name = &targets_[flow];
  }

  int handle_;
  std::vector<sockaddr_in> targets_;
  std::vector<uint64_t> sequences_;
  uint32_t next_flow_ = 0;
  uint8_t packets_[kBurst][kPacketBytes] = {};
  iovec vectors_[kBurst] = {};
  mmsghdr headers_[kBurst] = {};
};

class Receiver {
 public:
  Receiver(int handle, size_t flows) : handle_(handle), next_(flows, 0) {
    timeval wait = {0, 20000};
    setsockopt(handle_, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    delays_.reserve(1 << 20);
  }

  void Run() {
    constexpr int kBatch = 64;
    static uint8_t packets[kBatch][2048];
    iovec vectors[kBatch];
    mmsghdr headers[kBatch] = {};
    for (int i = 0; i < kBatch; ++i) {
      vectors[i] = {packets[i], sizeof packets[i]};
      headers[i].msg_hdr.msg_iov = &vectors[i];
      headers[i].msg_hdr.msg_iovlen = 1;
    }
    while (!stop_.load(std::memory_order_relaxed)) {
      const int got = recvmmsg(handle_, headers, kBatch, MSG_WAITFORONE, nullptr);
      const uint64_t now = Now();
      for (int i = 0; i < got; ++i) {
        if (headers[i].msg_len == kPacketBytes) Take(packets[i], now);
      }
    }
  }

  void Stop() { stop_ = true; }

  // Only after Run has returned.
  uint64_t received() const { return received_; }
  uint64_t reordered() const { return reordered_; }
  uint64_t wrong() const { return wrong_; }
  const std::vector<bool>& seen() const { return seen_; }

  double DelayUs(double share) {
    if (delays_.empty()) return 0;
    const size_t index = std::min(delays_.size() - 1, static_cast<size_t>(share * delays_.size()));
    std::nth_element(delays_.begin(), delays_.begin() + index, delays_.end());
    return delays_[index] * 1e-3;
  }

 private:
  void Take(const uint8_t* packet, uint64_t now) {
    Stamp stamp;
    std::memcpy(&stamp, packet + 12, sizeof stamp);
    if (stamp.flow >= next_.size()) {
      ++wrong_;
      return;
    }
    if (stamp.sequence < next_[stamp.flow]) {
      ++reordered_;
    } else {
      next_[stamp.flow] = stamp.sequence + 1;
    }
    if (stamp.phase != 1) return;
    ++received_;
    delays_.push_back(static_cast<uint32_t>(std::min<uint64_t>(now - stamp.sent_ns, UINT32_MAX)));
    if (stamp.number >= seen_.size()) seen_.resize(2 * stamp.number + 1024);
    seen_[stamp.number] = true;
  }

  int handle_;
  std::vector<uint64_t> next_;
  std::atomic<bool> stop_{false};
  uint64_t received_ = 0;
  uint64_t reordered_ = 0;
  uint64_t wrong_ = 0;
  std::vector<uint32_t> delays_;
  std::vector<bool> seen_;
};

// How long after the phase began its last loss was sent, milliseconds; 0: nothing was lost.
double LastLossMs(const std::vector<bool>& seen, uint64_t sent, double rate) {
  for (uint64_t number = sent; number > 0; --number) {
    if (number > seen.size() || !seen[number - 1]) return number / rate * 1e3;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  const double rate = absl::GetFlag(FLAGS_rate);
  const double seconds = absl::GetFlag(FLAGS_seconds);
  const std::vector<sockaddr_in> targets = ParseTargets(absl::GetFlag(FLAGS_targets));
  Sender sender(OpenSocket(absl::GetFlag(FLAGS_send_namespace), ParseAddress(absl::GetFlag(FLAGS_source))), targets);
  Receiver receiver(OpenSocket(absl::GetFlag(FLAGS_receive_namespace), ParseAddress(absl::GetFlag(FLAGS_sink))),
                    targets.size());
  std::thread receiving([&receiver] { receiver.Run(); });
  if (absl::GetFlag(FLAGS_overload_rate) > 0) {
    sender.Run(absl::GetFlag(FLAGS_overload_rate), absl::GetFlag(FLAGS_overload_seconds), 0);
  }
  const uint64_t begin = Now();
  const uint64_t sent = sender.Run(rate, seconds, 1);
  const double elapsed = (Now() - begin) * 1e-9;
  std::this_thread::sleep_for(kDrainTime);
  receiver.Stop();
  receiving.join();
  std::cout << absl::StrFormat(
      "{\"sent\": %u, \"received\": %u, \"lost\": %d, \"reordered\": %u, \"wrong\": %u, \"rate\": %.0f, "
      "\"delay_p50_us\": %.1f, \"delay_p99_us\": %.1f, \"last_loss_ms\": %.0f}\n",
      sent, receiver.received(), static_cast<int64_t>(sent) - static_cast<int64_t>(receiver.received()),
      receiver.reordered(), receiver.wrong(), sent / elapsed, receiver.DelayUs(0.5), receiver.DelayUs(0.99),
      LastLossMs(receiver.seen(), sent, rate));
  return 0;
}
