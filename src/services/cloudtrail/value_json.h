// Values of a model as the audit trail shows them: names in lower camel case, secrets hidden. Pure functions.
#pragma once

#include <boost/json/storage_ptr.hpp>
#include <boost/json/value.hpp>

#include "core/model.h"

namespace brume::cloudtrail {

// Null when nothing is there to show.
boost::json::value to_json(const model::Type& type, const void* value, const boost::json::storage_ptr& storage);

}  // namespace brume::cloudtrail
