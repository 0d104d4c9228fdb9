// What ELBv2 needs of others, in its own words; `app` adapts. Control thread, callbacks too.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/scope.h"
#include "store/tx.h"

namespace brume::elbv2 {

// Subnets, security groups and network interfaces (EC2).
class BalancerNetwork {
 public:
  virtual ~BalancerNetwork() = default;

  struct Subnet {
    std::string id, vpc, zone, cidr;
  };
  virtual std::optional<Subnet> find_subnet(const Scope& scope, const std::string& id) const = 0;
  virtual bool vpc_exists(const Scope& scope, const std::string& vpc) const = 0;
  virtual std::vector<std::string> vpc_cidrs(const Scope& scope, const std::string& vpc) const = 0;
  virtual bool has_internet_gateway(const Scope& scope, const std::string& vpc) const = 0;
  // The VPC of a security group; nullopt: there is none of that id.
  virtual std::optional<std::string> vpc_of_group(const Scope& scope, const std::string& group) const = 0;
  virtual std::string default_group(const Scope& scope, const std::string& vpc) const = 0;
  // The zone of the subnet that holds the address; empty: no subnet does.
  virtual std::string zone_of_address(const Scope& scope, const std::string& vpc, const std::string& address) const = 0;

  // One interface of a load balancer. Its requester is amazon-elb.
  struct Wanted {
    std::string subnet, description, sandbox;
    std::vector<std::string> groups;
    bool public_address = false;
  };
  struct Attached {
    std::string id, private_address, public_address;
  };
  virtual Attached create(Tx& tx, const Scope& scope, const Wanted& wanted) = 0;
  virtual void remove(Tx& tx, const Scope& scope, const std::string& interface) = 0;  // an unknown one is no error
  virtual void set_groups(Tx& tx, const Scope& scope, const std::string& interface,
                          const std::vector<std::string>& groups) = 0;
  // Packets pass, in this run of the daemon.
  virtual bool ready(const Scope& scope, const std::string& interface) const = 0;
  virtual void on_ready(std::function<void(const Scope& scope, const std::string& interface)> callback) = 0;
  virtual std::string network_namespace(const std::string& sandbox) const = 0;
};

// Certificates of HTTPS listeners (ACM, IAM). Where there is no such store HTTPS is refused.
class CertificateStore {
 public:
  virtual ~CertificateStore() = default;
  // Chain and key in PEM; nullopt: there is no such certificate, or it is not issued.
  virtual std::optional<std::string> bundle(const Scope& scope, const std::string& arn) const = 0;
  // A certificate was renewed or imported again.
  virtual void on_change(std::function<void(const Scope& scope, const std::string& arn)> callback) = 0;
};

}  // namespace brume::elbv2
