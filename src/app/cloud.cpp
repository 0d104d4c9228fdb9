#include "app/cloud.h"

#include <filesystem>
#include <fstream>

#include "core/fault.h"
#include "core/log.h"
#include "core/text.h"
#include "gen/cloudtrail.h"
#include "gen/dynamodb.h"
#include "gen/ec2.h"
#include "gen/elbv2.h"
#include "gen/iam.h"
#include "gen/sqs.h"
#include "gen/sts.h"
#include "planes/names/authority.h"
#include "store/erasures.h"
#include "store/opening.h"

namespace brume::app {
namespace {

constexpr std::size_t kWorkers = 4;
constexpr std::size_t kOutsideWorkers = 2;
constexpr std::size_t kTasksConnections = 512;  // to one VPC's metadata or credentials: tasks cannot shut the API out

std::string cgroup_of(const Instance& instance) { return "/brume/" + instance.id; }

std::string bundle_of(const Instance& instance) { return instance.run + "/ca-bundle.crt"; }

// The public roots and this cloud's authority, for clients inside containers. No API call needs them.
void write_bundle(const Instance& instance, const names::Authority& authority) {
  std::ifstream roots("/etc/ssl/certs/ca-certificates.crt");
  std::ofstream bundle(bundle_of(instance));
  if (roots) bundle << roots.rdbuf() << '\n';
  bundle << authority.certificate_pem();
}

// What programs in the internet namespace ask: this cloud's DNS.
std::string write_resolv_conf(const Instance& instance) {
  const std::string path = instance.run + "/resolv.conf";
  std::ofstream(path) << "nameserver " << kDnsAddress << "\n";
  return path;
}

KeeperClientOptions keeper_options(const Instance& instance) {
  return {.run_directory = instance.run,
          .state_directory = instance.state + "/keeper",
          .cgroup = cgroup_of(instance),
          .connects_at_once = false};
}

std::unique_ptr<containers::Images> open_images(const UpOptions& options, const Instance& instance, Keeper& keeper,
                                                Workers& workers, Control& control) {
  return containers::make_images({.directory = instance.images(),
                                  .network_namespace = options.offline ? "" : instance.internet_namespace(),
                                  .resolv_conf = options.offline ? "" : write_resolv_conf(instance),
                                  .is_refused_host = names::is_aws_name,
                                  .synced = options.durable},
                                 keeper, workers, control);
}

std::unique_ptr<containers::Containers> open_containers(const Instance& instance, Keeper& keeper,
                                                        containers::Images& images, Workers& workers,
                                                        Control& control) {
  return containers::make_containers({.run_directory = instance.run,
                                      .state_directory = instance.state + "/containers",
                                      .cgroup = cgroup_of(instance),
                                      .ca_bundle_path = bundle_of(instance),
                                      .clock_page = instance.clock()},
                                     keeper, images, workers, control);
}

// Names that the user gave to something inside: an identity provider of its own, a stand-in for another's API.
void publish_names(names::Zone& zone, const std::vector<std::string>& given) {
  for (const std::string& pair : given) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) throw std::runtime_error("--name takes NAME=ADDRESS, not " + pair);
    zone.put("", to_lower(pair.substr(0, equals)), {{.type = names::RecordType::a, .value = pair.substr(equals + 1)}});
  }
}

std::unique_ptr<names::Zone> made_zone(const std::vector<std::string>& given) {
  std::unique_ptr<names::Zone> zone = names::make_zone();
  publish_endpoints(*zone, kEndpointAddress);
  publish_names(*zone, given);
  return zone;
}

std::unique_ptr<ServedNetwork> open_network(const Instance& instance, Keeper& keeper, Control& control) {
  return std::make_unique<ServedNetwork>(
      network::make_network({.run_directory = instance.run, .instance_id = instance.id}, keeper, control));
}

}  // namespace

