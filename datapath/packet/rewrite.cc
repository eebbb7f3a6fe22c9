#include "datapath/packet/rewrite.h"

namespace sluice::packet {

RewriteAny MakeRewrite(const Endpoint& old_destination, const Endpoint& source, const Endpoint& destination,
                       uint8_t dscp) {
  RewriteAny rewrite;
  rewrite.source = source.address;
  rewrite.destination = destination.address;
  rewrite.source_port = BigEndian16(source.port);
  rewrite.destination_port = BigEndian16(destination.port);
  rewrite.traffic_class = static_cast<uint8_t>(dscp << 2);
  rewrite.udp_gain =
      Fold(Negate(SumOf(old_destination.address) + BigEndian16(old_destination.port).raw()) + SumOf(source.address) +
           SumOf(destination.address) + rewrite.source_port.raw() + rewrite.destination_port.raw());
  if (destination.address.is_v4()) {
    rewrite.ip_constant = Fold(ChecksumSum{BigEndian16(static_cast<uint16_t>(0x4500 | rewrite.traffic_class)).raw()} +
                               BigEndian16(kIpv4DontFragment).raw() +
                               BigEndian16(static_cast<uint16_t>(kEndpointHopLimit << 8 | kProtocolUdp)).raw() +
                               SumOf(source.address) + SumOf(destination.address));
  }
  return rewrite;
}

Rewrite4 MakeRewrite4(const Endpoint& old_destination, const Endpoint& source, const Endpoint& destination,
                      uint8_t dscp) {
  const RewriteAny any = MakeRewrite(old_destination, source, destination, dscp);
  Rewrite4 rewrite;
  rewrite.source = source.address.v4();
  rewrite.destination = destination.address.v4();
  rewrite.source_port = any.source_port;
  rewrite.destination_port = any.destination_port;
  rewrite.udp_gain = any.udp_gain;
  rewrite.ip_constant = any.ip_constant;
  rewrite.traffic_class = any.traffic_class;
  return rewrite;
}

bool IsUdpChecksumRight(const IpAddress& source, const IpAddress& destination, const uint8_t* datagram, size_t size) {
  uint16_t field;
  std::memcpy(&field, datagram + 6, sizeof(field));
  if (field == 0) return destination.is_v4();
  return field == FullUdpField(source, destination, datagram, size);
}

}  // namespace sluice::packet
