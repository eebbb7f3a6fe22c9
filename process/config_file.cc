#include "process/config_file.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/message.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"

namespace sluice::process {

namespace pb = google::protobuf;

namespace {

constexpr int kMaxDepth = 16;
constexpr size_t kMaxFileBytes = 1 << 20;

// Edits that make one word of the other.
size_t Distance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

std::string AllowedKeys(const pb::Descriptor& descriptor) {
  std::vector<std::string> names;
  for (int i = 0; i < descriptor.field_count(); ++i) names.push_back(descriptor.field(i)->name());
  return absl::StrJoin(names, ", ");
}

std::string UnknownKey(const pb::Descriptor& descriptor, const std::string& key) {
  std::string nearest;
  size_t least = 3;
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const size_t distance = Distance(key, descriptor.field(i)->name());
    if (distance < least) {
      least = distance;
      nearest = descriptor.field(i)->name();
    }
  }
  return absl::StrCat("there is no such key", nearest.empty() ? "" : absl::StrCat("; did you mean ", nearest, "?"),
                      "; allowed: ", AllowedKeys(descriptor));
}

// "SIP_TRANSPORT_UDP" of enum SipTransport is written "udp".
std::string EnumPrefix(const pb::EnumDescriptor& descriptor) {
  std::string prefix;
  for (char c : descriptor.name()) {
    if (absl::ascii_isupper(c) && !prefix.empty()) prefix.push_back('_');
    prefix.push_back(absl::ascii_toupper(c));
  }
  return prefix + "_";
}

std::string EnumWord(const pb::EnumValueDescriptor& value) {
  return absl::AsciiStrToLower(absl::StripPrefix(value.name(), EnumPrefix(*value.type())));
}

}  // namespace

// Walks a YAML tree and a message side by side.
class ConfigReader {
 public:
  explicit ConfigReader(ConfigFile& file) : file_(file) {}

