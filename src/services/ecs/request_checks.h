// What AWS has and this service does not serve is refused by name, never silently (DECISIONS 17). And small checks that
// several operations share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "aws/paging.h"
#include "aws/tags.h"
#include "services/ecs/ecs.h"

namespace brume::ecs {

inline void refuse_if(bool given, std::string_view operation, std::string_view member) {
  if (given)
    throw unsupported_feature_exception("Brume does not serve " + std::string(member) +
                                        " of ecs:" + std::string(operation) + ".");
}

inline void check_tags(const Tags& tags) {
  if (std::string problem = tag_problem(tags); !problem.empty()) throw invalid_parameter_exception(problem);
  const auto clock = tags.find(kClockTag);
  if (clock != tags.end() && clock->second != "cloud" && clock->second != "machine")
    throw invalid_parameter_exception(std::string("The tag ") + kClockTag +
                                      " is cloud or machine (Brume), not: " + clock->second);
}

// Whoever runs a task passes its roles: those of the definition, where the request does not name others, which the
// front has asked for ("Granting a user permissions to pass a role to an AWS service").
template <class Input>
void check_passed_roles(const Ecs& ecs, const Request<Input>& request, const TaskDefinition& definition,
                        const TaskOverride& overrides) {
  const auto check = [&](const opt<std::string>& role, const opt<std::string>& instead) {
    if (instead || !role || role->empty()) return;
    const Ask ask{
        .action = "iam:PassRole",
        .resource = role->starts_with("arn:") ? *role : make_global_arn(request.scope, "iam", "role/" + *role),
        .keys = {{"iam:PassedToService", "ecs-tasks.amazonaws.com"}}};
    const Verdict verdict = ecs.needs.authorizer.authorize(request, ask);
    if (!verdict.allowed) throw access_denied_exception(denial_message(request.principal, ask, verdict));
  };
  check(definition.task_role_arn, overrides.task_role_arn);
  check(definition.execution_role_arn, overrides.execution_role_arn);
}

// One page of ARNs, or of other names, which ascend: up to maxResults, else `usual`. Sets the next page's token.
template <class Input>
std::vector<std::string> page_of(const Ecs& ecs, const Request<Input>& request, std::string_view operation,
                                 std::vector<std::string> arns, opt<std::string>& next_token,
                                 std::int64_t usual = 100) {
  next_token = cut_page(
      ecs.paging, paging_purpose("ecs:" + std::string(operation), request.scope), request.input.next_token,
      static_cast<std::size_t>(request.input.max_results.value_or(usual)), arns,
      [](const std::string& arn) { return arn; }, invalid_parameter_exception("Invalid token."));
  return arns;
}

}  // namespace brume::ecs
