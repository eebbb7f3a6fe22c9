// Any bytes: parsed without a crash; what is taken is written to a fixpoint; typed access never crashes.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "signaling/sip/message.h"

using sluice::sip::Header;
using sluice::sip::Message;
using sluice::sip::ParseResult;

namespace {

// Reads all that can be asked of a message; the sum keeps the compiler from leaving it out.
size_t ReadAll(const Message& message) {
  size_t sum = message.StartLine().size() + message.body().size() + message.TopBranch().size();
  for (size_t i = 0; i < static_cast<size_t>(Header::kCount); ++i) {
    const Header header = static_cast<Header>(i);
    sum += message.Elements(header).size() + message.Addresses(header).size();
  }
  if (const auto via = message.TopVia()) sum += via->ToString().size();
  if (const auto from = message.From()) sum += from->ToString().size();
  if (const auto to = message.To()) sum += to->ToString().size();
  if (const auto cseq = message.CSeq()) sum += cseq->ToString().size();
  if (const auto uri = message.RequestUri()) sum += uri->DecodedUser().size();
  if (const auto type = message.ContentType()) sum += type->ToString().size();
  if (const auto value = message.SessionExpires()) sum += value->ToString().size();
  if (const auto value = message.RAck()) sum += value->ToString().size();
  if (const auto value = message.Replaces()) sum += value->ToString().size();
  if (const auto value = message.Event()) sum += value->ToString().size();
  sum += message.MaxForwards().value_or(0) + message.Expires().value_or(0) + message.Reasons().size();
  return sum + message.UnsupportedOptions({"timer"}).size();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  ParseResult parsed = Message::Parse(bytes);
  volatile size_t sum = ReadAll(parsed.message);
  sum = sum + Message::ResponseTo(parsed.message, 200, "tag").Serialize().size();
  if (!parsed.ok()) return 0;

  const std::string written = parsed.message.Serialize();
  const ParseResult again = Message::Parse(written);
  // Its own Content-Length makes a message longer, perhaps above the limit.
  if (!again.ok()) {
    if (written.size() <= 65535) std::abort();
    return 0;
  }
  if (again.message.Serialize() != written || again.message.body() != parsed.message.body()) std::abort();

  Message& edited = parsed.message;
  edited.SetFirstElement(Header::kVia, edited.Get(Header::kFrom));
  edited.RemoveFirstElement(Header::kRoute);
  edited.Set(Header::kTo, edited.Get(Header::kCallId));
  edited.SetBody("", "");
  sum = sum + edited.Serialize().size();
  return 0;
}
