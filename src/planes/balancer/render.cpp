#include "planes/balancer/render.h"

#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "planes/balancer/access.h"
#include "planes/balancer/render_parts.h"

namespace brume::balancer {
namespace {

void check_id(const std::string& id) {
  const bool good = !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.' || c == ':';
  });
  if (!good) throw PlaneError(PlaneError::Kind::permanent, "not an id that HAProxy can hold: " + id);
}

void check_ids(const LoadBalancer& balancer) {
  check_id(balancer.id);
  for (const Listener& listener : balancer.listeners) check_id(listener.id);
  for (const TargetGroup& group : balancer.groups) {
    check_id(group.id);
    for (const Target& target : group.targets) check_id(target.id);
  }
}

std::string render_global(const Files& files, const RenderOptions& options, const std::string& shape) {
  // The limits are ELB's ("Quotas for your Application Load Balancers"): 16 KB a header, 64 KB all headers. Old workers
  // end when their last connection does; an hour is the longest that a long poll is let live after a change of rules.
  return "global\n  description " + shape + "\n  log " + quoted(files.path(kLogSocket)) +
         " len 8192 format raw local0 info\n  stats socket " + quoted(files.path(kAdminSocket)) +
         " mode 600 level admin expose-fd listeners\n  stats timeout 30s\n  server-state-file " +
         quoted(files.path(kStateFile)) + "\n  master-worker\n  mworker-max-reloads 20\n  nbthread " +
         std::to_string(options.threads) +
         "\n  maxconn 4000\n  no strict-limits\n  hard-stop-after 1h\n  tune.bufsize 65536\n  tune.http.maxhdr 256\n"
         "  ssl-default-bind-options ssl-min-ver TLSv1.2\n  ssl-server-verify none\n\n";
}

std::string render_defaults(const LoadBalancer& balancer, Files& files) {
  const std::string idle = std::to_string(balancer.idle_timeout_seconds) + "s";
  std::string text =
      "defaults\n  mode http\n  log global\n  option dontlognull\n  option idle-close-on-response\n"
      "  timeout connect 4s\n  timeout client " +
      idle + "\n  timeout server " + idle + "\n  timeout http-request " + idle + "\n  timeout http-keep-alive " + idle +
      "\n  timeout tunnel " + idle +
      // A connection that cannot be made is tried at the next target; a request that was sent is sent again only where
      // HTTP says that doing so does no harm (see disable-l7-retry).
      "\n  retries 3\n  option redispatch 1\n  retry-on conn-failure empty-response\n"
      "  load-server-state-from-file global\n"
      "  unique-id-format %[date,hex,lower,bytes(8,8)]-%[uuid(),bytes(24,12)]%[uuid(),bytes(24,12)]\n  log-format " +
      access_log_format() + "\n";
  for (int status : kAnsweredStatuses)
    text += "  errorfile " + std::to_string(status) + " " +
            quoted(files.put(std::to_string(status) + ".http", aws_answer(status))) + "\n";
  return text + "\n";
}

std::string render_all(const LoadBalancer& balancer, const RenderOptions& options, const InService& in_service,
                       Files& files, const std::string& shape) {
  std::string config = render_global(files, options, shape) + render_defaults(balancer, files);
  for (const Listener& listener : balancer.listeners) config += render_frontend(listener, balancer, files);
  for (const TargetGroup& group : balancer.groups) config += render_backends(group, in_service, files);
  return config;
}

}  // namespace

Rendered render(const LoadBalancer& balancer, const RenderOptions& options, const InService& in_service) {
  check_ids(balancer);
  Files shape_files(options.directory);
  const std::string bare = render_all(balancer, options, {}, shape_files, "");
  std::string all = bare;
  for (const auto& [name, content] : shape_files.take()) all += name + "\n" + content + "\n";
  Rendered rendered;
  rendered.shape = to_hex(sha256(all)).substr(0, 16);
  Files files(options.directory);
  rendered.config = render_all(balancer, options, in_service, files, rendered.shape);
  rendered.files = files.take();
  return rendered;
}

}  // namespace brume::balancer
