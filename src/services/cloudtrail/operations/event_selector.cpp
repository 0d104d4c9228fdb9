// Which events a trail records.
#include <algorithm>

#include "services/cloudtrail/cloudtrail.h"

namespace brume::cloudtrail {
namespace {

constexpr std::size_t kMostSelectors = 5;  // "You can configure up to five event selectors for a trail"

void check(const EventSelector& selector) {
  for (const DataResource& data : selector.data_resources.get()) {
    const std::string& type = data.type.get();
    if (type != "AWS::S3::Object" && type != "AWS::DynamoDB::Table")
      throw invalid_event_selectors_exception(
          "Brume records data events of AWS::S3::Object and AWS::DynamoDB::Table, not of " + type + ".");
  }
  for (const std::string& source : selector.exclude_management_event_sources.get())
    if (source != "kms.amazonaws.com" && source != "rdsdata.amazonaws.com")
      throw invalid_event_selectors_exception("Value " + source + " for ExcludeManagementEventSources is invalid.");
}

void check(const AdvancedEventSelector& selector) {
  constexpr std::string_view kFields[] = {"eventCategory", "readOnly",       "eventName",
                                          "eventSource",   "resources.type", "resources.ARN"};
  bool category = false;
  for (const AdvancedFieldSelector& each : selector.field_selectors.get()) {
    const std::string& field = each.field.get();
    if (std::ranges::find(kFields, field) == std::ranges::end(kFields))
      throw invalid_event_selectors_exception("Brume does not serve the field " + field +
                                              " of advanced event selectors.");
    category = category || field == "eventCategory";
  }
  if (!category) throw invalid_event_selectors_exception("Advanced event selectors must have the field eventCategory.");
}

}  // namespace

PutEventSelectorsOutput put_event_selectors(Cloudtrail& cloudtrail, Tx& tx,
                                            const Request<PutEventSelectorsInput>& request) {
  const PutEventSelectorsInput& input = request.input;
  const TrailRecord& trail = get_home_trail(cloudtrail, request.scope, input.trail_name.get());
  const auto& plain = input.event_selectors.get();
  const auto& advanced = input.advanced_event_selectors.get();
  if (plain.empty() == advanced.empty())
    throw invalid_event_selectors_exception("Specify either event selectors or advanced event selectors.");
  if (plain.size() > kMostSelectors)
    throw invalid_event_selectors_exception("A trail has at most five event selectors.");
  for (const EventSelector& selector : plain) check(selector);
  for (const AdvancedEventSelector& selector : advanced) check(selector);
  PutEventSelectorsOutput output;
  output.trail_arn = trail.arn;
  if (!plain.empty()) output.event_selectors = plain;
  if (!advanced.empty()) output.advanced_event_selectors = advanced;
  change_trail(cloudtrail, tx, trail, [&](TrailRecord& record) {
    record.selectors = plain;
    record.advanced_selectors = advanced;
  });
  return output;
}

GetEventSelectorsOutput get_event_selectors(Cloudtrail& cloudtrail, Tx&,
                                            const Request<GetEventSelectorsInput>& request) {
  const TrailRecord& trail = get_trail(cloudtrail, request.scope, request.input.trail_name.get());
  GetEventSelectorsOutput output;
  output.trail_arn = trail.arn;
  if (trail.advanced_selectors.empty())
    output.event_selectors = trail.selectors;
  else
    output.advanced_event_selectors = trail.advanced_selectors;
  return output;
}

}  // namespace brume::cloudtrail
