// What EC2's unit tests stand on: an Ec2 over a store in memory, seeded randomness, a clock set by hand and a network
// plane that only remembers. Tests only.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/testing.h"
#include "gen/ec2.h"
#include "planes/network/network.h"
#include "services/ec2/ec2.h"
#include "store/tx.h"

namespace brume::ec2 {

inline const Scope kScope{"123456789012", "eu-west-1"};

// Remembers what it was told. Answers at once unless `hold` is set; then at release().
class RememberingNetwork final : public network::Network {
 public:
  std::map<std::string, network::Vpc> vpcs;
  std::map<std::string, network::Flows> passed;  // what the next `flows` answers
  int applies = 0, removes = 0;
  std::string error;  // of every apply and remove from now on
  std::string recover_error;
  bool hold = false;
  void release() {
    for (auto& answer : std::exchange(held_, {})) answer();
  }

  void recover(network::Done done) override { done(recover_error); }
  void apply(network::Vpc vpc, network::Done done) override {
    ++applies;
    if (error.empty()) vpcs[vpc.id] = vpc;
    answer(std::move(done));
  }
  void remove(const std::string& vpc_id, network::Done done) override {
    ++removes;
    if (error.empty()) vpcs.erase(vpc_id);
    answer(std::move(done));
  }
  void counters(const std::string&, std::function<void(network::Counters)> done) override { done({}); }
  void flows(const std::string& vpc_id, std::function<void(network::Flows)> done) override {
    const auto found = passed.extract(vpc_id);
    done(found ? found.mapped() : network::Flows{});
  }
  std::string namespace_path(const std::string& sandbox) const override { return sandbox; }
  std::string internet_namespace_path() const override { return "internet"; }
  std::string router_namespace_path(const std::string& vpc_id) const override { return vpc_id; }
  void on_listener(std::function<void(network::Listener)>) override {}
  void dial(const std::string&, const std::string&, int, std::function<void(int, std::string)> done) override {
    done(-1, "no kernel");
  }
  void listen_internet(const std::string&, int, std::function<void(int, std::string)> done) override {
    done(-1, "no kernel");
  }
  void set_egress(bool, network::Done done) override { done(""); }
  void enable_real_internet(bool, network::Done done) override { done(""); }
  void remove_all(network::Done done) override { done(""); }

 private:
  void answer(network::Done done) {
    if (!hold) return done(error);
    held_.push_back([this, done = std::move(done)] { done(error); });
  }
  std::vector<std::function<void()>> held_;
};

class RememberingNames final : public Names {
 public:
  std::map<std::pair<std::string, std::string>, std::string> names;
  void put(const std::string& view, const std::string& name, const std::string& address) override {
    names[{view, name}] = address;
  }
  void remove(const std::string& view, const std::string& name) override { names.erase({view, name}); }
};

struct World {
  explicit World(bool started = true) {
    restart();
    if (started) start();
  }

  // A new daemon on the same store.
  void restart() {
    ec2.reset();
    ec2 =
        std::make_unique<Ec2>(*store, runtime.clock, *random, runtime.control, network, names, PagingTokens("secret"));
  }
  void start() {
    ec2->reconciler.start([](const std::string&) {});
    run();
  }
  void run() { runtime.run(); }

  // Runs the handler in a transaction of its own, as the dispatcher does.
  template <class Output, class Input>
  Output call(Output (*handler)(Ec2&, Tx&, const Request<Input>&), const std::type_identity_t<Input>& input,
              const Scope& scope = kScope) {
    RequestContext context;
    context.scope = scope;
    context.now = runtime.clock.now();
    Tx tx(*store);
    Output output = handler(*ec2, tx, Request<Input>(context, input));
    tx.commit();
    return output;
  }
  // The code of the error that the handler ends with, "" when it succeeds.
  template <class Output, class Input>
  std::string code(Output (*handler)(Ec2&, Tx&, const Request<Input>&), const std::type_identity_t<Input>& input,
                   const Scope& scope = kScope) {
    try {
      call(handler, input, scope);
    } catch (const AwsError& error) {
      last_message = error.message;
      return error.code;
    }
    return "";
  }
  // A change that is not an operation.
  template <class Change>
  auto change(Change&& function) {
    Tx tx(*store);
    auto result = function(tx);
    tx.commit();
    return result;
  }

  std::string vpc(const std::string& cidr = "10.0.0.0/16") {
    return *call(create_vpc, {.cidr_block = cidr}).vpc->vpc_id;
  }
  std::string subnet(const std::string& vpc_id, const std::string& cidr = "10.0.1.0/24",
                     const std::string& zone = "eu-west-1a") {
    return *call(create_subnet, {.availability_zone = zone, .cidr_block = cidr, .vpc_id = vpc_id}).subnet->subnet_id;
  }
  std::string group(const std::string& vpc_id, const std::string& name = "web") {
    return *call(create_security_group, {.description = "test", .group_name = name, .vpc_id = vpc_id}).group_id;
  }
  std::string attached_gateway(const std::string& vpc_id) {
    const std::string id = *call(create_internet_gateway, {}).internet_gateway->internet_gateway_id;
    call(attach_internet_gateway, {.internet_gateway_id = id, .vpc_id = vpc_id});
    return id;
  }
  std::string interface(const std::string& subnet_id) {
    return *call(create_network_interface, {.subnet_id = subnet_id}).network_interface->network_interface_id;
  }
  std::string address() { return *call(allocate_address, {}).allocation_id; }

  ManualRuntime runtime;
  std::unique_ptr<Store> store = memory_store();
  std::unique_ptr<Random> random = seeded_random(7);
  RememberingNetwork network;
  RememberingNames names;
  std::unique_ptr<Ec2> ec2;
  std::string last_message;
};

// A filter of a Describe request.
inline std::vector<Filter> filter(std::string name, std::vector<std::string> values) {
  return {{.name = std::move(name), .values = std::move(values)}};
}
inline std::vector<TagSpecification> tagged(std::string type, std::string key, std::string value) {
  TagSpecification specification{.resource_type = std::move(type)};
  specification.tags.ensure().push_back({.key = std::move(key), .value = std::move(value)});
  return {specification};
}

}  // namespace brume::ec2
