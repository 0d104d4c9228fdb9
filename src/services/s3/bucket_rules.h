// What a bucket may be called and where it may be made: "General purpose bucket naming rules" and CreateBucket. Pure.
#pragma once

#include <string>
#include <string_view>

#include "core/opt.h"

namespace brume::s3 {

bool is_valid_bucket_name(std::string_view name);

// The region that a bucket is made in, from the endpoint's region and the LocationConstraint. Throws
// IllegalLocationConstraintException, InvalidLocationConstraint.
std::string bucket_region(std::string_view endpoint_region, const opt<std::string>& location_constraint);

// The canonical user id of an account: AWS's are opaque too.
std::string canonical_user_id(std::string_view account);

}  // namespace brume::s3
