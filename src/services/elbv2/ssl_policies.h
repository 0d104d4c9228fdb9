// The predefined TLS policies ("Security policies for your Application Load Balancer"). Pure.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace brume::elbv2 {

struct SslPolicyFacts {
  std::string_view name;
  std::vector<std::string_view> protocols, ciphers;  // ciphers in order of preference
};
std::span<const SslPolicyFacts> ssl_policies();
const SslPolicyFacts* find_ssl_policy(std::string_view name);

// For listeners made through the API without one.
inline constexpr const char* kDefaultSslPolicy = "ELBSecurityPolicy-2016-08";

}  // namespace brume::elbv2
