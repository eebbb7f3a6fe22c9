#include "signaling/service/store_claim.h"

#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice::service {
namespace {

std::string File(const std::string& name) { return testing::TempDir() + "/" + name; }

TEST(StoreClaim, IsOneControllersUntilItEnds) {
  const std::string file = File("claimed.db");
  absl::StatusOr<StoreClaim> first = StoreClaim::Take(file);
  ASSERT_TRUE(first.ok()) << first.status();
  const absl::StatusOr<StoreClaim> second = StoreClaim::Take(file);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(second.status().message()), testing::HasSubstr(file));
  EXPECT_TRUE(StoreClaim::Take(File("another.db")).ok());
  { const StoreClaim ended = *std::move(first); }
  EXPECT_TRUE(StoreClaim::Take(file).ok());
}

TEST(StoreClaim, IsNotNeededInMemory) {
  const absl::StatusOr<StoreClaim> first = StoreClaim::Take(":memory:");
  EXPECT_TRUE(first.ok());
  EXPECT_TRUE(StoreClaim::Take(":memory:").ok());
}

TEST(StoreClaim, LeavesAFileThatCannotBeOpenedToTheStore) {
  EXPECT_TRUE(StoreClaim::Take(File("no-such-folder/controller.db")).ok());
}

}  // namespace
}  // namespace sluice::service