Cloud::Cloud(const UpOptions& given, const Instance& where)
    : options(given),
      instance(where),
      clock(where.clock()),
      random(system_random()),
      control(clock),
      workers(control, kWorkers, backlog),
      outside_workers(control, kOutsideWorkers),
      opening(begin_opening_store(where.store(), given.durable ? Durability::power_loss : Durability::process_death)),
      zone(made_zone(given.names)),
      resolver(names::make_resolver(*zone)),
      authority(names::open_authority(where.authority(), clock)),
      certificates(*authority),
      store(opening.get()),
      keeper((network::prepare_run_directory(where.run), make_keeper_client(keeper_options(where), control))),
      network(open_network(where, *keeper, control)),
      images(open_images(given, where, *keeper, workers, control)),
      containers(open_containers(where, *keeper, *images, workers, control)),
      balancer(balancer::make_haproxy_balancer({.directory = where.run + "/lb"}, *keeper, control)),
      access_keys(key_ring, *random),
      iam(*store, clock, *random, access_keys, PagingTokens::load(*store, *random)),
      authorizer(iam),
      service_control(given.service_control),
      identities(iam, authorizer),
      issuers(*network, outside_workers, where.authority() + "/ca.pem"),
      sts(*store, clock, *random, control, key_ring, identities, issuers, authorizer),
      sessions(sts),
      roles(sts),
      vpc_names(*zone),
      ec2(*store, clock, *random, control, *network, vpc_names, PagingTokens::load(*store, *random)),
      endpoint_policies(ec2),
      balancer_interfaces(ec2, *network),
      elbv2({*store, clock, *random, control, *balancer, balancer_interfaces, *zone, sinks}),
      s3({*store, clock, *random, control, workers, where.objects(), &authorizer, true}),
      bucket_origins(s3),
      dynamodb({*store, clock, *random, control, workers}),
      sqs({*store, clock, *random, control, workers, &authorizer}),
      logs({*store, clock, *random, control, workers, sinks}),
      flow_log_destinations(*store, logs, s3, roles, authorizer),
      ecr({*store, clock, *random, control, workers, *images, key_ring, authorizer, where.spool(),
           [this] { image_garbage.collect(); }}),
      task_interfaces(ec2, *network),
      service_targets(elbv2),
      image_source(ecr, *images),
      task_logs(logs, authorizer),
      ecs({*store, clock, *random, control, task_interfaces, service_targets, image_source, task_logs, *containers,
           roles, authorizer, sinks}),
      trail_destinations(*store, logs, s3, roles, authorizer),
      cloudtrail({*store, clock, *random, control, workers, trail_destinations}),
      resource_tags({ec2, elbv2, ecs, ecr, logs, dynamodb, sqs}),
      tagged_services({ec2, elbv2, ecs, ecr, logs, s3, dynamodb, iam, cloudtrail, sqs}, authorizer),
      tagging(PagingTokens::load(*store, *random), tagged_services.by_name()),
      image_garbage(control, clock, ecr, ecs, *images),
      relay(control, elbv2, *network),
      admin(*this),
      front({.spool_directory = where.spool(), .default_region = given.default_region},
            {clock, *random, control, *store, key_ring, authorizer, cloudtrail.recorder, &certificates, &relay,
             &bucket_origins, &control, backlog}) {
  authorizer.add_resource_policies("s3", s3);
  authorizer.add_resource_policies("ecr", ecr);
  authorizer.add_resource_policies("sqs", sqs);
  authorizer.resource_tags = &resource_tags;
  authorizer.sessions = &sessions;
  authorizer.service_control = &service_control;
  authorizer.set_endpoint_policies(endpoint_policies);
  iam.last_uses.write_lazily(control, clock);
  add_services();
  if (given.speed) clock.set_speed(*given.speed);
}

Cloud::~Cloud() = default;

void Cloud::add_services() {
  front.add(sts::handlers(), &sts);
  front.add(iam::handlers(), &iam);
  front.add(ec2::handlers(), &ec2);
  front.add(elbv2::handlers(), &elbv2);
  front.add(ecs::handlers(), &ecs);
  front.add(ecr::handlers(), &ecr);
  front.add(logs::handlers(), &logs);
  front.add(s3::handlers(), &s3);
  front.add(dynamodb::handlers(), &dynamodb);
  front.add(sqs::handlers(), &sqs);
  front.add(cloudtrail::handlers(), &cloudtrail);
  front.add(resourcegroupstaggingapi::handlers(), &tagging);
  front.set_registry(ecr.registry());
  front.route("checkip.amazonaws.com", "/", check_ip);
}

void Cloud::start(std::function<void(std::string)> done) {
  started_ = std::move(done);
  resolver->set_offline(options.offline);
  keeper->on_lines([this](const std::vector<Keeper::Line>& lines) { take_lines(lines); });
  keeper->on_connected([this](const KeeperClient::Connected& state) { connected(state); });
  network->on_listener([this](const network::Listener& listener) { serve_listener(listener); });
  network->on_remove([this](const std::string& vpc) {
    resolver->stop(vpc);
    zone->remove_view(vpc);
    for (const char* service : {"metadata/", "credentials/", "endpoint/"}) front.stop_listening(service + vpc);
  });
  control.start();
  front.start();
  control.post([this] {
    front.listen_unix(instance.admin_socket(), geteuid(), "admin", admin);
    serve_api();
  });
}

// Handlers write desired state, so the API is served while the planes are still on their way: what needs them is made
// when they are there. What has no plane starts here.
void Cloud::serve_api() {
  finish_deletions();
  s3.start();
  dynamodb.start();
  sqs.start();
  logs.start();
  ecr.start();
  cloudtrail.start();
  try {
    port_ = front.listen_loopback(static_cast<std::uint16_t>(options.port));
  } catch (const std::exception& error) {
    return fail(error.what());
  }
  // Not before: a keeper that is started, and what it starts, would take the processors from whoever calls first.
  keeper->begin();
}

