#include "front/protocols/catalogue.h"

#include <algorithm>

#include "core/text.h"

namespace brume::model {
// Generated from models/operations.txt; its head says how it reads.
std::string_view operation_names();
}  // namespace brume::model

namespace brume::protocols {
namespace {

std::optional<Protocol> protocol_named(std::string_view name) {
  if (name == "query") return Protocol::query;
  if (name == "ec2") return Protocol::ec2;
  if (name == "json") return Protocol::json;
  if (name == "rest-json") return Protocol::rest_json;
  if (name == "rest-xml") return Protocol::rest_xml;
  if (name == "smithy-rpc-v2-cbor") return Protocol::rpc_v2_cbor;
  return std::nullopt;
}

KnownService read_service(const std::vector<std::string_view>& words) {
  KnownService service{.id = words[1], .signing_name = words[2], .endpoint_prefix = words[3]};
  if (words[4] != "-") service.target_prefix = words[4];
  for (const std::string_view name : split(words[5], ','))
    if (const auto protocol = protocol_named(name)) service.protocols.push_back(*protocol);
  return service;
}

std::vector<KnownService> read_services(std::string_view text) {
  std::vector<KnownService> services;
  for (const std::string_view line : split(text, '\n')) {
    const auto words = split(line, ' ');
    if (words.size() == 6 && words[0] == "@")
      services.push_back(read_service(words));
    else if (words.size() == 3)
      services.back().operations.push_back({.name = words[2], .method = words[0], .uri = words[1]});
    else if (!line.empty())
      services.back().operations.push_back({.name = line});
  }
  return services;
}

}  // namespace

std::span<const KnownService> all_services() {
  static const std::vector<KnownService> services = read_services(model::operation_names());
  return services;
}

const KnownService* service_by_id(std::string_view id) {
  const auto services = all_services();
  const auto found = std::ranges::find(services, id, &KnownService::id);
  return found == services.end() ? nullptr : &*found;
}

const KnownService* service_by_target(std::string_view target_prefix) {
  if (target_prefix.empty()) return nullptr;
  const auto services = all_services();
  const auto found = std::ranges::find(services, target_prefix, &KnownService::target_prefix);
  return found == services.end() ? nullptr : &*found;
}

std::vector<const KnownService*> services_by_signing_name(std::string_view signing_name) {
  std::vector<const KnownService*> found;
  for (const KnownService& service : all_services())
    if (service.signing_name == signing_name) found.push_back(&service);
  return found;
}

const KnownService* service_by_endpoint(std::string_view endpoint_prefix) {
  const auto services = all_services();
  const auto found = std::ranges::find(services, endpoint_prefix, &KnownService::endpoint_prefix);
  return found == services.end() ? nullptr : &*found;
}

}  // namespace brume::protocols
