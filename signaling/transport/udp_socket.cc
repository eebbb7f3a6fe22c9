#include "signaling/transport/udp_socket.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <deque>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "signaling/transport/sockaddr.h"

namespace sluice::transport {
namespace {

namespace asio = boost::asio;

constexpr size_t kBurst = 32;
// Bursts in a row before others of the shard's event loop have their turn.
constexpr int kBurstsPerTurn = 8;
// Room for the destination address and the count of datagrams that the kernel dropped.
constexpr size_t kControlBytes = CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(uint32_t));

absl::Status SocketError(const sip::Endpoint& local, absl::string_view what) {
  const int error = errno;
  const std::string text = absl::StrCat("SIP listener ", local.ToString(), "/udp: ", what, ": ", std::strerror(error));
  if (error == EADDRINUSE) return absl::AlreadyExistsError(absl::StrCat(text, "; another program listens there"));
  if (error == EADDRNOTAVAIL) {
    return absl::NotFoundError(absl::StrCat(text, "; the address must be one of this machine's interfaces"));
  }
  if (error == EACCES) return absl::PermissionDeniedError(absl::StrCat(text, "; ports below 1024 need a right"));
  return absl::UnavailableError(text);
}

}  // namespace

class UdpSocket::Loop : public std::enable_shared_from_this<UdpSocket::Loop> {
 public:
  Loop(asio::io_context& context, int descriptor, const sip::Endpoint& local, const UdpSocketOptions& options,
       TransportCounters& counters, ReceiveFunction receive)
      : context_(context),
        descriptor_(context, descriptor),
        local_(local),
        options_(options),
        counters_(counters),
        receive_(std::move(receive)),
        // One byte more than allowed, so that a datagram that is too long shows.
        buffer_(new char[(options.max_message_bytes + 1) * kBurst]) {}

  void Start() { WaitForDatagrams(); }

  void Stop() {
    stopped_ = true;
    boost::system::error_code ignored;
    descriptor_.close(ignored);
  }

  void Send(const sip::Endpoint& local, const sip::Endpoint& remote, absl::string_view bytes) {
    if (waiting_.size() >= options_.waiting_datagrams) {
      counters_.Drop(DropReason::kSendQueueFull);
      return;
    }
    waiting_.push_back({local, remote, std::string(bytes)});
    if (flush_posted_ || waiting_for_room_) return;
    flush_posted_ = true;
    asio::post(context_, [self = shared_from_this()] {
      self->flush_posted_ = false;
      self->Flush();
    });
  }

  void Flush();

  const sip::Endpoint& local() const { return local_; }

 private:
  struct Waiting {
    sip::Endpoint local;
    sip::Endpoint remote;
    std::string bytes;
  };

  void WaitForDatagrams() {
    descriptor_.async_wait(asio::posix::stream_descriptor::wait_read,
                           [self = shared_from_this()](const boost::system::error_code& error) {
                             if (!error) self->ReceiveTurn();
                           });
  }

  void WaitForRoom() {
    waiting_for_room_ = true;
    descriptor_.async_wait(asio::posix::stream_descriptor::wait_write,
                           [self = shared_from_this()](const boost::system::error_code& error) {
                             self->waiting_for_room_ = false;
                             if (!error) self->Flush();
                           });
  }

  void ReceiveTurn();
  // Number of datagrams received; fewer than kBurst: there are no more now.
  size_t ReceiveBurst();
  void Deliver(const msghdr& header, size_t size);
  void ReadControl(const msghdr& header, sip::Endpoint& local);
  void CountSendError(int error);

  asio::io_context& context_;
  asio::posix::stream_descriptor descriptor_;
  const sip::Endpoint local_;
  const UdpSocketOptions options_;
  TransportCounters& counters_;
  const ReceiveFunction receive_;
  // Not initialised, so that room for long messages takes no memory until one comes.
  const std::unique_ptr<char[]> buffer_;
  std::deque<Waiting> waiting_;
  bool flush_posted_ = false;
  bool waiting_for_room_ = false;
  bool stopped_ = false;
  uint32_t kernel_drops_ = 0;
};

void UdpSocket::Loop::ReceiveTurn() {
  for (int burst = 0; burst < kBurstsPerTurn; ++burst) {
    if (stopped_) return;
    if (ReceiveBurst() < kBurst) {
      WaitForDatagrams();
      return;
    }
  }
  // The reactor tells of new datagrams only, so what is left has to be read without being told.
  asio::post(context_, [self = shared_from_this()] { self->ReceiveTurn(); });
}

