#include "signaling/cluster/redis_connection.h"

#include <hiredis.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "signaling/cluster/steady_clock.h"
#include "signaling/sip/hop.h"

namespace sluice::cluster {
namespace {

constexpr absl::string_view kUnix = "unix:";

// What Redis answers while it is not of use, and will be again.
constexpr absl::string_view kPassing[] = {"LOADING ", "OOM ", "MISCONF ", "BUSY ", "MASTERDOWN ", "TRYAGAIN "};

absl::Status Broken(absl::string_view why) { return absl::UnavailableError(why); }

absl::Status Refusal(const redisReply& reply) {
  const absl::string_view why(reply.str, std::min<size_t>(reply.len, 200));
  for (const absl::string_view word : kPassing) {
    if (absl::StartsWith(why, word)) return Broken(why);
  }
  return absl::FailedPreconditionError(why);
}

redisContext* StartConnecting(const std::string& address) {
  if (absl::StartsWith(address, kUnix)) return redisConnectUnixNonBlock(address.c_str() + kUnix.size());
  const std::optional<sip::Endpoint> endpoint = sip::Endpoint::Parse(address);
  if (!endpoint.has_value()) return nullptr;
  return redisConnectNonBlock(endpoint->Address().c_str(), endpoint->port);
}

}  // namespace

std::string RedisAddressDefect(absl::string_view address) {
  if (absl::ConsumePrefix(&address, kUnix)) {
    if (address.empty() || address[0] != '/') return "allowed: \"unix:/absolute/path\"";
    if (address.size() >= sizeof(sockaddr_un::sun_path)) {
      return absl::StrCat("is too long for a UNIX socket; allowed: ", sizeof(sockaddr_un::sun_path) - 1, " bytes");
    }
    return "";
  }
  const std::optional<sip::Endpoint> endpoint = sip::Endpoint::Parse(address);
  if (endpoint.has_value() && endpoint->port != 0) return "";
  return absl::StrCat("is '", address,
                      "'; allowed: \"198.18.0.5:6379\", \"[2001:db8::5]:6379\" or \"unix:/absolute/path\"");
}

std::optional<absl::string_view> ReplyView::Text() const {
  if (reply_ == nullptr || (reply_->type != REDIS_REPLY_STRING && reply_->type != REDIS_REPLY_STATUS)) {
    return std::nullopt;
  }
  return absl::string_view(reply_->str, reply_->len);
}

std::optional<int64_t> ReplyView::Integer() const {
  if (reply_ != nullptr && reply_->type == REDIS_REPLY_INTEGER) return reply_->integer;
  const std::optional<absl::string_view> text = Text();
  int64_t value = 0;
  if (!text.has_value() || !absl::SimpleAtoi(*text, &value)) return std::nullopt;
  return value;
}

size_t ReplyView::size() const { return reply_ != nullptr && reply_->type == REDIS_REPLY_ARRAY ? reply_->elements : 0; }

ReplyView ReplyView::operator[](size_t index) const {
  return ReplyView(index < size() ? reply_->element[index] : nullptr);
}

void Reply::Free::operator()(redisReply* reply) const { freeReplyObject(reply); }

absl::StatusOr<std::unique_ptr<RedisConnection>> RedisConnection::Open(const RedisOptions& options, int stop) {
  const auto with_address = [&](const absl::Status& status) {
    return absl::Status(status.code(), absl::StrCat("Redis at ", options.address, ": ", status.message()));
  };
  redisContext* const context = StartConnecting(options.address);
  if (context == nullptr) return with_address(Broken("no memory for a connection"));
  std::unique_ptr<RedisConnection> connection(new RedisConnection(context, options.limit, stop));
  if (absl::Status status = connection->FinishConnecting(); !status.ok()) return with_address(status);
  if (!options.password.empty()) {
    std::vector<absl::string_view> command = {"AUTH"};
    if (!options.username.empty()) command.push_back(options.username);
    command.push_back(options.password);
    if (const auto reply = connection->Run(command); !reply.ok()) return with_address(reply.status());
  }
  // Before a password is shown Redis takes no large command, and does not say why.
  if (const auto reply = connection->Run({"PING"}); !reply.ok()) return with_address(reply.status());
  if (options.database != 0) {
    if (const auto reply = connection->Run({"SELECT", absl::StrCat(options.database)}); !reply.ok()) {
      return with_address(reply.status());
    }
  }
  return connection;
}

RedisConnection::~RedisConnection() { redisFree(context_); }

absl::Status RedisConnection::FinishConnecting() {
  if (context_->err != 0) return Broken(context_->errstr);
  if (absl::Status status = Wait(POLLOUT, SteadyNow() + limit_); !status.ok()) return status;
  int error = 0;
  socklen_t length = sizeof(error);
  if (getsockopt(context_->fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
  if (error != 0) return Broken(std::strerror(error));
  return absl::OkStatus();
}

absl::StatusOr<Reply> RedisConnection::Run(const std::vector<absl::string_view>& command) {
  std::vector<const char*> arguments;
  std::vector<size_t> lengths;
  for (const absl::string_view argument : command) {
    arguments.push_back(argument.data());
    lengths.push_back(argument.size());
  }
  char* text = nullptr;
  const int length = redisFormatCommandArgv(&text, static_cast<int>(command.size()), arguments.data(), lengths.data());
  if (length < 0) return Broken("no memory for a command");
  const absl::Cleanup release = [text] { redisFreeCommand(text); };
  const absl::Duration deadline = SteadyNow() + limit_;
  if (absl::Status status = Send({text, static_cast<size_t>(length)}, deadline); !status.ok()) return status;
  return ReadReply(deadline);
}

// Not by hiredis, whose write would end the process by SIGPIPE where Redis has closed the connection.
absl::Status RedisConnection::Send(absl::string_view bytes, absl::Duration deadline) {
  while (true) {
    const ssize_t sent = send(context_->fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return Broken(std::strerror(errno));
    bytes.remove_prefix(std::max<ssize_t>(sent, 0));
    if (bytes.empty()) return absl::OkStatus();
    if (absl::Status status = Wait(POLLOUT, deadline); !status.ok()) return status;
  }
}

absl::StatusOr<Reply> RedisConnection::ReadReply(absl::Duration deadline) {
  size_t bytes = 0;
  while (true) {
    void* reply = nullptr;
    if (redisReaderGetReply(context_->reader, &reply) != REDIS_OK) return Broken(context_->reader->errstr);
    if (reply != nullptr) {
      auto* const raw = static_cast<redisReply*>(reply);
      Reply whole(raw);
      if (raw->type == REDIS_REPLY_ERROR) return Refusal(*raw);
      return whole;
    }
    if (bytes > kMaxReplyBytes) {
      return Broken(absl::StrCat("a reply is larger than ", kMaxReplyBytes, " bytes"));
    }
    if (absl::Status status = Wait(POLLIN, deadline); !status.ok()) return status;
    const size_t before = context_->reader->len;
    if (redisBufferRead(context_) != REDIS_OK) return Broken(context_->errstr);
    bytes += context_->reader->len - before;
  }
}

absl::Status RedisConnection::Wait(short events, absl::Duration deadline) {
  while (true) {
    pollfd sockets[] = {{context_->fd, events, 0}, {stop_, POLLIN, 0}};
    const double left = absl::ToDoubleMilliseconds(deadline - SteadyNow());
    if (left <= 0) return Broken(absl::StrCat("no answer within ", absl::FormatDuration(limit_)));
    const int ready = poll(sockets, 2, static_cast<int>(std::ceil(left)));
    if (ready < 0 && errno != EINTR) return Broken(std::strerror(errno));
    if (ready > 0 && sockets[1].revents != 0) return absl::CancelledError("stopped");
    if (ready > 0 && sockets[0].revents != 0) return absl::OkStatus();
  }
}

}  // namespace sluice::cluster
