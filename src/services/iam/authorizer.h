// Decides every request by IAM's state: gathers the policies that apply to the caller and the resource, fills the
// condition keys of "AWS global condition context keys", and asks the policy engine. Made by app; control thread.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "aws/authorization.h"
#include "aws/policy/evaluation.h"
#include "services/iam/iam.h"

namespace brume::iam {

class PolicyAuthorizer final : public Authorizer {
 public:
  explicit PolicyAuthorizer(Iam& iam) : iam_(iam) {}

  // Where the policies of a service's resources are, by the service's name in ARNs ("s3"). A resource whose own policy
  // denies is denied to root too, as on AWS.
  void add_resource_policies(std::string service, const ResourcePolicies& policies);

  Verdict authorize(const RequestContext& context, const Ask& ask) const override;
  // The same with the statements that decided, which point into `policies`: for simulations and for tests.
  struct Explained {
    policy::Decision decision;
    policy::Policies policies;
  };
  Explained explain(const RequestContext& context, const Ask& ask) const;

 private:
  void gather_identity(const Principal& principal, policy::Policies& policies) const;
  void gather_permissions(const Permissions& permissions, policy::Policies& policies) const;
  void gather_session(const Principal& principal, policy::Policies& policies) const;
  void gather_resource(const Ask& ask, const std::string& resource, policy::Policies& policies) const;
  policy::Attached attach(std::string name, std::string_view text, policy::Grammar grammar) const;
  policy::Attached attach_managed(const std::string& arn) const;
  policy::Keys keys_for(const RequestContext& context, const Ask& ask, const std::string& resource_account) const;
  std::string true_resource(const Principal& principal, const std::string& resource) const;
  void note_use(const RequestContext& context, const Ask& ask) const;

  Iam& iam_;
  std::map<std::string, const ResourcePolicies*, std::less<>> resource_policies_;
};

}  // namespace brume::iam