size_t UdpSocket::Loop::ReceiveBurst() {
  std::array<mmsghdr, kBurst> headers = {};
  std::array<iovec, kBurst> vectors;
  std::array<sockaddr_storage, kBurst> sources;
  alignas(cmsghdr) std::array<std::array<char, kControlBytes>, kBurst> controls;
  const size_t room = options_.max_message_bytes + 1;
  for (size_t i = 0; i < kBurst; ++i) {
    vectors[i] = {.iov_base = buffer_.get() + i * room, .iov_len = room};
    headers[i].msg_hdr = {.msg_name = &sources[i],
                          .msg_namelen = sizeof(sources[i]),
                          .msg_iov = &vectors[i],
                          .msg_iovlen = 1,
                          .msg_control = controls[i].data(),
                          .msg_controllen = kControlBytes,
                          .msg_flags = 0};
  }
  int count = 0;
  do {
    count = recvmmsg(descriptor_.native_handle(), headers.data(), kBurst, MSG_DONTWAIT, nullptr);
    // An error that an earlier datagram left behind (ICMP) is taken off the socket by reading it.
  } while (count < 0 && (errno == EINTR || errno == ECONNREFUSED || errno == EHOSTUNREACH || errno == ENETUNREACH));
  if (count <= 0) return 0;
  for (int i = 0; i < count && !stopped_; ++i) Deliver(headers[i].msg_hdr, headers[i].msg_len);
  return count;
}

void UdpSocket::Loop::Deliver(const msghdr& header, size_t size) {
  sip::Endpoint local = local_;
  ReadControl(header, local);
  if (size > options_.max_message_bytes || (header.msg_flags & MSG_TRUNC) != 0) {
    counters_.Drop(DropReason::kTooLong);
    return;
  }
  const auto source = FromSockaddr(static_cast<const sockaddr*>(header.msg_name));
  if (!source.has_value() || source->port == 0) {
    // Nobody can be answered at port 0.
    counters_.Drop(DropReason::kUnreachable);
    return;
  }
  receive_({absl::string_view(static_cast<const char*>(header.msg_iov->iov_base), size), *source, local});
}

void UdpSocket::Loop::ReadControl(const msghdr& header, sip::Endpoint& local) {
  for (const cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr;
       control = CMSG_NXTHDR(const_cast<msghdr*>(&header), const_cast<cmsghdr*>(control))) {
    if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SO_RXQ_OVFL) {
      uint32_t drops = 0;
      std::memcpy(&drops, CMSG_DATA(control), sizeof(drops));
      if (drops != kernel_drops_) counters_.Drop(DropReason::kReceiveBufferFull, drops - kernel_drops_);
      kernel_drops_ = drops;
    } else if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
      in_pktinfo info;
      std::memcpy(&info, CMSG_DATA(control), sizeof(info));
      sockaddr_in address = {};
      address.sin_family = AF_INET;
      address.sin_addr = info.ipi_addr;
      local = WithPort(*FromSockaddr(reinterpret_cast<const sockaddr*>(&address)), local_.port);
    } else if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info;
      std::memcpy(&info, CMSG_DATA(control), sizeof(info));
      sockaddr_in6 address = {};
      address.sin6_family = AF_INET6;
      address.sin6_addr = info.ipi6_addr;
      local = WithPort(*FromSockaddr(reinterpret_cast<const sockaddr*>(&address)), local_.port);
    }
  }
}

