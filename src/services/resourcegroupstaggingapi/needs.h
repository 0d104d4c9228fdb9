// What the Tagging API asks of the services that have tags; app adapts them. Control thread.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "aws/request.h"
#include "aws/tags.h"

namespace brume {
class Tx;
}

namespace brume::resourcegroupstaggingapi {

// One service, by the name in its ARNs: "elasticloadbalancing".
class TaggedService {
 public:
  virtual ~TaggedService() = default;

  using Visit = std::function<void(const std::string& arn, const Tags& tags)>;
  // Every resource of the account that has tags of its own, in the region; those of a global service in us-east-1.
  virtual void each(const Scope& scope, const Visit& visit) const = 0;

  // As the service's own operation does it for the caller, its permission included. Throw the service's AwsErrors, with
  // nothing changed.
  virtual void put(Tx& tx, const RequestContext& context, const std::string& arn, const Tags& tags) = 0;
  virtual void remove(Tx& tx, const RequestContext& context, const std::string& arn,
                      const std::vector<std::string>& keys) = 0;
};

using TaggedServices = std::map<std::string, TaggedService*, std::less<>>;

}  // namespace brume::resourcegroupstaggingapi
