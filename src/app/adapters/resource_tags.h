// The tags of every service's resources, by ARN: what the authorizer's aws:ResourceTag reads. Control thread.
#pragma once

#include <optional>
#include <string>

#include "app/adapters/services.h"
#include "core/scope.h"
#include "services/iam/needs.h"

namespace brume::app {

// S3 is not among them: "S3 supports aws:ResourceTag for buckets only when attribute-based access control is enabled",
// which is off by default and not served.
class ResourceTags final : public iam::ResourceTags {
 public:
  struct Services {
    const ec2::Ec2& ec2;
    const elbv2::Elbv2& elbv2;
    const ecs::Ecs& ecs;
    const ecr::Ecr& ecr;
    const logs::Logs& logs;
    const dynamodb::Dynamodb& dynamodb;
    const sqs::Sqs& sqs;
  };
  explicit ResourceTags(Services services) : services_(services) {}
  std::optional<Tags> find(const std::string& resource_arn) const override;

 private:
  std::optional<Tags> of_ec2(const Scope& scope, const std::string& type, const std::string& id) const;
  std::optional<Tags> of_elbv2(const Scope& scope, const std::string& arn) const;
  std::optional<Tags> of_ecs(const Scope& scope, const std::string& type, const std::string& id) const;

  Services services_;
};

}  // namespace brume::app
