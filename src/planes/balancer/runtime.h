// HAProxy's runtime API over its admin socket, and the reading of what it shows. Blocking, with deadlines; the plane's
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace brume::balancer {

// Sends a command and returns the whole answer. Throws PlaneError{transient} when nobody answers within two seconds.
std::string runtime_command(const std::string& socket_path, std::string_view command);

// One line of `show stat`: a frontend, a backend or a server.
struct StatRow {
  std::string proxy, server;  // server: "FRONTEND" and "BACKEND" for the proxies themselves
  std::string status;         // "UP", "UP 1/2", "DOWN", "DOWN 1/5", "MAINT", "no check"
  std::string check_status;   // "L7OK", "L4CON", …; empty before the first check
  int check_code = 0;         // the HTTP status of the last check
  std::uint64_t connections = 0;
  bool operator==(const StatRow&) const = default;
};
std::vector<StatRow> parse_stat(std::string_view csv);

// The value of "NAME: VALUE" in the answer of `show info`; empty if absent.
std::string info_value(std::string_view answer, std::string_view name);

}  // namespace brume::balancer
