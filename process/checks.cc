#include "process/checks.h"

#include <arpa/inet.h>

#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace sluice::process {
namespace {

constexpr absl::string_view kGrpcAddressForms = "unix:/path/to.sock, 127.0.0.1:7081 or [::1]:7081";
// sockaddr_un::sun_path with its final zero.
constexpr size_t kMaxSocketPath = 107;

bool IsHostName(absl::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  for (char c : text) {
    if (!absl::ascii_isalnum(c) && c != '-' && c != '.') return false;
  }
  return true;
}

}  // namespace

std::optional<int> AddressFamily(const std::string& address) {
  in6_addr buffer;
  if (inet_pton(AF_INET, address.c_str(), &buffer) == 1) return 4;
  if (inet_pton(AF_INET6, address.c_str(), &buffer) == 1) return 6;
  return std::nullopt;
}

absl::Status CheckHostPort(const ConfigFile& file, absl::string_view key, const std::string& value, bool names) {
  const absl::Status wrong = file.Error(key, absl::StrCat("'", value,
                                                          "' is not an address with a port; allowed: "
                                                          "198.18.1.1:5060, [2001:db8::1]:5060",
                                                          names ? ", sip.example.org:5060" : ""));
  const size_t colon = value.rfind(':');
  if (colon == std::string::npos) return wrong;
  std::string host = value.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const std::optional<int> family = AddressFamily(host);
  if (bracketed != (family == 6)) return wrong;
  if (!family && !(names && IsHostName(host))) return wrong;
  uint32_t port = 0;
  if (!absl::SimpleAtoi(value.substr(colon + 1), &port) || port < 1 || port > 65535) {
    return file.Error(key, absl::StrCat("'", value, "' has no port from 1 to 65535"));
  }
  return absl::OkStatus();
}

absl::Status CheckGrpcAddress(const ConfigFile& file, absl::string_view key, const std::string& value) {
  if (!absl::StartsWith(value, "unix:")) {
    if (CheckHostPort(file, key, value, true).ok()) return absl::OkStatus();
    return file.Error(key, absl::StrCat("'", value, "' is not an address; allowed: ", kGrpcAddressForms));
  }
  const std::string path = value.substr(5);
  if (path.empty() || path.front() != '/') {
    return file.Error(key, absl::StrCat("'", value, "' wants an absolute path; allowed: ", kGrpcAddressForms));
  }
  if (path.size() > kMaxSocketPath) {
    return file.Error(key, absl::StrCat("the path has ", path.size(), " bytes; allowed: ", kMaxSocketPath));
  }
  return absl::OkStatus();
}

absl::Status CheckName(const ConfigFile& file, absl::string_view key, const std::string& value) {
  bool good = !value.empty() && value.size() <= 64;
  for (char c : value) good = good && (absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-');
  if (good) return absl::OkStatus();
  return file.Error(key, absl::StrCat(value.empty() ? "is required" : absl::StrCat("'", value, "' is not a name"),
                                      "; allowed: 1 to 64 letters, digits, '.', '_' and '-'"));
}

absl::Status CheckLogLevel(const ConfigFile& file, absl::string_view key, const std::string& value) {
  for (absl::string_view word : {"", "trace", "debug", "info", "warning", "error"}) {
    if (value == word) return absl::OkStatus();
  }
  return file.Error(key, absl::StrCat("'", value, "' is not allowed; allowed: trace, debug, info, warning, error"));
}

absl::StatusOr<std::string> ReadSecret(const ConfigFile& file, absl::string_view key, const std::string& path) {
  std::string secret;
  if (path.empty()) return secret;
  std::ifstream stream(path);
  if (!stream || !std::getline(stream, secret)) return file.Error(key, absl::StrCat("cannot be read: ", path));
  if (absl::EndsWith(secret, "\r")) secret.pop_back();
  if (secret.empty()) return file.Error(key, absl::StrCat("has an empty first line: ", path));
  return secret;
}

absl::Duration ToAbsl(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

google::protobuf::Duration ToProto(absl::Duration duration) {
  google::protobuf::Duration out;
  out.set_seconds(absl::ToInt64Seconds(duration));
  out.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(duration % absl::Seconds(1))));
  return out;
}

}  // namespace sluice::process
