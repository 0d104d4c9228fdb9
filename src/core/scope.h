// Where a resource lives: partition, account and region are part of every key. And ARNs.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace brume {

struct Scope {
  std::string account;  // twelve digits
  std::string region;   // "eu-west-1"
  bool operator==(const Scope&) const = default;
  auto operator<=>(const Scope&) const = default;
};

// "aws", "aws-cn" or "aws-us-gov" for a region's name.
std::string_view partition_of(std::string_view region);
// "amazonaws.com" or "amazonaws.com.cn" for a region's name.
std::string_view dns_suffix_of(std::string_view region);
bool is_region(std::string_view name);
std::span<const std::string_view> all_regions();

struct Zone {
  std::string name;  // "eu-west-1a"
  std::string id;    // "euw1-az1"
};
// The region's three zones, a to c.
std::span<const Zone> zones_of(std::string_view region);

struct Arn {
  std::string partition, service, region, account, resource;
  bool operator==(const Arn&) const = default;
};
std::optional<Arn> parse_arn(std::string_view text);
std::string to_string(const Arn& arn);
// arn:PARTITION:service:REGION:ACCOUNT:resource
std::string make_arn(const Scope& scope, std::string_view service, std::string_view resource);
// The form of global services (IAM): no region.
std::string make_global_arn(const Scope& scope, std::string_view service, std::string_view resource);

}  // namespace brume
