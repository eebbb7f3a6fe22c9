#include "datapath/io/netlink_socket.h"

#include <netlink/errno.h>
#include <netlink/socket.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace sluice::io {
namespace {

// Room for the events of thousands of neighbours at once.
constexpr int kReceiveBuffer = 4 << 20;

struct FreeBuffer {
  void operator()(unsigned char* buffer) const { free(buffer); }
};

absl::Status LibraryError(const char* what, int error) {
  return absl::InternalError(absl::StrCat(what, ": ", nl_geterror(error)));
}

absl::Status KernelError(int error) {
  switch (error) {
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENOENT:
    case ESRCH:
    case ENODEV:
    // What a route of type "prohibit" or "blackhole" answers.
    case EACCES:
    case EINVAL:
      return absl::NotFoundError(strerror(error));
    case EPERM:
      return absl::PermissionDeniedError("netlink: root or CAP_NET_ADMIN is needed");
    default:
      return absl::InternalError(absl::StrCat("netlink: ", strerror(error)));
  }
}

// Receives one datagram. Its size, 0 if there is none, or a negative error of the library.
int ReceiveOne(nl_sock* socket, std::unique_ptr<unsigned char, FreeBuffer>& buffer) {
  sockaddr_nl from = {};
  unsigned char* data = nullptr;
  const int size = nl_recv(socket, &from, &data, nullptr);
  buffer.reset(size > 0 ? data : nullptr);
  return size == -NLE_AGAIN || size == -NLE_INTR ? 0 : size;
}

}  // namespace

absl::StatusOr<NetlinkSocket> NetlinkSocket::Open() {
  NetlinkSocket result(nl_socket_alloc());
  if (result.socket_ == nullptr) return absl::ResourceExhaustedError("no memory for a netlink socket");
  if (const int error = nl_connect(result.socket_.get(), NETLINK_ROUTE); error != 0) {
    return LibraryError("cannot open a netlink socket", error);
  }
  return result;
}

absl::Status NetlinkSocket::Subscribe(std::initializer_list<int> groups) {
  // Beyond the system's limit if we may, up to it if not.
  if (setsockopt(fd(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof(kReceiveBuffer)) != 0) {
    setsockopt(fd(), SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer, sizeof(kReceiveBuffer));
  }
  for (const int group : groups) {
    if (const int error = nl_socket_add_membership(socket_.get(), group); error != 0) {
      return LibraryError("cannot follow the kernel's events", error);
    }
  }
  if (const int error = nl_socket_set_nonblocking(socket_.get()); error != 0) {
    return LibraryError("cannot follow the kernel's events", error);
  }
  return absl::OkStatus();
}

absl::Status NetlinkSocket::Receive(Handler handle) {
  std::unique_ptr<unsigned char, FreeBuffer> buffer;
  while (true) {
    const int size = ReceiveOne(socket_.get(), buffer);
    if (size == 0) return absl::OkStatus();
    if (size == -NLE_NOMEM) return absl::ResourceExhaustedError("the kernel dropped events");
    if (size < 0) return LibraryError("cannot receive the kernel's events", size);
    int left = size;
    for (auto* message = reinterpret_cast<nlmsghdr*>(buffer.get()); nlmsg_ok(message, left);
         message = nlmsg_next(message, &left)) {
      handle(message);
    }
  }
}

absl::Status NetlinkSocket::Request(nl_msg* request, Handler handle) {
  nlmsg_hdr(request)->nlmsg_flags |= NLM_F_ACK;
  if (const int error = nl_send_auto(socket_.get(), request); error < 0)
    return LibraryError("cannot ask the kernel", error);
  const uint32_t sequence = nlmsg_hdr(request)->nlmsg_seq;
  std::unique_ptr<unsigned char, FreeBuffer> buffer;
  while (true) {
    const int size = ReceiveOne(socket_.get(), buffer);
    if (size <= 0) return LibraryError("the kernel does not answer", size);
    int left = size;
    for (auto* message = reinterpret_cast<nlmsghdr*>(buffer.get()); nlmsg_ok(message, left);
         message = nlmsg_next(message, &left)) {
      if (message->nlmsg_seq != sequence) continue;
      if (message->nlmsg_type == NLMSG_DONE) return absl::OkStatus();
      if (message->nlmsg_type != NLMSG_ERROR) {
        handle(message);
        continue;
      }
      const int error = static_cast<const nlmsgerr*>(nlmsg_data(message))->error;
      return error == 0 ? absl::OkStatus() : KernelError(-error);
    }
  }
}

}  // namespace sluice::io
