#include "services/ec2/service_addresses.h"

#include <algorithm>

#include "core/scope.h"

namespace brume::ec2 {

namespace {

// One /24 per service within the network plane's range of service addresses, 198.18.64.0/23.
constexpr int kFirstBlock = 64;

}  // namespace

std::optional<std::string> service_address(std::string_view region, std::string_view service) {
  const auto which = std::ranges::find(kGatewayServices, service);
  const auto place = std::ranges::find(all_regions(), region);
  if (which == kGatewayServices.end() || place == all_regions().end()) return std::nullopt;
  const auto block = kFirstBlock + (which - kGatewayServices.begin());
  const auto number = 1 + (place - all_regions().begin());
  return "198.18." + std::to_string(block) + "." + std::to_string(number);
}

std::string endpoint_service_name(std::string_view region, std::string_view service) {
  // China's regions have names of their own ("AWS services that integrate with AWS PrivateLink").
  const std::string prefix = region.starts_with("cn-") ? "cn.com.amazonaws." : "com.amazonaws.";
  return prefix + std::string(region) + "." + std::string(service);
}

}  // namespace brume::ec2
