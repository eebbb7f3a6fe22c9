// Another place where call records are kept, beside the store.
#ifndef SLUICE_SIGNALING_STORE_RECORD_SINK_H_
#define SLUICE_SIGNALING_STORE_RECORD_SINK_H_

#include <vector>

#include "absl/status/statusor.h"
#include "signaling/store/call_record.h"

namespace sluice::store {

class RecordSink {
 public:
  virtual ~RecordSink() = default;

  // Writes all but those that it can never hold, which it answers, or fails; a record that is there already is no
  // error. Waits for the sink.
  virtual absl::StatusOr<std::vector<RefusedCallRecord>> Write(const std::vector<CallRecord>& records) = 0;
};

}  // namespace sluice::store

#endif  // SLUICE_SIGNALING_STORE_RECORD_SINK_H_
