#include "services/ec2/flow_log_format.h"

#include <algorithm>
#include <map>

#include "core/error.h"

namespace brume::ec2 {

namespace {

struct Field {
  int version;  // of the record, that has it first
  std::string (*show)(const FlowLogLine& line);
};

std::string text(const std::string& value) { return value.empty() ? "-" : value; }
std::string number(std::int64_t value) { return value < 0 ? "-" : std::to_string(value); }

std::string status_text(const FlowLogLine& line) {
  switch (line.status) {
    case FlowLogStatus::ok:
      return "OK";
    case FlowLogStatus::no_data:
      return "NODATA";
    case FlowLogStatus::skipped_data:
      return "SKIPDATA";
  }
  return "OK";
}

std::string absent(const FlowLogLine&) { return "-"; }

const std::map<std::string, Field, std::less<>>& fields() {
  using Line = FlowLogLine;
  static const std::map<std::string, Field, std::less<>> kFields = {
      {"account-id", {2, [](const Line& line) { return text(line.account); }}},
      {"interface-id", {2, [](const Line& line) { return text(line.interface); }}},
      {"srcaddr", {2, [](const Line& line) { return text(line.source); }}},
      {"dstaddr", {2, [](const Line& line) { return text(line.destination); }}},
      {"srcport", {2, [](const Line& line) { return number(line.source_port); }}},
      {"dstport", {2, [](const Line& line) { return number(line.destination_port); }}},
      {"protocol", {2, [](const Line& line) { return number(line.protocol); }}},
      {"packets", {2, [](const Line& line) { return number(line.packets); }}},
      {"bytes", {2, [](const Line& line) { return number(line.bytes); }}},
      {"start", {2, [](const Line& line) { return std::to_string(line.start.seconds()); }}},
      {"end", {2, [](const Line& line) { return std::to_string(line.end.seconds()); }}},
      {"action", {2, [](const Line& line) { return text(line.action); }}},
      {"log-status", {2, status_text}},
      {"vpc-id", {3, [](const Line& line) { return text(line.vpc); }}},
      {"subnet-id", {3, [](const Line& line) { return text(line.subnet); }}},
      {"instance-id", {3, absent}},
      {"tcp-flags", {3, [](const Line& line) { return number(line.tcp_flags); }}},
      {"type", {3, [](const Line& line) { return std::string(line.source.empty() ? "-" : "IPv4"); }}},
      {"pkt-srcaddr", {3, [](const Line& line) { return text(line.source); }}},
      {"pkt-dstaddr", {3, [](const Line& line) { return text(line.destination); }}},
      {"region", {4, [](const Line& line) { return text(line.region); }}},
      {"az-id", {4, [](const Line& line) { return text(line.zone_id); }}},
      {"sublocation-type", {4, absent}},
      {"sublocation-id", {4, absent}},
      {"pkt-src-aws-service", {5, [](const Line& line) { return text(line.source_service); }}},
      {"pkt-dst-aws-service", {5, [](const Line& line) { return text(line.destination_service); }}},
      {"flow-direction", {5, [](const Line& line) { return text(line.direction); }}},
      {"traffic-path", {5, [](const Line& line) { return number(line.traffic_path); }}},
      {"reject-reason", {8, absent}},
  };
  return kFields;
}

AwsError invalid_format(const std::string& what) {
  return {"InvalidParameter", "The log format is not valid: " + what};
}

}  // namespace

std::vector<std::string> parse_flow_log_format(std::string_view format) {
  std::vector<std::string> names;
  for (std::size_t at = 0; at < format.size();) {
    if (format[at] == ' ') {
      ++at;
      continue;
    }
    const std::size_t end = format.find('}', at);
    if (!format.substr(at).starts_with("${") || end == std::string_view::npos) {
      throw invalid_format(std::string(format.substr(at)));
    }
    std::string name(format.substr(at + 2, end - at - 2));
    if (name.starts_with("ecs-"))
      throw AwsError("UnsupportedOperation", "Brume does not serve the field " + name + ".");
    if (name != "version" && !fields().contains(name)) throw invalid_format("there is no field " + name);
    if (std::ranges::find(names, name) != names.end()) throw invalid_format(name + " is there twice");
    names.push_back(std::move(name));
    at = end + 1;
  }
  if (names.empty()) throw invalid_format("it has no field");
  return names;
}

std::string render_flow_log_line(const std::vector<std::string>& names, const FlowLogLine& line) {
  // "version: if you use the default format, the version is 2; with a custom format it is the highest version among
  // the fields."
  int version = 2;
  for (const std::string& name : names) {
    if (const auto field = fields().find(name); field != fields().end()) {
      version = std::max(version, field->second.version);
    }
  }
  std::string record;
  for (const std::string& name : names) {
    if (!record.empty()) record += ' ';
    record += name == "version" ? std::to_string(version) : fields().at(name).show(line);
  }
  return record;
}

}  // namespace brume::ec2
