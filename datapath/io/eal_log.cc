#include "datapath/io/eal_log.h"

#include <rte_log.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"

namespace sluice::io {
namespace {

class EalLog {
 public:
  void Write(std::string_view text) {
    absl::MutexLock lock(&mutex_);
    for (const char c : text) {
      if (c != '\n') {
        line_.push_back(c);
        continue;
      }
      if (line_.empty()) continue;
      spdlog::log(Level(), "DPDK: {}", line_);
      last_ = std::exchange(line_, std::string());
    }
  }

  void AddQuoting(int difference) {
    absl::MutexLock lock(&mutex_);
    quoting_ += difference;
  }

  std::string TakeLast() {
    absl::MutexLock lock(&mutex_);
    return std::exchange(last_, std::string());
  }

 private:
  spdlog::level::level_enum Level() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const bool serious = rte_log_cur_msg_loglevel() <= static_cast<int>(RTE_LOG_WARNING);
    return serious && quoting_ == 0 ? spdlog::level::warn : spdlog::level::debug;
  }

  absl::Mutex mutex_;
  int quoting_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string line_ ABSL_GUARDED_BY(mutex_);
  std::string last_ ABSL_GUARDED_BY(mutex_);
};

EalLog& Log() {
  static EalLog* const log = new EalLog();
  return *log;
}

ssize_t WriteToLog(void*, const char* text, size_t size) {
  Log().Write({text, size});
  return static_cast<ssize_t>(size);
}

}  // namespace

void CaptureEalLog() {
  static FILE* const stream = [] {
    FILE* made = fopencookie(nullptr, "w", {.read = nullptr, .write = WriteToLog, .seek = nullptr, .close = nullptr});
    if (made != nullptr) rte_openlog_stream(made);
    return made;
  }();
  static_cast<void>(stream);
}

QuotesEalLog::QuotesEalLog() {
  Log().TakeLast();
  Log().AddQuoting(1);
}
QuotesEalLog::~QuotesEalLog() { Log().AddQuoting(-1); }

std::string TakeEalComplaint() {
  const std::string last = Log().TakeLast();
  return last.empty() ? "" : absl::StrCat(" (", last, ")");
}

}  // namespace sluice::io
