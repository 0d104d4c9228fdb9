// What ELBv2's unit tests stand on: an Elbv2 over a store in memory, seeded randomness, a clock set by hand, and planes
// that only remember. Tests only.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/testing.h"
#include "gen/elbv2.h"
#include "services/elbv2/arns.h"
#include "services/elbv2/elbv2.h"
#include "services/elbv2/reconciler.h"
#include "store/tx.h"

namespace brume::elbv2 {

inline const Scope kScope{"123456789012", "eu-west-1"};

class RememberingBalancer final : public balancer::Balancer {
 public:
  std::map<std::string, balancer::LoadBalancer> balancers;
  int applies = 0;
  std::string error;  // of every apply from now on
  bool hold = false;  // answers at release() only
  std::function<void(const std::string&, const std::string&, const std::string&, const balancer::TargetHealth&)> health;
  std::function<void(const Access&)> access;
  void release() {
    for (auto& answer : std::exchange(held_, {})) answer();
  }

  void recover(balancer::Done done) override { done(""); }
  void apply(balancer::LoadBalancer balancer, balancer::Done done) override {
    ++applies;
    if (error.empty()) balancers[balancer.id] = std::move(balancer);
    if (!hold) return done(error);
    held_.push_back([this, done = std::move(done)] { done(error); });
  }
  void remove(const std::string& id, balancer::Done done) override {
    balancers.erase(id);
    done("");
  }
  void on_health(
      std::function<void(const std::string&, const std::string&, const std::string&, const balancer::TargetHealth&)>
          callback) override {
    health = std::move(callback);
  }
  void statistics(const std::string&, std::function<void(std::map<std::string, balancer::Statistics>)> done) override {
    done({});
  }
  void on_access(std::function<void(const Access&)> callback) override { access = std::move(callback); }
  void remove_all(balancer::Done done) override { done(""); }

 private:
  std::vector<std::function<void()>> held_;
};

// One VPC, 10.0.0.0/16, with subnets subnet-a, -b, -c in the region's zones and groups sg-default and sg-web; another
// VPC, 10.1.0.0/16, with subnet-x and sg-x and no internet gateway.
class RememberingNetwork final : public BalancerNetwork {
 public:
  struct Made {
    Wanted wanted;
    std::vector<std::string> groups;
  };
  std::map<std::string, Made> interfaces;
  std::set<std::string> ready_interfaces;
  bool ready_at_once = true;
  std::function<void(const Scope&, const std::string&)> ready_callback;

  void make_ready() {
    for (const auto& [id, made] : interfaces)
      if (ready_interfaces.insert(id).second && ready_callback) ready_callback(kScope, id);
  }

  std::optional<Subnet> find_subnet(const Scope&, const std::string& id) const override {
    if (id == "subnet-x") return Subnet{id, "vpc-2", "eu-west-1a", "10.1.1.0/24"};
    if (id == "subnet-y") return Subnet{id, "vpc-2", "eu-west-1b", "10.1.2.0/24"};
    if (id == "subnet-a2") return Subnet{id, "vpc-1", "eu-west-1a", "10.0.9.0/24"};
    const std::string letters = "abc";
    const std::size_t index = id.size() == 8 && id.starts_with("subnet-") ? letters.find(id[7]) : std::string::npos;
    if (index == std::string::npos) return std::nullopt;
    return Subnet{id, "vpc-1", std::string("eu-west-1") + id[7], "10.0." + std::to_string(index + 1) + ".0/24"};
  }
  bool vpc_exists(const Scope&, const std::string& vpc) const override { return vpc == "vpc-1" || vpc == "vpc-2"; }
  std::vector<std::string> vpc_cidrs(const Scope&, const std::string& vpc) const override {
    return {vpc == "vpc-1" ? "10.0.0.0/16" : "10.1.0.0/16"};
  }
  bool has_internet_gateway(const Scope&, const std::string& vpc) const override { return vpc == "vpc-1"; }
  std::optional<std::string> vpc_of_group(const Scope&, const std::string& group) const override {
    if (group == "sg-x") return "vpc-2";
    return group == "sg-default" || group == "sg-web" ? std::optional<std::string>("vpc-1") : std::nullopt;
  }
  std::string default_group(const Scope&, const std::string&) const override { return "sg-default"; }
  std::string zone_of_address(const Scope&, const std::string&, const std::string& address) const override {
    if (address.starts_with("10.0.1.")) return "eu-west-1a";
    if (address.starts_with("10.0.2.")) return "eu-west-1b";
    return address.starts_with("10.0.3.") ? "eu-west-1c" : "";
  }
  Attached create(Tx& tx, const Scope&, const Wanted& wanted) override {
    const std::string id = "eni-" + std::to_string(++last_);
    interfaces[id] = {wanted, wanted.groups};
    if (ready_at_once) ready_interfaces.insert(id);
    tx.on_rollback([this, id] { interfaces.erase(id); });
    return {id, "10.0." + std::to_string(last_) + ".10",
            wanted.public_address ? "198.19.0." + std::to_string(last_) : ""};
  }
  void remove(Tx&, const Scope&, const std::string& interface) override { interfaces.erase(interface); }
  void set_groups(Tx&, const Scope&, const std::string& interface, const std::vector<std::string>& groups) override {
    interfaces.at(interface).groups = groups;
  }
  bool ready(const Scope&, const std::string& interface) const override { return ready_interfaces.contains(interface); }
  void on_ready(std::function<void(const Scope&, const std::string&)> callback) override {
    ready_callback = std::move(callback);
  }
  std::string network_namespace(const std::string& sandbox) const override { return "/run/" + sandbox; }

