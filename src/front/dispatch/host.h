// What a host name says about a request: AWS's endpoints ("AWS service endpoints" of the general reference), S3's
// virtual-host style, the registry's and load balancers' names. Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace brume::front {

struct HostRoute {
  enum class Kind {
    other,          // an address, localhost, or a name that is none of AWS's
    endpoint,       // of a service
    registry,       // ACCOUNT.dkr.ecr.REGION.amazonaws.com
    load_balancer,  // NAME.REGION.elb.amazonaws.com, NAME.elb.REGION.amazonaws.com, NAME.elb.localhost
  };
  Kind kind = Kind::other;
  std::string name;             // without the port, lower case
  std::string endpoint_prefix;  // "sts", "api.ecr", "s3"
  std::string region;           // empty: a global or legacy host, or none
  std::string account;          // of account-based endpoints and registries
  std::string bucket;           // of S3's virtual-host style
  bool operator==(const HostRoute&) const = default;
};

// `host` as the Host header has it, port included.
HostRoute parse_host(std::string_view host);

}  // namespace brume::front
