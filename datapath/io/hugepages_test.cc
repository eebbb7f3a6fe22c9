#include "datapath/io/hugepages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace sluice::io {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// A folder like the kernel's.
std::string FolderWith(const std::string& test, unsigned small_free, unsigned small_all, unsigned large_free) {
  const std::string folder = ::testing::TempDir() + "/" + test;
  for (const auto& [size, free, all] :
       {std::tuple("2048kB", small_free, small_all), std::tuple("1048576kB", large_free, large_free)}) {
    const std::string pages = folder + "/hugepages-" + size;
    std::filesystem::create_directories(pages);
    std::ofstream(pages + "/free_hugepages") << free << "\n";
    std::ofstream(pages + "/nr_hugepages") << all << "\n";
  }
  return folder;
}

TEST(Hugepages, EnoughSmallOnesAreEnough) { EXPECT_TRUE(CheckHugepages(1024, FolderWith("small", 512, 512, 0)).ok()); }

TEST(Hugepages, LargeOnesCountToo) { EXPECT_TRUE(CheckHugepages(1024, FolderWith("large", 0, 0, 1)).ok()); }

TEST(Hugepages, TooFewAreAnErrorThatSaysHowToReserveTheRest) {
  const auto status = CheckHugepages(1024, FolderWith("few", 100, 300, 0));
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("1024 MiB are needed, 200 MiB are free"), HasSubstr("sysctl vm.nr_hugepages=712")));
}

TEST(Hugepages, AKernelWithoutAnyHasNone) {
  EXPECT_THAT(std::string(CheckHugepages(2, "/nonexistent").message()), HasSubstr("0 MiB are free"));
}

}  // namespace
}  // namespace sluice::io
