// ECS in a world without processes or networks: every need is a fake that the test steers. Tests only.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "core/testing.h"
#include "planes/containers/fake_containers.h"
#include "services/ecs/ecs.h"

namespace brume::ecs {

struct FakeInterfaces final : TaskInterfaces {
  Attached create(Tx&, const Scope&, const Wanted& wanted) override {
    if (wanted.subnet == "subnet-full") throw AwsError("InsufficientFreeAddressesInSubnet", "full");
    const std::string number = std::to_string(++made);
    present.insert("eni-" + number);
    return {.id = "eni-" + number,
            .private_address = "10.0.0." + number,
            .mac = "02:00",
            .subnet = wanted.subnet,
            .zone = zone_of({}, wanted.subnet),
            .vpc = "vpc-1",
            .subnet_cidr = "10.0.0.0/24",
            .private_dns_name = "ip-10-0-0-" + number};
  }
  void remove(Tx&, const Scope&, const std::string& id) override { present.erase(id); }
  bool ready(const Scope&, const std::string& id) const override { return present.contains(id); }
  void on_ready(std::function<void(const Scope&, const std::string&)>) override {}
  void check(const Scope&, const std::vector<std::string>& subnets, const std::vector<std::string>&) const override {
    for (const std::string& subnet : subnets)
      if (subnet == "subnet-none") throw AwsError("InvalidParameterException", "The subnet ID does not exist");
  }
  std::string zone_of(const Scope&, const std::string& subnet) const override {
    return subnet == "subnet-b" ? "eu-west-1b" : "eu-west-1a";
  }
  std::string network_namespace(const std::string& sandbox) const override { return "/ns/" + sandbox; }
  bool reaches_internet(const Scope&, const std::string&) const override { return true; }
  std::string resolver_address(const Scope&, const std::string&) const override { return "169.254.169.253"; }
  std::set<std::string> present;
  int made = 0;
};

struct FakeTargets final : ServiceTargets {
  std::string problem(const Scope&, const std::string& group) const override {
    return group == "tg-none" ? "The target group does not exist." : "";
  }
  void add(Tx&, const Scope&, const std::string&, const std::string& address, int) override {
    health_of[address] = first;
  }
  void remove(Tx&, const Scope&, const std::string&, const std::string& address, int) override {
    health_of.erase(address);
  }
  Health health(const Scope&, const std::string&, const std::string& address, int) const override {
    const auto found = health_of.find(address);
    return found == health_of.end() ? Health::absent : found->second;
  }
  void on_change(std::function<void(const Scope&, const std::string&)> callback) override {
    changed = std::move(callback);
  }
  std::map<std::string, Health> health_of;
  Health first = Health::healthy;
  std::function<void(const Scope&, const std::string&)> changed;
};

struct FakeImages final : ImageSource {
  void pull(const Scope&, const std::string& reference, const std::optional<Principal>&,
            std::function<void(std::optional<Resolved>, std::string)> done) override {
    if (reference.ends_with(":missing"))
      return done(std::nullopt, "failed to resolve ref " + reference + ": not found");
    done(Resolved{"sha256:1", {}, {}}, {});
  }
};

struct FakeLogs final : TaskLogs {
  std::string open(Tx&, const Scope& scope, const std::string& group, const std::string& stream, bool,
                   const std::optional<Principal>&) override {
    if (group == "none") return "ResourceNotFoundException: The specified log group does not exist.";
    streams.insert(scope.region + "/" + stream);
    return {};
  }
  // Nowhere, where no such stream was opened.
  void put(Tx&, const Scope& scope, const std::string&, const std::string& stream,
           const std::vector<Line>& lines) override {
    if (!streams.contains(scope.region + "/" + stream)) return;
    for (const Line& line : lines) texts.push_back(stream + ": " + line.text);
  }
  std::set<std::string> streams;
  std::vector<std::string> texts;
};

struct FakeRoles final : Roles {
  std::optional<Principal> assume(const std::string& role, const std::string&, const std::string&,
                                  std::string& why_not) const override {
    if (role.ends_with("/none")) {
      why_not = "no such role";
      return std::nullopt;
    }
    return Principal{.kind = Principal::Kind::role_session, .role_arn = role};
  }
  std::optional<SessionKeys> issue(Tx&, const std::string& role, const std::string&, const std::string&,
                                   std::string&) override {
    return SessionKeys{"ASIA" + std::to_string(++issued), "secret", "token", role, clock.now() + hours(6)};
  }
  explicit FakeRoles(const Clock& clock) : clock(clock) {}
  const Clock& clock;
  int issued = 0;
};

struct AllowAll final : Authorizer {
  Verdict authorize(const RequestContext&, const Ask&) const override { return {.allowed = true}; }
};

struct RecordedEvents final : EventSink {
  void put(const Event& event) override { list.push_back(event); }
  std::vector<Event> list;
};

class EcsTest : public testing::Test {
 protected:
  template <class Output, class Input>
  Output call(Output (*operation)(Ecs&, Tx&, const Request<Input>&), const Input& input) {
    Tx tx(*store);
    RequestContext context;
    context.scope = scope;
    context.now = runtime.clock.now();
    context.principal.arn = "arn:aws:iam::000000000000:root";
    Output output = operation(ecs, tx, Request<Input>(context, input));
    tx.commit();
    runtime.run();
    return output;
  }

