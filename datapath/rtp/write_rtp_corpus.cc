// Writes the corpora of rtp_fuzz and source_policy_fuzz: write_rtp_corpus FILE... takes one file an input, in order.

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "datapath/rtp/rtp_builder.h"

namespace {

using namespace sluice::rtp;
using Bytes = std::vector<uint8_t>;

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// A mode, then twenty packets of one source, in sequence and 1/64 s apart.
Bytes Packets(uint8_t mode, uint8_t source) {
  Bytes bytes = {mode};
  for (uint8_t i = 0; i < 20; ++i) bytes = bytes + Bytes{source, i, 0, 1};
  return bytes;
}

std::vector<Bytes> Inputs() {
  Bytes with_extension = RtpDatagram(96, 1, 2, 3, 20);
  with_extension[0] |= 0x10;
  with_extension[15] = 1;
  Bytes padded = RtpDatagram(0, 1, 2, 3, 20);
  padded[0] |= 0x20;
  padded.back() = 4;
  Bytes voip_metrics = {0x80, 207, 0, 10, 0, 0, 0, 1, 7, 0, 0, 8};
  voip_metrics.resize(44);
  const Bytes bye = {0x81, 203, 0, 1, 0, 0, 0, 1};
  std::vector<Bytes> inputs = {
      RtpDatagram(0, 1, 160, 1),
      RtpDatagram(101, 1, 160, 1, 4),
      with_extension,
      padded,
      SenderReport({.ssrc = 1, .ntp = 0x1234'5678'9abc'def0}, {{.ssrc = 2}, {.ssrc = 3}}) + bye,
      ReceiverReport(1, {{.ssrc = 2, .last_sender_report = 0x56789abc, .delay = 65536}}) + voip_metrics,
  };
  for (uint8_t mode = 0; mode < 4; ++mode) {
    for (const uint8_t source : {10, 1, 2, 13}) inputs.push_back(Packets(mode, source));
  }
  return inputs;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<Bytes> inputs = Inputs();
  if (argc - 1 != static_cast<int>(inputs.size())) {
    std::fprintf(stderr, "there are %zu inputs, and %d files were named\n", inputs.size(), argc - 1);
    return 1;
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    std::ofstream file(argv[i + 1], std::ios::binary);
    file.write(reinterpret_cast<const char*>(inputs[i].data()), static_cast<std::streamsize>(inputs[i].size()));
    if (!file) {
      std::fprintf(stderr, "cannot write %s\n", argv[i + 1]);
      return 1;
    }
  }
  return 0;
}
