#include "signaling/sip/header_values.h"

#include <cstddef>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "signaling/sip/text.h"

namespace sluice::sip {
namespace {

// What stands before the first ';', trimmed; `rest` keeps the parameters.
absl::string_view TakeHead(absl::string_view text, absl::string_view& parameters) {
  const size_t semicolon = text.find(';');
  parameters = semicolon == absl::string_view::npos ? absl::string_view() : text.substr(semicolon);
  return Trim(text.substr(0, semicolon));
}

// The first word of `rest` and what is behind it, both trimmed.
absl::string_view TakeWord(absl::string_view& rest) {
  rest = Trim(rest);
  size_t length = 0;
  while (length < rest.size() && !Is(rest[length], kSpaceCharacter)) ++length;
  const absl::string_view word = rest.substr(0, length);
  rest = Trim(rest.substr(length));
  return word;
}

// A value that may be written as it was read. Nothing: it is missing, empty or quoted.
std::optional<std::string> PlainValue(const Parameters& parameters, absl::string_view name) {
  const absl::string_view value = parameters.Get(name).value_or(absl::string_view());
  if (value.empty() || value.front() == '"') return std::nullopt;
  return std::string(value);
}

}  // namespace

std::optional<CSeq> CSeq::Parse(absl::string_view text) {
  const std::optional<uint64_t> number = ParseNumber(TakeWord(text), kMaxCSeq);
  if (!number || !IsToken(text)) return std::nullopt;
  CSeq cseq;
  cseq.number = static_cast<uint32_t>(*number);
  cseq.method = ParseMethod(text);
  cseq.method_name = std::string(text);
  return cseq;
}

std::string CSeq::ToString() const {
  return absl::StrCat(number, " ", method == Method::kOther ? absl::string_view(method_name) : MethodName(method));
}

std::optional<RAck> RAck::Parse(absl::string_view text) {
  const std::optional<uint64_t> number = ParseNumber(TakeWord(text), 0xffffffff);
  std::optional<CSeq> cseq = CSeq::Parse(text);
  if (!number || !cseq) return std::nullopt;
  return RAck{static_cast<uint32_t>(*number), *std::move(cseq)};
}

std::string RAck::ToString() const { return absl::StrCat(rseq, " ", cseq.ToString()); }

std::optional<SessionExpires> SessionExpires::Parse(absl::string_view text) {
  absl::string_view rest;
  const std::optional<uint64_t> seconds = ParseNumber(TakeHead(text, rest), 0xffffffff);
  const std::optional<Parameters> parameters = Parameters::Parse(rest);
  if (!seconds || !parameters) return std::nullopt;
  SessionExpires value;
  value.seconds = static_cast<uint32_t>(*seconds);
  const absl::string_view refresher = parameters->Get("refresher").value_or(absl::string_view());
  if (absl::EqualsIgnoreCase(refresher, "uac")) value.refresher = Refresher::kUac;
  if (absl::EqualsIgnoreCase(refresher, "uas")) value.refresher = Refresher::kUas;
  return value;
}

std::string SessionExpires::ToString() const {
  if (refresher == Refresher::kNone) return absl::StrCat(seconds);
  return absl::StrCat(seconds, ";refresher=", refresher == Refresher::kUac ? "uac" : "uas");
}

std::optional<Replaces> Replaces::Parse(absl::string_view text) {
  absl::string_view rest;
  Replaces value;
  value.call_id = std::string(TakeHead(text, rest));
  const std::optional<Parameters> parameters = Parameters::Parse(rest);
  if (value.call_id.empty() || !parameters) return std::nullopt;
  std::optional<std::string> to_tag = PlainValue(*parameters, "to-tag");
  std::optional<std::string> from_tag = PlainValue(*parameters, "from-tag");
  if (!to_tag || !from_tag) return std::nullopt;
  value.to_tag = *std::move(to_tag);
  value.from_tag = *std::move(from_tag);
  value.early_only = parameters->Has("early-only");
  return value;
}

std::string Replaces::ToString() const {
  return absl::StrCat(call_id, ";to-tag=", to_tag, ";from-tag=", from_tag, early_only ? ";early-only" : "");
}

std::optional<Reason> Reason::Parse(absl::string_view text) {
  absl::string_view rest;
  Reason value;
  value.protocol = std::string(TakeHead(text, rest));
  const std::optional<Parameters> parameters = Parameters::Parse(rest);
  if (!IsToken(value.protocol) || !parameters) return std::nullopt;
  value.cause = static_cast<uint32_t>(ParseNumber(parameters->Get("cause").value_or("0"), 0xffffffff).value_or(0));
  value.text = parameters->GetText("text");
  return value;
}

std::string Reason::ToString() const {
  std::string out = protocol;
  if (cause != 0) absl::StrAppend(&out, ";cause=", cause);
  if (!text.empty()) absl::StrAppend(&out, ";text=", Quote(text));
  return out;
}

std::optional<RetryAfter> RetryAfter::Parse(absl::string_view text) {
  text = Trim(text);
  const std::optional<uint64_t> seconds = ParseNumber(text.substr(0, text.find_first_of(" \t(;")), 0xffffffff);
  if (!seconds) return std::nullopt;
  return RetryAfter{static_cast<uint32_t>(*seconds)};
}

std::string RetryAfter::ToString() const { return absl::StrCat(seconds); }

std::optional<Event> Event::Parse(absl::string_view text) {
  absl::string_view rest;
  Event value;
  value.package = std::string(TakeHead(text, rest));
  const std::optional<Parameters> parameters = Parameters::Parse(rest);
  if (!IsToken(value.package) || !parameters) return std::nullopt;
  value.id = PlainValue(*parameters, "id").value_or("");
  if (value.id.empty() && parameters->Has("id")) return std::nullopt;
  return value;
}

std::string Event::ToString() const { return id.empty() ? package : absl::StrCat(package, ";id=", id); }

std::optional<SubscriptionState> SubscriptionState::Parse(absl::string_view text) {
  absl::string_view rest;
  SubscriptionState value;
  value.state = std::string(TakeHead(text, rest));
  const std::optional<Parameters> parameters = Parameters::Parse(rest);
  if (!IsToken(value.state) || !parameters) return std::nullopt;
  value.reason = PlainValue(*parameters, "reason").value_or("");
  if (const auto expires = parameters->Get("expires")) value.expires = ParseSeconds(*expires);
  return value;
}

std::string SubscriptionState::ToString() const {
  std::string out = state;
  if (!reason.empty()) absl::StrAppend(&out, ";reason=", reason);
  if (expires) absl::StrAppend(&out, ";expires=", *expires);
  return out;
}

bool MediaType::Is(absl::string_view wanted_type, absl::string_view wanted_subtype) const {
  return absl::EqualsIgnoreCase(type, wanted_type) && absl::EqualsIgnoreCase(subtype, wanted_subtype);
}

std::optional<MediaType> MediaType::Parse(absl::string_view text) {
  absl::string_view rest;
  const absl::string_view head = TakeHead(text, rest);
  const size_t slash = head.find('/');
  if (slash == absl::string_view::npos) return std::nullopt;
  const absl::string_view type = Trim(head.substr(0, slash));
  const absl::string_view subtype = Trim(head.substr(slash + 1));
  std::optional<Parameters> parameters = Parameters::Parse(rest);
  if (!IsToken(type) || !IsToken(subtype) || !parameters) return std::nullopt;
  return MediaType{std::string(type), std::string(subtype), *std::move(parameters)};
}

std::string MediaType::ToString() const { return absl::StrCat(type, "/", subtype, parameters.text()); }

std::optional<uint32_t> ParseSeconds(absl::string_view text) {
  absl::string_view rest;
  const std::optional<uint64_t> seconds = ParseNumber(TakeHead(text, rest), 0xffffffff);
  if (!seconds) return std::nullopt;
  return static_cast<uint32_t>(*seconds);
}

std::optional<uint32_t> ParseQValue(absl::string_view text) {
  text = Trim(text);
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  uint32_t value = static_cast<uint32_t>(text[0] - '0') * 1000;
  uint32_t weight = 100;
  for (size_t i = 1; i < text.size(); ++i) {
    if (i == 1) {
      if (text[i] != '.') return std::nullopt;
      continue;
    }
    if (!sip::Is(text[i], kDigitCharacter)) return std::nullopt;
    value += static_cast<uint32_t>(text[i] - '0') * weight;
    weight /= 10;
  }
  if (value > 1000) return std::nullopt;
  return value;
}

}  // namespace sluice::sip
