// AWS Resource Groups Tagging API: the tags of every service's resources, found and changed in one place. It keeps
// nothing of its own. Control thread.
#pragma once

#include <string>
#include <vector>

#include "aws/paging.h"
#include "aws/request.h"
#include "core/runtime.h"
#include "gen/resourcegroupstaggingapi.h"
#include "services/resourcegroupstaggingapi/needs.h"

namespace brume::resourcegroupstaggingapi {

struct TaggingApi {
  TaggingApi(PagingTokens tokens, TaggedServices served) : paging(std::move(tokens)), services(std::move(served)) {}
  TaggingApi(const TaggingApi&) = delete;
  TaggingApi& operator=(const TaggingApi&) = delete;

  PagingTokens paging;
  TaggedServices services;
};

struct TaggedResource {
  std::string arn;
  Tags tags;
};
// Every resource of the scope that has a tag, in the order of ARNs. `services`: by their names in ARNs; empty: all.
std::vector<TaggedResource> tagged_resources(const TaggingApi& api, const Scope& scope,
                                             const std::vector<std::string>& services = {});

// "ec2:instance", "s3", "elasticloadbalancing:loadbalancer/app": whether the ARN is of that service and type.
bool has_type(const std::string& arn, const std::string& type);

}  // namespace brume::resourcegroupstaggingapi
