// The XDP program of an AF_XDP interface: media goes to the relay, everything else to the kernel.
//
// How it works. The frame's first bytes are copied to the stack and given to packet::Parse, the very function that
// workers parse with, so the two cannot disagree. A datagram to one of the relay's media addresses, to a port in the
// range of that address, is redirected to the AF_XDP socket of the queue it came by; if there is none (the relay is
// gone, or was killed), and for everything else, the frame goes on into the kernel.
//
// `media_ranges` is empty until the relay fills it, so attaching the program takes nothing from anybody.
//
// Compiled for the BPF virtual machine: no floating point, 512 bytes of stack, all of it inlined into one function.

#include <linux/bpf.h>

#include "datapath/io/xdp/media_range_map.h"
#include "datapath/packet/parse.h"

namespace sluice {
namespace {

// Helpers of the kernel are called by number. (libbpf's own declarations of them are C only.)
void* (*const bpf_map_lookup_elem)(void* map, const void* key) =
    reinterpret_cast<void* (*)(void*, const void*)>(BPF_FUNC_map_lookup_elem);
long (*const bpf_redirect_map)(void* map, __u64 key,
                               __u64 flags) = reinterpret_cast<long (*)(void*, __u64, __u64)>(BPF_FUNC_redirect_map);
long (*const bpf_xdp_load_bytes)(xdp_md* context, __u32 offset, void* to, __u32 size) =
    reinterpret_cast<long (*)(xdp_md*, __u32, void*, __u32)>(BPF_FUNC_xdp_load_bytes);

// What Parse looks at is in the first 66 bytes: Ethernet with a tag, IPv6, UDP.
constexpr __u64 kHeadSize =
    sizeof(packet::EthernetHeader) + sizeof(packet::VlanTag) + sizeof(packet::Ipv6Header) + sizeof(packet::UdpHeader);

}  // namespace

// Maps in libbpf's way: their properties are the types of pointers, which libbpf reads from the type information.
#define MAP __attribute__((section(".maps"), used))

extern "C" {

// The AF_XDP socket of each queue. DPDK's driver fills it, and knows it by this name.
struct {
  int (*type)[BPF_MAP_TYPE_XSKMAP];
  int (*max_entries)[io::kMaxXdpQueues];
  __u32* key;
  __u32* value;
} xsks_map MAP;

struct {
  int (*type)[BPF_MAP_TYPE_HASH];
  int (*max_entries)[io::kMaxMediaRanges];
  io::MediaRangeKey* key;
  io::MediaRangePorts* value;
} media_ranges MAP;

__attribute__((section("xdp"), used)) int sluice_media(xdp_md* context) {
  const __u64 frame_size = context->data_end - context->data;
  const __u64 size = frame_size < kHeadSize ? frame_size : kHeadSize;
  __u8 head[kHeadSize] = {};
  if (size == 0 || bpf_xdp_load_bytes(context, 0, head, size) != 0) return XDP_PASS;
  const packet::ParsedPacket parsed = packet::Parse(head, size, frame_size);
  if (parsed.verdict != packet::DropReason::kNone) return XDP_PASS;

  const packet::IpAddress address = packet::DestinationAddress(parsed, head);
  const io::MediaRangeKey key = {address.raw_high(), address.raw_low()};
  const auto* ports = static_cast<const io::MediaRangePorts*>(bpf_map_lookup_elem(&media_ranges, &key));
  if (ports == nullptr) return XDP_PASS;
  const __u16 port = packet::ReadUdp(parsed, head).destination_port.ToHost();
  if (port < ports->first || port > ports->last) return XDP_PASS;
  return static_cast<int>(bpf_redirect_map(&xsks_map, context->rx_queue_index, XDP_PASS));
}

// The helpers above are the kernel's for programs under its licence only.
char media_filter_license[] __attribute__((section("license"), used)) = "Dual BSD/GPL";

}  // extern "C"
}  // namespace sluice
