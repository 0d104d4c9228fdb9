// Flow log records as text: AWS's default format and custom ones ("Flow log records: Available fields"). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"

namespace brume::ec2 {

inline constexpr std::string_view kDefaultFlowLogFormat =
    "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} "
    "${bytes} ${start} ${end} ${action} ${log-status}";

enum class FlowLogStatus { ok, no_data, skipped_data };

// One record; members that are empty or negative are shown as "-".
struct FlowLogLine {
  std::string account, interface, vpc, subnet, region, zone_id;
  std::string source, destination;
  int source_port = -1, destination_port = -1, protocol = -1;
  std::int64_t packets = -1, bytes = -1;
  Time start, end;
  std::string action;  // "ACCEPT", "REJECT"
  int tcp_flags = -1;
  std::string source_service, destination_service;  // "S3", "AMAZON"
  std::string direction;                            // "ingress", "egress"
  int traffic_path = -1;
  FlowLogStatus status = FlowLogStatus::ok;
};

// The names of a format's fields, in order. Throws InvalidParameter for a text that is no format, and refuses fields
// that are not served by name.
std::vector<std::string> parse_flow_log_format(std::string_view format);

std::string render_flow_log_line(const std::vector<std::string>& fields, const FlowLogLine& line);

}  // namespace brume::ec2
