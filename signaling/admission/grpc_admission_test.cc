// The client against a real gRPC server, and against what is none.
#include "signaling/admission/grpc_admission.h"

#include <arpa/inet.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"

namespace sluice::admission {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(20);

// An operator's service that does what the test says.
class RatingServer final : public v1::CallAdmissionService::Service {
 public:
  using Rate = std::function<grpc::Status(const v1::AdmitCallRequest&, v1::AdmitCallResponse&)>;

  RatingServer(const std::string& address, Rate rate) : rate_(std::move(rate)) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address, grpc::InsecureServerCredentials());
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    EXPECT_NE(server_, nullptr) << address;
  }
  ~RatingServer() override { server_->Shutdown(std::chrono::system_clock::now()); }

  grpc::Status AdmitCall(grpc::ServerContext*, const v1::AdmitCallRequest* request,
                         v1::AdmitCallResponse* response) override {
    return rate_(*request, *response);
  }

 private:
  const Rate rate_;
  std::unique_ptr<grpc::Server> server_;
};

grpc::Status Admit(const v1::AdmitCallRequest&, v1::AdmitCallResponse& response) {
  response.mutable_admitted();
  return grpc::Status::OK;
}

// Takes connections on a TCP port, says `greeting` and nothing more.
class SilentServer final {
 public:
  explicit SilentServer(std::string greeting = "") : greeting_(std::move(greeting)) {
    socket_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(socket_, 16), 0);
    EXPECT_EQ(getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    address_ = absl::StrCat("127.0.0.1:", ntohs(address.sin_port));
    thread_ = std::thread([this] { Run(); });
  }
  ~SilentServer() {
    shutdown(socket_, SHUT_RDWR);
    thread_.join();
    for (const int connection : connections_) close(connection);
    close(socket_);
  }
  const std::string& address() const { return address_; }
  int connections() const { return taken_; }

 private:
  void Run() {
    for (int connection = 0; (connection = accept(socket_, nullptr, nullptr)) >= 0;) {
      connections_.push_back(connection);
      if (!greeting_.empty()) {
        EXPECT_EQ(write(connection, greeting_.data(), greeting_.size()), static_cast<ssize_t>(greeting_.size()));
      }
      ++taken_;
    }
  }

  const std::string greeting_;
  int socket_ = -1;
  std::string address_;
  std::vector<int> connections_;
  std::atomic<int> taken_ = 0;
  std::thread thread_;
};

class GrpcAdmissionTest : public testing::Test {
 protected:
  ~GrpcAdmissionTest() override { std::filesystem::remove_all(folder_); }

  void Make(GrpcAdmissionOptions options) {
    options.controller = "controller-1";
    options.report = [this](absl::string_view line) {
      absl::MutexLock lock(&mutex_);
      lines_.emplace_back(line);
    };
    admission_ = std::make_unique<GrpcAdmission>(std::move(options));
  }
  void Make() { Make({.address = address_, .settling = absl::ZeroDuration()}); }

  absl::StatusOr<Verdict> Ask(absl::Duration timeout = kPatience, const Question& question = {.call_id = "c-1"}) {
    absl::Notification answered;
    absl::StatusOr<Verdict> answer;
    admission_->Ask(question, timeout, [&](absl::StatusOr<Verdict> verdict) {
      answer = std::move(verdict);
      answered.Notify();
    });
    answered.WaitForNotification();
    return answer;
  }
  // Asks until the service is found.
  absl::StatusOr<Verdict> AskUntilDecided() {
    const absl::Time end = absl::Now() + kPatience;
    absl::StatusOr<Verdict> verdict = Ask();
    while (!verdict.ok() && absl::Now() < end) {
      absl::SleepFor(absl::Milliseconds(20));
      verdict = Ask();
    }
    return verdict;
  }
  std::vector<std::string> lines() {
    absl::MutexLock lock(&mutex_);
    return lines_;
  }

