// The policies of EC2's gateway endpoints, as IAM asks for them.
#pragma once

#include "services/ec2/api.h"
#include "services/iam/authorizer.h"

namespace brume::app {

class EndpointPolicies final : public iam::EndpointPolicies {
 public:
  explicit EndpointPolicies(const ec2::Ec2& ec2) : ec2_(ec2) {}
  std::optional<Found> find(const RequestContext& context, const std::string& service) const override {
    const auto endpoint = ec2::endpoint_for(ec2_, context.vpc, context.source_address, service);
    if (!endpoint) return std::nullopt;
    return Found{endpoint->id, endpoint->policy};
  }

 private:
  const ec2::Ec2& ec2_;
};

}  // namespace brume::app