  RegisterTaskDefinitionInput definition(const std::string& tag = "v1", bool health_check = false) const {
    RegisterTaskDefinitionInput input;
    input.family = "web";
    input.network_mode = "awsvpc";
    input.requires_compatibilities = std::vector<std::string>{"FARGATE"};
    input.cpu = "256";
    input.memory = "512";
    ContainerDefinition& container = input.container_definitions.ensure().emplace_back();
    container.name = "app";
    container.image = "example.com/app:" + tag;
    container.port_mappings.ensure().emplace_back().container_port = 8000;
    if (health_check) {
      container.health_check.emplace().command = std::vector<std::string>{"CMD", "/check"};
      container.health_check->interval = 5;
      container.health_check->retries = 2;
    }
    return input;
  }
  std::string registered(const std::string& tag = "v1", bool health_check = false) {
    return call(register_task_definition, definition(tag, health_check)).task_definition->task_definition_arn.get();
  }
  void make_cluster(const std::string& name = "c") {
    CreateClusterInput input;
    input.cluster_name = name;
    call(create_cluster, input);
  }
  NetworkConfiguration network() const {
    NetworkConfiguration configuration;
    configuration.awsvpc_configuration.emplace().subnets = std::vector<std::string>{"subnet-a", "subnet-b"};
    return configuration;
  }
  CreateServiceInput service(const std::string& definition_arn, std::int64_t desired, bool balanced = false) const {
    CreateServiceInput input;
    input.cluster = "c";
    input.service_name = "s";
    input.task_definition = definition_arn;
    input.desired_count = desired;
    input.launch_type = "FARGATE";
    input.network_configuration = network();
    DeploymentCircuitBreaker& breaker = input.deployment_configuration.emplace().deployment_circuit_breaker.emplace();
    breaker.enable = true;
    breaker.rollback = true;
    if (balanced) {
      LoadBalancer& balancer = input.load_balancers.ensure().emplace_back();
      balancer.target_group_arn = "tg";
      balancer.container_name = "app";
      balancer.container_port = 8000;
    }
    return input;
  }
  Service described() {
    DescribeServicesInput input;
    input.cluster = "c";
    input.services = std::vector<std::string>{"s"};
    return call(describe_services, input).services->at(0);
  }
  std::vector<TaskRecord> tasks(const std::string& status) const {
    std::vector<TaskRecord> list;
    ecs.tasks.for_each(scope, [&](const TaskRecord& task) {
      if (task.last_status == status) list.push_back(task);
    });
    return list;
  }

  Scope scope{"000000000000", "eu-west-1"};
  ManualRuntime runtime;
  std::unique_ptr<Store> store = memory_store();
  std::unique_ptr<Random> random = seeded_random(7);
  FakeInterfaces interfaces;
  FakeTargets targets;
  FakeImages images;
  FakeLogs logs;
  FakeRoles roles{runtime.clock};
  AllowAll authorizer;
  RecordedEvents events;
  containers::FakeContainers containers{runtime.control};
  Ecs ecs{{*store, runtime.clock, *random, runtime.control, interfaces, targets, images, logs, containers, roles,
           authorizer, events}};
};

}  // namespace brume::ecs
