#include "signaling/service/cluster_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "process/controller_config.h"
#include "signaling/cluster/roster.h"

namespace sluice::service {
namespace {

using ::testing::HasSubstr;

constexpr char kListeners[] =
    "{transport: tls, address: \"198.18.1.1:5061\", certificate_file: c.pem, private_key_file: k.pem}, "
    "{transport: tcp, address: \"198.18.1.1:5060\"}, {transport: udp, address: \"198.18.1.1:5060\"}";

absl::StatusOr<std::optional<cluster::RedisClusterOptions>> Read(const std::string& text,
                                                                 const std::string& listeners = kListeners,
                                                                 const std::string& database = "c.db") {
  absl::StatusOr<std::optional<cluster::RedisClusterOptions>> options;
  const auto config = process::ReadControllerConfigText(
      absl::StrCat("name: c\nlisten: [\"unix:/run/c.sock\"]\nsip: {realm: example.net, shards: 2, listeners: [",
                   listeners, "]}\nrelays: [{name: r, address: \"unix:/run/r.sock\"}]\nstore: {sqlite_file: \"",
                   database, "\"}\n", text),
      "c.yaml", [&](const process::ConfigFile& file, const config::v1::ControllerConfig& checked) {
        options = ReadCluster(file, checked);
        return options.status();
      });
  if (!config.ok()) return config.status();
  return options;
}

std::string Place(const std::string& text, const std::string& listeners = kListeners) {
  const auto options = Read(text, listeners);
  if (!options.ok()) return options.status().ToString();
  return cluster::ToText((*options)->whereabouts);
}

TEST(ClusterConfig, IsTheOnlyOneUnlessTold) {
  const auto options = Read("");
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_FALSE(options->has_value());
}

TEST(ClusterConfig, ReadsWhereRedisIs) {
  const std::string secret = absl::StrCat(testing::TempDir(), "/redis-secret");
  std::ofstream(secret) << "word\n";
  const auto options = Read(absl::StrCat("cluster: {redis: \"198.18.0.5:6379\", username: u, password_file: \"", secret,
                                         "\", database: 3}\n"));
  ASSERT_TRUE(options.ok()) << options.status();
  ASSERT_TRUE(options->has_value());
  EXPECT_EQ((*options)->redis.address, "198.18.0.5:6379");
  EXPECT_EQ((*options)->redis.username, "u");
  EXPECT_EQ((*options)->redis.password, "word");
  EXPECT_EQ((*options)->redis.database, 3u);
  EXPECT_EQ((*options)->name, "c");
  EXPECT_EQ((*options)->shards, 2u);
}

TEST(ClusterConfig, SaysWhereOthersReachItsSip) {
  EXPECT_EQ(Place("cluster: {redis: \"1.2.3.4:5\"}\n"), "udp:198.18.1.1:5060");
  EXPECT_EQ(Place("cluster: {redis: \"1.2.3.4:5\"}\n", "{transport: tcp, address: \"[2001:db8::1]:5060\"}"),
            "tcp:[2001:db8::1]:5060");
  // The first one moves between controllers.
  EXPECT_EQ(Place("cluster: {redis: \"1.2.3.4:5\", sip_address: \"198.18.1.2:5060\"}\n",
                  "{transport: udp, address: \"198.18.1.9:5060\"}, {transport: udp, address: \"198.18.1.2:5060\"}"),
            "udp:198.18.1.2:5060");
  EXPECT_EQ(Place("cluster: {redis: \"1.2.3.4:5\", sip_address: \"198.18.1.2:5060\"}\n",
                  "{transport: udp, address: \"0.0.0.0:5060\"}"),
            "udp:198.18.1.2:5060");
  EXPECT_EQ(Place("cluster: {redis: \"1.2.3.4:5\"}\n",
                  "{transport: udp, address: \"0.0.0.0:5060\", advertised_address: \"198.18.1.3:5060\"}"),
            "udp:198.18.1.3:5060");
}

TEST(ClusterConfig, NamesTheKeyThatIsWrong) {
  const struct {
    std::string text;
    std::string error;
  } wrongs[] = {
      {"cluster: {database: 1}\n", "c.yaml:6: cluster.redis: is required"},
      {"cluster: {redis: redis.example}\n", "c.yaml:6: cluster.redis: is 'redis.example'; allowed: "},
      {"cluster: {redis: \"1.2.3.4:5\", username: u}\n", "c.yaml:6: cluster.username: wants password_file, too"},
      {"cluster: {redis: \"1.2.3.4:5\", password_file: /nowhere}\n",
       "c.yaml:6: cluster.password_file: cannot be read: /nowhere"},
      {"cluster: {redis: \"1.2.3.4:5\", sip_address: elsewhere}\n", "c.yaml:6: cluster.sip_address: "},
      {"cluster: {redis: \"1.2.3.4:5\", sip_address: \"198.18.1.1:5061\"}\n",
       "c.yaml:6: cluster.sip_address: '198.18.1.1:5061' is none of sip.listeners by udp or tcp"},
  };
  for (const auto& wrong : wrongs) {
    const auto options = Read(wrong.text);
    ASSERT_FALSE(options.ok()) << wrong.text;
    EXPECT_THAT(std::string(options.status().message()), HasSubstr(wrong.error));
  }
  const auto nowhere = Read("cluster: {redis: \"1.2.3.4:5\"}\n", "{transport: udp, address: \"0.0.0.0:5060\"}");
  EXPECT_THAT(std::string(nowhere.status().message()), HasSubstr("cluster.sip_address: is required where"));
  const auto forgetful = Read("cluster: {redis: \"1.2.3.4:5\"}\n", kListeners, ":memory:");
  EXPECT_THAT(std::string(forgetful.status().message()), HasSubstr("store.sqlite_file must be a file"));
}

}  // namespace
}  // namespace sluice::service
