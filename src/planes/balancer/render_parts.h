// The parts that render() is made of, each a pure function to text. Internal to the balancer plane.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "planes/balancer/balancer.h"
#include "planes/balancer/render.h"

namespace brume::balancer {

// One word of a configuration line, whatever is in it. Throws PlaneError{permanent} for control characters.
std::string quoted(std::string_view text);
// Literal text inside a log-format string.
std::string escaped_format(std::string_view text);

// An ACL's flags and pattern for an ELB pattern: * is any characters, ? is exactly one, \ takes the next literally.
// The cheapest HAProxy match that means the same is chosen.
std::string glob_match(std::string_view pattern, bool ignore_case);

// "  acl NAME …" lines: the condition holds when any of them does.
std::string render_condition(const std::string& name, const Condition& condition);

// Files that the configuration refers to, by name; a body is stored once.
class Files {
 public:
  explicit Files(std::string directory) : directory_(std::move(directory)) {}
  // The path of a file with this content. `name` is used as it is.
  std::string put(const std::string& name, std::string content);
  // Named by its content's digest.
  std::string put_by_digest(const std::string& prefix, const std::string& suffix, const std::string& content);
  std::string path(const std::string& name) const { return directory_ + "/" + name; }
  std::map<std::string, std::string> take() { return std::move(files_); }

 private:
  std::string directory_;
  std::map<std::string, std::string> files_;
};

// AWS's page for an answer of the load balancer itself.
std::string aws_page(int status);
// The same with status line and headers, as HAProxy's errorfile wants it.
std::string aws_answer(int status);
inline constexpr int kAnsweredStatuses[] = {400, 403, 408, 500, 502, 503, 504};

std::string render_frontend(const Listener& listener, const LoadBalancer& balancer, Files& files);
std::string render_backends(const TargetGroup& group, const InService& in_service, const Files& files);

}  // namespace brume::balancer
