#include "services/ec2/flow_collector.h"

#include <algorithm>
#include <set>

#include "core/gzip.h"
#include "core/log.h"
#include "core/text.h"
#include "services/ec2/api.h"
#include "services/ec2/cidr.h"
#include "services/ec2/ec2.h"
#include "services/ec2/endpoints.h"
#include "services/ec2/flow_log_objects.h"
#include "services/ec2/prefix_lists.h"
#include "store/tx.h"

namespace brume::ec2 {

namespace {

constexpr Duration kReading = seconds(10);
// The plane still tells of an interface so long after it is gone.
constexpr Duration kAfterlife = seconds(300);
// "This might be 1 minute or less": records of a one-minute interval are cut every ten seconds, others every minute.
Duration window_of(const FlowLogRecord& log) { return log.interval <= 60 ? kReading : seconds(60); }

std::string service_at(const std::string& region, const std::string& address) {
  for (const AwsPrefixList& list : aws_prefix_lists(region)) {
    if (list.cidr == address + "/32") return list.service == "s3" ? "S3" : "DYNAMODB";
  }
  const auto ip = parse_address(address);
  return ip && parse_cidr("198.18.0.0/16")->contains(*ip) ? "AMAZON" : "";
}

// "traffic-path": 1 another resource of the VPC (a NAT gateway too), 7 a gateway endpoint, 8 an internet gateway.
int traffic_path(const Ec2& ec2, const Scope& scope, const std::string& vpc, const std::string& subnet,
                 const std::string& destination) {
  const auto address = parse_address(destination);
  for (const std::string& cidr : vpc_cidrs(ec2, scope, vpc)) {
    if (address && parse_cidr(cidr)->contains(*address)) return 1;
  }
  for (const AwsPrefixList& list : aws_prefix_lists(scope.region)) {
    const bool there = list.cidr == destination + "/32";
    if (there && endpoint_of_subnet(ec2, scope, subnet, list.service) != nullptr) return 7;
  }
  switch (outbound_of(ec2, scope, subnet)) {
    case Outbound::internet_gateway:
      return 8;
    case Outbound::nat_gateway:
      return 1;
    case Outbound::none:
      break;
  }
  return -1;
}

}  // namespace

void FlowCollector::start(FlowLogDelivery& delivery) {
  delivery_ = &delivery;
  last_tick_ = ec2_.clock.now();
  schedule();
}

void FlowCollector::wake() {
  if (delivery_ == nullptr) return;
  if (!scheduled_) last_tick_ = ec2_.clock.now();
  schedule();
}

void FlowCollector::schedule() {
  if (scheduled_ || ec2_.flow_logs.size() == 0) return;
  scheduled_ = true;
  control_.at(ec2_.clock.now() + kReading, [this] { tick(); });
}

void FlowCollector::remember(const Scope& scope, const network::Vpc& vpc) {
  for (const std::string& id : vpc.flow_logged) {
    const auto found = std::ranges::find(vpc.interfaces, id, &network::Interface::id);
    if (found != vpc.interfaces.end()) known_[id] = {scope, vpc.id, found->subnet, ec2_.clock.now()};
  }
}

void FlowCollector::tick() {
  this_tick_ = ec2_.clock.now();
  std::set<std::string> vpcs;
  for (auto& [id, known] : known_) {
    if (ec2_.interfaces.find(known.scope, id) != nullptr) known.last_needed = this_tick_;
    vpcs.insert(known.vpc);
  }
  std::erase_if(known_, [&](const auto& item) { return item.second.last_needed + kAfterlife < this_tick_; });
  reading_ = vpcs.size();
  if (vpcs.empty()) return publish();
  for (const std::string& vpc : vpcs) {
    network_.flows(vpc, [this, vpc](const network::Flows& flows) {
      take(vpc, flows);
      if (--reading_ == 0) publish();
    });
  }
}

bool FlowCollector::covers(const FlowLogRecord& log, const std::string& interface) const {
  const auto known = known_.find(interface);
  return known != known_.end() &&
         (log.resource == interface || log.resource == known->second.subnet || log.resource == known->second.vpc);
}

void FlowCollector::take(const std::string& vpc, const network::Flows& flows) {
  ec2_.flow_logs.for_all([&](const Scope&, std::string_view id, const FlowLogRecord& log) {
    Pending& pending = pending_[std::string(id)];
    if (pending.since.ms == 0) pending.since = last_tick_;
    const auto add = [&](const network::Flow& flow, bool accepted) {
      const network::Counter& counter = accepted ? flow.accepted : flow.rejected;
      if (counter.packets == 0 || log.traffic == (accepted ? "REJECT" : "ACCEPT")) return;
      Amount& amount = pending.flows[{flow.interface, flow.ingress, flow.source, flow.destination, flow.source_port,
                                      flow.destination_port, flow.protocol, accepted}];
      if (amount.counter.packets == 0) amount.first = last_tick_;
      amount.last = this_tick_;
      amount.counter.packets += counter.packets;
      amount.counter.bytes += counter.bytes;
      amount.tcp_flags |= flow.tcp_flags;
    };
    for (const network::Flow& flow : flows.flows) {
      if (!covers(log, flow.interface)) continue;
      add(flow, true);
      add(flow, false);
    }
    if (flows.complete) return;
    for (const auto& [interface, known] : known_) {
      if (known.vpc == vpc && covers(log, interface)) pending.skipped[interface] = true;
    }
  });
}

FlowLogLine FlowCollector::line_for(const std::string& interface, Time start, Time end) const {
  const Known& known = known_.at(interface);
  FlowLogLine line{.account = known.scope.account,
                   .interface = interface,
                   .vpc = known.vpc,
                   .subnet = known.subnet,
                   .region = known.scope.region,
                   .start = start,
                   .end = end};
  if (const auto subnet = find_subnet(ec2_, known.scope, known.subnet)) line.zone_id = subnet->zone_id;
  return line;
}

FlowLogLine FlowCollector::line_for(const FlowKey& key, const Amount& amount) const {
  const auto& [interface, ingress, source, destination, source_port, destination_port, protocol, accepted] = key;
  FlowLogLine line = line_for(interface, amount.first, amount.last);
  line.source = source;
  line.destination = destination;
  line.source_port = source_port;
  line.destination_port = destination_port;
  line.protocol = protocol;
  line.packets = static_cast<std::int64_t>(amount.counter.packets);
  line.bytes = static_cast<std::int64_t>(amount.counter.bytes);
  line.action = accepted ? "ACCEPT" : "REJECT";
  line.tcp_flags = amount.tcp_flags;
  line.source_service = service_at(line.region, source);
  line.destination_service = service_at(line.region, destination);
  line.direction = ingress ? "ingress" : "egress";
  const Scope& scope = known_.at(interface).scope;
  if (!ingress) line.traffic_path = traffic_path(ec2_, scope, line.vpc, line.subnet, destination);
  return line;
}

std::vector<FlowLogLine> FlowCollector::lines_of(const Scope&, const FlowLogRecord& log, Pending& pending) {
  std::vector<FlowLogLine> lines;
  for (const auto& [key, amount] : pending.flows) {
    const std::string& interface = std::get<0>(key);
    if (!known_.contains(interface)) continue;
    lines.push_back(line_for(key, amount));
    pending.told[interface] = this_tick_;
  }
  for (const auto& [interface, skipped] : pending.skipped) {
    if (!known_.contains(interface)) continue;
    lines.push_back(line_for(interface, pending.since, this_tick_));
    lines.back().status = FlowLogStatus::skipped_data;
    pending.told[interface] = this_tick_;
  }
  // An interface without packets for a whole interval says so.
  for (const auto& [interface, known] : known_) {
    if (!covers(log, interface) || known.last_needed != this_tick_) continue;
    Time& told = pending.told.try_emplace(interface, last_tick_).first->second;
    if (this_tick_ < told + seconds(log.interval)) continue;
    lines.push_back(line_for(interface, told, this_tick_));
    lines.back().status = FlowLogStatus::no_data;
    told = this_tick_;
  }
  std::erase_if(pending.told, [&](const auto& item) { return !known_.contains(item.first); });
  return lines;
}

void FlowCollector::publish() {
  std::vector<std::pair<Scope, FlowLogRecord>> due;
  ec2_.flow_logs.for_all([&](const Scope& scope, std::string_view id, const FlowLogRecord& log) {
    const auto pending = pending_.find(std::string(id));
    if (pending != pending_.end() && pending->second.since + window_of(log) <= this_tick_) due.emplace_back(scope, log);
  });
  for (const auto& [scope, log] : due) {
    Pending& pending = pending_[log.id];
    const std::vector<FlowLogLine> lines = lines_of(scope, log, pending);
    pending.flows.clear();
    pending.skipped.clear();
    pending.since = this_tick_;
    if (!lines.empty()) deliver(scope, log, lines);
  }
  std::set<std::string> present;
  ec2_.flow_logs.for_all(
      [&](const Scope&, std::string_view id, const FlowLogRecord&) { present.insert(std::string(id)); });
  std::erase_if(pending_, [&](const auto& item) { return !present.contains(item.first); });
  last_tick_ = this_tick_;
  scheduled_ = false;
  schedule();
}

void FlowCollector::deliver(const Scope& scope, const FlowLogRecord& log, const std::vector<FlowLogLine>& lines) {
  const std::vector<std::string> fields = parse_flow_log_format(log.format);
  if (log.destination_type == "s3") {
    std::string text = flow_log_header(fields);
    for (const FlowLogLine& line : lines) text += render_flow_log_line(fields, line) + "\n";
    const std::string salt = to_hex(sha256(text)).substr(0, 8);
    return delivery_->put_object(scope, log.bucket, flow_log_key(log, scope, this_tick_, salt), gzip(text),
                                 [this, scope, id = log.id](const std::string& error) { delivered(scope, id, error); });
  }
  std::map<std::string, std::vector<FlowLogDelivery::Line>> streams;
  for (const FlowLogLine& line : lines) {
    streams[line.interface + "-" + to_lower(log.traffic)].push_back({line.start, render_flow_log_line(fields, line)});
  }
  std::string error;
  for (const auto& [stream, events] : streams) {
    const std::string problem = delivery_->put_lines(scope, log.role, log.group, stream, events);
    if (!problem.empty()) error = problem;
  }
  delivered(scope, log.id, error);
}

void FlowCollector::delivered(const Scope& scope, const std::string& id, const std::string& error) {
  const FlowLogRecord* log = ec2_.flow_logs.find(scope, id);
  if (log == nullptr) return;
  if (!error.empty() && log->delivery_error.empty()) log::warning("ec2", "flow log " + id + ": " + error);
  // "DescribeFlowLogs": Rate limited, Access error or Unknown error.
  const std::string shown = error.empty() ? "" : "Access error";
  if (log->delivery_error == shown) return;
  try {
    Tx tx(store_);
    ec2_.flow_logs.modify(tx, scope, id, [&](FlowLogRecord& record) { record.delivery_error = shown; });
    tx.commit();
  } catch (const StoreError& full) {
    // The next delivery tries again; the collector must go on.
    log::warning("ec2", "flow log " + id + ": " + full.message);
  }
}

}  // namespace brume::ec2
