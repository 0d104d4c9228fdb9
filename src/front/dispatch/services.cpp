#include "front/dispatch/services.h"

#include <algorithm>

#include "core/text.h"

namespace brume::front {
namespace {

using protocols::KnownService;
using protocols::WireRequest;

std::string_view target_prefix(const http::RequestHead& head) {
  const std::string_view target = head.header("x-amz-target");
  const std::size_t dot = target.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : target.substr(0, dot);
}

// Query protocols post forms to "/"; the content type alone says nothing, since clients send it with S3's uploads too.
bool is_query(const http::RequestHead& head) {
  const bool form = head.header("content-type").starts_with("application/x-www-form-urlencoded");
  return (form && head.method == "POST" && (head.path.empty() || head.path == "/")) ||
         !query_parameter(head.query, "Action").empty();
}

bool speaks_query(const model::Service& service) {
  return service.speaks(model::Protocol::query) || service.speaks(model::Protocol::ec2);
}

std::string parameter(const WireRequest& request, std::string_view name) {
  std::string value = query_parameter(request.query, name);
  return value.empty() ? query_parameter(request.body, name) : value;
}

bool has_operation(const KnownService& service, std::string_view name) {
  return std::ranges::find(service.operations, name, &protocols::KnownOperation::name) != service.operations.end();
}

bool is_s3_control(const http::RequestHead& head) {
  return head.path.starts_with("/v20180820/") && head.has_header("x-amz-account-id");
}

Target known(const KnownService* service) {
  Target target;
  if (service != nullptr) target.known.push_back(service);
  return target;
}

}  // namespace

const ServedService* Services::by_id(std::string_view id) const {
  const auto found = std::ranges::find(services_, id, [](const ServedService& each) { return each.model->id; });
  return found == services_.end() ? nullptr : &*found;
}

const ServedService* Services::by_target(std::string_view prefix) const {
  if (prefix.empty()) return nullptr;
  const auto found =
      std::ranges::find(services_, prefix, [](const ServedService& each) { return each.model->target_prefix; });
  return found == services_.end() ? nullptr : &*found;
}

const ServedService* Services::by_endpoint(std::string_view prefix) const {
  if (prefix.empty()) return nullptr;
  for (const ServedService& service : services_)
    if (service.model->endpoint_prefix == prefix || service.model->signing_name == prefix) return &service;
  return nullptr;
}

const ServedService* Services::by_signing_name(std::string_view name) const {
  const auto found =
      std::ranges::find(services_, name, [](const ServedService& each) { return each.model->signing_name; });
  return found == services_.end() ? nullptr : &*found;
}

Target Services::find(const http::RequestHead& head, const HostRoute& host,
                      const std::optional<sigv4::CredentialScope>& scope) const {
  if (is_s3_control(head)) return known(protocols::service_by_id("s3control"));
  if (const std::string_view prefix = target_prefix(head); !prefix.empty()) {
    if (const ServedService* service = by_target(prefix)) return {service, {}};
    if (const KnownService* service = protocols::service_by_target(prefix)) return known(service);
  }
  const ServedService* by_host = host.kind == HostRoute::Kind::endpoint ? by_endpoint(host.endpoint_prefix) : nullptr;
  if (scope) {
    const ServedService* by_scope = by_signing_name(scope->service);
    const bool agree =
        by_scope != nullptr && by_host != nullptr && by_scope->model->signing_name == by_host->model->signing_name;
    if (by_host != nullptr && !agree) return {by_host, {}};
    if (by_scope != nullptr) return {by_scope, {}};
    if (auto services = protocols::services_by_signing_name(scope->service); !services.empty())
      return {nullptr, std::move(services)};
  }
  if (by_host != nullptr) return {by_host, {}};
  if (host.kind == HostRoute::Kind::endpoint)
    if (const KnownService* service = protocols::service_by_endpoint(host.endpoint_prefix)) return known(service);
  if (is_query(head)) return {};
  return {by_id("s3"), {}};
}

Target Services::find_by_action(const WireRequest& request) const {
  const std::string action = parameter(request, "Action");
  const std::string version = parameter(request, "Version");
  const ServedService* of_other_version = nullptr;
  for (const ServedService& service : services_) {
    if (!speaks_query(*service.model) || service.model->find(action) == nullptr) continue;
    if (version.empty() || service.model->api_version == version) return {&service, {}};
    of_other_version = &service;
  }
  Target target;
  for (const KnownService& service : protocols::all_services())
    if (has_operation(service, action) && by_id(service.id) == nullptr) target.known.push_back(&service);
  if (target.known.empty()) target.served = of_other_version;
  return target;
}

std::vector<const KnownService*> Services::meant_instead(const model::Service& service,
                                                         const WireRequest& request) const {
  // A JSON document is no form, however long one looks for a version in it.
  if (request.query.empty() && request.body.starts_with('{')) return {};
  const std::string version = parameter(request, "Version");
  if (version.empty() || version == service.api_version) return {};
  const std::string action = parameter(request, "Action");
  std::vector<const KnownService*> others;
  for (const KnownService* other : protocols::services_by_signing_name(service.signing_name))
    if (other->id != service.id && by_id(other->id) == nullptr && has_operation(*other, action))
      others.push_back(other);
  return others;
}

}  // namespace brume::front
