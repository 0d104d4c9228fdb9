#include <algorithm>

#include "core/error.h"
#include "planes/balancer/render_parts.h"

namespace brume::balancer {
namespace {

std::string destination(const Target& target) { return quoted(target.address + ":" + std::to_string(target.port)); }

std::string check_arguments(const TargetGroup& group, const std::string& interval, int rise, int fall) {
  const HealthCheck& check = group.health_check;
  std::string text = " check inter " + interval + " rise " + std::to_string(rise) + " fall " + std::to_string(fall);
  if (check.port != 0) text += " port " + std::to_string(check.port);
  // A server with ssl is checked with it unless told otherwise.
  if (check.tls && !check.tcp) text += " check-ssl verify none";
  if (group.tls && (!check.tls || check.tcp)) text += " no-check-ssl";
  return text;
}

// By the machine's clock, which is HAProxy's. Never so short that checks overtake one another.
std::string interval_of(const HealthCheck& check) {
  if (check.speed == 1) return std::to_string(check.interval_seconds) + "s";
  constexpr double kShortestMs = 100;
  const double ms = std::clamp(1000.0 * check.interval_seconds / check.speed, kShortestMs, 86'400'000.0);
  return std::to_string(static_cast<int>(ms)) + "ms";
}

// A server that is added while HAProxy runs keeps no idle connections unless it is told how many and for how long: each
// request would open one of its own, at twice the CPU. The second bounds how long they keep a server from being
// removed.
std::string traffic_arguments(const TargetGroup& group) {
  return std::string(group.tls ? " ssl verify none" : "") + " pool-max-conn -1 pool-purge-delay 1s";
}

std::string render_health_check(const HealthCheck& check) {
  // HAProxy's whole check is bounded by `timeout check` once it is connected.
  std::string text = "  timeout check " + std::to_string(check.timeout_seconds) + "s\n";
  if (check.tcp) return text;
  return text + "  option httpchk\n  http-check send meth GET uri " + quoted(check.path) +
         " ver HTTP/1.1 hdr Host '%[srv_name]' hdr User-Agent ELB-HealthChecker/2.0 hdr Accept-Encoding 'gzip, "
         "compressed'\n"
         "  http-check expect status " +
         quoted(check.matcher) + "\n";
}

std::string render_balance(const TargetGroup& group) {
  std::string text = std::string("  balance ") + (group.least_outstanding ? "leastconn" : "roundrobin") + "\n";
  if (group.stickiness_seconds > 0) {
    // The cookie's value is made of the key and the target's address, so every process of this load balancer knows it.
    text += "  cookie AWSALB insert indirect nocache dynamic maxidle " + std::to_string(group.stickiness_seconds) +
            "s attr 'Max-Age=" + std::to_string(group.stickiness_seconds) + "'\n  dynamic-cookie-key " +
            quoted(group.id) + "\n";
  }
  return text;
}

}  // namespace

std::string checked_server(const TargetGroup& group, const Target& target) {
  const HealthCheck& check = group.health_check;
  return destination(target) + traffic_arguments(group) +
         check_arguments(group, interval_of(check), check.healthy_threshold, check.unhealthy_threshold);
}

std::string unchecked_server(const TargetGroup& group, const Target& target) {
  return destination(target) + traffic_arguments(group);
}

std::string probed_server(const TargetGroup& group, const Target& target) {
  return destination(target) + traffic_arguments(group) + check_arguments(group, "100ms", 1, 1);
}

std::string render_backends(const TargetGroup& group, const InService& in_service, const Files& files) {
  const Target example{.id = "any", .address = "0.0.0.0"};
  // The arguments of dynamic servers are part of the shape: a comment brings them into it.
  std::string tg = "backend tg." + group.id + "\n  # servers: " + checked_server(group, example) + "\n" +
                   render_balance(group) + render_health_check(group.health_check);
  std::string open = "backend open." + group.id + "\n" + render_balance(group);
  // A connection that cannot be made is ELB's 502 ("HTTP 502: Bad gateway"), where HAProxy says 503. An unhealthy
  // target is not worth the second that a repeated attempt at the same one waits.
  const std::string answer = "  errorfile 503 " + quoted(files.path("502.http")) + "\n";
  tg += answer;
  open += answer + "  retries 1\n";
  for (const Target& target : group.targets) {
    if (!in_service.contains({group.id, target.id})) continue;
    tg += "  server " + target.id + " " + checked_server(group, target) + "\n";
    open += "  server " + target.id + " " + unchecked_server(group, target) + "\n";
  }
  return tg + "\n" + open + "\nbackend probe." + group.id + "\n" + render_health_check(group.health_check) + "\n";
}

}  // namespace brume::balancer
