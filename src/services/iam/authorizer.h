// Decides every request by IAM's state: gathers the policies that apply to the caller and the resource, fills the
// condition keys of "AWS global condition context keys", and asks the policy engine. Made by app; control thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "aws/authorization.h"
#include "aws/policy/evaluation.h"
#include "services/iam/decisions.h"
#include "services/iam/iam.h"

namespace brume::iam {

// The gateway endpoint a request came through, for requests whose context names a VPC. Implemented by app.
class EndpointPolicies {
 public:
  virtual ~EndpointPolicies() = default;
  struct Found {
    std::string endpoint;  // vpce-…
    std::string document;
  };
  // nullopt: the service has no endpoint there.
  virtual std::optional<Found> find(const RequestContext& context, const std::string& service) const = 0;
};

class PolicyAuthorizer final : public Authorizer {
 public:
  explicit PolicyAuthorizer(Iam& iam) : iam_(iam) {}

  // Where the policies of a service's resources are, by the service's name in ARNs ("s3"). A resource whose own policy
  // denies is denied to root too, as on AWS.
  void add_resource_policies(std::string service, const ResourcePolicies& policies);
  // Where the tags of resources are, and what sessions brought; null: nowhere.
  const ResourceTags* resource_tags = nullptr;
  const Sessions* sessions = nullptr;
  // What the organization lets its accounts do; null: there is none.
  const ServiceControlPolicies* service_control = nullptr;

  // What was decided last, for whoever asks why.
  const Decisions& decisions() const { return decisions_; }

  // "Control access to VPC endpoints using endpoint policies": what comes out of a VPC must be allowed by these too.
  void set_endpoint_policies(const EndpointPolicies& policies) { endpoint_policies_ = &policies; }

  Verdict authorize(const RequestContext& context, const Ask& ask) const override;
  // What an encoded authorization message of a denial says; nullopt for a text that is none.
  std::optional<std::string> decode_message(const std::string& encoded) const;
  // The same with the statements that decided, which point into `policies`: for simulations and for tests.
  struct Explained {
    policy::Decision decision;
    policy::Policies policies;
    policy::Keys keys;
    std::string resource;  // with the path of a role or user, as policies know it
  };
  Explained explain(const RequestContext& context, const Ask& ask) const;

 private:
  // Who asks, found once a decision: the role of a session or the user, if it is still the one that it was.
  struct Caller {
    const Principal& principal;
    const RoleRecord* role = nullptr;
    const UserRecord* user = nullptr;
  };
  Caller caller_of(const Principal& principal) const;
  // What a role or user has of its own, gathered once for many requests.
  struct Gathered {
    std::string id;  // the unique id
    std::uint64_t version = 0;
    policy::Policies policies;
  };
  const policy::Policies& own_policies(const Caller& caller) const;
  std::string message_secret() const;
  void gather_identity(const Caller& caller, policy::Policies& policies) const;
  void gather_user(const UserRecord& user, policy::Policies& policies) const;
  void gather_permissions(const Permissions& permissions, policy::Policies& policies) const;
  void gather_session(const Principal& principal, policy::Policies& policies) const;
  void gather_service_control(const Caller& caller, policy::Policies& policies) const;
  void gather_resource(const Ask& ask, const std::string& resource, policy::Policies& policies) const;
  std::optional<std::string> endpoint_refusal(const RequestContext& context, const Ask& ask,
                                              const Caller& caller) const;
  policy::Attached attach(std::string name, std::string_view text, policy::Grammar grammar) const;
  policy::Attached attach_managed(const std::string& arn) const;
  void fill_keys(const RequestContext& context, const Ask& ask, const Caller& caller, const std::string& resource,
                 const std::string& resource_account, policy::Keys& keys) const;
  std::optional<EndpointPolicies::Found> endpoint_of(const RequestContext& context, const Ask& ask) const;
  std::string true_resource(const Principal& principal, const std::string& resource) const;
  void add_resource_keys(const Ask& ask, const std::string& resource, policy::Keys& keys) const;
  void add_caller_keys(const RequestContext& context, const Caller& caller, policy::Keys& keys) const;
  void judge(const RequestContext& context, const Ask& ask, const Caller& caller, DecisionRecord& record) const;
  DecisionRecord& begin_record(const RequestContext& context, const Ask& ask) const;
  bool root_needs_no_policy(const Ask& ask, const Caller& caller) const;
  void note_use(const RequestContext& context, const Ask& ask, const Caller& caller) const;

  Iam& iam_;
  mutable Decisions decisions_;  // a memory of what was asked, no part of any answer
  mutable std::array<Gathered, 256> gathered_;
  const EndpointPolicies* endpoint_policies_ = nullptr;
  std::map<std::string, const ResourcePolicies*, std::less<>> resource_policies_;
};

}  // namespace brume::iam
