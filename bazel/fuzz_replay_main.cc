// main() of fuzz targets in builds without libFuzzer: runs every corpus file, and seeded mutations of each, through
// the target.
//
// The number of mutations is fixed and the generator's seed is the file's index, so a failure repeats. An input that
// makes the target crash is written to the test's temporary folder as `last_input`.

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <utility>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr int kMutationsPerFile = 1000;

// For the signal handler.
std::string* last_input = nullptr;
int last_input_file = -1;

// Only what a signal handler may call.
void KeepLastInput(int number) {
  if (last_input_file >= 0) (void)!write(last_input_file, last_input->data(), last_input->size());
  std::signal(number, SIG_DFL);
  std::raise(number);
}

void Run(std::string input) {
  *last_input = std::move(input);
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(last_input->data()), last_input->size());
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
  last_input = new std::string();
  if (const char* folder = std::getenv("TEST_TMPDIR")) {
    last_input_file =
        open((std::string(folder) + "/last_input").c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
  }
  std::signal(SIGABRT, KeepLastInput);
#ifndef __SANITIZE_ADDRESS__
  // ASan reports these itself, and aborts then (.bazelrc).
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) std::signal(number, KeepLastInput);
#endif
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
    Run(seeds[index]);
    for (int i = 0; i < kMutationsPerFile; ++i) Run(Mutate(seeds[index], random));
  }
  std::printf("%zu seeds, %d mutations each\n", seeds.size(), kMutationsPerFile);
  return 0;
}