  // Below /tmp: the name of a socket has little room.
  std::string folder_ = "/tmp/sluice-rating-XXXXXX";
  const std::string address_ = absl::StrCat("unix:", mkdtemp(folder_.data()), "/rating.sock");
  absl::Mutex mutex_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<GrpcAdmission> admission_;
};

TEST_F(GrpcAdmissionTest, CarriesTheQuestionThereAndTheVerdictBack) {
  v1::AdmitCallRequest seen;
  RatingServer server(address_, [&](const v1::AdmitCallRequest& request, v1::AdmitCallResponse& response) {
    seen = request;
    if (request.dialled_number() == "0900") {
      response.mutable_refused()->set_sip_status(402);
      response.mutable_refused()->set_reason("No\r\ncredit");
    } else {
      response.mutable_admitted()->mutable_max_duration()->set_seconds(60);
    }
    return grpc::Status::OK;
  });
  Make();
  absl::StatusOr<Verdict> verdict = Ask(kPatience, {.call_id = "c-1", .payer = "2000", .dialled = "030"});
  ASSERT_TRUE(verdict.ok()) << verdict.status();
  EXPECT_EQ(*verdict, Verdict{.max_duration = absl::Seconds(60)});
  EXPECT_EQ(seen.controller(), "controller-1");
  EXPECT_EQ(seen.call_id(), "c-1");
  EXPECT_EQ(seen.account(), "2000");
  verdict = Ask(kPatience, {.call_id = "c-2", .payer = "2000", .dialled = "0900"});
  ASSERT_TRUE(verdict.ok()) << verdict.status();
  EXPECT_EQ(*verdict, (Verdict{.status = 402, .reason = "No  credit"}));
  const AdmissionStatistics statistics = admission_->Statistics();
  EXPECT_EQ(statistics.asked, 2u);
  EXPECT_EQ(statistics.admitted, 1u);
  EXPECT_EQ(statistics.refused, 1u);
  EXPECT_EQ(statistics.open, 0u);
  EXPECT_GT(statistics.verdict_time, absl::ZeroDuration());
  EXPECT_TRUE(lines().empty());
}

TEST_F(GrpcAdmissionTest, SaysOnceThatNobodyServesAndOnceThatSomebodyDoesAgain) {
  Make();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Ask().status().code(), absl::StatusCode::kUnavailable);
  ASSERT_EQ(lines().size(), 1u);
  EXPECT_TRUE(absl::StrContains(lines()[0], address_)) << lines()[0];
  EXPECT_EQ(admission_->Statistics().unavailable, 3u);
  {
    RatingServer server(address_, Admit);
    EXPECT_TRUE(AskUntilDecided().ok());
    EXPECT_TRUE(Ask().ok());
    ASSERT_EQ(lines().size(), 2u);
    EXPECT_TRUE(absl::StrContains(lines()[1], "decides again")) << lines()[1];
  }
  EXPECT_EQ(Ask().status().code(), absl::StatusCode::kUnavailable) << "it has stopped";
  EXPECT_EQ(lines().size(), 3u);
}

TEST_F(GrpcAdmissionTest, SaysNothingMoreWhileTheServiceComesAndGoes) {
  bool fails = true;
  RatingServer server(address_, [&](const v1::AdmitCallRequest& request, v1::AdmitCallResponse& response) {
    if (std::exchange(fails, !fails)) return grpc::Status(grpc::StatusCode::INTERNAL, "out of order");
    return Admit(request, response);
  });
  Make({.address = address_, .settling = absl::Hours(1)});
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(Ask().ok());
    EXPECT_TRUE(Ask().ok());
  }
  EXPECT_EQ(lines().size(), 1u);
}

