// main() of fuzz targets in builds without libFuzzer: runs every corpus file, and seeded mutations of each, through
// the target.
//
// The number of mutations is fixed and the generator's seed is the file's index, so a failure repeats. Each input is
// written to the test's temporary folder before it runs, so that it is there after a crash.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr int kMutationsPerFile = 1000;

void Run(const std::string& input, const std::string& last_input_path) {
  if (!last_input_path.empty()) std::ofstream(last_input_path, std::ios::binary) << input;
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

std::string Mutate(const std::string& seed, std::mt19937_64& random) {
  std::string input = seed;
  const int edits = 1 + static_cast<int>(random() % 6);
  for (int i = 0; i < edits; ++i) {
    const size_t at = input.empty() ? 0 : random() % input.size();
    switch (random() % 6) {
      case 0:
        if (!input.empty()) input[at] = static_cast<char>(random());
        break;
      case 1:
        if (!input.empty()) input[at] = static_cast<char>(input[at] ^ (1 << (random() % 8)));
        break;
      case 2:
        input.insert(at, 1 + random() % 4, static_cast<char>(random()));
        break;
      case 3:
        input.erase(at, 1 + random() % 8);
        break;
      case 4:
        input.insert(at, input.substr(input.empty() ? 0 : random() % input.size(), random() % 32));
        break;
      default:
        input.resize(at);
        break;
    }
  }
  return input;
}

}  // namespace

int main(int argc, char** argv) {
  const char* folder = std::getenv("TEST_TMPDIR");
  const std::string last_input_path = folder ? std::string(folder) + "/last_input" : "";
  std::vector<std::string> seeds = {""};  // The empty input is always one.
  for (int i = 1; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    if (!file) {
      std::fprintf(stderr, "cannot read corpus file %s\n", argv[i]);
      return 2;
    }
    seeds.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  for (size_t index = 0; index < seeds.size(); ++index) {
    std::mt19937_64 random(index);
    Run(seeds[index], last_input_path);
    for (int i = 0; i < kMutationsPerFile; ++i) Run(Mutate(seeds[index], random), last_input_path);
  }
  std::printf("%zu seeds, %d mutations each\n", seeds.size(), kMutationsPerFile);
  return 0;
}
