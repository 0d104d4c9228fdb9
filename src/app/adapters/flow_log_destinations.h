// Flow logs go to Logs, as the flow log's role, and to S3, as AWS's log delivery.
#pragma once

#include "aws/authorization.h"
#include "services/ec2/needs.h"
#include "services/logs/logs.h"
#include "services/s3/s3.h"

namespace brume::app {

class FlowLogDestinations final : public ec2::FlowLogDelivery {
 public:
  FlowLogDestinations(Store& store, logs::Logs& logs, s3::S3& s3, const Roles& roles, const Authorizer& authorizer)
      : store_(store), logs_(logs), s3_(s3), roles_(roles), authorizer_(authorizer) {}
  std::string role_problem(const Scope& scope, const std::string& role) const override;
  bool bucket_exists(const std::string& bucket) const override { return s3_.find_bucket(bucket) != nullptr; }
  std::string put_lines(const Scope& scope, const std::string& role, const std::string& group,
                        const std::string& stream, const std::vector<Line>& lines) override;
  void put_object(const Scope& scope, const std::string& bucket, const std::string& key, std::string text,
                  std::function<void(std::string error)> done) override;

 private:
  Store& store_;
  logs::Logs& logs_;
  s3::S3& s3_;
  const Roles& roles_;
  const Authorizer& authorizer_;
};

}  // namespace brume::app
