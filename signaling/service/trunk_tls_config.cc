#include "signaling/service/trunk_tls_config.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace sluice::service {

absl::StatusOr<transport::TrunkTlsContexts> ReadTrunkTls(const process::ConfigFile& file,
                                                         const config::v1::ControllerConfig& config) {
  transport::TrunkTlsContexts contexts;
  for (int i = 0; i < config.trunks_size(); ++i) {
    const config::v1::TrunkConfig& trunk = config.trunks(i);
    if (!trunk.has_tls()) continue;
    const config::v1::TlsClientConfig& tls = trunk.tls();
    const std::string key = absl::StrCat("trunks[", i, "].tls");
    if (tls.certificate_file().empty() != tls.private_key_file().empty())
      return file.Error(key, "certificate_file and private_key_file are set together or not at all");
    absl::StatusOr<transport::TlsContext> context =
        transport::MakeTlsClient({.certificate_file = tls.certificate_file(),
                                  .private_key_file = tls.private_key_file(),
                                  .ca_file = tls.ca_file()});
    if (!context.ok())
      return file.Error(key, absl::StrCat("of trunk '", trunk.name(), "': ", context.status().message()));
    contexts[trunk.name()] = *std::move(context);
  }
  return contexts;
}

}  // namespace sluice::service
