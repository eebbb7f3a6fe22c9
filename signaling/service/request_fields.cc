#include "signaling/service/request_fields.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace sluice::service {

namespace {

constexpr int32_t kDefaultPageSize = 100;
constexpr int32_t kMaxPageSize = 1000;
constexpr size_t kMaxIdBytes = 128;

}  // namespace

absl::StatusOr<size_t> PageSize(int32_t page_size) {
  if (page_size < 0) {
    return absl::InvalidArgumentError(absl::StrCat("page_size: ", page_size, " is negative; allowed are 1 to ",
                                                   kMaxPageSize, ", and 0 for ", kDefaultPageSize));
  }
  return static_cast<size_t>(page_size == 0 ? kDefaultPageSize : std::min(page_size, kMaxPageSize));
}

absl::Status CheckId(absl::string_view field, absl::string_view value) {
  if (value.empty() || value.size() > kMaxIdBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(field, ": has ", value.size(), " bytes, allowed are 1 to ", kMaxIdBytes));
  }
  return absl::OkStatus();
}

absl::StatusOr<absl::Time> TimeOf(absl::string_view field, const google::protobuf::Timestamp& timestamp) {
  if (timestamp.nanos() < 0 || timestamp.nanos() > 999'999'999) {
    return absl::InvalidArgumentError(
        absl::StrCat(field, ".nanos: ", timestamp.nanos(), " is not within 0 to 999999999"));
  }
  return absl::FromUnixSeconds(timestamp.seconds()) + absl::Nanoseconds(timestamp.nanos());
}

}  // namespace sluice::service
