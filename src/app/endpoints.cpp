#include "app/endpoints.h"

#include "app/served.h"
#include "core/model.h"
#include "core/scope.h"
#include "services/ec2/service_addresses.h"

namespace brume::app {

void publish_endpoints(names::Zone& zone, const std::string& address) {
  const auto put_at = [&](const std::string& name, const std::string& where) {
    zone.put("", name, {{.type = names::RecordType::a, .value = where}});
  };
  const auto put = [&](const std::string& name) { put_at(name, address); };
  // Services that have gateway endpoints have an address per region, the others share one.
  const auto address_in = [&](std::string_view region, std::string_view service) {
    return ec2::service_address(region, service).value_or(address);
  };
  put("checkip.amazonaws.com");
  put_at("s3.amazonaws.com", address_in("us-east-1", "s3"));
  put_at("*.s3.amazonaws.com", address_in("us-east-1", "s3"));
  put("sts.amazonaws.com");
  put("queue.amazonaws.com");
  for (const model::Service* service : served_services())
    if (service->global) put(std::string(service->endpoint_prefix) + ".amazonaws.com");
  for (std::string_view region : all_regions()) {
    const std::string rest = "." + std::string(region) + "." + std::string(dns_suffix_of(region));
    for (const model::Service* service : served_services())
      if (!service->global)
        put_at(std::string(service->endpoint_prefix) + rest, address_in(region, service->endpoint_prefix));
    for (const model::Service* service : served_services())
      for (const model::Operation& operation : service->operations)
        if (!operation.host_prefix.empty() && operation.host_prefix.find('{') == std::string_view::npos)
          put(std::string(operation.host_prefix) + std::string(service->endpoint_prefix) + rest);
    for (const char* name : {"*.s3", "s3.dualstack", "*.s3.dualstack"}) put_at(name + rest, address_in(region, "s3"));
    put(std::string(region) + ".queue." + std::string(dns_suffix_of(region)));
    put("*.dkr.ecr" + rest);
    put_at("*.ddb" + rest, address_in(region, "dynamodb"));
  }
}

std::optional<ServerCertificate> Certificates::certificate_for(const std::string& name) {
  const bool local = name == "localhost" || name.ends_with(".localhost") || name == "127.0.0.1" || name == "::1";
  if (!local && !names::is_aws_name(name)) return std::nullopt;
  names::Certificate leaf = authority_.leaf(name);
  return ServerCertificate{std::move(leaf.chain_pem), std::move(leaf.key_pem)};
}

}  // namespace brume::app
