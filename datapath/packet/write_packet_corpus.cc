// Writes the packet fixtures as files, the corpus of parse_fuzz: write_packet_corpus FILE... takes one file a fixture,
// in order. More files than fixtures repeat them.

#include <cstdio>
#include <fstream>

#include "datapath/packet/packet_fixtures.h"

int main(int argc, char** argv) {
  const auto& fixtures = sluice::packet::PacketFixtures();
  for (int i = 1; i < argc; ++i) {
    const auto& frame = fixtures[static_cast<size_t>(i - 1) % fixtures.size()].frame;
    std::ofstream file(argv[i], std::ios::binary);
    file.write(reinterpret_cast<const char*>(frame.data()), static_cast<std::streamsize>(frame.size()));
    if (!file) {
      std::fprintf(stderr, "cannot write %s\n", argv[i]);
      return 1;
    }
  }
  return 0;
}
