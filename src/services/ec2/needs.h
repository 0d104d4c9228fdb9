// What EC2 needs of others, in its own words; `app` adapts. Control thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/scope.h"
#include "core/time.h"

namespace brume::ec2 {

// The names that EC2 gives to interfaces: ip-10-0-1-5.eu-west-1.compute.internal in their VPC, and the public ones.
class Names {
 public:
  virtual ~Names() = default;
  // `view` is a VPC's id (answered to its resolver only) or "" (public). One address per name; replaces a former one.
  virtual void put(const std::string& view, const std::string& name, const std::string& address) = 0;
  virtual void remove(const std::string& view, const std::string& name) = 0;
};

// Where flow logs go. A group is written to as the flow log's role, a bucket as AWS's log delivery.
class FlowLogDelivery {
 public:
  virtual ~FlowLogDelivery() = default;
  struct Line {
    Time at;
    std::string text;
  };
  // Why the role cannot be assumed for flow logs; empty when it can.
  virtual std::string role_problem(const Scope& scope, const std::string& role) const = 0;
  virtual bool bucket_exists(const std::string& bucket) const = 0;
  // Makes the group and the stream when they are not there. Why it cannot be done, or empty.
  virtual std::string put_lines(const Scope& scope, const std::string& role, const std::string& group,
                                const std::string& stream, const std::vector<Line>& lines) = 0;
  // `done` gets why it could not be done, or an empty text.
  virtual void put_object(const Scope& scope, const std::string& bucket, const std::string& key, std::string text,
                          std::function<void(std::string error)> done) = 0;
};

}  // namespace brume::ec2
