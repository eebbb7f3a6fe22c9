#include "signaling/transport/tls_identity.h"

#include "gtest/gtest.h"
#include "signaling/transport/test_certificates.h"

namespace sluice::transport {
namespace {

struct Case {
  const char* description;
  const char* common_name;
  const char* names;
  const char* asked;
  bool speaks;
};

class TlsIdentity : public testing::TestWithParam<Case> {};

TEST_P(TlsIdentity, IsThatOfRfc5922) {
  const Case& c = GetParam();
  TestCertificates certificates;
  EXPECT_EQ(SpeaksFor(certificates.Make(c.common_name, c.names).certificate.get(), c.asked), c.speaks) << c.description;
}

INSTANTIATE_TEST_SUITE_P(
    All, TlsIdentity,
    testing::Values(Case{"a SIP URI", "x", "URI:sip:example.net", "example.net", true},
                    Case{"in other letters", "x", "URI:sip:Example.NET", "EXAMPLE.net", true},
                    Case{"a DNS name", "x", "DNS:example.net", "example.net", true},
                    Case{"a SIP URI makes DNS names void", "x", "URI:sip:other.net,DNS:example.net", "example.net",
                         false},
                    Case{"a user is no domain", "x", "URI:sip:anna@example.net", "example.net", false},
                    Case{"wildcards do not count", "x", "DNS:*.example.net", "sip.example.net", false},
                    Case{"a subdomain is another domain", "x", "DNS:sip.example.net", "example.net", false},
                    Case{"the common name where there is nothing else", "example.net", "", "example.net", true},
                    Case{"the common name beside other names", "example.net", "DNS:other.net", "example.net", false},
                    Case{"an address", "x", "IP:198.18.1.1", "198.18.1.1", true},
                    Case{"an address of IPv6", "x", "IP:2001:db8::1", "2001:db8::1", true},
                    Case{"another address", "x", "IP:198.18.1.1", "198.18.1.2", false},
                    Case{"an address as a name", "198.18.1.1", "DNS:198.18.1.1", "198.18.1.1", false}));

}  // namespace
}  // namespace sluice::transport
