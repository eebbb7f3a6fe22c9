#include "signaling/service/export_config.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "process/checks.h"
#include "signaling/sip/hop.h"

namespace sluice::service {
namespace {

bool Contains(const config::v1::HepConfig& hep, absl::string_view content) {
  return hep.content().empty() || std::find(hep.content().begin(), hep.content().end(), content) != hep.content().end();
}

}  // namespace

absl::StatusOr<Exports> ReadExports(const process::ConfigFile& file, const config::v1::ControllerConfig& config) {
  Exports exports;
  if (const auto& hep = config.hep(); !hep.collector().empty()) {
    absl::StatusOr<std::string> password = process::ReadSecret(file, "hep.password_file", hep.password_file());
    if (!password.ok()) return password.status();
    exports.hep = {.collector = *sip::Endpoint::Parse(hep.collector()),
                   .identity = {hep.capture_id(), *std::move(password), config.name()},
                   .sip = Contains(hep, "sip"),
                   .quality = Contains(hep, "quality")};
  }
  if (const auto& postgresql = config.store().postgresql(); !postgresql.connection().empty()) {
    if (std::string defect = store::PostgresConnectionDefect(postgresql.connection()); !defect.empty()) {
      return file.Error("store.postgresql.connection", defect);
    }
    absl::StatusOr<std::string> password =
        process::ReadSecret(file, "store.postgresql.password_file", postgresql.password_file());
    if (!password.ok()) return password.status();
    exports.postgresql.emplace();
    exports.postgresql->connection = postgresql.connection();
    exports.postgresql->password = *std::move(password);
  }
  return exports;
}

}  // namespace sluice::service
