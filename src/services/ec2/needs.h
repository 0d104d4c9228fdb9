// What EC2 needs of others, in its own words; `app` adapts. Control thread.
#pragma once

#include <string>

namespace brume::ec2 {

// The names that EC2 gives to interfaces: ip-10-0-1-5.eu-west-1.compute.internal in their VPC, and the public ones.
class Names {
 public:
  virtual ~Names() = default;
  // `view` is a VPC's id (answered to its resolver only) or "" (public). One address per name; replaces a former one.
  virtual void put(const std::string& view, const std::string& name, const std::string& address) = 0;
  virtual void remove(const std::string& view, const std::string& name) = 0;
};

}  // namespace brume::ec2
