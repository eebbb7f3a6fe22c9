// One connection to a Redis server: a command is sent, its reply waited for.
//
// What comes back is input from a network: a reply of any kind and size is read without trust, one that is larger than
// `kMaxReplyBytes` ends the connection, and so does one that is not whole within `limit`. Waiting ends at once when the
// descriptor `stop` becomes readable.
//
// Threads: one at a time.
#ifndef SLUICE_SIGNALING_CLUSTER_REDIS_CONNECTION_H_
#define SLUICE_SIGNALING_CLUSTER_REDIS_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

struct redisContext;
struct redisReply;

namespace sluice::cluster {

struct RedisOptions {
  // "198.18.0.5:6379", "[2001:db8::5]:6379" or "unix:/run/redis/redis.sock".
  std::string address;
  // Empty: none. A user name wants a password, too (Redis 6 and later).
  std::string username;
  std::string password;
  uint32_t database = 0;
  // For the connection, and for each reply.
  absl::Duration limit = absl::Seconds(1);
};

// What is wrong with an address; empty: nothing.
std::string RedisAddressDefect(absl::string_view address);

// A part of a reply, valid as long as the reply.
class ReplyView {
 public:
  explicit ReplyView(const redisReply* reply) : reply_(reply) {}

  // Nothing: it is of another kind. A number that was written as text is one, too.
  std::optional<absl::string_view> Text() const;
  std::optional<int64_t> Integer() const;
  // Of an array; 0: it is none.
  size_t size() const;
  // Outside of the array: of no kind.
  ReplyView operator[](size_t index) const;

 private:
  const redisReply* reply_;
};

class Reply {
 public:
  explicit Reply(redisReply* reply) : reply_(reply) {}
  ReplyView view() const { return ReplyView(reply_.get()); }

 private:
  struct Free {
    void operator()(redisReply* reply) const;
  };
  std::unique_ptr<redisReply, Free> reply_;
};

class RedisConnection {
 public:
  // Of a whole reply.
  static constexpr size_t kMaxReplyBytes = 64 << 20;

  // Connects, authenticates and chooses the database. Errors as Run, naming the address.
  static absl::StatusOr<std::unique_ptr<RedisConnection>> Open(const RedisOptions& options, int stop);
  ~RedisConnection();

  // UNAVAILABLE: the connection is of no use any more, or Redis is not for now. CANCELLED: because of `stop`.
  // FAILED_PRECONDITION: Redis refuses the command, in its words.
  absl::StatusOr<Reply> Run(const std::vector<absl::string_view>& command);

 private:
  RedisConnection(redisContext* context, absl::Duration limit, int stop)
      : context_(context), limit_(limit), stop_(stop) {}

  // Deadlines are by SteadyNow.
  absl::Status FinishConnecting();
  absl::Status Send(absl::string_view bytes, absl::Duration deadline);
  absl::StatusOr<Reply> ReadReply(absl::Duration deadline);
  // Until the socket is ready for `events`.
  absl::Status Wait(short events, absl::Duration deadline);

  redisContext* const context_;
  const absl::Duration limit_;
  const int stop_;
};

}  // namespace sluice::cluster

#endif  // SLUICE_SIGNALING_CLUSTER_REDIS_CONNECTION_H_
