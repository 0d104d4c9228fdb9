// The services that have gateway endpoints, and the addresses at which each region's are found: one per service and
// region, out of Brume's own range. Pure functions; any thread.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace brume::ec2 {

// "Gateway endpoints": S3 and DynamoDB are the only services that have them.
inline constexpr std::array<std::string_view, 2> kGatewayServices = {"s3", "dynamodb"};

// "198.18.64.7"; nullopt for an unknown region or service.
std::optional<std::string> service_address(std::string_view region, std::string_view service);
// "com.amazonaws.eu-west-1.s3"
std::string endpoint_service_name(std::string_view region, std::string_view service);

}  // namespace brume::ec2
