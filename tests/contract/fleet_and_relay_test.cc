// The controller's fleet against the relay's real services: that both sides read the contract in the same way.

#include "signaling/fleet/grpc_fleet.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "datapath/service/service_test_bed.h"

namespace sluice::service {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(20);

template <typename T>
absl::StatusOr<T> Await(const std::function<void(std::function<void(absl::StatusOr<T>)>)>& begin) {
  auto answer = std::make_shared<absl::StatusOr<T>>(absl::UnknownError("no answer"));
  auto answered = std::make_shared<absl::Notification>();
  begin([answer, answered](absl::StatusOr<T> given) {
    *answer = std::move(given);
    answered->Notify();
  });
  if (!answered->WaitForNotificationWithTimeout(kPatience)) return absl::UnknownError("no answer");
  return *answer;
}

class Listener final : public fleet::FleetListener {
 public:
  void OnSessionEvent(const std::string&, const relay::v1::Event& event) override {
    absl::MutexLock lock(&mutex_);
    kinds_.push_back(event.kind());
  }
  void OnSessionLost(const std::string&, const std::string&, const absl::Status&) override {
    absl::MutexLock lock(&mutex_);
    ++lost_;
  }
  bool AwaitKind(relay::v1::EventKind kind) {
    const auto told = [&] { return std::find(kinds_.begin(), kinds_.end(), kind) != kinds_.end(); };
    absl::MutexLock lock(&mutex_);
    return mutex_.AwaitWithTimeout(absl::Condition(&told), kPatience);
  }
  int lost() {
    absl::MutexLock lock(&mutex_);
    return lost_;
  }

 private:
  absl::Mutex mutex_;
  std::vector<relay::v1::EventKind> kinds_;
  int lost_ = 0;
};

class FleetAndRelay : public ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    MakeFleet(7, listener_);
    fleet_->Start();
    ASSERT_TRUE(AwaitHealth(fleet::RelayHealth::kHealthy));
  }
  void TearDown() override {
    fleet_.reset();
    ServiceTest::TearDown();
  }

  // That of a run of the controller, not started.
  void MakeFleet(uint64_t epoch, Listener& listener) {
    fleet::FleetOptions options;
    options.relays = {{"relay-1", "unix:" + folder_ + "/relay.sock"}};
    options.writer = "controller-1";
    options.epoch = epoch;
    options.deadline = absl::Seconds(10);
    fleet_ = std::make_unique<fleet::GrpcFleet>(options);
    fleet_->SetListener(&listener);
  }

  // The fleet tells its relays' health when it is asked, so it is asked until it says so.
  bool AwaitInfo(const std::function<bool(const fleet::RelayInfo&)>& holds) {
    const absl::Time limit = absl::Now() + kPatience;
    while (!holds(fleet_->ListRelays()[0])) {
      if (absl::Now() > limit) return false;
      absl::SleepFor(absl::Milliseconds(2));
    }
    return true;
  }
  bool AwaitHealth(fleet::RelayHealth health) {
    return AwaitInfo([health](const fleet::RelayInfo& info) { return info.health == health; });
  }
  absl::StatusOr<fleet::PlacedSession> Place(const relay::v1::Session& session) {
    return Await<fleet::PlacedSession>([&](auto done) { fleet_->CreateSession(session, std::move(done)); });
  }

  Listener listener_;
  std::unique_ptr<fleet::GrpcFleet> fleet_;
};

TEST_F(FleetAndRelay, ACallIsPlacedAnsweredAndEnded) {
  const auto placed = Place(TestSession("call-1"));
  ASSERT_TRUE(placed.ok()) << placed.status();
  EXPECT_EQ(placed->state.streams(0).legs(0).local().port(), 16384u);
  relay::v1::Session answered = TestSession("call-1");
  answered.mutable_streams(0)->mutable_legs(1)->mutable_remote()->set_port(23000);
  const auto updated = Await<relay::v1::SessionState>([&](auto done) { fleet_->UpdateSession(answered, done); });
  ASSERT_TRUE(updated.ok()) << updated.status();
  EXPECT_EQ(updated->streams(0).legs(0).local().port(), 16384u);
  flow::FlowEvent refused;
  refused.kind = flow::FlowEventKind::kSourceRefused;
  refused.state = 1;  // Of the first flow that the relay ever had.
  datapath_.Push(refused);
  EXPECT_TRUE(listener_.AwaitKind(relay::v1::EVENT_KIND_SOURCE_REFUSED));
  const auto ended = Await<relay::v1::SessionState>([&](auto done) { fleet_->DeleteSession("call-1", done); });
  ASSERT_TRUE(ended.ok()) << ended.status();
  EXPECT_EQ(ended->streams_size(), 1) << "with its final statistics";
}

TEST_F(FleetAndRelay, ADrainingRelayIsSeenAsSuch) {
  grpc::ClientContext context;
  relay::v1::DrainRelayResponse response;
  ASSERT_TRUE(relays_->DrainRelay(&context, {}, &response).ok());
  EXPECT_TRUE(AwaitHealth(fleet::RelayHealth::kDraining));
  EXPECT_TRUE(absl::IsUnavailable(Place(TestSession("call-1")).status()));
}

TEST_F(FleetAndRelay, ARelayThatRestartedGetsItsSessionsBackOnTheSamePorts) {
  ASSERT_TRUE(Place(TestSession("call-0")).ok());
  const auto placed = Place(TestSession("call-1"));
  ASSERT_TRUE(placed.ok());
  ASSERT_TRUE(Await<relay::v1::SessionState>([&](auto done) { fleet_->DeleteSession("call-0", done); }).ok());
  const uint32_t port = placed->state.streams(0).legs(0).local().port();
  ServiceTest::TearDown();
  instance_ = "run2";
  ServiceTest::SetUp();
  ASSERT_TRUE(AwaitInfo([](const fleet::RelayInfo& info) { return info.restored_sessions == 1; }));
  grpc::ClientContext context;
  relay::v1::GetSessionRequest request;
  request.set_session_id("call-1");
  relay::v1::GetSessionResponse response;
  ASSERT_TRUE(sessions_->GetSession(&context, request, &response).ok());
  EXPECT_EQ(response.session().streams(0).legs(0).local().port(), port);
  EXPECT_EQ(listener_.lost(), 0);
}

TEST_F(FleetAndRelay, TheNextRunOfTheControllerGoesOnWithASessionAndHearsItsPast) {
  const auto placed = Place(TestSession("call-1"));
  ASSERT_TRUE(placed.ok()) << placed.status();
  fleet_.reset();
  Listener next;
  MakeFleet(8, next);
  ASSERT_TRUE(fleet_->AdoptSession("relay-1", TestSession("call-1"), placed->state).ok());
  fleet_->Start();
  EXPECT_TRUE(next.AwaitKind(relay::v1::EVENT_KIND_SESSION_CREATED)) << "it was made before this run";
  ASSERT_TRUE(AwaitHealth(fleet::RelayHealth::kHealthy));
  relay::v1::Session changed = TestSession("call-1");
  changed.mutable_streams(0)->mutable_legs(1)->mutable_remote()->set_port(23000);
  const auto updated = Await<relay::v1::SessionState>([&](auto done) { fleet_->UpdateSession(changed, done); });
  ASSERT_TRUE(updated.ok()) << updated.status();
  EXPECT_EQ(updated->streams(0).legs(0).local().port(), placed->state.streams(0).legs(0).local().port());
  EXPECT_EQ(next.lost(), 0);
  // Before its listener.
  fleet_.reset();
}

}  // namespace
}  // namespace sluice::service
