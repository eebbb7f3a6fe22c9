#include "signaling/hep/exporter.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "signaling/transport/sockaddr.h"

namespace sluice::hep {
namespace {

// Datagrams in one system call.
constexpr size_t kBurst = 64;

}  // namespace

absl::StatusOr<std::unique_ptr<Exporter>> Exporter::Open(const ExporterOptions& options) {
  const sip::Endpoint& collector = options.collector;
  const int socket = ::socket(collector.is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_storage address;
  const socklen_t length = transport::ToSockaddr(collector, address);
  if (socket < 0 || connect(socket, reinterpret_cast<const sockaddr*>(&address), length) != 0) {
    const int error = errno;
    if (socket >= 0) close(socket);
    return absl::UnavailableError(
        absl::StrCat("hep.collector: there is no way to ", collector.ToString(), ": ", std::strerror(error)));
  }
  return std::unique_ptr<Exporter>(new Exporter(options, socket));
}

Exporter::Exporter(const ExporterOptions& options, int socket) : options_(options), socket_(socket) {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "hep");
    Run();
  });
}

Exporter::~Exporter() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
  close(socket_);
}

void Exporter::Take(const Packet& packet) {
  std::string bytes = Encode(packet, options_.identity);
  if (!bytes.empty()) {
    absl::MutexLock lock(&mutex_);
    if (waiting_.size() < options_.queue) {
      waiting_.push_back(std::move(bytes));
      return;
    }
  }
  dropped_.fetch_add(1, std::memory_order_relaxed);
}

ExporterStatistics Exporter::Statistics() const {
  return {sent_.load(std::memory_order_relaxed), dropped_.load(std::memory_order_relaxed)};
}

bool Exporter::IsEnough() const { return stopping_ || waiting_.size() >= std::min(kBurst, options_.queue); }

void Exporter::Run() {
  std::vector<std::string> packets;
  while (true) {
    bool stopping = false;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(this, &Exporter::ShouldWake));
      mutex_.AwaitWithTimeout(absl::Condition(this, &Exporter::IsEnough), options_.gather);
      packets.swap(waiting_);
      stopping = stopping_;
    }
    Send(packets);
    packets.clear();
    if (stopping) return;
  }
}

void Exporter::Send(std::vector<std::string>& packets) {
  std::array<iovec, kBurst> buffers;
  std::array<mmsghdr, kBurst> messages;
  size_t next = 0;
  while (next < packets.size()) {
    const size_t count = std::min(kBurst, packets.size() - next);
    for (size_t i = 0; i < count; ++i) {
      buffers[i] = {packets[next + i].data(), packets[next + i].size()};
      messages[i] = {};
      messages[i].msg_hdr.msg_iov = &buffers[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    const int sent = sendmmsg(socket_, messages.data(), static_cast<unsigned>(count), 0);
    if (sent < 0 && errno == EINTR) continue;
    // An error belongs to the first of them, or to an earlier one that the collector's host refused.
    next += sent > 0 ? static_cast<size_t>(sent) : 1;
    (sent > 0 ? sent_ : dropped_).fetch_add(sent > 0 ? sent : 1, std::memory_order_relaxed);
  }
}

}  // namespace sluice::hep
