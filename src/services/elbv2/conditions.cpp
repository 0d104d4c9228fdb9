#include <algorithm>
#include <set>

#include "core/text.h"
#include "services/elbv2/actions.h"

namespace brume::elbv2 {
namespace {

// "Condition types for listener rules".
constexpr std::size_t kMostValuesPerRule = 5, kMostWildcardsPerRule = 5;

bool has_only(std::string_view text, std::string_view more) {
  return std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           more.find(c) != std::string_view::npos;
  });
}

bool is_visible(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

AwsError invalid_value(const std::string& field, const std::string& value) {
  return validation_error("Condition value '" + value + "' for field '" + field + "' is not valid");
}

bool is_cidr(const std::string& text) {
  const std::size_t slash = text.find('/');
  std::int64_t bits = 0;
  if (slash == std::string::npos || !parse_int(text.substr(slash + 1), bits) || bits < 0) return false;
  const std::string address = text.substr(0, slash);
  if (address.find(':') != std::string::npos)
    return bits <= 128 && address.find_first_not_of("0123456789abcdefABCDEF:.") == std::string::npos;
  const auto parts = split(address, '.');
  return bits <= 32 && parts.size() == 4 && std::ranges::all_of(parts, [](std::string_view part) {
           std::int64_t octet = 0;
           return parse_int(part, octet) && octet >= 0 && octet <= 255;
         });
}

// A condition's values are in its own configuration; host headers and paths may also stand in `Values`.
std::vector<std::string> values_of(const RuleCondition& condition, const std::vector<std::string>& configured) {
  if (!configured.empty() && !condition.values.get().empty() && configured != condition.values.get())
    throw validation_error("You cannot specify both condition values and a configuration for field '" +
                           condition.field.get() + "'");
  return configured.empty() ? condition.values.get() : configured;
}

void refuse_regular_expressions(const RuleCondition& condition) {
  if (!condition.regex_values.get().empty() || !condition.host_header_config.get().regex_values.get().empty() ||
      !condition.path_pattern_config.get().regex_values.get().empty() ||
      !condition.http_header_config.get().regex_values.get().empty())
    throw unsupported("regular expressions in conditions (RegexValues)");
}

void check_value(const ConditionRecord& record, const std::string& value) {
  bool good = !value.empty() && value.size() <= 128 && is_visible(value);
  if (record.field == "host-header") good = good && has_only(value, "-.*?_");
  if (record.field == "path-pattern") good = good && has_only(value, "_-.$/~\"'@:+&()!,;=*?%#\\");
  if (record.field == "http-request-method")
    good = good && value.size() <= 40 && has_only(value, "-_") &&
           std::ranges::none_of(value, [](char c) { return c >= 'a' && c <= 'z'; });
  if (record.field == "source-ip") good = is_cidr(value);
  if (!good) throw invalid_value(record.field, value);
}

ConditionRecord read_condition(const RuleCondition& condition) {
  refuse_regular_expressions(condition);
  ConditionRecord record;
  record.field = condition.field.get();
  if (record.field == "host-header") {
    record.values = values_of(condition, condition.host_header_config.get().values.get());
  } else if (record.field == "path-pattern") {
    record.values = values_of(condition, condition.path_pattern_config.get().values.get());
  } else if (record.field == "http-header") {
    record.header_name = condition.http_header_config.get().http_header_name.get();
    record.values = condition.http_header_config.get().values.get();
    // "The Host header is matched by a host-header condition."
    if (record.header_name.empty() || record.header_name.size() > 40 || to_lower(record.header_name) == "host" ||
        !has_only(record.header_name, "-_.!^*+|~$&"))
      throw validation_error("HTTP header name '" + record.header_name + "' is not valid");
  } else if (record.field == "http-request-method") {
    record.values = condition.http_request_method_config.get().values.get();
  } else if (record.field == "source-ip") {
    if (condition.source_ip_config.get().ip_address_type.get() == "ipv6")
      throw unsupported("source-ip conditions of IP address type ipv6");
    record.values = condition.source_ip_config.get().values.get();
  } else if (record.field == "query-string") {
    for (const QueryStringKeyValuePair& pair : condition.query_string_config.get().values.get()) {
      if (pair.value.get().empty() || pair.value->size() > 128 || pair.key.get().size() > 128 ||
          !is_visible(*pair.value) || !is_visible(pair.key.get()))
        throw invalid_value(record.field, pair.value.get());
      record.query.push_back({pair.key.get(), *pair.value});
    }
  } else {
    throw validation_error("Condition field '" + record.field +
                           "' must be one of '[path-pattern, host-header, http-header, http-request-method, "
                           "query-string, source-ip]'");
  }
  if (record.values.empty() && record.query.empty())
    throw validation_error("A condition value must be specified for field '" + record.field + "'");
  for (const std::string& value : record.values) check_value(record, value);
  return record;
}

std::size_t wildcards_in(const ConditionRecord& record) {
  if (record.field == "http-request-method" || record.field == "source-ip") return 0;
  const auto count = [](std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return c == '*' || c == '?'; }));
  };
  std::size_t total = 0;
  for (const std::string& value : record.values) total += count(value);
  for (const QueryPair& pair : record.query) total += count(pair.key) + count(pair.value);
  return total;
}

}  // namespace

std::vector<ConditionRecord> read_conditions(const std::vector<RuleCondition>& conditions) {
  if (conditions.empty()) throw validation_error("A condition must be specified");
  std::vector<ConditionRecord> records;
  std::set<std::string> single;
  std::size_t values = 0, wildcards = 0;
  for (const RuleCondition& condition : conditions) {
    ConditionRecord record = read_condition(condition);
    if (record.field != "http-header" && record.field != "query-string" && !single.insert(record.field).second)
      throw validation_error("A rule can only have one '" + record.field + "' condition");
    values += record.values.size() + record.query.size();
    wildcards += wildcards_in(record);
    records.push_back(std::move(record));
  }
  if (values > kMostValuesPerRule)
    throw validation_error("A rule can only have '" + std::to_string(kMostValuesPerRule) + "' condition values");
  if (wildcards > kMostWildcardsPerRule)
    throw validation_error("A rule can only have '" + std::to_string(kMostWildcardsPerRule) + "' condition wildcards");
  return records;
}

std::vector<RuleCondition> write_conditions(const std::vector<ConditionRecord>& conditions) {
  std::vector<RuleCondition> shapes;
  for (const ConditionRecord& record : conditions) {
    RuleCondition shape;
    shape.field = record.field;
    if (record.field == "host-header") {
      shape.values = record.values;
      shape.host_header_config.emplace().values = record.values;
    } else if (record.field == "path-pattern") {
      shape.values = record.values;
      shape.path_pattern_config.emplace().values = record.values;
    } else if (record.field == "http-header") {
      shape.http_header_config.emplace().values = record.values;
      shape.http_header_config->http_header_name = record.header_name;
    } else if (record.field == "http-request-method") {
      shape.http_request_method_config.emplace().values = record.values;
    } else if (record.field == "source-ip") {
      shape.source_ip_config.emplace().values = record.values;
    } else {
      auto& pairs = shape.query_string_config.emplace().values.ensure();
      for (const QueryPair& pair : record.query) {
        QueryStringKeyValuePair item;
        if (!pair.key.empty()) item.key = pair.key;
        item.value = pair.value;
        pairs.push_back(std::move(item));
      }
    }
    shapes.push_back(std::move(shape));
  }
  return shapes;
}

}  // namespace brume::elbv2
