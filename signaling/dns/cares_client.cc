#include "signaling/dns/cares_client.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <sys/time.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "signaling/dns/reply.h"

namespace sluice::dns {

namespace asio = boost::asio;
using boost::system::error_code;

class CaresClient::Channel : public std::enable_shared_from_this<CaresClient::Channel> {
 public:
  explicit Channel(asio::io_context& context) : context_(context), timer_(context) {}

  absl::Status Open(const CaresClientOptions& options) {
    ares_options settings = {};
    settings.timeout = static_cast<int>(absl::ToInt64Milliseconds(options.timeout));
    settings.tries = options.tries;
    settings.sock_state_cb = [](void* self, ares_socket_t socket, int readable, int writable) {
      static_cast<Channel*>(self)->Watch(socket, readable != 0, writable != 0);
    };
    settings.sock_state_cb_data = this;
    int result = ares_init_options(&channel_, &settings, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
    if (result != ARES_SUCCESS) {
      channel_ = nullptr;
      return absl::UnavailableError(absl::StrCat("DNS cannot be set up: ", ares_strerror(result)));
    }
    if (options.servers.empty()) return absl::OkStatus();
    const std::string servers = absl::StrJoin(options.servers, ",");
    result = ares_set_servers_ports_csv(channel_, servers.c_str());
    if (result == ARES_SUCCESS) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat("dns.servers: '", servers, "': ", ares_strerror(result),
                                                   "; allowed: addresses, with or without port"));
  }

  void Close() {
    closed_ = true;
    timer_.cancel();
    // Ends all questions and closes all sockets, by Watch.
    if (channel_ != nullptr) ares_destroy(channel_);
    channel_ = nullptr;
  }

  void Ask(const std::string& name, RecordType type, Callback done) {
    auto* const question = new Question{weak_from_this(), type, std::move(done)};
    ares_query(channel_, name.c_str(), ns_c_in, static_cast<int>(type), &Channel::Answered, question);
    WaitForTimeout();
  }

 private:
  struct Question {
    std::weak_ptr<Channel> channel;
    RecordType type;
    Callback done;
  };

  // A socket of c-ares, which closes it itself.
  struct Socket {
    explicit Socket(asio::io_context& context, ares_socket_t socket) : descriptor(context, socket) {}
    asio::posix::stream_descriptor descriptor;
    bool wants_read = false;
    bool wants_write = false;
    bool waits_read = false;
    bool waits_write = false;
  };

  static void Answered(void* argument, int status, int, unsigned char* reply, int size) {
    const std::unique_ptr<Question> question(static_cast<Question*>(argument));
    const std::shared_ptr<Channel> self = question->channel.lock();
    if (self == nullptr || self->closed_) return;
    if (reply == nullptr) {
      question->done(absl::UnavailableError(absl::StrCat("DNS: ", ares_strerror(status))));
      return;
    }
    const absl::string_view bytes(reinterpret_cast<const char*>(reply), static_cast<size_t>(size));
    question->done(ReadReply(bytes, question->type));
  }

  void Watch(ares_socket_t number, bool readable, bool writable) {
    const auto known = sockets_.find(number);
    if (!readable && !writable) {
      if (known == sockets_.end()) return;
      // c-ares closes it next, so it must not be known here any more.
      known->second->descriptor.release();
      sockets_.erase(known);
      return;
    }
    std::shared_ptr<Socket> socket = known != sockets_.end() ? known->second : nullptr;
    if (socket == nullptr) {
      socket = std::make_shared<Socket>(context_, number);
      sockets_.emplace(number, socket);
    }
    socket->wants_read = readable;
    socket->wants_write = writable;
    Wait(number, socket);
  }

  void Wait(ares_socket_t number, const std::shared_ptr<Socket>& socket) {
    using Descriptor = asio::posix::stream_descriptor;
    const auto wait = [&](Descriptor::wait_type type, bool& waits) {
      waits = true;
      socket->descriptor.async_wait(
          type, [self = shared_from_this(), number, socket, type, &waits](const error_code& error) {
            waits = false;
            if (error || self->closed_) return;
            const bool reads = type == Descriptor::wait_read;
            ares_process_fd(self->channel_, reads ? number : ARES_SOCKET_BAD, reads ? ARES_SOCKET_BAD : number);
            // Unless it was closed meanwhile, and maybe another one has its number.
            const auto known = self->sockets_.find(number);
            if (known != self->sockets_.end() && known->second == socket) self->Wait(number, socket);
            self->WaitForTimeout();
          });
    };
    if (socket->wants_read && !socket->waits_read) wait(Descriptor::wait_read, socket->waits_read);
    if (socket->wants_write && !socket->waits_write) wait(Descriptor::wait_write, socket->waits_write);
  }

  void WaitForTimeout() {
    timeval left;
    if (ares_timeout(channel_, nullptr, &left) == nullptr) {
      timer_.cancel();
      return;
    }
    timer_.expires_after(std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec));
    timer_.async_wait([self = shared_from_this()](const error_code& error) {
      if (error || self->closed_) return;
      ares_process_fd(self->channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
      self->WaitForTimeout();
    });
  }

  asio::io_context& context_;
  asio::steady_timer timer_;
  ares_channel channel_ = nullptr;
  absl::flat_hash_map<ares_socket_t, std::shared_ptr<Socket>> sockets_;
  bool closed_ = false;
};

absl::StatusOr<std::unique_ptr<CaresClient>> CaresClient::Open(asio::io_context& context,
                                                               const CaresClientOptions& options) {
  std::unique_ptr<CaresClient> client(new CaresClient(std::make_shared<Channel>(context)));
  if (absl::Status status = client->channel_->Open(options); !status.ok()) return status;
  return client;
}

CaresClient::~CaresClient() { channel_->Close(); }

void CaresClient::Ask(const std::string& name, RecordType type, Callback done) {
  channel_->Ask(name, type, std::move(done));
}

}  // namespace sluice::dns
