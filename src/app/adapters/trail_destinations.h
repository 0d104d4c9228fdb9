// Trails deliver to S3 as CloudTrail itself, and to Logs as the trail's role.
#pragma once

#include "aws/authorization.h"
#include "services/cloudtrail/needs.h"
#include "services/logs/logs.h"
#include "services/s3/s3.h"

namespace brume::app {

class TrailDestinations final : public cloudtrail::Deliveries {
 public:
  TrailDestinations(Store& store, logs::Logs& logs, s3::S3& s3, const Roles& roles, const Authorizer& authorizer)
      : store_(store), logs_(logs), s3_(s3), roles_(roles), authorizer_(authorizer) {}
  Problem bucket_problem(const Scope& scope, const std::string& trail_arn, const std::string& bucket,
                         const std::string& prefix) const override;
  void put_object(const Scope& scope, const std::string& trail_arn, Object object,
                  std::function<void(const Problem&)> done) override;
  Problem group_problem(const Scope& scope, const std::string& role, const std::string& group_arn) const override;
  Problem put_lines(const Scope& scope, const std::string& role, const std::string& group_arn,
                    const std::string& stream, const std::vector<Line>& lines) override;

 private:
  Problem as_role(const Scope& scope, const std::string& role, const std::string& group_arn,
                  const std::string& stream) const;
  Store& store_;
  logs::Logs& logs_;
  s3::S3& s3_;
  const Roles& roles_;
  const Authorizer& authorizer_;
};

}  // namespace brume::app
