// A transport of the config in the words of the SIP core.
#ifndef SLUICE_SIGNALING_SERVICE_SIP_PROTOCOL_H_
#define SLUICE_SIGNALING_SERVICE_SIP_PROTOCOL_H_

#include "signaling/sip/hop.h"
#include "sluice/config/v1/controller_config.pb.h"

namespace sluice::service {

inline sip::Protocol ToProtocol(config::v1::SipTransport transport) {
  switch (transport) {
    case config::v1::SIP_TRANSPORT_TCP:
      return sip::Protocol::kTcp;
    case config::v1::SIP_TRANSPORT_TLS:
      return sip::Protocol::kTls;
    case config::v1::SIP_TRANSPORT_WS:
      return sip::Protocol::kWs;
    case config::v1::SIP_TRANSPORT_WSS:
      return sip::Protocol::kWss;
    default:
      return sip::Protocol::kUdp;
  }
}

}  // namespace sluice::service

#endif  // SLUICE_SIGNALING_SERVICE_SIP_PROTOCOL_H_
