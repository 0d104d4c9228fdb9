// The tags of every service for the Resource Groups Tagging API: read from the services' tables, changed by the
// services' own operations, with the permissions that these ask for. Control thread.
#pragma once

#include <memory>
#include <vector>

#include "app/adapters/services.h"
#include "aws/authorization.h"
#include "services/resourcegroupstaggingapi/needs.h"

namespace brume::app {

class AllTaggedServices {
 public:
  struct Services {
    ec2::Ec2& ec2;
    elbv2::Elbv2& elbv2;
    ecs::Ecs& ecs;
    ecr::Ecr& ecr;
    logs::Logs& logs;
    s3::S3& s3;
    dynamodb::Dynamodb& dynamodb;
    iam::Iam& iam;
    cloudtrail::Cloudtrail& cloudtrail;
    sqs::Sqs& sqs;
  };
  AllTaggedServices(const Services& services, const Authorizer& authorizer);
  // By the names in ARNs. Valid as long as this object.
  resourcegroupstaggingapi::TaggedServices by_name() const { return by_name_; }

 private:
  std::vector<std::unique_ptr<resourcegroupstaggingapi::TaggedService>> owned_;
  resourcegroupstaggingapi::TaggedServices by_name_;
};

}  // namespace brume::app
