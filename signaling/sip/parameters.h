// ";name=value;flag" behind a header field's value, kept as written and edited in place.
//
// Names are compared in any case. Values are tokens, hosts or quoted strings (RFC 3261 25.1, generic-param).
#ifndef SLUICE_SIGNALING_SIP_PARAMETERS_H_
#define SLUICE_SIGNALING_SIP_PARAMETERS_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace sluice::sip {

class Parameters {
 public:
  Parameters() = default;

  // `text` is empty or begins with ';'. Nothing for an empty name, a quote without its end, or what is no parameter.
  static std::optional<Parameters> Parse(absl::string_view text);

  bool Has(absl::string_view name) const { return Get(name).has_value(); }
  // The value as written (quotes included); empty for a flag. Nothing: no such parameter. Valid until the next change.
  std::optional<absl::string_view> Get(absl::string_view name) const;
  // The value without quotes; empty for a flag and for what is not there.
  std::string GetText(absl::string_view name) const;

  // Replaces the value in place, or appends. An empty value makes a flag.
  void Set(absl::string_view name, absl::string_view value);
  void Remove(absl::string_view name);

  bool empty() const { return text_.empty(); }
  // Empty or from the first ';' on.
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// One parameter of a text that begins with ';'.
struct Parameter {
  absl::string_view name;
  // As written; empty for a flag.
  absl::string_view value;
  bool has_value = false;
};

// Takes the first parameter off `rest`. False at the end or at what is none; then `rest` is not empty.
bool NextParameter(absl::string_view& rest, Parameter& parameter);

// The value of `name` in ";a=b;c" without a Parameters of its own.
std::optional<absl::string_view> FindParameter(absl::string_view text, absl::string_view name);

}  // namespace sluice::sip

#endif  // SLUICE_SIGNALING_SIP_PARAMETERS_H_
