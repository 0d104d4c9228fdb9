#include <algorithm>
#include <array>

#include "services/elbv2/request_checks.h"
#include "services/elbv2/ssl_policies.h"

namespace brume::elbv2 {

// "Quotas for your Application Load Balancers", the defaults; those of other types are not served and absent.
DescribeAccountLimitsOutput describe_account_limits(Elbv2& elbv2, Tx&,
                                                    const Request<DescribeAccountLimitsInput>& request) {
  using Quota = std::pair<const char*, const char*>;
  static constexpr std::array kQuotas = {
      Quota{"application-load-balancers", "50"},
      Quota{"condition-values-per-alb-rule", "5"},
      Quota{"condition-wildcards-per-alb-rule", "5"},
      Quota{"listeners-per-application-load-balancer", "50"},
      Quota{"rules-per-application-load-balancer", "100"},
      Quota{"target-groups", "3000"},
      Quota{"target-groups-per-action-on-application-load-balancer", "5"},
      Quota{"target-groups-per-application-load-balancer", "100"},
      Quota{"target-id-registrations-per-application-load-balancer", "1000"},
      Quota{"targets-per-application-load-balancer", "1000"},
  };
  std::vector<Limit> limits;
  for (const auto& [name, most] : kQuotas) limits.push_back({.name = name, .max = most});
  DescribeAccountLimitsOutput output;
  output.next_marker = page(elbv2, paging_purpose("elbv2:DescribeAccountLimits", request.scope), request.input.marker,
                            request.input.page_size, limits, [](const Limit& limit) { return *limit.name; });
  output.limits = std::move(limits);
  return output;
}

DescribeSSLPoliciesOutput describe_ssl_policies(Elbv2& elbv2, Tx&, const Request<DescribeSSLPoliciesInput>& request) {
  const auto& names = request.input.names.get();
  std::vector<SslPolicy> shapes;
  for (const SslPolicyFacts& facts : ssl_policies()) {
    if (!names.empty() && std::ranges::find(names, facts.name) == names.end()) continue;
    SslPolicy shape;
    shape.name = std::string(facts.name);
    shape.ssl_protocols = std::vector<std::string>(facts.protocols.begin(), facts.protocols.end());
    std::int64_t priority = 0;
    for (std::string_view cipher : facts.ciphers)
      shape.ciphers.ensure().push_back({.name = std::string(cipher), .priority = ++priority});
    shape.supported_load_balancer_types = std::vector<std::string>{"application", "network"};
    shapes.push_back(std::move(shape));
  }
  if (shapes.size() < names.size()) throw ssl_policy_not_found_exception("One or more SSL policies not found");
  std::ranges::sort(shapes, {}, [](const SslPolicy& shape) { return *shape.name; });
  DescribeSSLPoliciesOutput output;
  output.next_marker = page(elbv2, paging_purpose("elbv2:DescribeSSLPolicies", request.scope), request.input.marker,
                            request.input.page_size, shapes, [](const SslPolicy& shape) { return *shape.name; });
  output.ssl_policies = std::move(shapes);
  return output;
}

}  // namespace brume::elbv2
