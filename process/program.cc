#include "process/program.h"

#include <cstdio>

namespace sluice::process {

int Fail(absl::string_view program, int status, absl::string_view text) {
  std::fprintf(stderr, "%s\n", absl::StrCat(program, ": ", text).c_str());
  return status;
}

int Say(absl::string_view line) {
  std::printf("%s\n", std::string(line).c_str());
  return kDone;
}

}  // namespace sluice::process
