#include "process/metrics_endpoint.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <prometheus/metric_family.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"

namespace sluice::process {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// The whole answer of an HTTP/1.0 GET.
std::string Get(const std::string& address, const std::string& path) {
  int port = 0;
  EXPECT_TRUE(absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port));
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof(to)), 0);
  const std::string request = "GET " + path + " HTTP/1.0\r\n\r\n";
  EXPECT_EQ(send(fd, request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
  std::string answer;
  char buffer[4096];
  for (ssize_t size = 0; (size = recv(fd, buffer, sizeof(buffer), 0)) > 0;) {
    answer.append(buffer, static_cast<size_t>(size));
  }
  close(fd);
  return answer;
}

TEST(MetricsEndpoint, MakesTheFamiliesAfreshAtEachScrape) {
  int scrapes = 0;
  const auto endpoint = MetricsEndpoint::Start("127.0.0.1:0", [&scrapes] {
    prometheus::MetricFamily packets = CounterFamily("sluice_packets_total", "Packets.");
    AddSample(packets, ++scrapes, {{"reason", "no_flow"}});
    return std::vector<prometheus::MetricFamily>{packets};
  });
  ASSERT_TRUE(endpoint.ok()) << endpoint.status();
  const std::string first = Get((*endpoint)->address(), "/metrics");
  EXPECT_THAT(first, StartsWith("HTTP/1."));
  EXPECT_THAT(first, HasSubstr("# TYPE sluice_packets_total counter\nsluice_packets_total{reason=\"no_flow\"} 1\n"));
  EXPECT_THAT(Get((*endpoint)->address(), "/metrics"), HasSubstr("{reason=\"no_flow\"} 2\n"));
}

TEST(MetricsEndpoint, SaysWhichAddressIsHeld) {
  const auto first = MetricsEndpoint::Start("127.0.0.1:0", [] { return std::vector<prometheus::MetricFamily>(); });
  ASSERT_TRUE(first.ok()) << first.status();
  const auto second =
      MetricsEndpoint::Start((*first)->address(), [] { return std::vector<prometheus::MetricFamily>(); });
  EXPECT_TRUE(absl::IsAlreadyExists(second.status())) << second.status();
  EXPECT_THAT(std::string(second.status().message()), HasSubstr("cannot serve metrics on " + (*first)->address()));
}

}  // namespace
}  // namespace sluice::process
