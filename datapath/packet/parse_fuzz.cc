// Any bytes as a frame: nothing is read outside, and what is taken is consistent and can be rewritten.

#include <cstdlib>
#include <cstring>
#include <vector>

#include "datapath/packet/parse.h"
#include "datapath/packet/rewrite.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::packet;
  const ParsedPacket parsed = Parse(data, size);
  // Never another opinion.
  if (ParsedPacket ordinary; ParseOrdinary(data, size, ordinary) && ordinary != parsed) std::abort();
  if (parsed.verdict != DropReason::kNone) return 0;
  if (parsed.frame_size() > size || parsed.udp_size < sizeof(UdpHeader)) std::abort();

  const Endpoint local = {DestinationAddress(parsed, data), ReadUdp(parsed, data).destination_port.ToHost()};
  const IpAddress source = SourceAddress(parsed, data);
  const bool was_right = IsUdpChecksumRight(source, local.address, data + parsed.udp_offset, parsed.udp_size);
  for (const bool to_v4 : {true, false}) {
    const Endpoint from = *Endpoint::Parse(to_v4 ? "198.18.2.1:18582" : "[2001:db8:2::1]:18582");
    const Endpoint to = *Endpoint::Parse(to_v4 ? "198.18.2.9:50211" : "[2001:db8:2::9]:50211");
    constexpr size_t kHeadroom = 64;
    std::vector<uint8_t> buffer(kHeadroom);
    buffer.insert(buffer.end(), data, data + size);
    uint8_t* udp = &buffer[kHeadroom + parsed.udp_offset];
    uint8_t* ip = Apply(MakeRewrite(local, from, to, 46), parsed.is_v4, udp, parsed.udp_size);
    uint8_t* frame = WriteEthernet(0, 0, 0, to_v4, ip);
    const ParsedPacket again = Parse(frame, static_cast<size_t>(udp + parsed.udp_size - frame));
    if (again.verdict != DropReason::kNone || again.udp_size != parsed.udp_size) std::abort();
    if (IsUdpChecksumRight(from.address, to.address, udp, parsed.udp_size) != was_right) std::abort();
  }
  return 0;
}
