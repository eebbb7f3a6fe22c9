#include "signaling/call/session_id.h"

#include "gtest/gtest.h"

namespace sluice::call {
namespace {

TEST(SessionId, IsReadAndWritten) {
  const absl::string_view text = "ab30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2";
  const std::optional<SessionId> id = SessionId::Parse(text);
  ASSERT_TRUE(id.has_value());
  EXPECT_EQ(id->local, (SessionUuid{0xab30317f1a784dc4, 0x8ff824d0d3715d86}));
  EXPECT_EQ(id->remote, (SessionUuid{0x47755a9de7794ba3, 0x87653f2099600ef2}));
  EXPECT_EQ(id->ToString(), text);
  EXPECT_EQ((SessionId{{1, 2}, SessionUuid()}.ToString()),
            "00000000000000010000000000000002;remote=00000000000000000000000000000000");
}

TEST(SessionId, IsReadAsItWasWrittenBeforeRfc7989) {
  const std::optional<SessionId> id = SessionId::Parse("F81D4FAE7DEC11D0A76500A0C91E6BF6 ;x=y");
  ASSERT_TRUE(id.has_value());
  EXPECT_EQ(id->local, (SessionUuid{0xf81d4fae7dec11d0, 0xa76500a0c91e6bf6}));
  EXPECT_FALSE(id->remote.has_value());
  EXPECT_EQ(id->ToString(), "f81d4fae7dec11d0a76500a0c91e6bf6");
}

TEST(SessionId, IsNoneWithoutTheUuidOfItsSender) {
  for (const absl::string_view value :
       {"", "aaaa;remote=0000", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "f81d4fae7dec11d0a76500a0c91e6bf60",
        "f81d4fae7dec11d0a76500a0c91e6bfg", ";remote=47755a9de7794ba387653f2099600ef2",
        "+81d4fae7dec11d0a76500a0c91e6bf6"}) {
    EXPECT_FALSE(SessionId::Parse(value).has_value()) << value;
  }
}

TEST(SessionUuid, IsOfVersionFourWhenItIsMade) {
  EXPECT_EQ((SessionId{SessionUuid::OfRandom(0, 0), std::nullopt}.ToString()), "00000000000040008000000000000000");
  EXPECT_EQ((SessionId{SessionUuid::OfRandom(~0ull, ~0ull), std::nullopt}.ToString()),
            "ffffffffffff4fffbfffffffffffffff");
}

}  // namespace
}  // namespace sluice::call
