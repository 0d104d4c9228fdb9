// How much memory a record of the audit trail holds while it waits to be written, by the sizes of what was decoded.
// Estimates, a little above the truth. Pure functions, any thread.
#pragma once

#include <cstddef>

#include "aws/audit.h"

namespace brume::cloudtrail {

// Counting ends once `limit` is passed.
std::size_t memory_of(const model::Type& type, const void* value, std::size_t limit);
// Of all but its input and output.
std::size_t memory_of_context(const AuditRecord& record);

}  // namespace brume::cloudtrail
