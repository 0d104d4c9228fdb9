// What ELBv2 keeps. Desired state, written by handlers, unless a member is marked observed: those are the reconciler's.
// Keys are the ends of ARNs: load balancer "app/NAME/ID", listener "app/NAME/ID/ID", rule "app/NAME/ID/ID/ID", target
// group "NAME/ID", target "NAME/ID|ADDRESS:PORT".
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "aws/tags.h"
#include "core/time.h"

namespace brume::elbv2 {

using Attributes = std::map<std::string, std::string>;  // only those that were set

struct ZoneRecord {
  std::string zone, subnet;
  std::string interface;  // eni-…
  std::string private_address, public_address;
};
BOOST_DESCRIBE_STRUCT(ZoneRecord, (), (zone, subnet, interface, private_address, public_address))

struct LoadBalancerRecord {
  std::string key, name, id;  // id: sixteen hex digits
  std::string dns_name, scheme, vpc;
  std::vector<std::string> security_groups;
  std::vector<ZoneRecord> zones;
  std::string ip_address_type = "ipv4";
  Attributes attributes;
  Tags tags;
  Time created;
  std::string state = "provisioning", state_reason;  // observed
  Time activated;                                    // observed: when it became active first
  bool deleting = false;                             // no longer described; its proxy and interfaces still go
  std::vector<std::string> leaving_interfaces;       // of subnets that it was taken from: deleted after the next apply
};
BOOST_DESCRIBE_STRUCT(LoadBalancerRecord, (),
                      (key, name, id, dns_name, scheme, vpc, security_groups, zones, ip_address_type, attributes, tags,
                       created, state, state_reason, activated, deleting, leaving_interfaces))

struct TargetGroupRecord {
  std::string key, name, id;
  std::string protocol, protocol_version, target_type, ip_address_type = "ipv4", vpc;
  std::int64_t port = 0;
  std::string health_protocol, health_path, matcher;
  std::int64_t health_port = 0;  // 0: "traffic-port"
  std::int64_t interval_seconds = 30, timeout_seconds = 5, healthy_threshold = 5, unhealthy_threshold = 2;
  Attributes attributes;
  Tags tags;
};
BOOST_DESCRIBE_STRUCT(TargetGroupRecord, (),
                      (key, name, id, protocol, protocol_version, target_type, ip_address_type, vpc, port,
                       health_protocol, health_path, matcher, health_port, interval_seconds, timeout_seconds,
                       healthy_threshold, unhealthy_threshold, attributes, tags))

struct TargetRecord {
  std::string key, group;  // group: the target group's key
  std::string address, zone;
  std::int64_t port = 0;
  bool draining = false;
  Time drained;                            // when the deregistration delay is over
  std::string state, reason, description;  // observed; empty: nothing was observed yet
  std::string registration;                // another one each time that it is registered
  std::string id() const { return address + ":" + std::to_string(port); }
};
BOOST_DESCRIBE_STRUCT(TargetRecord, (),
                      (key, group, address, zone, port, draining, drained, state, reason, description, registration))

struct WeightedGroup {
  std::string group;  // key
  std::int64_t weight = 1;
  bool operator==(const WeightedGroup&) const = default;
};
BOOST_DESCRIBE_STRUCT(WeightedGroup, (), (group, weight))

struct ActionRecord {
  std::string type;        // "forward", "redirect", "fixed-response"
  std::int64_t order = 0;  // 0: not given
  std::vector<WeightedGroup> groups;
  bool sticky = false;
  std::int64_t sticky_seconds = 0;
  std::string status_code;  // "HTTP_301" of a redirect, "503" of a fixed response
  std::string content_type, body;
  std::string protocol, host, port, path, query;
  bool operator==(const ActionRecord&) const = default;
};
BOOST_DESCRIBE_STRUCT(ActionRecord, (),
                      (type, order, groups, sticky, sticky_seconds, status_code, content_type, body, protocol, host,
                       port, path, query))

struct QueryPair {
  std::string key, value;
  bool operator==(const QueryPair&) const = default;
};
BOOST_DESCRIBE_STRUCT(QueryPair, (), (key, value))

struct ConditionRecord {
  std::string field, header_name;
  std::vector<std::string> values;
  std::vector<QueryPair> query;
  bool operator==(const ConditionRecord&) const = default;
};
BOOST_DESCRIBE_STRUCT(ConditionRecord, (), (field, header_name, values, query))

struct ListenerRecord {
  std::string key, id, load_balancer;  // load_balancer: key
  std::string default_rule;            // the id of its default rule
  std::int64_t port = 0;
  std::string protocol, ssl_policy;
  std::vector<std::string> certificates;  // ARNs, the default first
  std::vector<ActionRecord> default_actions;
  Tags tags, default_rule_tags;
};
BOOST_DESCRIBE_STRUCT(ListenerRecord, (),
                      (key, id, load_balancer, default_rule, port, protocol, ssl_policy, certificates, default_actions,
                       tags, default_rule_tags))

struct RuleRecord {
  std::string key, id, listener;  // listener: key
  std::int64_t priority = 0;
  std::vector<ConditionRecord> conditions;
  std::vector<ActionRecord> actions;
  Tags tags;
};
BOOST_DESCRIBE_STRUCT(RuleRecord, (), (key, id, listener, priority, conditions, actions, tags))

}  // namespace brume::elbv2
