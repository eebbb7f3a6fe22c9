#include "signaling/service/trunk_tls_config.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "process/controller_config.h"
#include "signaling/transport/test_certificates.h"

namespace sluice::service {
namespace {

absl::StatusOr<transport::TrunkTlsContexts> Read(const std::string& trunks) {
  transport::TrunkTlsContexts contexts;
  const auto config = process::ReadControllerConfigText(
      "name: c\nlisten: [\"unix:/c.sock\"]\nrelays: [{name: r, address: \"unix:/r.sock\"}]\n"
      "store: {sqlite_file: \":memory:\"}\n"
      "sip: {realm: r, listeners: [{transport: udp, address: \"198.18.1.1:5060\"}]}\n"
      "trunks:\n" +
          trunks,
      "test.yaml", [&](const process::ConfigFile& file, const config::v1::ControllerConfig& config) {
        auto read = ReadTrunkTls(file, config);
        if (read.ok()) contexts = *read;
        return read.status();
      });
  if (!config.ok()) return config.status();
  return contexts;
}

std::string Error(const std::string& trunks) { return std::string(Read(trunks).status().message()); }

TEST(TrunkTlsConfig, ReadsTheFilesOfTrunksThatHaveTheirOwn) {
  transport::TestCertificates certificates;
  const transport::TlsFiles files = certificates.MakeFiles("blue", "DNS:blue.example");
  const auto contexts = Read(absl::StrCat("- {name: plain}\n- {name: blue, tls: {certificate_file: \"",
                                          files.certificate_file, "\", private_key_file: \"", files.private_key_file,
                                          "\", ca_file: \"", files.ca_file, "\"}}\n- {name: bare, tls: {}}\n"));
  ASSERT_TRUE(contexts.ok()) << contexts.status();
  EXPECT_EQ(contexts->size(), 2u);
  ASSERT_TRUE(contexts->contains("blue"));
  EXPECT_NE(SSL_CTX_get0_certificate(contexts->at("blue")->native_handle()), nullptr);
  ASSERT_TRUE(contexts->contains("bare"));
  EXPECT_EQ(SSL_CTX_get0_certificate(contexts->at("bare")->native_handle()), nullptr) << "nothing is inherited";
}

TEST(TrunkTlsConfig, NamesTheTrunkAndTheFileThatIsWrong) {
  transport::TestCertificates certificates;
  EXPECT_EQ(Error("- {name: blue}\n- {name: green, tls: {ca_file: /nowhere/ca.pem}}\n"),
            "test.yaml:8: trunks[1].tls: of trunk 'green': ca_file '/nowhere/ca.pem': cannot be read: No such file or "
            "directory");
  const transport::TlsFiles blue = certificates.MakeFiles("blue", "");
  const transport::TlsFiles green = certificates.MakeFiles("green", "");
  EXPECT_EQ(Error(absl::StrCat("- {name: blue, tls: {certificate_file: \"", blue.certificate_file,
                               "\", private_key_file: \"", green.private_key_file, "\"}}\n")),
            absl::StrCat("test.yaml:7: trunks[0].tls: of trunk 'blue': private_key_file '", green.private_key_file,
                         "': is not the key of ", blue.certificate_file));
  for (const std::string key : {"certificate_file", "private_key_file"}) {
    EXPECT_TRUE(absl::StrContains(Error("- {name: blue, tls: {" + key + ": blue.pem}}\n"),
                                  "trunks[0].tls: certificate_file and private_key_file are set together"))
        << key;
  }
}

}  // namespace
}  // namespace sluice::service
