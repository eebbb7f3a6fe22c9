#include "signaling/cluster/redis_server.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace sluice::cluster {
namespace {

constexpr absl::Duration kStartLimit = absl::Seconds(20);

void DieIf(bool wrong, absl::string_view what) {
  if (!wrong) return;
  std::fprintf(stderr, "redis-server of the test: %s\n", std::string(what).c_str());
  std::abort();
}

// No pipe is ever readable that nobody writes to.
int NeverReadable() {
  static const int reader = [] {
    int ends[2] = {};
    DieIf(pipe2(ends, O_CLOEXEC) != 0, "no pipe");
    return ends[0];
  }();
  return reader;
}

}  // namespace

RedisServer::RedisServer(std::vector<std::string> more) : more_(std::move(more)) {
  // Not in the test's own folder: its path is too long for a UNIX socket.
  char folder[] = "/tmp/sluice-redis-XXXXXX";
  DieIf(mkdtemp(folder) == nullptr, "no folder in /tmp");
  folder_ = folder;
  socket_ = folder_ + "/redis.sock";
  Start();
}

RedisServer::~RedisServer() {
  Kill();
  std::filesystem::remove_all(folder_);
}

void RedisServer::Start() {
  std::vector<std::string> words = {"redis-server", "--port", "0",     "--unixsocket", socket_,     "--save",        "",
                                    "--appendonly", "no",     "--dir", folder_,        "--logfile", folder_ + "/log"};
  words.insert(words.end(), more_.begin(), more_.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  process_ = fork();
  DieIf(process_ < 0, "cannot fork");
  if (process_ == 0) {
    // It goes with the test, however that ends.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  const absl::Time deadline = absl::Now() + kStartLimit;
  while (true) {
    const auto connection = RedisConnection::Open(options(), NeverReadable());
    // Also one that wants a password is there.
    if (!absl::IsUnavailable(connection.status())) return;
    DieIf(waitpid(process_, nullptr, WNOHANG) == process_, "has ended; is the package redis-server installed?");
    DieIf(absl::Now() > deadline, "does not answer");
    absl::SleepFor(absl::Milliseconds(5));
  }
}

void RedisServer::Kill() {
  if (process_ == 0) return;
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
  process_ = 0;
}

void RedisServer::Pause() { kill(process_, SIGSTOP); }

void RedisServer::Resume() { kill(process_, SIGCONT); }

std::vector<std::string> RedisServer::Ask(const std::vector<absl::string_view>& command) const {
  const auto connection = RedisConnection::Open(options(), NeverReadable());
  DieIf(!connection.ok(), connection.status().ToString());
  const auto reply = (*connection)->Run(command);
  DieIf(!reply.ok(), reply.status().ToString());
  const auto text = [](const ReplyView& part) {
    if (part.Text().has_value()) return std::string(*part.Text());
    return part.Integer().has_value() ? absl::StrCat(*part.Integer()) : "";
  };
  if (reply->view().size() == 0) return {text(reply->view())};
  std::vector<std::string> texts;
  for (size_t i = 0; i < reply->view().size(); ++i) texts.push_back(text(reply->view()[i]));
  return texts;
}

}  // namespace sluice::cluster
