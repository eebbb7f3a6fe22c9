// Fields that many requests have, checked in one way: the message names the field and what is allowed.
#ifndef SLUICE_SIGNALING_SERVICE_REQUEST_FIELDS_H_
#define SLUICE_SIGNALING_SERVICE_REQUEST_FIELDS_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"

namespace sluice::service {

// 0: 100; more than 1000: 1000 (AIP-158).
absl::StatusOr<size_t> PageSize(int32_t page_size);

// A name of somebody else's making that has to be there, of at most 128 bytes.
absl::Status CheckId(absl::string_view field, absl::string_view value);

absl::StatusOr<absl::Time> TimeOf(absl::string_view field, const google::protobuf::Timestamp& timestamp);

}  // namespace sluice::service

#endif  // SLUICE_SIGNALING_SERVICE_REQUEST_FIELDS_H_
