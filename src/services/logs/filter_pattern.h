// A filter pattern: terms ("ERROR -health", "?A ?B", quoted phrases) or a JSON condition ({ $.level = "error" && … }).
// Follows "Filter pattern syntax for metric filters, subscription filters, filter log events, and Live Tail".
// A value; used on any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace brume::logs {

class FilterPattern {
 public:
  // Throws InvalidParameterException for a pattern that cannot be read, and for the space-delimited form, which is not
  // served. An empty pattern matches everything.
  static FilterPattern parse(std::string_view text);

  bool matches(const std::string& message) const;
  // A metric value for a matching event: a number, or a JSON selector whose member is a number. False: none.
  bool value_of(const std::string& metric_value, const std::string& message, double& value) const;
  // The text that a JSON selector ("$.path") finds in the event. False: none.
  bool text_of(const std::string& selector, const std::string& message, std::string& text) const;

  struct Condition;

 private:
  std::vector<std::string> all_, any_, none_;   // terms
  std::shared_ptr<const Condition> condition_;  // shared: immutable, patterns are copied into jobs
};

}  // namespace brume::logs
