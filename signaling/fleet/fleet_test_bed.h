// Relays, a fleet over them, and waiting for what has to happen: what the fleet's component tests share.
#ifndef SLUICE_SIGNALING_FLEET_FLEET_TEST_BED_H_
#define SLUICE_SIGNALING_FLEET_FLEET_TEST_BED_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "signaling/fleet/grpc_fleet.h"
#include "signaling/fleet/relay_fake.h"

namespace sluice::fleet {

inline relay::v1::Session TestSession(const std::string& id, int streams = 1) {
  relay::v1::Session session;
  session.set_session_id(id);
  for (int i = 0; i < streams; ++i) {
    relay::v1::Stream* stream = session.add_streams();
    stream->set_stream_id(i);
    stream->add_legs()->set_network("caller");
    stream->add_legs()->set_network("callee");
  }
  return session;
}

inline std::vector<uint32_t> PortsOf(const relay::v1::SessionState& state) {
  std::vector<uint32_t> ports;
  for (const relay::v1::StreamState& stream : state.streams()) {
    for (const relay::v1::LegState& leg : stream.legs()) ports.push_back(leg.local().port());
  }
  return ports;
}

// Runs `begin`, which gets a callback, and waits for what the callback is given.
template <typename T>
absl::StatusOr<T> Await(const std::function<void(std::function<void(absl::StatusOr<T>)>)>& begin) {
  auto answer = std::make_shared<absl::StatusOr<T>>(absl::UnknownError("no answer"));
  auto answered = std::make_shared<absl::Notification>();
  begin([answer, answered](absl::StatusOr<T> given) {
    *answer = std::move(given);
    answered->Notify();
  });
  if (!answered->WaitForNotificationWithTimeout(absl::Seconds(20))) return absl::UnknownError("no answer");
  return *answer;
}

class RecordingListener : public FleetListener {
 public:
  void OnSessionEvent(const std::string& relay, const relay::v1::Event& event) override {
    absl::MutexLock lock(&mutex_);
    events_.push_back(relay + " " + event.session_id() + " " + relay::v1::EventKind_Name(event.kind()));
  }
  void OnSessionLost(const std::string& relay, const std::string& session_id, const absl::Status&) override {
    absl::MutexLock lock(&mutex_);
    events_.push_back(relay + " " + session_id + " lost");
  }
  // What was told, once it is at least `count` things.
  std::vector<std::string> Await(size_t count) {
    const auto enough = [&] { return events_.size() >= count; };
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(&enough), absl::Seconds(20));
    return events_;
  }

 private:
  absl::Mutex mutex_;
  std::vector<std::string> events_;
};

class FleetTest : public ::testing::Test {
 protected:
  FleetTest() {
    options_.writer = "controller-1";
    options_.epoch = 7;
    // Longer than any machine may stall. A test of a limit sets that limit.
    options_.deadline = absl::Seconds(60);
    options_.attempt_timeout = absl::Seconds(60);
    options_.connect_timeout = absl::Seconds(60);
    options_.silence_limit = absl::Seconds(60);
    options_.heartbeat = absl::Milliseconds(100);
  }

  FakeRelay& AddRelay(const std::string& name) {
    relays_.push_back(std::make_unique<FakeRelay>(name));
    options_.relays.push_back({name, relays_.back()->address()});
    return *relays_.back();
  }

  // Makes the fleet and waits until all of its relays are healthy.
  void StartFleet() {
    fleet_ = std::make_unique<GrpcFleet>(options_);
    fleet_->Start();
    fleet_->SetListener(&listener_);
    for (const RelayAddress& relay : options_.relays) AwaitHealth(relay.name, RelayHealth::kHealthy);
  }

  RelayInfo Info(const std::string& name) const {
    for (const RelayInfo& info : fleet_->ListRelays()) {
      if (info.name == name) return info;
    }
    return {};
  }

  void AwaitHealth(const std::string& name, RelayHealth health) const {
    AwaitInfo(name, [health](const RelayInfo& info) { return info.health == health; });
  }

  // The fleet's snapshot has no event of its own: looked at until it says so.
  void AwaitInfo(const std::string& name, const std::function<bool(const RelayInfo&)>& holds) const {
    const absl::Time limit = absl::Now() + absl::Seconds(20);
    while (!holds(Info(name))) {
      ASSERT_LT(absl::Now(), limit) << name << ": " << Info(name).text;
      absl::SleepFor(absl::Milliseconds(2));
    }
  }

  absl::StatusOr<PlacedSession> Create(const relay::v1::Session& session) {
    return Await<PlacedSession>([&](auto done) { fleet_->CreateSession(session, std::move(done)); });
  }
  absl::StatusOr<relay::v1::SessionState> Update(const relay::v1::Session& session) {
    return Await<relay::v1::SessionState>([&](auto done) { fleet_->UpdateSession(session, std::move(done)); });
  }
  absl::StatusOr<relay::v1::SessionState> Delete(const std::string& id) {
    return Await<relay::v1::SessionState>([&](auto done) { fleet_->DeleteSession(id, std::move(done)); });
  }
  absl::StatusOr<relay::v1::SessionState> Get(const std::string& id) {
    return Await<relay::v1::SessionState>([&](auto done) { fleet_->GetSession(id, std::move(done)); });
  }

  FleetOptions options_;
  std::vector<std::unique_ptr<FakeRelay>> relays_;
  RecordingListener listener_;
  std::unique_ptr<GrpcFleet> fleet_;
};

}  // namespace sluice::fleet

#endif  // SLUICE_SIGNALING_FLEET_FLEET_TEST_BED_H_
