#include "app/admin.h"

#include <unistd.h>

#include <boost/json.hpp>

#include "app/cloud.h"
#include "app/served.h"
#include "core/text.h"
#include "services/iam/explanation.h"

namespace brume::app {
namespace {

namespace json = boost::json;

HttpReply text_reply(int status, std::string text) {
  return {.status = status, .headers = {{"Content-Type", "text/plain"}}, .body = Body::of(std::move(text))};
}
HttpReply json_reply(const json::value& value) {
  return {.status = 200, .headers = {{"Content-Type", "application/json"}}, .body = Body::of(json::serialize(value))};
}

constexpr const char* kAccount = "000000000000";  // the command line is its root

// Where a log group or a repository is: in the region that was named, else in the only one that has it.
template <class Record>
Scope place_of(const Table<Record>& table, const char* kind, const std::string& name, const std::string& region) {
  if (!region.empty()) return {kAccount, region};
  std::vector<std::string> regions;
  table.for_all([&](const Scope& scope, std::string_view id, const Record&) {
    if (scope.account == kAccount && id == name) regions.push_back(scope.region);
  });
  if (regions.size() == 1) return {kAccount, regions.front()};
  const std::string what = kind + (" " + name);
  throw AwsError("Place", regions.empty() ? "no region has a " + what
                                          : join(regions, " and ") + " have a " + what + ": --region says which");
}

struct Resource {
  const char *service, *name;
  std::size_t count;
};

std::vector<Resource> resources(const Cloud& cloud) {
  std::size_t buckets = 0, running = 0, active_services = 0;
  cloud.s3.for_each_bucket([&](const auto&) { ++buckets; });
  cloud.ecs.tasks.for_all(
      [&](const auto&, auto, const ecs::TaskRecord& task) { running += task.last_status == "RUNNING" ? 1 : 0; });
  cloud.ecs.services.for_all([&](const auto&, auto, const ecs::ServiceRecord& service) {
    active_services += service.status == "ACTIVE" ? 1 : 0;
  });
  return {{"iam", "roles", cloud.iam.roles.size()},
          {"iam", "users", cloud.iam.users.size()},
          {"ec2", "VPCs", cloud.ec2.vpcs.size()},
          {"ec2", "subnets", cloud.ec2.subnets.size()},
          {"ec2", "security groups", cloud.ec2.groups.size()},
          {"ec2", "network interfaces", cloud.ec2.interfaces.size()},
          {"ec2", "NAT gateways", cloud.ec2.nat_gateways.size()},
          {"elbv2", "load balancers", cloud.elbv2.balancers.size()},
          {"elbv2", "target groups", cloud.elbv2.target_groups.size()},
          {"ecs", "clusters", cloud.ecs.clusters.size()},
          {"ecs", "services", active_services},
          {"ecs", "running tasks", running},
          {"ecr", "repositories", cloud.ecr.repositories.size()},
          {"ecr", "images", cloud.ecr.images.size()},
          {"logs", "log groups", cloud.logs.groups.size()},
          {"s3", "buckets", buckets},
          {"dynamodb", "tables", cloud.dynamodb.tables.size()},
          {"sqs", "queues", cloud.sqs.queues.size()},
          {"cloudtrail", "trails", cloud.cloudtrail.trails.size()}};
}

json::array describe_services(const Cloud& cloud, const FrontCounts& counts) {
  json::array services;
  const std::vector<Resource> all = resources(cloud);
  for (const model::Service* service : served_services()) {
    json::array list;
    for (const Resource& resource : all)
      if (service->id == resource.service)
        list.push_back(json::object{{"name", resource.name}, {"count", resource.count}});
    std::uint64_t calls = 0, microseconds = 0;
    for (const auto& [operation, times] : counts.operations)
      if (operation.starts_with(std::string(service->id) + ":")) calls += times.calls, microseconds += times.total_us;
    services.push_back(json::object{{"name", service->id},
                                    {"operations", service->operations.size()},
                                    {"requests", calls},
                                    {"total_us", microseconds},
                                    {"mean_us", calls == 0 ? 0 : microseconds / calls},
                                    {"resources", std::move(list)}});
  }
  return services;
}

json::array describe_counts(const std::map<std::string, std::uint64_t>& counts, const char* key) {
  json::array list;
  for (const auto& [name, count] : counts) list.push_back(json::object{{key, name}, {"count", count}});
  return list;
}

void add_packets(json::array& list, const char* what, const std::map<std::string, network::Counter>& counters) {
  for (const auto& [id, counter] : counters)
    if (counter.packets > 0)
      list.push_back(json::object{{"what", what}, {"id", id}, {"packets", counter.packets}, {"bytes", counter.bytes}});
}

// How long resources took from their creation until they did what they are for.
json::array describe_pending(const Cloud& cloud) {
  json::array list;
  const auto add = [&](const char* kind, const std::string& id, Time from, Time until) {
    if (until != Time{}) list.push_back(json::object{{"kind", kind}, {"id", id}, {"ms", (until - from).ms}});
  };
  cloud.ec2.nat_gateways.for_all([&](const auto&, auto, const auto& gateway) {
    add("NAT gateway", gateway.id, gateway.created, gateway.available);
  });
  cloud.elbv2.balancers.for_all([&](const auto&, auto, const elbv2::LoadBalancerRecord& balancer) {
    add("load balancer", balancer.name, balancer.created, balancer.activated);
  });
  cloud.ecs.services.for_all([&](const auto&, auto, const ecs::ServiceRecord& service) {
    for (const ecs::DeploymentRecord& deployment : service.deployments)
      if (deployment.rollout_state == "COMPLETED")
        add("deployment", deployment.id, deployment.created_at, deployment.updated_at);
  });
  cloud.ecs.tasks.for_all(
      [&](const auto&, auto, const ecs::TaskRecord& task) { add("task", task.id, task.created_at, task.started_at); });
  return list;
}

// The parts of a status that come from planes; answered when the last one is there.
struct Gathering {
  json::object status;
  json::array packets, processes;
  std::size_t waiting = 1;
  std::function<void(HttpReply)> done;
  void arrive() {
    if (--waiting > 0) return;
    status["packets"] = std::move(packets);
    status["processes"] = std::move(processes);
    done(json_reply(status));
  }
};

}  // namespace

void Admin::handle(HttpRequest request, std::function<void(HttpReply)> done) {
  const std::string what = request.method + " " + request.path;
  if (what == "GET /status") return status(done);
  if (what == "GET /logs") return logs(request, done);
  if (what == "GET /audit") return audit(request, done);
  if (what == "GET /why") return why(request, done);
  if (what == "GET /registry-token") return registry_token(request, done);
  if (what == "GET /clock") return clock(done);
  if (what == "POST /clock") return turn_clock(request, done);
  if (what == "POST /images") return load_image(request, done);
  if (what == "POST /exit") {
    done(text_reply(200, "the daemon ends\n"));
    return on_exit();
  }
  done(text_reply(404, "the admin socket does not know " + what + "\n"));
}

void Admin::status(const Done& done) {
  auto gathering = std::make_shared<Gathering>();  // shared by the answers that come one by one
  gathering->done = done;
  const FrontCounts counts = cloud_.front.counts();
  json::array unserved;
  for (const auto& [name, count] : cloud_.resolver->unserved_aws_names())
    unserved.push_back(json::object{{"name", name}, {"count", count}});
  gathering->status = {{"version", "0.1.0"},
                       {"serving", serving},
                       {"id", cloud_.instance.id},
                       {"state", cloud_.instance.state},
                       {"run", cloud_.instance.run},
                       {"pid", getpid()},
                       {"port", cloud_.port()},
                       {"real_internet", !cloud_.options.offline},
                       {"egress", cloud_.options.allow_egress},
                       {"services", describe_services(cloud_, counts)},
                       {"refused", describe_counts(counts.refused_operations, "operation")},
                       {"ignored", describe_counts(counts.ignored_members, "member")},
                       {"unserved_names", std::move(unserved)},
                       {"pending", describe_pending(cloud_)},
                       {"requests", counts.requests},
                       {"malformed", counts.malformed}};
  json::array problems;
  cloud_.ec2.vpcs.for_all([&](const Scope&, std::string_view id, const auto&) {
    const std::string error = cloud_.ec2.reconciler.error_of(std::string(id));
    if (!error.empty()) problems.push_back(json::string(std::string(id) + ": " + error));
    ++gathering->waiting;
    cloud_.network->counters(std::string(id), [gathering](const network::Counters& found) {
      add_packets(gathering->packets, "allowed by rule", found.rules);
      add_packets(gathering->packets, "ingress dropped at", found.ingress_dropped);
      add_packets(gathering->packets, "egress dropped at", found.egress_dropped);
      add_packets(gathering->packets, "dropped by NACL", found.acl_dropped);
      add_packets(gathering->packets, "through NAT gateway", found.nat);
      gathering->arrive();
    });
  });
  if (const std::uint64_t lost = cloud_.cloudtrail.recorder.lost(); lost > 0)
    problems.push_back(json::string("cloudtrail: the disk did not take " + std::to_string(lost) + " events"));
  gathering->status["problems"] = std::move(problems);
  ++gathering->waiting;
  cloud_.keeper->list([gathering](const std::vector<Child>& children) {
    for (const Child& child : children)
      gathering->processes.push_back(
          json::object{{"id", child.id}, {"owner", child.owner}, {"pid", child.pid}, {"running", child.running}});
    gathering->arrive();
  });
  gathering->arrive();
}

// The command line's own view of Logs: as root of the default account.
void Admin::logs(const HttpRequest& request, const Done& done) {
  logs::FilterLogEventsInput input;
  input.log_group_name = request.parameter("group");
  std::int64_t from = 0;
  if (parse_int(request.parameter("from"), from)) input.start_time = from;
  if (const std::string token = request.parameter("token"); !token.empty()) input.next_token = token;
  RequestContext context;
  context.now = cloud_.clock.now();
  Tx tx(*cloud_.store);
  try {
    context.scope = place_of(cloud_.logs.groups, "log group", *input.log_group_name, request.parameter("region"));
    logs::get_group(cloud_.logs, context.scope, *input.log_group_name);
    logs::filter_log_events(
        cloud_.logs, tx, Request<logs::FilterLogEventsInput>(context, input),
        Deferred<logs::FilterLogEventsOutput>(
            [done](const logs::FilterLogEventsOutput& output) {
              json::array events;
              for (const auto& event : output.events.get())
                events.push_back(json::object{{"id", event.event_id.get()},
                                              {"at", *event.timestamp},
                                              {"stream", event.log_stream_name.get()},
                                              {"message", event.message.get()}});
              done(json_reply(json::object{{"events", std::move(events)}, {"next", output.next_token.get()}}));
            },
            [done](const AwsError& error) { done(text_reply(400, error.message)); }));
  } catch (const AwsError& error) {
    done(text_reply(400, error.message));
  }
}

// The decisions of a request, or the last denials when none is named.
void Admin::why(const HttpRequest& request, const Done& done) {
  constexpr std::size_t kMostDenials = 20;
  const iam::Decisions& decisions = cloud_.authorizer.decisions();
  const std::string id = request.parameter("request");
  json::array list;
  for (const iam::DecisionRecord* record : id.empty() ? decisions.denials(kMostDenials) : decisions.find(id))
    list.push_back(iam::explain_decision(*record));
  if (id.empty()) return done(json_reply(json::object{{"denials", std::move(list)}}));
  if (list.empty())
    return done(
        text_reply(404, "no decision of a request " + id +
                            " is remembered: it was refused before anything was "
                            "asked (its signature, its operation), needs no permission, or is older than the last " +
                            std::to_string(decisions.capacity()) + " decisions"));
  done(json_reply(json::object{{"request_id", id}, {"asks", std::move(list)}}));
}

void Admin::registry_token(const HttpRequest& request, const Done& done) {
  try {
    const Scope scope =
        place_of(cloud_.ecr.repositories, "repository", request.parameter("repository"), request.parameter("region"));
    const std::string password = cloud_.random->hex(64);
    Tx tx(*cloud_.store);
    cloud_.ecr.tokens.insert(tx, scope, password, {"test", cloud_.clock.now() + hours(1)});
    tx.commit();
    done(json_reply(json::object{{"host", ecr::registry_host(scope)}, {"credentials", "AWS:" + password}}));
  } catch (const AwsError& error) {
    done(text_reply(400, error.message));
  }
}

void Admin::load_image(const HttpRequest& request, const Done& done) {
  cloud_.images->load_archive(request.parameter("file"), request.parameter("reference"),
                              [done](const std::string& digest, const std::string& error) {
                                done(text_reply(error.empty() ? 200 : 400, error.empty() ? digest : error));
                              });
}

}  // namespace brume::app
