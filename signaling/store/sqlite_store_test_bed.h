// A store in a folder of the test's own, which may be closed and opened again, and what it has reported.
#ifndef SLUICE_SIGNALING_STORE_SQLITE_STORE_TEST_BED_H_
#define SLUICE_SIGNALING_STORE_SQLITE_STORE_TEST_BED_H_

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "signaling/store/call_record.h"
#include "signaling/store/sqlite_store.h"

namespace sluice::store {

inline const absl::Time kNow = absl::FromUnixMicros(1'700'000'000'123'456);
// What is waited for comes much sooner.
inline constexpr absl::Duration kLimit = absl::Seconds(20);

class SqliteStoreTestBed : public testing::Test {
 protected:
  SqliteStoreTestBed() {
    folder_ = std::filesystem::path(testing::TempDir()) /
              absl::StrCat("store-", testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    file_ = folder_ / "sluice.db";
  }
  ~SqliteStoreTestBed() override { std::filesystem::remove_all(folder_); }

  absl::StatusOr<std::unique_ptr<Store>> Open() {
    return OpenSqliteStore({.file = file_,
                            .waiting_records = waiting_records_,
                            .retry_interval = absl::Milliseconds(5),
                            .report = [this](absl::string_view line) { Report(line); }});
  }

  void Report(absl::string_view line) {
    std::lock_guard<std::mutex> lock(mutex_);
    reports_.emplace_back(line);
  }

  std::vector<std::string> Reports() {
    std::lock_guard<std::mutex> lock(mutex_);
    return reports_;
  }

  // Whether `ready` becomes true within kLimit: what a thread of the store does by itself.
  template <typename Ready>
  static bool Comes(Ready&& ready) {
    const absl::Time deadline = absl::Now() + kLimit;
    while (!ready()) {
      if (absl::Now() > deadline) return false;
      absl::SleepFor(absl::Milliseconds(1));
    }
    return true;
  }

  std::filesystem::path folder_;
  std::string file_;
  size_t waiting_records_ = 100;
  std::mutex mutex_;
  std::vector<std::string> reports_;
};

// Of 10 s, with two streams and three legs, of which the second one failed.
inline CallRecord AnsweredCall(const std::string& id) {
  return {.call_id = id,
          .caller = {"20002230001", "测试APP2", "509381976447", "udp:198.18.1.2:45426", "Zed-3-PDA", "20002230001"},
          .callee = {"20002230000", "", "b-leg", "udp:198.18.2.9:43518", "Zed-3-PDA", "20002230000"},
          .relay = "relay-1",
          .start_time = kNow,
          .ring_time = kNow + absl::Seconds(1),
          .answer_time = kNow + absl::Seconds(2),
          .end_time = kNow + absl::Seconds(12),
          .sip_status = 200,
          .q850_cause = 16,
          .ended_by = EndedBy::kCaller,
          .text = "normal clearing",
          .streams = {{.stream_id = 0,
                       .media = "audio",
                       .codec = "AMR",
                       .from_caller = {.packets = 100,
                                       .bytes = 4000,
                                       .lost = 1,
                                       .jitter_ms = 0.5,
                                       .mos = 4.29,
                                       .forwarded = 100,
                                       .statistics = std::string("\x08\x00\x64", 3)},
                       .from_callee = {.packets = 99, .reordered = 2, .max_jitter_ms = 1.5}},
                      {.stream_id = 1, .media = "video", .codec = "H264"}},
          .legs = {{.leg = 1,
                    .side = CallSide::kCaller,
                    .number = "20002230001",
                    .account = "20002230001",
                    .sip_call_id = "509381976447",
                    .peer = "udp:198.18.1.2:45426",
                    .user_agent = "Zed-3-PDA",
                    .start_time = kNow,
                    .ring_time = kNow + absl::Seconds(1),
                    .answer_time = kNow + absl::Seconds(2),
                    .end_time = kNow + absl::Seconds(12),
                    .sip_status = 200,
                    .q850_cause = 16,
                    .ended_by = EndedBy::kCaller},
                   {.leg = 2,
                    .side = CallSide::kCallee,
                    .number = "20002230000",
                    .account = "20002230000",
                    .sip_call_id = "failed-leg",
                    .peer = "udp:198.18.2.8:43518",
                    .start_time = kNow + absl::Milliseconds(1),
                    .end_time = kNow + absl::Milliseconds(3),
                    .sip_status = 503,
                    .q850_cause = 41,
                    .ended_by = EndedBy::kCallee},
                   {.leg = 3,
                    .side = CallSide::kCallee,
                    .number = "20002230000",
                    .account = "20002230000",
                    .sip_call_id = "b-leg",
                    .peer = "udp:198.18.2.9:43518",
                    .user_agent = "Zed-3-PDA",
                    .start_time = kNow + absl::Milliseconds(3),
                    .ring_time = kNow + absl::Seconds(1),
                    .answer_time = kNow + absl::Seconds(2),
                    .end_time = kNow + absl::Seconds(12),
                    .sip_status = 200,
                    .q850_cause = 16,
                    .ended_by = EndedBy::kCaller}}};
}

}  // namespace sluice::store

#endif  // SLUICE_SIGNALING_STORE_SQLITE_STORE_TEST_BED_H_
