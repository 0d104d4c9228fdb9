// AWS's own managed policies that are known here: documents, ids and dates as AWS has them, so that what a role may do
// on AWS it may do here. A policy that is not listed does not exist. Constants.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/time.h"

namespace brume::iam {

struct AwsManagedPolicy {
  std::string_view name;
  std::string_view path;  // "/service-role/"
  std::string_view id;
  std::string_view version;  // the default version, the only one known
  Time created, updated;
  std::string_view document;

  std::string arn() const { return "arn:aws:iam::aws:policy" + std::string(path) + std::string(name); }
};

std::span<const AwsManagedPolicy> aws_managed_policies();
const AwsManagedPolicy* find_aws_managed_policy(std::string_view arn);

}  // namespace brume::iam
