#include "signaling/service/export_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "process/controller_config.h"

namespace sluice::service {
namespace {

using ::testing::HasSubstr;

constexpr char kRest[] =
    "name: c\n"
    "listen: [\"unix:/run/c.sock\"]\n"
    "sip: {realm: example.net, listeners: [{transport: udp, address: \"198.18.1.1:5060\"}]}\n"
    "relays: [{name: r, address: \"unix:/run/r.sock\"}]\n";

absl::StatusOr<Exports> Read(const std::string& text) {
  absl::StatusOr<Exports> exports;
  const auto config = process::ReadControllerConfigText(
      absl::StrCat(kRest, text), "c.yaml",
      [&](const process::ConfigFile& file, const config::v1::ControllerConfig& checked) {
        exports = ReadExports(file, checked);
        return exports.status();
      });
  if (!config.ok()) return config.status();
  return exports;
}

std::string SecretFile(const std::string& text) {
  const std::string path = absl::StrCat(testing::TempDir(), "/secret");
  std::ofstream(path) << text;
  return path;
}

TEST(ExportConfig, ExportsNothingUnlessTold) {
  const auto exports = Read("store: {sqlite_file: c.db}\n");
  ASSERT_TRUE(exports.ok()) << exports.status();
  EXPECT_FALSE(exports->hep.has_value());
  EXPECT_FALSE(exports->postgresql.has_value());
}

TEST(ExportConfig, ReadsTheCollectorAndWhatItGets) {
  const auto exports = Read(absl::StrCat(
      "store: {sqlite_file: c.db}\nhep: {collector: \"198.18.0.9:9060\", content: [quality], password_file: \"",
      SecretFile("secret\n"), "\"}\n"));
  ASSERT_TRUE(exports.ok()) << exports.status();
  ASSERT_TRUE(exports->hep.has_value());
  EXPECT_EQ(exports->hep->collector.ToString(), "198.18.0.9:9060");
  EXPECT_EQ(exports->hep->identity.capture_id, 2001u);
  EXPECT_EQ(exports->hep->identity.password, "secret");
  EXPECT_EQ(exports->hep->identity.node, "c");
  EXPECT_FALSE(exports->hep->sip);
  EXPECT_TRUE(exports->hep->quality);
}

TEST(ExportConfig, ReadsWherePostgresqlIs) {
  const auto exports =
      Read(absl::StrCat("store:\n  sqlite_file: c.db\n  postgresql: {connection: \"host=/run/postgresql "
                        "dbname=sluice\", password_file: \"",
                        SecretFile("word\n"), "\"}\n"));
  ASSERT_TRUE(exports.ok()) << exports.status();
  ASSERT_TRUE(exports->postgresql.has_value());
  EXPECT_EQ(exports->postgresql->connection, "host=/run/postgresql dbname=sluice");
  EXPECT_EQ(exports->postgresql->password, "word");
}

TEST(ExportConfig, NamesTheKeyThatIsWrong) {
  const struct {
    std::string text;
    std::string error;
  } wrongs[] = {
      {"store: {sqlite_file: c.db}\nhep: {collector: homer}\n", "c.yaml:6: hep.collector: "},
      {"store: {sqlite_file: c.db}\nhep: {content: [rtp]}\n",
       "c.yaml:6: hep.content[0]: is 'rtp'; allowed: sip, quality"},
      {"store: {sqlite_file: c.db}\nhep: {collector: \"198.18.0.9:9060\", password_file: /nowhere}\n",
       "hep.password_file: cannot be read: /nowhere"},
      {"store: {sqlite_file: \":memory:\", postgresql: {connection: dbname=x}}\n",
       "store.postgresql: wants records that are kept until they are copied"},
      {"store: {sqlite_file: c.db, postgresql: {connection: \"dbname=x password=y\"}}\n",
       "store.postgresql.connection: holds a password; allowed: password_file"},
      {"store: {sqlite_file: c.db, postgresql: {connection: \"database=x\"}}\n",
       "store.postgresql.connection: invalid connection option \"database\""},
  };
  for (const auto& wrong : wrongs) {
    EXPECT_THAT(std::string(Read(wrong.text).status().message()), HasSubstr(wrong.error));
  }
}

}  // namespace
}  // namespace sluice::service