// What a kill left of the data of deleted tables, log streams and trails goes before anybody can use its name again.
void Cloud::finish_deletions() {
  try {
    finish_erasures(*store);
  } catch (const StoreError& error) {
    log::warning("cloud", "what was deleted takes room until the next start: " + error.message);
  }
}

void Cloud::fail(const std::string& problem) {
  if (auto report = std::exchange(started_, nullptr))
    report(problem);
  else
    log::error("cloud", problem);
}

// The order of a start: the keeper is there, the kernel's state is taken over, then the services with planes go on.
void Cloud::connected(const KeeperClient::Connected& state) {
  if (state.pid == 0) return fail("the keeper cannot be started: " + state.error);
  if (std::exchange(recovering_, true)) return;
  write_bundle(instance, *authority);
  ec2.reconciler.start([this](const std::string& problem) {
    if (!problem.empty()) return fail("the network cannot be made: " + problem);
    fault_point("cloud.network.recovered");
    network->set_egress(options.allow_egress, [](const std::string&) {});
    network->enable_real_internet(!options.offline, [](const std::string& error) {
      if (!error.empty()) log::warning("cloud", "no real internet for tools in exec: " + error);
    });
    serve_internet();
  });
}

void Cloud::serve_internet() {
  balancer->recover([this](const std::string& problem) {
    if (!problem.empty()) return fail("load balancers cannot be taken over: " + problem);
    elbv2.start();
    ecs.start();
    ec2.flow_collector.start(flow_log_destinations);
    image_garbage.start();
    listen_endpoint(443);
    listen_endpoint(80);
    admin.serving = true;
    if (auto report = std::exchange(started_, nullptr)) report({});
  });
}

void Cloud::listen_endpoint(int port) {
  network->listen_internet(kEndpointAddress, port, [this, port](int fd, const std::string& error) {
    if (fd < 0) return log::error("cloud", "port " + std::to_string(port) + " of the internet's endpoints: " + error);
    front.adopt(fd, {.label = "internet/" + std::to_string(port), .tls = port == 443});
  });
}

// Sockets inside a VPC's or the internet's namespace, which the daemon serves.
void Cloud::serve_listener(const network::Listener& listener) {
  switch (listener.service) {
    case network::Service::dns:
      resolver->serve(listener.vpc, listener.udp, listener.tcp);
      if (!listener.vpc.empty()) resolver->set_forwarding(listener.vpc, options.allow_egress && !options.offline);
      return;
    case network::Service::metadata:
      return front.adopt(listener.tcp, {.label = "metadata/" + listener.vpc,
                                        .handler = &no_instance_metadata,
                                        .vpc = listener.vpc,
                                        .connections = kTasksConnections});
    case network::Service::credentials:
      return front.adopt(listener.tcp, {.label = "credentials/" + listener.vpc,
                                        .handler = &ecs.metadata(),
                                        .vpc = listener.vpc,
                                        .connections = kTasksConnections});
    case network::Service::endpoint:
      return front.adopt(listener.tcp, {.label = "endpoint/" + listener.vpc,
                                        .tls = true,
                                        .vpc = listener.vpc,
                                        .services = {"s3", "dynamodb"},
                                        .connections = kTasksConnections});
  }
}

// Tasks' lines are acknowledged once they are committed: the daemon's death at any point loses none. While the disk is
// full they wait here, in order; the keeper tells no more than it may have unacknowledged.
void Cloud::take_lines(const std::vector<Keeper::Line>& lines) {
  const bool waiting = !waiting_lines_.empty();
  for (const Keeper::Line& line : lines) {
    if (!line.id.starts_with("task/")) continue;
    waiting_lines_.push_back(line);
    waiting_lines_.back().at_ms = in_cloud_time(line.at_ms).ms;  // the keeper has the machine's clock
  }
  if (!waiting) keep_lines();
}

void Cloud::keep_lines() {
  if (waiting_lines_.empty()) return;
  try {
    ecs.take_lines(waiting_lines_);
  } catch (const StoreError& error) {
    log::warning("cloud", "tasks' lines wait until they can be written: " + error.message);
    control.at(clock.now() + seconds(1), [this] { keep_lines(); });
    return;
  }
  fault_point("logs.lines.kept");
  std::map<std::string, std::uint64_t> last;
  for (const Keeper::Line& line : std::exchange(waiting_lines_, {})) last[line.id] = line.sequence;
  for (const auto& [id, sequence] : last) keeper->acknowledge(id, sequence);
}

void Cloud::stop() {
  front.stop();
  control.stop();
  cloudtrail.recorder.write_rest();
  try {
    iam.last_uses.write_rest();
  } catch (const StoreError& error) {
    log::error("iam", "last uses are not written: " + error.message);
  }
}

}  // namespace brume::app
