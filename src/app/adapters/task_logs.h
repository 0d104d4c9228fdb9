// The awslogs driver writes to Logs, as the task's execution role.
#pragma once

#include "aws/authorization.h"
#include "services/ecs/needs.h"
#include "services/logs/logs.h"

namespace brume::app {

class TaskLogs final : public ecs::TaskLogs {
 public:
  TaskLogs(logs::Logs& logs, Authorizer& authorizer) : logs_(logs), authorizer_(authorizer) {}
  std::string open(Tx& tx, const Scope& scope, const std::string& group, const std::string& stream, bool create_group,
                   const std::optional<Principal>& execution) override;
  void put(Tx& tx, const Scope& scope, const std::string& group, const std::string& stream,
           const std::vector<Line>& lines) override;

 private:
  std::string denial(const Scope& scope, const Principal& principal, const std::string& action,
                     const std::string& resource) const;
  logs::Logs& logs_;
  Authorizer& authorizer_;
};

}  // namespace brume::app
