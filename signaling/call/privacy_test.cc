#include "signaling/call/privacy.h"

#include "gtest/gtest.h"

namespace sluice::call {
namespace {

bool Hides(absl::string_view privacy) {
  sip::Message invite = sip::Message::Request("INVITE", "sip:b@example.org");
  invite.Add(sip::Header::kPrivacy, privacy);
  return HidesSender(invite);
}

TEST(Privacy, IsWantedByThoseWhoSayIdOrUser) {
  for (const absl::string_view privacy : {"id", "ID", "user", "header;id", "session ; user;critical", "header, id"}) {
    EXPECT_TRUE(Hides(privacy)) << privacy;
  }
  for (const absl::string_view privacy : {"", "none", "header", "session", "critical", "identity", "history"}) {
    EXPECT_FALSE(Hides(privacy)) << privacy;
  }
  EXPECT_FALSE(HidesSender(sip::Message::Request("INVITE", "sip:b@example.org")));
}

TEST(Privacy, IsWhatAnAnonymousAddressHas) {
  EXPECT_TRUE(IsAnonymous(sip::NameAddress::Parse(kAnonymous)->uri));
  EXPECT_TRUE(IsAnonymous(*sip::Uri::Parse("sip:anonymous@Anonymous.Invalid")));
  EXPECT_FALSE(IsAnonymous(*sip::Uri::Parse("sip:anonymous@example.org")));
}

}  // namespace
}  // namespace sluice::call
