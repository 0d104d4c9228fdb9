// What an event shows of a request and of its answer, in the form that each service gives it: EC2's lists are sets of
// items, S3's requests are its queries and headers, the others' are their models' names. Pure functions, any thread.
#pragma once

#include <boost/json/storage_ptr.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <string>

#include "aws/audit.h"

namespace brume::cloudtrail {

// "This field has a maximum size of 100 KB" ("CloudTrail record contents"): what exceeds it is omitted, and says so.
inline constexpr std::size_t kLargestField = 100 * 1024;
// In memory, where a value has about twice the size of its text.
inline constexpr std::size_t kLargestValue = 2 * kLargestField;

// "requestParameters"; null when the request was not read or says nothing.
boost::json::value request_parameters(const AuditRecord& record, const boost::json::storage_ptr& storage);
// "responseElements" of a call that was answered; null when nothing is there to show.
boost::json::value response_elements(const AuditRecord& record, const boost::json::storage_ptr& storage);
// "resources": S3's bucket and object, the role that STS was asked for. Null: the service names none.
boost::json::value event_resources(const AuditRecord& record, const boost::json::storage_ptr& storage);
// As CloudTrail calls it: some of S3's operations bear the names that they had first.
std::string event_name(const AuditRecord& record);

}  // namespace brume::cloudtrail
