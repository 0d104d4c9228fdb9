// Values of a model as the audit trail shows them: names in lower camel case, secrets hidden. Pure functions.
#pragma once

#include <boost/json/storage_ptr.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "core/model.h"

namespace brume::cloudtrail {

// As records show them: "2026-03-01T12:00:00Z", "Mar 1, 2026 12:00:00 PM" of IAM and others, STS's
// "Mar 1, 2026, 12:00:00 PM", and EC2's milliseconds since 1970.
enum class Dates { iso8601, english, english_with_comma, milliseconds };

// How deep a value is shown.
inline constexpr int kDeepest = 20;

// Null when nothing is there to show.
boost::json::value to_json(const model::Type& type, const void* value, const boost::json::storage_ptr& storage,
                           Dates dates = Dates::iso8601);

// For forms of other names and lists: a value that holds no others, and what stands for one that must not be seen.
boost::json::value scalar_json(const model::Type& type, const void* value, const boost::json::storage_ptr& storage,
                               Dates dates = Dates::iso8601);
bool is_secret(const model::Member& member);
boost::json::value hidden(const boost::json::storage_ptr& storage);
std::string lower_camel(std::string_view name);

}  // namespace brume::cloudtrail
