#include "app/adapters/task_logs.h"

namespace brume::app {

std::string TaskLogs::denial(const Scope& scope, const Principal& principal, const std::string& action,
                             const std::string& resource) const {
  RequestContext context;
  context.scope = scope;
  context.principal = principal;
  context.now = logs_.needs.clock.now();
  const Ask ask{.action = action, .resource = resource, .keys = {}};
  const Verdict verdict = authorizer_.authorize(context, ask);
  return verdict.allowed ? std::string() : "AccessDeniedException: " + denial_message(principal, ask, verdict);
}

std::string TaskLogs::open(Tx& tx, const Scope& scope, const std::string& group, const std::string& stream,
                           bool create_group, const std::optional<Principal>& execution) {
  const std::string arn = logs::group_arn(scope, group);
  if (execution) {
    std::string problem;
    if (create_group) problem = denial(scope, *execution, "logs:CreateLogGroup", arn + ":*");
    if (problem.empty()) problem = denial(scope, *execution, "logs:CreateLogStream", arn + ":log-stream:" + stream);
    if (problem.empty()) problem = denial(scope, *execution, "logs:PutLogEvents", arn + ":log-stream:" + stream);
    if (!problem.empty()) return problem;
  }
  if (logs_.groups.find(scope, group) == nullptr) {
    if (!create_group) return "ResourceNotFoundException: The specified log group does not exist.";
    logs::create_group(logs_, tx, scope, group, {});
  }
  if (logs_.streams.find(scope, logs::stream_key(group, stream)) == nullptr)
    logs::create_stream(logs_, tx, scope, group, stream);
  return {};
}

void TaskLogs::put(Tx& tx, const Scope& scope, const std::string& group, const std::string& stream,
                   const std::vector<Line>& lines) {
  // A stream that was deleted under a running task takes no more lines.
  if (logs_.streams.find(scope, logs::stream_key(group, stream)) == nullptr) return;
  std::vector<logs::NewEvent> events;
  for (const Line& line : lines)
    if (!line.text.empty()) events.push_back({line.at, line.text});
  logs::put_events(logs_, tx, scope, group, stream, events);
}

}  // namespace brume::app
