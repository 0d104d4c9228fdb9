// A load balancer's HAProxy configuration as a pure function of its desired state. Names in it: frontend "l.LISTENER";
// per target group the backends "tg.GROUP" (its checked servers), "open.GROUP" (the same servers unchecked, for the
// time when none is healthy) and "probe.GROUP" (targets whose first health check is awaited).
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "planes/balancer/balancer.h"

namespace brume::balancer {

struct RenderOptions {
  std::string directory;  // of this load balancer: configuration, certificates, sockets
  int threads = 2;
};

// Targets in service, by group and target id: they are written into the configuration so that a reload keeps them.
using InService = std::set<std::pair<std::string, std::string>>;

struct Rendered {
  std::string config;
  std::map<std::string, std::string> files;  // beside it, by name: answers, bodies, certificates
  // A digest of all but the servers in service. It stands in the configuration as its description, so that a running
  // HAProxy tells what it runs; when it changes, a reload is due.
  std::string shape;
};

// Throws PlaneError{permanent} for ids or values that a configuration cannot hold.
Rendered render(const LoadBalancer& balancer, const RenderOptions& options, const InService& in_service);

// What follows "server NAME" and "add server BACKEND/NAME". Dynamic servers know no default-server, so it is complete.
std::string checked_server(const TargetGroup& group, const Target& target);
std::string unchecked_server(const TargetGroup& group, const Target& target);
// Checked ten times a second: one pass takes it into service.
std::string probed_server(const TargetGroup& group, const Target& target);

inline constexpr const char* kAdminSocket = "admin.sock";
inline constexpr const char* kLogSocket = "log.sock";
inline constexpr const char* kStateFile = "servers.state";
inline constexpr const char* kConfigFile = "haproxy.cfg";

}  // namespace brume::balancer