void UdpSocket::Loop::Flush() {
  while (!waiting_.empty() && !stopped_ && !waiting_for_room_) {
    std::array<mmsghdr, kBurst> headers = {};
    std::array<iovec, kBurst> vectors;
    std::array<sockaddr_storage, kBurst> remotes;
    alignas(cmsghdr) std::array<std::array<char, CMSG_SPACE(sizeof(in6_pktinfo))>, kBurst> controls;
    const size_t count = std::min(waiting_.size(), kBurst);
    for (size_t i = 0; i < count; ++i) {
      Waiting& waiting = waiting_[i];
      vectors[i] = {.iov_base = waiting.bytes.data(), .iov_len = waiting.bytes.size()};
      msghdr& header = headers[i].msg_hdr;
      header = {.msg_name = &remotes[i],
                .msg_namelen = ToSockaddr(waiting.remote, remotes[i]),
                .msg_iov = &vectors[i],
                .msg_iovlen = 1,
                .msg_control = nullptr,
                .msg_controllen = 0,
                .msg_flags = 0};
      if (!IsUnspecified(local_) || IsUnspecified(waiting.local) || waiting.local.is_v6 != waiting.remote.is_v6) {
        continue;
      }
      sockaddr_storage local;
      ToSockaddr(waiting.local, local);
      header.msg_control = controls[i].data();
      auto* const control = reinterpret_cast<cmsghdr*>(controls[i].data());
      if (waiting.local.is_v6) {
        in6_pktinfo info = {};
        info.ipi6_addr = reinterpret_cast<const sockaddr_in6&>(local).sin6_addr;
        header.msg_controllen = CMSG_SPACE(sizeof(info));
        control->cmsg_level = IPPROTO_IPV6;
        control->cmsg_type = IPV6_PKTINFO;
        control->cmsg_len = CMSG_LEN(sizeof(info));
        std::memcpy(CMSG_DATA(control), &info, sizeof(info));
      } else {
        in_pktinfo info = {};
        info.ipi_spec_dst = reinterpret_cast<const sockaddr_in&>(local).sin_addr;
        header.msg_controllen = CMSG_SPACE(sizeof(info));
        control->cmsg_level = IPPROTO_IP;
        control->cmsg_type = IP_PKTINFO;
        control->cmsg_len = CMSG_LEN(sizeof(info));
        std::memcpy(CMSG_DATA(control), &info, sizeof(info));
      }
    }
    const int sent = sendmmsg(descriptor_.native_handle(), headers.data(), count, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      waiting_.erase(waiting_.begin(), waiting_.begin() + sent);
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      WaitForRoom();
      return;
    }
    // The first one is the one that failed.
    CountSendError(errno);
    waiting_.pop_front();
  }
}

void UdpSocket::Loop::CountSendError(int error) {
  switch (error) {
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
      counters_.Drop(DropReason::kUnreachable);
      return;
    case EMSGSIZE:
      counters_.Drop(DropReason::kDatagramTooLong);
      return;
    default:
      counters_.Drop(DropReason::kSendError);
  }
}

absl::StatusOr<std::unique_ptr<UdpSocket>> UdpSocket::Open(asio::io_context& context, const sip::Endpoint& local,
                                                           const UdpSocketOptions& options, TransportCounters& counters,
                                                           ReceiveFunction receive) {
  const int family = local.is_v6 ? AF_INET6 : AF_INET;
  const int descriptor = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return SocketError(local, "cannot make a socket");
  const int on = 1;
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
  setsockopt(descriptor, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on));
  // Beyond the system's limit where we may, up to it otherwise.
  if (setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &options.receive_buffer_bytes, sizeof(int)) != 0) {
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &options.receive_buffer_bytes, sizeof(int));
  }
  if (local.is_v6) setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
  if (IsUnspecified(local)) {
    if (local.is_v6) {
      setsockopt(descriptor, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
    } else {
      setsockopt(descriptor, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
    }
  }
  sockaddr_storage address;
  const socklen_t length = ToSockaddr(local, address);
  if (bind(descriptor, reinterpret_cast<const sockaddr*>(&address), length) != 0) {
    const absl::Status status = SocketError(local, "cannot bind");
    close(descriptor);
    return status;
  }
  socklen_t bound_length = sizeof(address);
  getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &bound_length);
  const auto bound = FromSockaddr(reinterpret_cast<const sockaddr*>(&address));
  auto loop = std::make_shared<Loop>(context, descriptor, bound.value_or(local), options, counters, std::move(receive));
  loop->Start();
  return std::unique_ptr<UdpSocket>(new UdpSocket(std::move(loop)));
}

UdpSocket::~UdpSocket() { loop_->Stop(); }

void UdpSocket::Send(const sip::Endpoint& local, const sip::Endpoint& remote, absl::string_view bytes) {
  loop_->Send(local, remote, bytes);
}

void UdpSocket::Flush() { loop_->Flush(); }

const sip::Endpoint& UdpSocket::local() const { return loop_->local(); }

}  // namespace sluice::transport
