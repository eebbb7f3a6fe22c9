#include "signaling/transport/tls_context.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "signaling/transport/test_certificates.h"

namespace sluice::transport {
namespace {

class TlsContextTest : public testing::Test {
 protected:
  static std::string Error(const TlsFiles& files) {
    const auto context = MakeTlsServer(files);
    return context.ok() ? "" : std::string(context.status().message());
  }

  TestCertificates certificates_;
  const TlsFiles good_ = certificates_.MakeFiles("server", "DNS:sip.example");
};

TEST_F(TlsContextTest, TakesFilesThatAreRight) {
  EXPECT_EQ(Error(good_), "");
  EXPECT_TRUE(MakeTlsClient({}).ok());
  EXPECT_TRUE(MakeTlsClient(good_).ok());
}

TEST_F(TlsContextTest, NamesTheFileAndWhatIsWrongWithIt) {
  const std::string garbage = certificates_.WriteFile("garbage.pem", "nothing of use\n");
  const std::string empty = certificates_.WriteFile("empty.pem", "");
  const std::string other = certificates_.MakeFiles("other", "").private_key_file;
  TlsFiles files = good_;
  files.certificate_file = "/nowhere/cert.pem";
  EXPECT_EQ(Error(files), "certificate_file '/nowhere/cert.pem': cannot be read: No such file or directory");
  files.certificate_file = empty;
  EXPECT_EQ(Error(files), absl::StrCat("certificate_file '", empty, "': cannot be read: it is empty"));
  files.certificate_file = garbage;
  EXPECT_EQ(Error(files), absl::StrCat("certificate_file '", garbage, "': holds no certificate in PEM"));
  files = good_;
  files.private_key_file = garbage;
  EXPECT_EQ(Error(files),
            absl::StrCat("private_key_file '", garbage, "': holds no private key in PEM without password"));
  files.private_key_file = other;
  EXPECT_EQ(Error(files), absl::StrCat("private_key_file '", other, "': is not the key of ", good_.certificate_file));
  files = good_;
  files.ca_file = garbage;
  EXPECT_EQ(Error(files), absl::StrCat("client_ca_file '", garbage, "': holds no certificate in PEM"));
}

TEST_F(TlsContextTest, NamesTheListenerOrTheClient) {
  const sip::Endpoint address = *sip::Endpoint::Parse("198.18.1.1:5061");
  const Listener udp = {.protocol = sip::Protocol::kUdp, .address = address};
  const Listener tls = {.protocol = sip::Protocol::kTls, .address = address, .tls = good_};
  const auto contexts = ReadTlsContexts({udp, tls}, {});
  ASSERT_TRUE(contexts.ok()) << contexts.status();
  EXPECT_EQ(contexts->servers.size(), 2u);
  EXPECT_EQ(contexts->servers[0], nullptr);
  EXPECT_NE(contexts->servers[1], nullptr);

  const Listener wrong = {.protocol = sip::Protocol::kWss, .address = address};
  EXPECT_EQ(ReadTlsContexts({wrong}, {}).status().message().substr(0, 47),
            "SIP listener 198.18.1.1:5061/wss: certificate_f");
  EXPECT_EQ(ReadTlsContexts({}, {.ca_file = "/nowhere"}).status().message(),
            "sip.tls_client: ca_file '/nowhere': cannot be read: No such file or directory");
}

}  // namespace
}  // namespace sluice::transport
