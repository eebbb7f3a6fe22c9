#include "signaling/call/session_body.h"

#include <optional>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "signaling/call/header_passing.h"

namespace sluice::call {
namespace {

bool IsSdp(absl::string_view content_type) {
  const std::optional<sip::MediaType> type = sip::MediaType::Parse(content_type);
  return type && type->Is("application", "sdp");
}

// Takes the next line off `rest`, without its end.
absl::string_view NextLine(absl::string_view& rest) {
  const size_t feed = rest.find('\n');
  absl::string_view line = rest.substr(0, feed);
  rest.remove_prefix(feed == absl::string_view::npos ? rest.size() : feed + 1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

// The content of `part` (fields, empty line, content) if it is SDP. A part without Content-Type is text.
absl::string_view SdpOfPart(absl::string_view part) {
  bool is_sdp = false;
  while (!part.empty()) {
    const absl::string_view line = NextLine(part);
    if (line.empty()) return is_sdp ? part : absl::string_view();
    const size_t colon = line.find(':');
    if (colon == absl::string_view::npos) return absl::string_view();
    const absl::string_view name = absl::StripAsciiWhitespace(line.substr(0, colon));
    if (absl::EqualsIgnoreCase(name, "Content-Type")) is_sdp = IsSdp(line.substr(colon + 1));
  }
  return absl::string_view();
}

// RFC 2046 5.1.1: parts stand between lines that begin with "--" and the boundary; the line end before such a line
// belongs to it.
absl::string_view SdpOfMultipart(absl::string_view body, absl::string_view boundary) {
  if (boundary.empty()) return absl::string_view();
  const std::string delimiter = absl::StrCat("--", boundary);
  size_t begin = body.find(delimiter);
  while (begin != absl::string_view::npos) {
    begin = body.find('\n', begin);
    if (begin == absl::string_view::npos) break;
    const size_t end = body.find(absl::StrCat("\n", delimiter), begin);
    if (end == absl::string_view::npos) break;
    absl::string_view part = body.substr(begin + 1, end > begin ? end - begin - 1 : 0);
    if (!part.empty() && part.back() == '\r') part.remove_suffix(1);
    if (const absl::string_view sdp = SdpOfPart(part); !sdp.empty()) return sdp;
    begin = end + 1;
  }
  return absl::string_view();
}

}  // namespace

absl::string_view SdpOf(const sip::Message& message) {
  if (message.body().empty()) return absl::string_view();
  const std::optional<sip::MediaType> type = message.ContentType();
  if (!type) return absl::string_view();
  if (type->Is("application", "sdp")) return message.body();
  if (!absl::EqualsIgnoreCase(type->type, "multipart")) return absl::string_view();
  return SdpOfMultipart(message.body(), type->parameters.GetText("boundary"));
}

void PassSessionBody(const sip::Message& from, absl::string_view sdp, sip::Message& to) {
  const absl::string_view original = SdpOf(from);
  if (sdp.empty()) {
    if (original.empty()) PassBody(from, to);
    return;
  }
  if (original.empty()) {
    to.SetBody("application/sdp", sdp);
    return;
  }
  PassBody(from, to);
  const absl::string_view body = from.body();
  const size_t begin = static_cast<size_t>(original.data() - body.data());
  to.SetBody(from.Get(sip::Header::kContentType),
             absl::StrCat(body.substr(0, begin), sdp, body.substr(begin + original.size())));
}

}  // namespace sluice::call
