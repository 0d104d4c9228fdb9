// What ECS needs of others, in its own words. app adapts EC2, ELBv2, ECR, the image store and Logs to these.
// Control thread, callbacks too.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "aws/request.h"
#include "core/scope.h"
#include "store/tx.h"

namespace brume::ecs {

// Network interfaces of tasks (EC2).
class TaskInterfaces {
 public:
  virtual ~TaskInterfaces() = default;
  struct Wanted {
    std::string subnet, description, sandbox;
    std::vector<std::string> groups;
    bool assign_public_address = false;
  };
  struct Attached {
    std::string id, private_address, public_address, mac, subnet, zone, vpc, subnet_cidr, private_dns_name;
  };
  // Throws AwsError when the subnet or a group does not exist or is not of one VPC.
  virtual Attached create(Tx& tx, const Scope& scope, const Wanted& wanted) = 0;
  virtual void remove(Tx& tx, const Scope& scope, const std::string& interface_id) = 0;
  // The network plane has plugged it: packets pass.
  virtual bool ready(const Scope& scope, const std::string& interface_id) const = 0;
  virtual void on_ready(std::function<void(const Scope&, const std::string& interface_id)> callback) = 0;
  // Throws AwsError (InvalidParameterException) unless every subnet and group exists and all are of one VPC.
  virtual void check(const Scope& scope, const std::vector<std::string>& subnets,
                     const std::vector<std::string>& groups) const = 0;
  // The zone of a subnet, for spreading; empty when it does not exist.
  virtual std::string zone_of(const Scope& scope, const std::string& subnet) const = 0;
  virtual std::string network_namespace(const std::string& sandbox) const = 0;
  // Whether traffic that leaves the interface reaches the internet: what Fargate needs to pull an image and to log.
  virtual bool reaches_internet(const Scope& scope, const std::string& interface_id) const = 0;
  virtual std::string resolver_address(const Scope& scope, const std::string& interface_id) const = 0;
};

// Targets of load balancers (ELBv2).
class ServiceTargets {
 public:
  virtual ~ServiceTargets() = default;
  enum class Health { absent, initial, healthy, unhealthy, draining, unused };
  // Empty when the target group exists and belongs to a load balancer, else why a service cannot use it.
  virtual std::string problem(const Scope& scope, const std::string& target_group) const = 0;
  virtual void add(Tx& tx, const Scope& scope, const std::string& target_group, const std::string& address,
                   int port) = 0;
  virtual void remove(Tx& tx, const Scope& scope, const std::string& target_group, const std::string& address,
                      int port) = 0;
  // `absent` once it is deregistered and its deregistration delay is over.
  virtual Health health(const Scope& scope, const std::string& target_group, const std::string& address,
                        int port) const = 0;
  virtual void on_change(std::function<void(const Scope&, const std::string& target_group)> callback) = 0;
};

// Where images come from: ECR for its host names, else a foreign registry, or an archive that was loaded.
class ImageSource {
 public:
  virtual ~ImageSource() = default;
  struct Resolved {
    std::string digest;  // of the manifest, in the image store, layers unpacked
    std::vector<std::string> entry_point, command;
  };
  // `execution` is the execution role's session; ECR images need it. The error is the pull's own, as ECS words it after
  // "CannotPullContainerError: ".
  virtual void pull(const Scope& scope, const std::string& reference, const std::optional<Principal>& execution,
                    std::function<void(std::optional<Resolved>, std::string error)> done) = 0;
};

// Where the awslogs driver writes (Logs).
class TaskLogs {
 public:
  virtual ~TaskLogs() = default;
  // Creates the stream (and the group when `create_group`) as the execution role. Empty, or the error's text.
  virtual std::string open(Tx& tx, const Scope& scope, const std::string& group, const std::string& stream,
                           bool create_group, const std::optional<Principal>& execution) = 0;
  struct Line {
    Time at;
    std::string text;
  };
  virtual void put(Tx& tx, const Scope& scope, const std::string& group, const std::string& stream,
                   const std::vector<Line>& lines) = 0;
};

}  // namespace brume::ecs