TEST_F(GrpcAdmissionTest, WaitsForASlowServiceNoLongerThanItIsTold) {
  absl::Notification end;
  RatingServer server(address_, [&](const v1::AdmitCallRequest& request, v1::AdmitCallResponse& response) {
    if (request.call_id() == "slow") end.WaitForNotification();
    return Admit(request, response);
  });
  Make();
  const absl::Time begin = absl::Now();
  EXPECT_EQ(Ask(absl::Milliseconds(200), {.call_id = "slow"}).status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_GE(absl::Now() - begin, absl::Milliseconds(200));
  EXPECT_EQ(admission_->Statistics().timeouts, 1u);
  EXPECT_TRUE(Ask().ok()) << "others are answered";
  end.Notify();
}

TEST_F(GrpcAdmissionTest, TakesErrorsAndAnswersWithoutVerdictForNone) {
  RatingServer server(address_, [&](const v1::AdmitCallRequest& request, v1::AdmitCallResponse& response) {
    if (request.call_id() == "error") return grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "who are you");
    if (request.call_id() == "large") response.mutable_refused()->set_reason(std::string(1 << 20, 'x'));
    return grpc::Status::OK;
  });
  Make();
  for (const char* what : {"error", "empty", "large"}) {
    EXPECT_EQ(Ask(kPatience, {.call_id = what}).status().code(), absl::StatusCode::kInternal) << what;
  }
  EXPECT_EQ(admission_->Statistics().errors, 3u);
}

TEST_F(GrpcAdmissionTest, OutlivesWhatIsNoServiceAtAll) {
  const SilentServer server("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  Make({.address = server.address()});
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(Ask(absl::Milliseconds(300)).ok());
  EXPECT_EQ(lines().size(), 1u);
}

TEST_F(GrpcAdmissionTest, GivesUpAConnectionOnWhichNothingComes) {
  const SilentServer server;
  Make({.address = server.address(), .timeouts_until_anew = 3});
  const absl::Time end = absl::Now() + kPatience;
  while (server.connections() < 2 && absl::Now() < end) {
    EXPECT_EQ(Ask(absl::Milliseconds(50)).status().code(), absl::StatusCode::kDeadlineExceeded);
  }
  EXPECT_GE(server.connections(), 2);
  EXPECT_GE(admission_->Statistics().timeouts, 3u);
}

TEST_F(GrpcAdmissionTest, AsksNoMoreAtATimeThanItMay) {
  absl::Notification end;
  RatingServer server(address_, [&](const v1::AdmitCallRequest& request, v1::AdmitCallResponse& response) {
    end.WaitForNotification();
    return Admit(request, response);
  });
  Make({.address = address_, .most_open = 2});
  std::atomic<int> decided = 0;
  for (int i = 0; i < 2; ++i) {
    admission_->Ask({.call_id = "c"}, kPatience,
                    [&](const absl::StatusOr<Verdict>& verdict) { decided += verdict.ok(); });
  }
  EXPECT_EQ(Ask().status().code(), absl::StatusCode::kResourceExhausted) << "at once";
  EXPECT_EQ(admission_->Statistics().open, 2u);
  end.Notify();
  const absl::Time limit = absl::Now() + kPatience;
  while (decided < 2 && absl::Now() < limit) absl::SleepFor(absl::Milliseconds(5));
  EXPECT_EQ(decided, 2);
  EXPECT_TRUE(Ask().ok()) << "there is room again";
}

TEST_F(GrpcAdmissionTest, AnswersWhatIsOpenWhenItEnds) {
  absl::Notification came;
  absl::Notification end;
  RatingServer server(address_, [&](const v1::AdmitCallRequest& request, v1::AdmitCallResponse& response) {
    came.Notify();
    end.WaitForNotification();
    return Admit(request, response);
  });
  Make();
  absl::Status answer;
  admission_->Ask({.call_id = "c"}, kPatience,
                  [&](const absl::StatusOr<Verdict>& verdict) { answer = verdict.status(); });
  came.WaitForNotification();
  admission_.reset();
  EXPECT_EQ(answer.code(), absl::StatusCode::kCancelled);
  end.Notify();
}

}  // namespace
}  // namespace sluice::admission
