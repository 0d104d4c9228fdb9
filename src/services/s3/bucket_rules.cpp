#include "services/s3/bucket_rules.h"

#include <algorithm>

#include "core/error.h"
#include "core/scope.h"
#include "core/text.h"

namespace brume::s3 {
namespace {

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool looks_like_address(std::string_view name) {
  const auto parts = split(name, '.');
  return parts.size() == 4 && std::ranges::all_of(parts, [](std::string_view part) {
           return !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos;
         });
}

}  // namespace

bool is_valid_bucket_name(std::string_view name) {
  if (name.size() < 3 || name.size() > 63) return false;
  if (!is_lower_or_digit(name.front()) || !is_lower_or_digit(name.back())) return false;
  if (!std::ranges::all_of(name, [](char c) { return is_lower_or_digit(c) || c == '-' || c == '.'; })) return false;
  if (name.find("..") != std::string_view::npos || looks_like_address(name)) return false;
  for (const std::string_view prefix : {"xn--", "sthree-", "amzn-s3-demo-"}) {
    if (name.starts_with(prefix)) return false;
  }
  for (const std::string_view suffix : {"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"}) {
    if (name.ends_with(suffix)) return false;
  }
  return true;
}

std::string bucket_region(std::string_view endpoint_region, const opt<std::string>& location_constraint) {
  const bool global = endpoint_region == "us-east-1";
  if (!location_constraint || location_constraint->empty()) {
    if (global) return "us-east-1";
    throw AwsError("IllegalLocationConstraintException",
                   "The unspecified location constraint is incompatible for the region specific endpoint this request "
                   "was sent to.");
  }
  // "EU" is an old name of eu-west-1; us-east-1 is never named.
  const std::string region = *location_constraint == "EU" ? "eu-west-1" : *location_constraint;
  if (global && (!is_region(region) || region == "us-east-1")) {
    throw AwsError("InvalidLocationConstraint", "The specified location-constraint is not valid")
        .with("LocationConstraint", *location_constraint);
  }
  if (!global && region != endpoint_region) {
    throw AwsError("IllegalLocationConstraintException", "The " + *location_constraint +
                                                             " location constraint is incompatible for the region "
                                                             "specific endpoint this request was sent to.");
  }
  return region;
}

std::string canonical_user_id(std::string_view account) {
  return to_hex(sha256("canonical user " + std::string(account)));
}

}  // namespace brume::s3
