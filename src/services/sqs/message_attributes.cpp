#include "services/sqs/message_attributes.h"

#include <algorithm>

#include "core/text.h"
#include "services/sqs/sqs.h"

namespace brume::sqs {
namespace {

constexpr std::size_t kMostAttributes = 10;
constexpr std::size_t kLongestName = 256;

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

// "String" or "String.custom".
bool is_of_type(const std::string& type, std::string_view base) {
  return type == base || (type.starts_with(base) && type.size() > base.size() + 1 && type[base.size()] == '.');
}

bool is_binary(const std::string& type) { return is_of_type(type, "Binary"); }

void check_name(const std::string& name) {
  if (name.empty() || name.size() > kLongestName || !std::ranges::all_of(name, is_name_character) ||
      name.starts_with('.') || name.ends_with('.') || name.find("..") != std::string::npos)
    throw invalid_parameter("The message attribute name '" + name +
                            "' is invalid. Attribute name can contain A-Z, a-z, 0-9, underscore (_), hyphen (-), and "
                            "period (.) characters.");
  const std::string lower = to_lower(name);
  if (lower.starts_with("aws.") || lower.starts_with("amazon."))
    throw invalid_parameter(
        "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. These strings are reserved for "
        "internal use.");
}

// Up to 38 digits of precision, from -10^128 to 10^126: the form is what is looked at here.
bool is_number(const std::string& text) {
  std::size_t at = text.starts_with('-') || text.starts_with('+') ? 1 : 0;
  std::size_t digits = 0;
  bool dot = false;
  for (; at < text.size(); ++at) {
    if (text[at] == '.' && !dot)
      dot = true;
    else if (text[at] >= '0' && text[at] <= '9')
      ++digits;
    else
      break;
  }
  if (digits == 0) return false;
  if (at == text.size()) return true;
  std::int64_t exponent = 0;
  if (text[at] != 'e' && text[at] != 'E') return false;
  std::string_view rest = std::string_view(text).substr(at + 1);
  if (rest.starts_with('+')) rest.remove_prefix(1);
  return parse_int(rest, exponent);
}

template <class Value>
AttributeRecord read_value(const std::string& name, const Value& given) {
  if (!given.string_list_values.get().empty() || !given.binary_list_values.get().empty())
    throw unsupported_operation("Message attribute list values in SendMessage operation are not supported.");
  AttributeRecord attribute{.type = given.data_type.get(), .value = {}};
  const std::string& type = attribute.type;
  const bool number = is_of_type(type, "Number");
  if (type.size() > kLongestName || !(is_of_type(type, "String") || number || is_binary(type)))
    throw invalid_parameter("The message attribute '" + name +
                            "' has an invalid message attribute type, the set of supported type prefixes is Binary, "
                            "Number, and String.");
  attribute.value = is_binary(type) ? given.binary_value.get() : given.string_value.get();
  if (attribute.value.empty())
    throw invalid_parameter("The message attribute '" + name +
                            "' must contain non-empty message attribute value for message attribute type '" + type +
                            "'.");
  if (number && !is_number(attribute.value))
    throw invalid_parameter("Can't cast the value of message (user) attribute '" + name + "' to a number.");
  return attribute;
}

void append_length(std::string& text, std::size_t length) {
  for (const int shift : {24, 16, 8, 0}) text += static_cast<char>((length >> shift) & 0xff);
}

void append_with_length(std::string& text, const std::string& part) {
  append_length(text, part.size());
  text += part;
}

}  // namespace

Attributes read_attributes(const std::map<std::string, MessageAttributeValue>& given) {
  if (given.size() > kMostAttributes)
    throw invalid_parameter("Number of message attributes [" + std::to_string(given.size()) +
                            "] exceeds the allowed maximum [10].");
  Attributes attributes;
  for (const auto& [name, value] : given) {
    check_name(name);
    attributes[name] = read_value(name, value);
  }
  return attributes;
}

std::string read_trace(const std::map<std::string, MessageSystemAttributeValue>& given) {
  std::string trace;
  for (const auto& [name, value] : given) {
    // "Currently, the only supported message system attribute is AWSTraceHeader. Its type must be String".
    if (name != "AWSTraceHeader") throw invalid_parameter("Message system attribute name '" + name + "' is invalid.");
    const AttributeRecord attribute = read_value(name, value);
    if (attribute.type != "String")
      throw invalid_parameter("The message system attribute 'AWSTraceHeader' must have the type String.");
    trace = attribute.value;
  }
  return trace;
}

std::string md5_of(const Attributes& attributes) {
  if (attributes.empty()) return {};
  std::string text;
  for (const auto& [name, attribute] : attributes) {
    append_with_length(text, name);
    append_with_length(text, attribute.type);
    text += static_cast<char>(is_binary(attribute.type) ? 2 : 1);
    append_with_length(text, attribute.value);
  }
  return to_hex(md5(text));
}

Attributes system_attributes(const std::string& trace) {
  Attributes attributes;
  if (!trace.empty()) attributes["AWSTraceHeader"] = {"String", trace};
  return attributes;
}

std::size_t size_of(const Attributes& attributes) {
  std::size_t size = 0;
  for (const auto& [name, attribute] : attributes) size += name.size() + attribute.type.size() + attribute.value.size();
  return size;
}

MessageAttributeValue describe(const AttributeRecord& attribute) {
  MessageAttributeValue value;
  value.data_type = attribute.type;
  (is_binary(attribute.type) ? value.binary_value : value.string_value) = attribute.value;
  return value;
}

Attributes chosen(const Attributes& attributes, const std::vector<std::string>& names) {
  Attributes some;
  for (const auto& [name, attribute] : attributes) {
    const bool wanted = std::ranges::any_of(names, [&](const std::string& pattern) {
      if (pattern == "All" || pattern == name) return true;
      return pattern.ends_with(".*") && name.starts_with(std::string_view(pattern).substr(0, pattern.size() - 2));
    });
    if (wanted) some[name] = attribute;
  }
  return some;
}

}  // namespace brume::sqs
