// Live Tail: StartLiveTail, whose answer is a stream of events.
#include "services/logs/live_tail.h"
#include "services/logs/logs.h"

namespace brume::logs {

StartLiveTailOutput start_live_tail(Logs& logs, Tx&, const Request<StartLiveTailInput>& request) {
  const StartLiveTailInput& input = request.input;
  const bool names = !input.log_stream_names.get().empty();
  const bool prefixes = !input.log_stream_name_prefixes.get().empty();
  if (names && prefixes)
    throw invalid_parameter_exception("logStreamNames and logStreamNamePrefixes cannot be specified together.");
  if ((names || prefixes) && input.log_group_identifiers.get().size() > 1)
    throw invalid_parameter_exception("Log streams can be chosen for one log group only.");
  std::vector<std::string> groups;
  for (const std::string& identifier : input.log_group_identifiers.get()) {
    // "Specify each log group by its ARN … do not include the trailing *."
    const std::optional<Arn> arn = parse_arn(identifier);
    if (!arn || arn->service != "logs" || arn->resource.ends_with(":*"))
      throw invalid_parameter_exception("Invalid log group ARN: " + identifier);
    if (arn->account != request.scope.account || arn->region != request.scope.region)
      throw resource_not_found_exception("The specified log group does not exist.");
    const GroupRecord& group = get_group(logs, request.scope, group_name_of({}, identifier));
    if (group.log_class != "STANDARD")
      throw invalid_operation_exception("Live Tail is for log groups of the Standard log class.");
    for (const std::string& stream : input.log_stream_names.get()) get_stream(logs, request.scope, group.name, stream);
    groups.push_back(group.name);
  }
  StartLiveTailOutput output;
  output.response_stream.ensure().source = logs.tail.open(request.scope, request.request_id, input, std::move(groups));
  return output;
}

}  // namespace brume::logs
