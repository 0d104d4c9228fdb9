// Attributes of load balancers, target groups and listeners: AWS's defaults, what a value may be, and which values are
// served. Only those that were set are kept in records. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "services/elbv2/records.h"

namespace brume::elbv2 {

struct AttributeSpec {
  enum class Kind { boolean, integer, choice, text };
  std::string_view key, fallback;
  Kind kind = Kind::text;
  std::int64_t least = 0, most = 0;  // integer
  std::string_view choices;          // choice: separated by '|'
  // Values that Brume does not act on are refused: only the default can be set.
  bool served = true;
};

std::span<const AttributeSpec> load_balancer_attributes();  // of type application
std::span<const AttributeSpec> target_group_attributes();   // of types ip and instance
std::span<const AttributeSpec> listener_attributes(bool https);

// Puts a value after checking it. `noun` as AWS says it: "Load balancer", "Target group", "Listener". Throws
// ValidationError ("… attribute key 'X' is not recognized", which Terraform's provider looks for), or
// UnsupportedOperation for a value that is AWS's and not served.
void set_attribute(std::span<const AttributeSpec> specs, std::string_view noun, Attributes& attributes,
                   const std::string& key, const std::string& value);

// Every attribute with its value or default, in the order of the specs.
std::vector<std::pair<std::string, std::string>> all_attributes(std::span<const AttributeSpec> specs,
                                                                const Attributes& attributes);

std::string attribute(std::span<const AttributeSpec> specs, const Attributes& attributes, std::string_view key);
std::int64_t integer_attribute(std::span<const AttributeSpec> specs, const Attributes& attributes,
                               std::string_view key);

}  // namespace brume::elbv2
