// Checks that relay and controller configs share. Each returns an error of ConfigFile::Error for `key`, or OK.
#ifndef SLUICE_PROCESS_CHECKS_H_
#define SLUICE_PROCESS_CHECKS_H_

#include <google/protobuf/duration.pb.h>

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "process/config_file.h"

namespace sluice::process {

// Address of a gRPC service: "unix:/absolute/path", "127.0.0.1:7081" or "[::1]:7081".
absl::Status CheckGrpcAddress(const ConfigFile& file, absl::string_view key, const std::string& value);

// "198.18.1.1:5060" or "[2001:db8::1]:5060"; a name only where `names` says so.
absl::Status CheckHostPort(const ConfigFile& file, absl::string_view key, const std::string& value, bool names);

// IPv4 or IPv6 in its usual form; 4 or 6. Nothing if it is neither.
std::optional<int> AddressFamily(const std::string& address);

// 1 to 64 bytes of [A-Za-z0-9._-]: names that stand in metrics, sessions and file names.
absl::Status CheckName(const ConfigFile& file, absl::string_view key, const std::string& value);

// Empty, or one of the words of spdlog that we take.
absl::Status CheckLogLevel(const ConfigFile& file, absl::string_view key, const std::string& value);

// The first line of the file of that name, which a key such as "password_file" gives. Empty where no file is named.
absl::StatusOr<std::string> ReadSecret(const ConfigFile& file, absl::string_view key, const std::string& path);

absl::Duration ToAbsl(const google::protobuf::Duration& duration);
google::protobuf::Duration ToProto(absl::Duration duration);

}  // namespace sluice::process

#endif  // SLUICE_PROCESS_CHECKS_H_
