// How a route changes a number: so many characters go from the front, others take their place.
//
// Threads: any; a value.
#ifndef SLUICE_SIGNALING_ROUTING_NUMBER_REWRITE_H_
#define SLUICE_SIGNALING_ROUTING_NUMBER_REWRITE_H_

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace sluice::routing {

struct NumberRewrite {
  uint32_t strip = 0;
  std::string prepend;

  // A number that is shorter than `strip` is taken away whole.
  std::string Apply(absl::string_view number) const {
    number.remove_prefix(number.size() < strip ? number.size() : strip);
    return absl::StrCat(prepend, number);
  }
};

}  // namespace sluice::routing

#endif  // SLUICE_SIGNALING_ROUTING_NUMBER_REWRITE_H_
