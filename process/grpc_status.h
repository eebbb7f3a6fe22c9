// The one converter between absl::Status and grpc::Status. Their canonical codes are the same numbers.
#ifndef SLUICE_PROCESS_GRPC_STATUS_H_
#define SLUICE_PROCESS_GRPC_STATUS_H_

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace sluice::process {

grpc::Status ToGrpcStatus(const absl::Status& status);
absl::Status FromGrpcStatus(const grpc::Status& status);

}  // namespace sluice::process

#endif  // SLUICE_PROCESS_GRPC_STATUS_H_
