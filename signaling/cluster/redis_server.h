// A Redis server of a test's own: on a UNIX socket in a folder of its own, without persistence, gone with the test.
//
// Threads: one at a time.
#ifndef SLUICE_SIGNALING_CLUSTER_REDIS_SERVER_H_
#define SLUICE_SIGNALING_CLUSTER_REDIS_SERVER_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "signaling/cluster/redis_connection.h"

namespace sluice::cluster {

class RedisServer {
 public:
  // Runs once this returns. `more`: further options of redis-server. Dies, saying so, where it cannot be started.
  explicit RedisServer(std::vector<std::string> more = {});
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;

  RedisOptions options() const { return {.address = "unix:" + socket_}; }

  // Starts again, with nothing in it.
  void Start();
  void Kill();
  // It keeps its connections and answers nothing.
  void Pause();
  void Resume();

  // Asks it; dies where it refuses. Texts of the answer, one level deep; numbers as text.
  std::vector<std::string> Ask(const std::vector<absl::string_view>& command) const;

 private:
  const std::vector<std::string> more_;
  std::string folder_;
  std::string socket_;
  pid_t process_ = 0;
};

}  // namespace sluice::cluster

#endif  // SLUICE_SIGNALING_CLUSTER_REDIS_SERVER_H_
