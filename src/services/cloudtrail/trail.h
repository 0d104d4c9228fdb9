// A trail as it is kept, and which events it selects. Pure functions, any thread.
#pragma once

#include <boost/describe/class.hpp>
#include <string>
#include <vector>

#include "aws/tags.h"
#include "core/scope.h"
#include "core/time.h"
#include "gen/cloudtrail.h"
#include "services/cloudtrail/event.h"

namespace brume::cloudtrail {

BOOST_DESCRIBE_STRUCT(DataResource, (), (type, values))
BOOST_DESCRIBE_STRUCT(EventSelector, (),
                      (read_write_type, include_management_events, data_resources, exclude_management_event_sources))
BOOST_DESCRIBE_STRUCT(AdvancedFieldSelector, (),
                      (field, equals, starts_with, ends_with, not_equals, not_starts_with, not_ends_with))
BOOST_DESCRIBE_STRUCT(AdvancedEventSelector, (), (name, field_selectors))

struct TrailRecord {
  std::string name, arn, account, home_region;
  std::string bucket, prefix;
  bool include_global_events = true, multi_region = false, validation = false;
  std::string group_arn, role_arn;  // of CloudWatch Logs; empty: none
  std::vector<EventSelector> selectors;
  std::vector<AdvancedEventSelector> advanced_selectors;
  Tags tags;
  bool logging = false;
  Time started, stopped;
  Time delivered, digested, lines_delivered;  // the last ones that succeeded
  std::string delivery_error, lines_error, digest_error;
};
BOOST_DESCRIBE_STRUCT(TrailRecord, (),
                      (name, arn, account, home_region, bucket, prefix, include_global_events, multi_region, validation,
                       group_arn, role_arn, selectors, advanced_selectors, tags, logging, started, stopped, delivered,
                       digested, lines_delivered, delivery_error, lines_error, digest_error))

// What every trail has until it is given others: all management events.
std::vector<EventSelector> default_selectors();
// Whether the trail records an event of its account in a region.
bool selects(const TrailRecord& trail, const Scope& scope, const EventRecord& event);
bool selects_data_events(const TrailRecord& trail);

// "LOGGING", "PREFIX/AWSLogs/ACCOUNT/": where a trail's objects begin.
std::string object_prefix(const TrailRecord& trail);

}  // namespace brume::cloudtrail
