#include "signaling/cluster/redis_cluster.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <fstream>
#include <limits>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/random/random.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "signaling/cluster/redis_scripts.h"
#include "signaling/cluster/steady_clock.h"

namespace sluice::cluster {
namespace {

// In one command: as much as Redis does in a few milliseconds.
constexpr size_t kBatchBytes = 1 << 20;
constexpr size_t kBatchEnds = 1000;
// A page of calls that are read.
constexpr absl::string_view kPageSize = "500";
// More of one run make no sense.
constexpr size_t kMaxCalls = 10'000'000;
// In the answer to kBeatScript, a run.
constexpr size_t kRosterFields = 7;

std::string HostName() {
  std::array<char, 256> name = {};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

std::string RandomToken() {
  absl::BitGen random;
  return absl::StrCat(absl::Hex(absl::Uniform<uint64_t>(random), absl::kZeroPad16),
                      absl::Hex(absl::Uniform<uint64_t>(random), absl::kZeroPad16));
}

std::vector<std::string> Introduce(const RedisClusterOptions& options, uint64_t epoch) {
  return {absl::StrCat(absl::ToInt64Milliseconds(options.lease)),
          options.name,
          options.home,
          HostName(),
          absl::StrCat(epoch),
          ToText(options.whereabouts),
          absl::StrCat(options.shards)};
}

std::string CallsKey(RunNumber run) { return absl::StrCat("sluice:calls:", run); }

absl::Status Nonsense(absl::string_view what) {
  return absl::UnavailableError(absl::StrCat("Redis answers what makes no sense to ", what));
}

template <typename Number>
std::optional<Number> NumberOf(const ReplyView& reply) {
  const std::optional<int64_t> value = reply.Integer();
  if (!value.has_value() || *value < 0) return std::nullopt;
  if (static_cast<uint64_t>(*value) > std::numeric_limits<Number>::max()) return std::nullopt;
  return static_cast<Number>(*value);
}

// What to do about a password that Redis does not take.
absl::Status WithAdvice(const absl::Status& status) {
  for (const absl::string_view word : {"NOAUTH", "WRONGPASS", "ERR AUTH"}) {
    if (!absl::StrContains(status.message(), word)) continue;
    return absl::Status(status.code(),
                        absl::StrCat(status.message(), " (see cluster.username and cluster.password_file)"));
  }
  return status;
}

std::string TextOf(const ReplyView& reply) { return std::string(reply.Text().value_or("")); }

}  // namespace

std::string HomeOf(const std::string& file) {
  // Not the boot's id: services do not see /proc/sys.
  std::string machine;
  std::ifstream("/etc/machine-id") >> machine;
  struct stat status = {};
  // One that nobody else has, and that is waited for like another controller's, where it cannot be told.
  if (machine.empty() || stat(file.c_str(), &status) != 0) return RandomToken();
  return absl::StrCat(machine, "-", HostName(), "-", status.st_dev, "-", status.st_ino);
}

RedisCluster::RedisCluster(RedisClusterOptions options)
    : options_(std::move(options)),
      token_(RandomToken()),
      stop_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      roster_(std::make_shared<Roster>()) {}

RedisCluster::~RedisCluster() {
  Stop();
  if (stop_ >= 0) close(stop_);
}

void RedisCluster::Stop() {
  if (!thread_.joinable()) return;
  // Cannot fail: the counter is far from its limit.
  eventfd_write(stop_, 1);
  thread_.join();
}

std::shared_ptr<const Roster> RedisCluster::roster() const {
  absl::MutexLock lock(&mutex_);
  return roster_;
}

std::optional<Whereabouts> RedisCluster::Find(RunNumber run) const { return roster()->WhoHas(run); }

bool RedisCluster::Knows(RunNumber run) const { return roster()->Find(run) != nullptr; }

bool RedisCluster::IsMember(const sip::Endpoint& address) const { return roster()->IsMember(address); }

void RedisCluster::SetListener(Listener* listener) {
  absl::MutexLock lock(&listener_mutex_);
  listener_ = listener;
}

bool RedisCluster::HasListener() {
  absl::MutexLock lock(&listener_mutex_);
  return listener_ != nullptr;
}

void RedisCluster::KeepCall(absl::string_view call_id, std::string state) {
  absl::MutexLock lock(&mutex_);
  shelf_.Keep(call_id, std::move(state));
}

void RedisCluster::ForgetCall(absl::string_view call_id) {
  absl::MutexLock lock(&mutex_);
  shelf_.Forget(call_id);
}

store::SharedState::Statistics RedisCluster::StateStatistics() const {
  absl::MutexLock lock(&mutex_);
  return {shelf_.written(), shelf_.waiting()};
}

ClusterStatistics RedisCluster::Statistics() const {
  absl::MutexLock lock(&mutex_);
  ClusterStatistics statistics = statistics_;
  statistics.controllers = roster_->Living().size();
  statistics.bindings_waiting = bindings_.waiting();
  return statistics;
}

bool RedisCluster::Leave(absl::Duration limit) {
  absl::MutexLock lock(&mutex_);
  leaving_ = true;
  return mutex_.AwaitWithTimeout(absl::Condition(&left_), limit);
}

absl::Status RedisCluster::Start(store::Store& store) {
  if (stop_ < 0) return absl::UnavailableError("cluster: no descriptor is left for an eventfd");
  store_ = &store;
  introduction_ = Introduce(options_, store.Epoch());
  // An earlier run of the same name that has died may be believed to live so long.
  const absl::Duration deadline = SteadyNow() + options_.lease + options_.return_time;
  absl::Status status = Serve();
  while (absl::IsAlreadyExists(status) && SteadyNow() < deadline) {
    absl::SleepFor(options_.gather);
    status = Serve();
  }
  if (absl::IsAlreadyExists(status) || absl::IsFailedPrecondition(status)) {
    return absl::FailedPreconditionError(absl::StrCat("cluster: ", status.message()));
  }
  Note(status);
  thread_ = std::thread([this] { Run(); });
  return absl::OkStatus();
}

void RedisCluster::Run() {
  bool fails = false;
  while (!StopComes(fails ? options_.retry : options_.gather)) {
    {
      absl::MutexLock lock(&mutex_);
      if (left_) continue;
    }
    if (successor_.has_value()) {
      TellOfSuccessor();
      continue;
    }
    const absl::Status status = Serve();
    Note(status);
    fails = !status.ok();
  }
}

// Not by a mutex, whose waits would become longer by as much as somebody sets the wall clock back.
bool RedisCluster::StopComes(absl::Duration limit) const {
  pollfd stop = {stop_, POLLIN, 0};
  return poll(&stop, 1, static_cast<int>(absl::ToInt64Milliseconds(limit))) > 0;
}

absl::Status RedisCluster::Serve() {
  if (connection_ == nullptr) {
    if (absl::Status status = Connect(); !status.ok()) return status;
  }
  absl::Status status = absl::OkStatus();
  for (const auto step : {&RedisCluster::Join, &RedisCluster::Beat, &RedisCluster::TakeOver, &RedisCluster::DropStrays,
                          static_cast<absl::Status (RedisCluster::*)()>(&RedisCluster::Deliver),
                          &RedisCluster::WriteCalls, &RedisCluster::ExchangeBindings, &RedisCluster::GiveUp}) {
    status = (this->*step)();
    if (!status.ok()) break;
  }
  // Redis does not know this run any more: the next beat makes it known.
  if (absl::IsDataLoss(status)) next_beat_ = -absl::InfiniteDuration();
  if (!status.ok()) connection_.reset();
  return status;
}

absl::Status RedisCluster::Connect() {
  absl::StatusOr<std::unique_ptr<RedisConnection>> connection = RedisConnection::Open(options_.redis, stop_);
  if (!connection.ok()) return WithAdvice(connection.status());
  connection_ = *std::move(connection);
  next_beat_ = -absl::InfiniteDuration();
  takes_from_ = SteadyNow() + options_.lease + options_.return_time;
  may_have_strays_ = true;
  absl::MutexLock lock(&mutex_);
  shelf_.WriteAllAgain();
  return absl::OkStatus();
}

absl::StatusOr<Reply> RedisCluster::RunScript(const std::string& script,
                                              const std::vector<absl::string_view>& arguments) {
  const std::string self = absl::StrCat(run());
  std::vector<absl::string_view> command = {"EVAL", script, "0", self, token_};
  command.insert(command.end(), arguments.begin(), arguments.end());
  absl::StatusOr<Reply> reply = connection_->Run(command);
  if (!reply.ok()) {
    return absl::Status(reply.status().code(),
                        absl::StrCat("Redis at ", options_.redis.address, ": ", reply.status().message()));
  }
  const std::string word = TextOf(reply->view()[0]);
  if (word == "ok") return reply;
  if (word == "unknown") return absl::DataLossError("Redis has lost what it knew of this controller");
  if (word == "busy") {
    return absl::AlreadyExistsError(absl::StrCat("another controller of the name '", options_.name, "' runs on host ",
                                                 TextOf(reply->view()[1]), ": give each one its own `name`"));
  }
  if (word == "ousted") {
    successor_ = TextOf(reply->view()[1]);
    return absl::AbortedError(absl::StrCat(*successor_, " has taken over"));
  }
  return Nonsense("a script");
}

absl::Status RedisCluster::Join() {
  if (run() != 0) return absl::OkStatus();
  std::vector<absl::string_view> arguments(introduction_.begin(), introduction_.end());
  // Where the numbers begin, if Redis does not know: unlikely to be that of a run that it has lost.
  const std::string first = absl::StrCat(absl::Uniform<RunNumber>(absl::BitGen()));
  arguments.push_back(first);
  const absl::StatusOr<Reply> reply = RunScript(kJoinScript, arguments);
  if (!reply.ok()) return reply.status();
  const std::optional<RunNumber> number = NumberOf<RunNumber>(reply->view()[1]);
  if (!number.has_value() || *number == 0) return Nonsense("a controller that joins");
  run_ = *number;
  return absl::OkStatus();
}

absl::Status RedisCluster::Beat() {
  if (SteadyNow() < next_beat_) return absl::OkStatus();
  std::deque<std::string> numbers;
  std::vector<absl::string_view> arguments(introduction_.begin(), introduction_.end());
  for (const auto& [number, gone] : delivered_) {
    numbers.push_back(absl::StrCat(number));
    arguments.push_back(numbers.back());
    arguments.push_back(gone.name);
    numbers.push_back(absl::StrCat(gone.epoch));
    arguments.push_back(numbers.back());
  }
  const absl::StatusOr<Reply> reply = RunScript(kBeatScript, arguments);
  if (!reply.ok()) return reply.status();
  // Not from before: the answer may have been long in coming.
  const absl::Duration now = SteadyNow();
  // Redis was away, or this process: the leases of others may have run out for the same reason.
  if (reply->view()[1].Integer() != 1) takes_from_ = now + options_.lease + options_.return_time;
  ReadRoster(reply->view());
  next_beat_ = now + options_.beat;
  return absl::OkStatus();
}

void RedisCluster::ReadRoster(const ReplyView& answer) {
  const auto roster = std::make_shared<Roster>(run());
  for (size_t first = 2; first + kRosterFields <= answer.size(); first += kRosterFields) {
    const std::optional<RunNumber> number = NumberOf<RunNumber>(answer[first]);
    const std::optional<RunNumber> owner = NumberOf<RunNumber>(answer[first + 1]);
    // Somebody else has written into what is ours; without these two nothing can be said of it.
    if (!number.has_value() || *number == 0 || !owner.has_value()) continue;
    RosterEntry entry{.owner = *owner, .is_alive = answer[first + 2].Integer() == 1};
    entry.name = TextOf(answer[first + 3]);
    entry.epoch = NumberOf<uint64_t>(answer[first + 4]).value_or(0);
    // Of those that are gone it may be unknown.
    entry.whereabouts = ParseWhereabouts(TextOf(answer[first + 5])).value_or(Whereabouts());
    entry.shards = NumberOf<uint32_t>(answer[first + 6]).value_or(0);
    roster->Add(*number, std::move(entry));
  }
  for (const RosterEntry* other : roster->Living()) {
    if (other->shards == options_.shards || std::exchange(warned_of_shards_, true)) continue;
    options_.report(absl::StrCat("cluster: ", other->name, " has sip.shards ", other->shards, " and this controller ",
                                 options_.shards, ": calls cannot be taken over between them; give both the same"));
  }
  absl::MutexLock lock(&mutex_);
  roster_ = roster;
}

absl::Status RedisCluster::TakeOver() {
  const std::vector<RunNumber> takeable = roster()->Takeable(SteadyNow() >= takes_from_);
  if (takeable.empty()) return absl::OkStatus();
  std::deque<std::string> numbers;
  std::vector<absl::string_view> arguments;
  for (const RunNumber run : takeable) {
    numbers.push_back(absl::StrCat(run));
    arguments.push_back(numbers.back());
  }
  const absl::StatusOr<Reply> reply = RunScript(kTakeScript, arguments);
  if (!reply.ok()) return reply.status();
  for (size_t i = 1; i < reply->view().size(); ++i) {
    if (const auto taken = NumberOf<RunNumber>(reply->view()[i]); taken.has_value()) just_taken_.insert(*taken);
  }
  // To see what else has come with them.
  next_beat_ = -absl::InfiniteDuration();
  return Beat();
}

absl::Status RedisCluster::Deliver() {
  if (!HasListener()) return absl::OkStatus();
  std::vector<RunNumber> runs = roster()->Taken();
  // What a run had kept itself is newer than what it had taken from others.
  std::stable_partition(runs.begin(), runs.end(), [this](RunNumber run) { return just_taken_.contains(run); });
  for (const RunNumber run : runs) {
    if (delivered_.contains(run)) continue;
    if (absl::Status status = Deliver(run); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status RedisCluster::Deliver(RunNumber run) {
  const std::shared_ptr<const Roster> now = roster();
  const RosterEntry* const entry = now->Find(run);
  if (entry == nullptr) return absl::OkStatus();
  const GoneRun gone{run, entry->name, entry->epoch};
  absl::StatusOr<std::vector<store::StandingCall>> calls = ReadCalls(run);
  if (absl::IsFailedPrecondition(calls.status())) {
    // Somebody else has written there: others need not wait for what will not get better.
    options_.report(
        absl::StrCat("cluster: calls of run ", run, " are lost: ", CallsKey(run), ": ", calls.status().message()));
    calls = std::vector<store::StandingCall>();
  }
  if (!calls.ok()) return calls.status();
  const bool is_news = just_taken_.erase(run) > 0 || !calls->empty();
  for (const store::StandingCall& call : *calls) {
    // One by one here and below: shards wait for this lock, and there may be very many.
    absl::MutexLock lock(&mutex_);
    shelf_.Adopt(run, call);
  }
  // An earlier run of this controller may have died before it could say here, too, that a call was over.
  if (gone.name == options_.name) calls = ForgetRecorded(*std::move(calls));
  {
    absl::MutexLock lock(&mutex_);
    if (is_news) ++statistics_.takeovers;
    statistics_.calls_taken_over += calls->size();
  }
  delivered_[run] = gone;
  if (!is_news) return absl::OkStatus();
  options_.report(absl::StrCat("cluster: takes over ", calls->size(), " calls of ", gone.name, ", which is gone"));
  absl::MutexLock lock(&listener_mutex_);
  if (listener_ != nullptr) listener_->OnTakeover(gone, *std::move(calls));
  return absl::OkStatus();
}

std::vector<store::StandingCall> RedisCluster::ForgetRecorded(std::vector<store::StandingCall> calls) {
  std::vector<store::StandingCall> left = store_->WithoutRecorded(calls);
  absl::flat_hash_set<absl::string_view> standing;
  for (const store::StandingCall& call : left) standing.insert(call.call_id);
  for (const store::StandingCall& call : calls) {
    if (standing.contains(call.call_id)) continue;
    absl::MutexLock lock(&mutex_);
    shelf_.Forget(call.call_id);
  }
  return left;
}

absl::StatusOr<std::vector<store::StandingCall>> RedisCluster::ReadCalls(RunNumber run) {
  std::vector<store::StandingCall> calls;
  const std::string key = CallsKey(run);
  std::string cursor = "0";
  do {
    // Reading very many may take longer than the lease.
    if (absl::Status status = Beat(); !status.ok()) {
      return absl::IsFailedPrecondition(status) ? absl::UnavailableError(status.message()) : status;
    }
    const absl::StatusOr<Reply> reply = connection_->Run({"HSCAN", key, cursor, "COUNT", kPageSize});
    if (!reply.ok()) return reply.status();
    const std::optional<absl::string_view> next = reply->view()[0].Text();
    const ReplyView page = reply->view()[1];
    if (!next.has_value() || calls.size() > kMaxCalls) return Nonsense("a question for calls");
    for (size_t i = 0; i + 1 < page.size(); i += 2) {
      store::StandingCall call{TextOf(page[i]), TextOf(page[i + 1])};
      if (!call.call_id.empty()) calls.push_back(std::move(call));
    }
    cursor = std::string(*next);
  } while (cursor != "0");
  return calls;
}

absl::Status RedisCluster::DropStrays() {
  if (!may_have_strays_) return absl::OkStatus();
  std::vector<RunNumber> runs = {run()};
  for (const auto& [number, gone] : delivered_) runs.push_back(number);
  for (const RunNumber run : runs) {
    const absl::StatusOr<Reply> reply = connection_->Run({"HKEYS", CallsKey(run)});
    // Somebody else has written there; what is of this run is said when it is written.
    if (absl::IsFailedPrecondition(reply.status())) continue;
    if (!reply.ok()) return reply.status();
    const std::string number = absl::StrCat(run);
    std::vector<absl::string_view> arguments = {number};
    for (size_t i = 0; i < reply->view().size(); ++i) {
      const absl::string_view call_id = reply->view()[i].Text().value_or("");
      absl::MutexLock lock(&mutex_);
      if (!shelf_.Belongs(call_id, run, this->run())) arguments.push_back(call_id);
    }
    if (arguments.size() == 1) continue;
    if (const auto dropped = RunScript(kDropScript, arguments); !dropped.ok()) return dropped.status();
  }
  may_have_strays_ = false;
  return absl::OkStatus();
}

absl::Status RedisCluster::WriteCalls() {
  while (SteadyNow() < next_beat_) {
    CallShelf::Batch batch;
    {
      absl::MutexLock lock(&mutex_);
      batch = shelf_.Take(kBatchBytes, kBatchEnds);
    }
    if (batch.empty()) return absl::OkStatus();
    std::deque<std::string> numbers = {absl::StrCat(batch.kept.size())};
    std::vector<absl::string_view> arguments = {numbers.back()};
    for (const CallShelf::Kept& call : batch.kept) {
      numbers.push_back(absl::StrCat(call.origin));
      arguments.insert(arguments.end(), {call.call_id, *call.state, numbers.back()});
    }
    for (const CallShelf::Ended& call : batch.ended) {
      numbers.push_back(absl::StrCat(call.origin));
      arguments.insert(arguments.end(), {call.call_id, numbers.back()});
    }
    const absl::StatusOr<Reply> reply = RunScript(kKeepScript, arguments);
    absl::MutexLock lock(&mutex_);
    if (!reply.ok()) {
      shelf_.PutBack(batch);
      return reply.status();
    }
    shelf_.Done(batch);
  }
  return absl::OkStatus();
}

absl::Status RedisCluster::ExchangeBindings() {
  const auto run = [this](const std::vector<absl::string_view>& arguments) {
    return RunScript(kBindingsScript, arguments);
  };
  while (SteadyNow() < next_beat_) {
    const absl::StatusOr<bool> has_more = bindings_.Exchange(*store_, run);
    if (!has_more.ok()) return has_more.status();
    if (!*has_more) break;
  }
  return absl::OkStatus();
}

absl::Status RedisCluster::GiveUp() {
  if (bindings_.waiting() > 0) return absl::OkStatus();
  {
    absl::MutexLock lock(&mutex_);
    if (!leaving_ || shelf_.waiting() > 0) return absl::OkStatus();
  }
  const absl::StatusOr<Reply> reply = RunScript(kLeaveScript, {});
  if (!reply.ok()) return reply.status();
  absl::MutexLock lock(&mutex_);
  left_ = true;
  return absl::OkStatus();
}

void RedisCluster::TellOfSuccessor() {
  absl::MutexLock lock(&listener_mutex_);
  if (listener_ == nullptr || std::exchange(told_of_successor_, true)) return;
  listener_->OnOusted(*successor_);
}

void RedisCluster::Note(const absl::Status& status) {
  if (absl::IsCancelled(status) || absl::IsAborted(status)) return;
  std::string line;
  {
    absl::MutexLock lock(&mutex_);
    statistics_.is_connected = status.ok();
    if (!status.ok()) {
      ++statistics_.failures;
      if (statistics_.last_error == status.message()) return;
      statistics_.last_error = std::string(status.message());
      line = absl::StrCat("cluster: ", status.message(), "; calls go on, what they change is written later");
    } else if (!statistics_.last_error.empty()) {
      statistics_.last_error.clear();
      line = "cluster: all is well again";
    }
  }
  if (!line.empty()) options_.report(line);
}

}  // namespace sluice::cluster
