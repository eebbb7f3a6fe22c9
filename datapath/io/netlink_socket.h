// One netlink socket to the kernel's routing (rtnetlink, RFC 3549): requests with their answers, and events.
//
// Threads: one.

#ifndef SLUICE_DATAPATH_IO_NETLINK_SOCKET_H_
#define SLUICE_DATAPATH_IO_NETLINK_SOCKET_H_

#include <netlink/msg.h>
#include <netlink/netlink.h>

#include <initializer_list>
#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sluice::io {

// A message being built.
struct NetlinkMessageDeleter {
  void operator()(nl_msg* message) const { nlmsg_free(message); }
};
using NetlinkMessage = std::unique_ptr<nl_msg, NetlinkMessageDeleter>;

// A request of `type` with `flags` (NLM_F_...) and the family's fixed header.
template <typename Header>
NetlinkMessage MakeNetlinkMessage(int type, int flags, const Header& header) {
  NetlinkMessage message(nlmsg_alloc_simple(type, flags));
  nlmsg_append(message.get(), const_cast<Header*>(&header), sizeof(header), NLMSG_ALIGNTO);
  return message;
}

class NetlinkSocket {
 public:
  using Handler = absl::FunctionRef<void(nlmsghdr*)>;

  static absl::StatusOr<NetlinkSocket> Open();

  // Asks for the events of `groups` (RTNLGRP_...), which Receive then gives.
  absl::Status Subscribe(std::initializer_list<int> groups);
  int fd() const { return nl_socket_get_fd(socket_.get()); }

  // Gives all events that are there to `handle`, without waiting. RESOURCE_EXHAUSTED if the kernel had to drop some, so
  // that all has to be read anew.
  absl::Status Receive(Handler handle);

  // Sends a request and gives each message of its answer to `handle`. The kernel answers before the call is over.
  // Errors are the kernel's, NOT_FOUND for those that say there is no such route or neighbour.
  absl::Status Request(nl_msg* request, Handler handle);

 private:
  struct Deleter {
    void operator()(nl_sock* socket) const { nl_socket_free(socket); }
  };
  explicit NetlinkSocket(nl_sock* socket) : socket_(socket) {}

  std::unique_ptr<nl_sock, Deleter> socket_;
};

}  // namespace sluice::io

#endif  // SLUICE_DATAPATH_IO_NETLINK_SOCKET_H_