  absl::Status ReadMessage(const YAML::Node& node, const std::string& key, pb::Message& message, int depth) {
    if (depth > kMaxDepth) return file_.Error(key, "nested too deeply");
    const pb::Descriptor& descriptor = *message.GetDescriptor();
    if (node.IsNull()) return absl::OkStatus();
    if (!node.IsMap())
      return file_.Error(key, absl::StrCat("wants keys and values; allowed: ", AllowedKeys(descriptor)));
    std::set<std::string> seen;
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) return file_.Error(key, "has a key that is not a word");
      const std::string name = entry.first.Scalar();
      const std::string full = key.empty() ? name : absl::StrCat(key, ".", name);
      file_.lines_[full] = entry.first.Mark().line + 1;
      if (!seen.insert(name).second) return file_.Error(full, "stands twice");
      const pb::FieldDescriptor* field = descriptor.FindFieldByName(name);
      if (field == nullptr) return file_.Error(full, UnknownKey(descriptor, name));
      if (const pb::OneofDescriptor* oneof = field->real_containing_oneof()) {
        const pb::FieldDescriptor* other = message.GetReflection()->GetOneofFieldDescriptor(message, oneof);
        if (other != nullptr)
          return file_.Error(full, absl::StrCat("cannot stand beside ", other->name(), "; choose one"));
      }
      if (absl::Status status = ReadField(entry.second, full, *field, message, depth); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

 private:
  absl::Status ReadField(const YAML::Node& node, const std::string& key, const pb::FieldDescriptor& field,
                         pb::Message& message, int depth) {
    if (!field.is_repeated()) return ReadValue(node, key, field, message, depth);
    if (node.IsNull()) return absl::OkStatus();
    if (!node.IsSequence()) return file_.Error(key, "wants a list: [a, b] or one item a line with a dash");
    size_t index = 0;
    for (const YAML::Node& item : node) {
      const std::string full = absl::StrCat(key, "[", index++, "]");
      file_.lines_[full] = item.Mark().line + 1;
      if (absl::Status status = ReadValue(item, full, field, message, depth); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status ReadValue(const YAML::Node& node, const std::string& key, const pb::FieldDescriptor& field,
                         pb::Message& message, int depth) {
    const pb::Reflection& reflection = *message.GetReflection();
    const bool repeated = field.is_repeated();
    if (field.cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE) {
      pb::Message& child =
          repeated ? *reflection.AddMessage(&message, &field) : *reflection.MutableMessage(&message, &field);
      if (auto* duration = dynamic_cast<pb::Duration*>(&child)) return ReadDuration(node, key, *duration);
      return ReadMessage(node, key, child, depth + 1);
    }
    if (!node.IsScalar()) return file_.Error(key, "wants a single value");
    const std::string& text = node.Scalar();
    switch (field.cpp_type()) {
      case pb::FieldDescriptor::CPPTYPE_STRING:
        repeated ? reflection.AddString(&message, &field, text) : reflection.SetString(&message, &field, text);
        return absl::OkStatus();
      case pb::FieldDescriptor::CPPTYPE_BOOL: {
        bool value = false;
        if (!YAML::convert<bool>::decode(node, value)) return Wrong(key, text, "true or false");
        repeated ? reflection.AddBool(&message, &field, value) : reflection.SetBool(&message, &field, value);
        return absl::OkStatus();
      }
      case pb::FieldDescriptor::CPPTYPE_UINT32: {
        uint32_t value = 0;
        if (!absl::SimpleAtoi(text, &value)) return Wrong(key, text, "a whole number from 0 to 4294967295");
        repeated ? reflection.AddUInt32(&message, &field, value) : reflection.SetUInt32(&message, &field, value);
        return absl::OkStatus();
      }
      case pb::FieldDescriptor::CPPTYPE_UINT64: {
        uint64_t value = 0;
        if (!absl::SimpleAtoi(text, &value)) return Wrong(key, text, "a whole number that is not negative");
        repeated ? reflection.AddUInt64(&message, &field, value) : reflection.SetUInt64(&message, &field, value);
        return absl::OkStatus();
      }
      case pb::FieldDescriptor::CPPTYPE_DOUBLE: {
        double value = 0;
        if (!absl::SimpleAtod(text, &value)) return Wrong(key, text, "a number");
        repeated ? reflection.AddDouble(&message, &field, value) : reflection.SetDouble(&message, &field, value);
        return absl::OkStatus();
      }
      case pb::FieldDescriptor::CPPTYPE_ENUM:
        return ReadEnum(text, key, field, message);
      default:
        return file_.Error(key,
                           absl::StrCat("the schema has a type here that no config may have: ", field.type_name()));
    }
  }

  absl::Status ReadDuration(const YAML::Node& node, const std::string& key, pb::Duration& out) {
    absl::Duration value;
    const std::string text = node.IsScalar() ? node.Scalar() : "";
    if (!absl::ParseDuration(text, &value) || value < absl::ZeroDuration() || value > absl::Hours(24 * 366)) {
      return Wrong(key, text, "a time such as 50us, 20ms, 2s, 1m or 1h");
    }
    out.set_seconds(absl::ToInt64Seconds(value));
    out.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(value % absl::Seconds(1))));
    return absl::OkStatus();
  }

  absl::Status ReadEnum(const std::string& text, const std::string& key, const pb::FieldDescriptor& field,
                        pb::Message& message) {
    const pb::EnumDescriptor& type = *field.enum_type();
    std::vector<std::string> words;
    for (int i = 0; i < type.value_count(); ++i) {
      const pb::EnumValueDescriptor* value = type.value(i);
      // Value 0 is "unspecified": one leaves the key out instead.
      if (value->number() == 0) continue;
      words.push_back(EnumWord(*value));
      if (words.back() != text) continue;
      field.is_repeated() ? message.GetReflection()->AddEnum(&message, &field, value)
                          : message.GetReflection()->SetEnum(&message, &field, value);
      return absl::OkStatus();
    }
    return Wrong(key, text, absl::StrJoin(words, ", "));
  }

  absl::Status Wrong(const std::string& key, absl::string_view text, absl::string_view allowed) {
    return file_.Error(key, absl::StrCat("'", text, "' is not allowed; allowed: ", allowed));
  }

  ConfigFile& file_;
};

absl::StatusOr<ConfigFile> ConfigFile::Read(const std::string& path, pb::Message& message) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    const int error = errno;
    const std::string text = absl::StrCat(path, ": cannot read the config: ", std::strerror(error));
    return error == EACCES ? absl::PermissionDeniedError(text) : absl::NotFoundError(text);
  }
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (file.bad()) return absl::NotFoundError(absl::StrCat(path, ": cannot read the config: is it a file?"));
  return ReadText(text, path, message);
}

absl::StatusOr<ConfigFile> ConfigFile::ReadText(absl::string_view text, const std::string& path, pb::Message& message) {
  ConfigFile out(path);
  message.Clear();
  if (text.size() > kMaxFileBytes)
    return out.Error("", absl::StrCat("the config has ", text.size(), " bytes; allowed: ", kMaxFileBytes));
  // yaml-cpp tells errors by exceptions; they end here.
  try {
    const YAML::Node root = YAML::Load(std::string(text));
    if (absl::Status status = ConfigReader(out).ReadMessage(root, "", message, 0); !status.ok()) return status;
  } catch (const YAML::Exception& error) {
    return absl::InvalidArgumentError(absl::StrCat(path, ":", error.mark.line + 1, ": not YAML: ", error.msg));
  }
  return out;
}

absl::Status ConfigFile::Error(absl::string_view key, absl::string_view text) const {
  // The nearest key above that stands in the file.
  absl::string_view nearest = key;
  int line = 1;
  while (!nearest.empty()) {
    if (const auto found = lines_.find(nearest); found != lines_.end()) {
      line = found->second;
      break;
    }
    const size_t end = nearest.find_last_of(".[");
    nearest = end == absl::string_view::npos ? absl::string_view() : nearest.substr(0, end);
  }
  return absl::InvalidArgumentError(absl::StrCat(path_, ":", line, ": ", key, key.empty() ? "" : ": ", text));
}

}  // namespace sluice::process