 private:
  int last_ = 0;
};

class RememberingZone final : public names::Zone {
 public:
  std::map<std::string, std::vector<names::Record>> names;
  void put(const std::string&, const std::string& name, std::vector<names::Record> records) override {
    if (records.empty())
      names.erase(name);
    else
      names[name] = std::move(records);
  }
  void remove_view(const std::string&) override {}
  Answer find(std::string_view, std::string_view, names::RecordType) const override { return {}; }
};

struct RememberingMetrics final : MetricSink {
  std::vector<Metric> all;
  void put(const Metric& metric) override { all.push_back(metric); }
};

struct World {
  World() { restart(); }
  // A new daemon on the same store, the planes as they were.
  void restart() {
    elbv2.reset();
    elbv2 = std::make_unique<Elbv2>(
        Elbv2Needs{*store, runtime.clock, *random, runtime.control, balancer, network, zone, metrics, certificates});
    elbv2->start();
    run();
  }
  void run() { runtime.run(); }

  // Runs the handler in a transaction of its own, as the dispatcher does, and what follows from it.
  template <class Output, class Input>
  Output call(Output (*handler)(Elbv2&, Tx&, const Request<Input>&), const std::type_identity_t<Input>& input) {
    RequestContext context;
    context.scope = kScope;
    context.now = runtime.clock.now();
    Tx tx(*store);
    Output output = handler(*elbv2, tx, Request<Input>(context, input));
    tx.commit();
    run();
    return output;
  }
  // The code of the error that the handler ends with, "" when it succeeds.
  template <class Output, class Input>
  std::string code(Output (*handler)(Elbv2&, Tx&, const Request<Input>&), const std::type_identity_t<Input>& input) {
    try {
      call(handler, input);
    } catch (const AwsError& error) {
      message = error.message;
      return error.code;
    }
    return "";
  }

  std::string make_balancer(const std::string& name = "hello", const std::string& scheme = "internet-facing") {
    return *call(create_load_balancer, {.name = name,
                                        .subnets = std::vector<std::string>{"subnet-a", "subnet-b"},
                                        .security_groups = std::vector<std::string>{"sg-web"},
                                        .scheme = scheme})
                .load_balancers->at(0)
                .load_balancer_arn;
  }
  std::string make_group(const std::string& name = "web") {
    return *call(create_target_group, {.name = name,
                                       .protocol = "HTTP",
                                       .port = 8000,
                                       .vpc_id = "vpc-1",
                                       .health_check_path = "/health",
                                       .target_type = "ip"})
                .target_groups->at(0)
                .target_group_arn;
  }
  static Action forward_to(const std::string& group) { return {.type = "forward", .target_group_arn = group}; }
  std::string make_listener(const std::string& balancer_arn, const std::string& group, std::int64_t port = 80) {
    return *call(create_listener, {.load_balancer_arn = balancer_arn,
                                   .protocol = "HTTP",
                                   .port = port,
                                   .default_actions = std::vector{forward_to(group)}})
                .listeners->at(0)
                .listener_arn;
  }
  void register_address(const std::string& group, const std::string& address) {
    call(register_targets, {.target_group_arn = group, .targets = std::vector<TargetDescription>{{.id = address}}});
  }
  LoadBalancer described(const std::string& arn) {
    return call(describe_load_balancers, {.load_balancer_arns = std::vector{arn}}).load_balancers->at(0);
  }
  // The only load balancer as the plane was told.
  balancer::LoadBalancer proxy() const {
    return balancer.balancers.size() == 1 ? balancer.balancers.begin()->second : balancer::LoadBalancer{};
  }
  // The plane's report about a target of the only load balancer.
  void report(const std::string& target, const balancer::TargetHealth& health) {
    const balancer::LoadBalancer now = proxy();
    for (const auto& group : now.groups)
      for (const auto& item : group.targets)
        if (item.id == target) balancer.health(now.id, group.id, target, health);
    run();
  }
  // "STATE REASON" of each target of the group.
  std::map<std::string, std::string> health_of(const std::string& group) {
    std::map<std::string, std::string> result;
    for (const auto& item :
         call(describe_target_health, {.target_group_arn = group}).target_health_descriptions.get()) {
      const TargetHealth& health = item.target_health.get();
      result[*item.target->id] = *health.state + (health.reason ? " " + *health.reason : "");
    }
    return result;
  }

  std::unique_ptr<Store> store = memory_store();
  std::unique_ptr<Random> random = seeded_random(7);
  ManualRuntime runtime;
  RememberingBalancer balancer;
  RememberingNetwork network;
  RememberingZone zone;
  RememberingMetrics metrics;
  CertificateStore* certificates = nullptr;
  std::unique_ptr<Elbv2> elbv2;
  std::string message;  // of the last error
};

}  // namespace brume::elbv2
