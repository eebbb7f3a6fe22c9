#include "process/utf8.h"

#include <google/protobuf/stubs/common.h>

namespace sluice::process {

std::string ToUtf8(const std::string& text) {
  std::string room(text.size(), '\0');
  const char* valid = google::protobuf::internal::UTF8CoerceToStructurallyValid(text, room.data(), '?');
  return std::string(valid, text.size());
}

}  // namespace sluice::process
