// Questions to DNS servers by c-ares, in an Asio event loop: never blocks.
//
// c-ares says which of its sockets it wants to read or write; the loop waits for those and for the time of its next
// retransmission, and lets it work. Each server is asked for `timeout`, the list is gone through `tries` times. A reply
// that was cut is asked for again over TCP.
//
// Threads: the event loop's, all of it. A callback may ask again and must not destroy the client.
#ifndef SLUICE_SIGNALING_DNS_CARES_CLIENT_H_
#define SLUICE_SIGNALING_DNS_CARES_CLIENT_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "signaling/dns/dns_client.h"

namespace boost::asio {
class io_context;
}

namespace sluice::dns {

struct CaresClientOptions {
  // "198.18.0.53", "198.18.0.53:5353", "[2001:db8::53]:53". Empty: those of /etc/resolv.conf.
  std::vector<std::string> servers;
  absl::Duration timeout = absl::Seconds(2);
  int tries = 2;
};

class CaresClient final : public DnsClient {
 public:
  // INVALID_ARGUMENT names what is wrong with the servers. `context` outlives the client.
  static absl::StatusOr<std::unique_ptr<CaresClient>> Open(boost::asio::io_context& context,
                                                           const CaresClientOptions& options);
  // Questions that are not answered yet never are.
  ~CaresClient() override;

  void Ask(const std::string& name, RecordType type, Callback done) override;

 private:
  class Channel;
  explicit CaresClient(std::shared_ptr<Channel> channel) : channel_(std::move(channel)) {}

  // Shared with the handlers that wait in the event loop.
  const std::shared_ptr<Channel> channel_;
};

}  // namespace sluice::dns

#endif  // SLUICE_SIGNALING_DNS_CARES_CLIENT_H_
