// The cloud in one process: every part, constructed in the order of its needs. Only here are planes' implementations
// and services named together.
#pragma once

#include <future>
#include <memory>
#include <string>

#include "app/adapters/balancer_interfaces.h"
#include "app/adapters/bucket_origins.h"
#include "app/adapters/endpoint_policies.h"
#include "app/adapters/flow_log_destinations.h"
#include "app/adapters/identity.h"
#include "app/adapters/image_garbage.h"
#include "app/adapters/image_source.h"
#include "app/adapters/issuer_fetch.h"
#include "app/adapters/resource_tags.h"
#include "app/adapters/service_control.h"
#include "app/adapters/service_targets.h"
#include "app/adapters/tagged_services.h"
#include "app/adapters/task_interfaces.h"
#include "app/adapters/task_logs.h"
#include "app/adapters/trail_destinations.h"
#include "app/adapters/vpc_names.h"
#include "app/admin.h"
#include "app/commands/commands.h"
#include "app/endpoints.h"
#include "app/instance.h"
#include "app/relay.h"
#include "app/served_network.h"
#include "app/small_handlers.h"
#include "core/control_loop.h"
#include "core/worker_pool.h"
#include "front/front.h"
#include "planes/balancer/haproxy_balancer.h"
#include "planes/keeper/keeper_client.h"
#include "planes/network/kernel_network.h"
#include "services/cloudtrail/cloudtrail.h"
#include "services/dynamodb/dynamodb.h"
#include "services/ecr/ecr.h"
#include "services/ecs/ecs.h"
#include "services/elbv2/elbv2.h"
#include "services/iam/authorizer.h"
#include "services/logs/logs.h"
#include "services/resourcegroupstaggingapi/resourcegroupstaggingapi.h"
#include "services/s3/s3.h"
#include "services/sqs/sqs.h"
#include "services/sts/roles.h"

namespace brume::app {

// Published metrics and events go nowhere until their services exist.
struct NoSinks final : MetricSink, EventSink {
  void put(const Metric&) override {}
  void put(const Event&) override {}
};

class Cloud {
 public:
  Cloud(const UpOptions& options, const Instance& instance);
  ~Cloud();

  // Starts everything. `done` is called on the control thread, with an empty text when the cloud serves.
  void start(std::function<void(std::string problem)> done);
  // Lets requests and jobs end; afterwards nothing of ours runs but the keeper's children.
  void stop();

  std::uint16_t port() const { return port_; }
  const UpOptions options;
  const Instance instance;

  CloudClock clock;
  std::unique_ptr<Random> random;
  ControlLoop control;
  const std::shared_ptr<Backlog> backlog = std::make_shared<Backlog>();  // shared by the workers and the front door
  WorkerPool workers;
  WorkerPool outside_workers;  // wait for hosts that are not ours: they must not keep the others
  // Of what reads nothing of the store the longest is made while it is opened.
  std::future<std::unique_ptr<Store>> opening;
  NoSinks sinks;

  std::unique_ptr<names::Zone> zone;
  std::unique_ptr<names::Resolver> resolver;
  std::unique_ptr<names::Authority> authority;
  Certificates certificates;
  std::unique_ptr<Store> store;

  std::unique_ptr<KeeperClient> keeper;
  std::unique_ptr<ServedNetwork> network;
  std::unique_ptr<containers::Images> images;
  std::unique_ptr<containers::Containers> containers;
  std::unique_ptr<balancer::Balancer> balancer;

  sts::KeyRing key_ring;
  AccessKeys access_keys;
  iam::Iam iam;
  iam::PolicyAuthorizer authorizer;
  ServiceControlPolicies service_control;
  Identities identities;
  IssuerFetch issuers;
  sts::Sts sts;
  Sessions sessions;
  sts::ServiceRoles roles;

  VpcNames vpc_names;
  ec2::Ec2 ec2;
  EndpointPolicies endpoint_policies;
  BalancerInterfaces balancer_interfaces;
  elbv2::Elbv2 elbv2;
  s3::S3 s3;
  BucketOrigins bucket_origins;
  dynamodb::Dynamodb dynamodb;
  sqs::Sqs sqs;
  logs::Logs logs;
  FlowLogDestinations flow_log_destinations;
  ecr::Ecr ecr;
  TaskInterfaces task_interfaces;
  ServiceTargets service_targets;
  ImageSource image_source;
  TaskLogs task_logs;
  ecs::Ecs ecs;
  TrailDestinations trail_destinations;
  cloudtrail::Cloudtrail cloudtrail;
  ResourceTags resource_tags;
  AllTaggedServices tagged_services;
  resourcegroupstaggingapi::TaggingApi tagging;
  ImageGarbage image_garbage;

  LoadBalancerRelay relay;
  Admin admin;
  CheckIp check_ip;
  NoInstanceMetadata no_instance_metadata;
  Front front;

 private:
  void add_services();
  void serve_api();
  void finish_deletions();
  void connected(const KeeperClient::Connected& connected);
  void serve_listener(const network::Listener& listener);
  void serve_internet();
  void listen_endpoint(int port);
  void take_lines(const std::vector<Keeper::Line>& lines);
  void keep_lines();
  void fail(const std::string& problem);
  Time in_cloud_time(std::int64_t machine_ms) const { return clock.at_machine_time(Time{machine_ms}); }

  std::function<void(std::string)> started_;
  std::uint16_t port_ = 0;
  bool recovering_ = false;
  std::vector<Keeper::Line> waiting_lines_;  // of tasks, not stored yet
};

}  // namespace brume::app
