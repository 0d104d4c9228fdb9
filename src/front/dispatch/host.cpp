#include "front/dispatch/host.h"

#include <algorithm>
#include <vector>

#include "core/scope.h"
#include "core/text.h"

namespace brume::front {
namespace {

using Labels = std::vector<std::string_view>;

std::string join_labels(const Labels& labels, std::size_t from, std::size_t to) {
  std::string text;
  for (std::size_t i = from; i < to; ++i) text.append(i == from ? "" : ".").append(labels[i]);
  return text;
}

bool is_account(std::string_view text) {
  return text.size() == 12 && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

// The part before AWS's own domain; empty: the name is none of AWS's.
std::string_view before_suffix(std::string_view name) {
  for (const std::string_view suffix : {".amazonaws.com", ".amazonaws.com.cn", ".api.aws"})
    if (name.ends_with(suffix)) return name.substr(0, name.size() - suffix.size());
  return {};
}

// S3's names, from the right: [BUCKET.]s3[.dualstack][.REGION], and the old s3-REGION. False: it is none of them.
bool read_s3(const Labels& labels, HostRoute& route) {
  std::size_t end = labels.size();
  std::string region;
  if (end > 0 && is_region(labels[end - 1])) region = labels[--end];
  if (end > 0 && labels[end - 1] == "dualstack") --end;
  if (end == 0) return false;
  const std::string_view label = labels[end - 1];
  if (region.empty() && label.starts_with("s3-") && is_region(label.substr(3)))
    region = label.substr(3);
  else if (label != "s3" && label != "s3-fips")
    return false;
  route.kind = HostRoute::Kind::endpoint;
  route.endpoint_prefix = "s3";
  route.region = std::move(region);
  route.bucket = join_labels(labels, 0, end - 1);
  return true;
}

bool read_load_balancer(const Labels& labels, HostRoute& route) {
  const std::size_t size = labels.size();
  const bool application = size >= 3 && labels[size - 1] == "elb" && is_region(labels[size - 2]);
  const bool network = size >= 3 && labels[size - 2] == "elb" && is_region(labels[size - 1]);
  if (!application && !network) return false;
  route.kind = HostRoute::Kind::load_balancer;
  route.region = labels[application ? size - 2 : size - 1];
  return true;
}

void read_endpoint(const Labels& labels, HostRoute& route) {
  std::size_t end = labels.size();
  if (is_region(labels[end - 1])) route.region = labels[--end];
  if (end == 0) return;
  if (end == 3 && is_account(labels[0]) && labels[1] == "dkr" && labels[2] == "ecr") {
    route.kind = HostRoute::Kind::registry;
    route.account = labels[0];
    return;
  }
  route.kind = HostRoute::Kind::endpoint;
  // Account-based endpoints of DynamoDB.
  if (end == 2 && is_account(labels[0]) && labels[1] == "ddb") {
    route.account = labels[0];
    route.endpoint_prefix = "dynamodb";
    return;
  }
  // SQS's first names, which its older SDKs still use: queue.amazonaws.com and REGION.queue.amazonaws.com.
  if (labels[end - 1] == "queue" && (end == 1 || (end == 2 && is_region(labels[0])))) {
    route.region = end == 1 ? "us-east-1" : std::string(labels[0]);
    route.endpoint_prefix = "sqs";
    return;
  }
  route.endpoint_prefix = join_labels(labels, 0, end);
  if (route.endpoint_prefix.ends_with("-fips"))
    route.endpoint_prefix.resize(route.endpoint_prefix.size() - std::string_view("-fips").size());
}

}  // namespace

HostRoute parse_host(std::string_view host) {
  HostRoute route;
  route.name = to_lower(without_port(host));
  if (route.name.ends_with('.')) route.name.pop_back();
  if (route.name.ends_with(".elb.localhost")) {
    route.kind = HostRoute::Kind::load_balancer;
    return route;
  }
  const std::string_view inner = before_suffix(route.name);
  if (inner.empty()) return route;
  const Labels labels = split(inner, '.');
  if (std::find(labels.begin(), labels.end(), "") != labels.end()) return route;
  if (!read_s3(labels, route) && !read_load_balancer(labels, route)) read_endpoint(labels, route);
  return route;
}

}  // namespace brume::front
