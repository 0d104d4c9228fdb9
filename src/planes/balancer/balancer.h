// The balancer plane: one HAProxy per load balancer, inside the load balancer's own namespace. It is given whole
// desired load balancers as values; targets change through the runtime API, listeners and rules by a rendered
// configuration and a seamless reload. Callbacks come on the control thread. HAProxy outlives the daemon.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace brume::balancer {

struct Condition {
  enum class Field { host_header, path_pattern, http_header, http_request_method, query_string, source_ip };
  Field field = Field::path_pattern;
  std::string header_name;                                 // http_header
  std::vector<std::string> values;                         // any of them; * and ? are wildcards
  std::vector<std::pair<std::string, std::string>> query;  // query_string: key (may be empty), value
  bool operator==(const Condition&) const = default;
};

struct Action {
  enum class Kind { forward, redirect, fixed_response } kind = Kind::forward;
  std::vector<std::pair<std::string, int>> groups;  // forward: target group id and weight
  int stickiness_seconds = 0;                       // forward: group stickiness; 0: off
  int status = 0;                                   // redirect, fixed_response
  std::string content_type, body;                   // fixed_response
  std::string protocol, host, port, path, query;    // redirect, with #{host} and the like
  bool operator==(const Action&) const = default;
};

struct Rule {
  std::string id;
  int priority = 0;                   // lowest first; the default action comes last
  std::vector<Condition> conditions;  // all of them
  Action action;
  bool operator==(const Rule&) const = default;
};

struct Listener {
  std::string id;
  int port = 80;
  bool tls = false;
  std::vector<std::string> certificates;  // PEM bundles, the default first
  std::vector<Rule> rules;
  Action default_action;
  bool operator==(const Listener&) const = default;
};

struct HealthCheck {
  bool tls = false, tcp = false;
  std::string path = "/", matcher = "200";  // "200-299,301"
  int port = 0;                             // 0: the traffic port
  int interval_seconds = 30, timeout_seconds = 5, healthy_threshold = 5, unhealthy_threshold = 2;
  double speed = 1;  // of the interval: how many of its seconds pass in one of the machine's
  bool operator==(const HealthCheck&) const = default;
};

struct Target {
  std::string id;  // address:port
  std::string address;
  int port = 0;
  bool draining = false;     // deregistered, its requests in flight may end
  std::string registration;  // another one: it was registered anew, and its health is told anew
  bool operator==(const Target&) const = default;
};

struct TargetGroup {
  std::string id;
  bool tls = false;
  bool least_outstanding = false;
  int stickiness_seconds = 0;  // AWSALB cookie; 0: off
  HealthCheck health_check;
  std::vector<Target> targets;
  bool operator==(const TargetGroup&) const = default;
};

struct LoadBalancer {
  std::string id;                      // short, unique, also the ownership label
  std::string network_namespace;       // path
  std::vector<std::string> addresses;  // its own, one per subnet
  int idle_timeout_seconds = 60;
  bool drop_invalid_headers = false;
  std::string forwarded_for = "append";  // append, preserve, remove
  std::vector<Listener> listeners;
  std::vector<TargetGroup> groups;
  bool operator==(const LoadBalancer&) const = default;
};

enum class Health { initial, healthy, unhealthy, draining, unused };
struct TargetHealth {
  Health health = Health::initial;
  std::string reason;       // "Target.FailedHealthChecks", "Elb.InitialHealthChecking", …
  std::string description;  // "Health checks failed with these codes: [503]"
  bool operator==(const TargetHealth&) const = default;
};

struct Statistics {
  std::uint64_t requests = 0, status_2xx = 0, status_3xx = 0, status_4xx = 0, status_5xx = 0, elb_5xx = 0,
                connections = 0;
};

using Done = std::function<void(std::string error)>;

class Balancer {
 public:
  virtual ~Balancer() = default;
  // Finds the HAProxys that an earlier daemon left, by their ownership labels; an equal apply then changes nothing.
  virtual void recover(Done done) = 0;
  // Makes it so; done when the proxy serves the listeners. Applies of one load balancer are done in order.
  virtual void apply(LoadBalancer balancer, Done done) = 0;
  virtual void remove(const std::string& id, Done done) = 0;
  // Called whenever a target's health has changed: (load balancer, target group, target, health).
  virtual void on_health(std::function<void(const std::string& balancer, const std::string& group,
                                            const std::string& target, const TargetHealth& health)>
                             callback) = 0;
  virtual void statistics(
      const std::string& id,
      std::function<void(std::map<std::string, Statistics>)> done) = 0;  // by target group id; "" is the whole
  // One access line: what ELB's access log and request metrics need.
  struct Access {
    std::string balancer, listener, group, target, client, method, host, path, status_text;
    int status = 0, target_status = 0;
    double seconds = 0;
    std::uint64_t bytes_in = 0, bytes_out = 0;
    std::int64_t at_ms = 0;
  };
  virtual void on_access(std::function<void(const Access&)> callback) = 0;
  virtual void remove_all(Done done) = 0;
};

}  // namespace brume::balancer
