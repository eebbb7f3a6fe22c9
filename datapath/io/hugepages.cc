#include "datapath/io/hugepages.h"

#include <cstdint>
#include <fstream>

#include "absl/strings/str_format.h"

namespace sluice::io {
namespace {

constexpr unsigned kSmallMib = 2;

uint64_t ReadCount(const std::string& path) {
  std::ifstream file(path);
  uint64_t count = 0;
  file >> count;
  return file ? count : 0;
}

}  // namespace

absl::Status CheckHugepages(unsigned needed_mib, const std::string& folder) {
  const std::string small = folder + "/hugepages-2048kB/";
  const uint64_t free_mib = ReadCount(small + "free_hugepages") * kSmallMib +
                            ReadCount(folder + "/hugepages-1048576kB/free_hugepages") * 1024;
  if (free_mib >= needed_mib) return absl::OkStatus();
  const uint64_t pages = ReadCount(small + "nr_hugepages") + (needed_mib - free_mib + kSmallMib - 1) / kSmallMib;
  return absl::ResourceExhaustedError(absl::StrFormat(
      "datapath.hugepages: %u MiB are needed, %u MiB are free; reserve them with `sysctl vm.nr_hugepages=%u`, or set "
      "datapath.hugepages to false",
      needed_mib, free_mib, pages));
}

}  // namespace sluice::io
