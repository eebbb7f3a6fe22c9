#include "signaling/fleet/grpc_fleet.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "signaling/fleet/fleet_core.h"
#include "signaling/fleet/open_calls.h"
#include "signaling/fleet/work_loop.h"

namespace sluice::fleet {

class GrpcFleet::Core {
 public:
  explicit Core(const FleetOptions& options)
      : open_calls_(std::make_shared<OpenCalls>()), core_(options, CallHome{loop_, open_calls_}) {
    loop_.Start("fleet");
  }

  ~Core() {
    absl::Notification stopped;
    loop_.Post([&] {
      core_.Stop();
      stopped.Notify();
    });
    stopped.WaitForNotification();
    // The loop is needed until the last call has ended.
    open_calls_->WaitUntilNone();
    loop_.Stop();
  }

  // Runs `function` of the core with the arguments, on the loop.
  template <typename... Parameters, typename... Arguments>
  void Post(void (FleetCore::*function)(Parameters...), Arguments... arguments) {
    loop_.Post([this, function, ... arguments = std::move(arguments)]() mutable {
      (core_.*function)(std::move(arguments)...);
    });
  }

  FleetCore& core() { return core_; }

 private:
  WorkLoop loop_;
  const std::shared_ptr<OpenCalls> open_calls_;
  FleetCore core_;
};

GrpcFleet::GrpcFleet(FleetOptions options) : core_(std::make_unique<Core>(options)) {}

GrpcFleet::~GrpcFleet() = default;

void GrpcFleet::Start() { core_->Post(&FleetCore::Start); }

void GrpcFleet::CreateSession(relay::v1::Session session, PlacedCallback done) {
  core_->Post(&FleetCore::Create, std::move(session), std::move(done));
}

void GrpcFleet::UpdateSession(relay::v1::Session session, StateCallback done) {
  core_->Post(&FleetCore::Update, std::move(session), std::move(done));
}

void GrpcFleet::DeleteSession(const std::string& session_id, StateCallback done) {
  core_->Post(&FleetCore::Delete, session_id, std::move(done));
}

absl::Status GrpcFleet::AdoptSession(const std::string& relay, relay::v1::Session session,
                                     const relay::v1::SessionState& state) {
  const std::optional<size_t> index = core_->core().IndexOf(relay);
  if (!index) return absl::NotFoundError(absl::StrCat("relay: none is called '", relay, "'"));
  core_->Post(&FleetCore::Adopt, *index, std::move(session), state);
  return absl::OkStatus();
}

void GrpcFleet::Fence(const std::string& writer, uint64_t epoch) { core_->Post(&FleetCore::Fence, writer, epoch); }

void GrpcFleet::GetSession(const std::string& session_id, StateCallback done) {
  core_->Post(&FleetCore::Get, session_id, std::move(done));
}

std::vector<RelayInfo> GrpcFleet::ListRelays() const { return core_->core().Infos(); }

void GrpcFleet::SetListener(FleetListener* listener) { core_->core().SetListener(listener); }

}  // namespace sluice::fleet
