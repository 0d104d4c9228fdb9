// The condition keys that a request's input gives to policies, beside those of its caller. Pure functions.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/model.h"

namespace brume::front {

using ConditionKeys = std::multimap<std::string, std::string>;

// aws:RequestTag/KEY and aws:TagKeys ("AWS global condition context keys"), from the members by which AWS's services
// take tags: Tags, TagSpecifications, TagKeys.
ConditionKeys tag_keys(const model::Type& type, const void* input);

// s3:prefix, s3:delimiter and s3:max-keys, for the actions that have them.
ConditionKeys listing_keys(std::string_view action, const model::Type& type, const void* input);

}  // namespace brume::front
