// Reads a YAML file into a message of proto/sluice/config/v1, and remembers where each key stood.
//
// Keys are the field names. Scalars are read strictly by the field's type: durations as "50us", "2s", "1m", enums by
// the end of their name in lower case ("udp" for SIP_TRANSPORT_UDP). An unknown key, a key that stands twice, a value
// of another type or out of its range is an error. Every error reads "FILE:LINE: KEY: what is wrong; what is allowed",
// and validation that comes later (relay_config.h, controller_config.h) makes its errors in the same form by Error().
//
// Threads: one at a time.
#ifndef SLUICE_PROCESS_CONFIG_FILE_H_
#define SLUICE_PROCESS_CONFIG_FILE_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace google::protobuf {
class Message;
}

namespace sluice::process {

class ConfigFile {
 public:
  // NOT_FOUND or PERMISSION_DENIED for the file, INVALID_ARGUMENT for what is in it. `message` is cleared first.
  static absl::StatusOr<ConfigFile> Read(const std::string& path, google::protobuf::Message& message);

  // The same for a text; `path` is only named in errors.
  static absl::StatusOr<ConfigFile> ReadText(absl::string_view text, const std::string& path,
                                             google::protobuf::Message& message);

  // INVALID_ARGUMENT "FILE:LINE: KEY: text". A key that is not in the file is reported at the line of the nearest one
  // above it: "networks[0].addresses[1]", "networks[0].addresses", "networks[0]", ...
  absl::Status Error(absl::string_view key, absl::string_view text) const;

  const std::string& path() const { return path_; }

 private:
  explicit ConfigFile(std::string path) : path_(std::move(path)) {}

  friend class ConfigReader;

  std::string path_;
  // Full key to line, from 1.
  std::map<std::string, int, std::less<>> lines_;
};

}  // namespace sluice::process

#endif  // SLUICE_PROCESS_CONFIG_FILE_H_
