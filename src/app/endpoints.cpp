#include "app/endpoints.h"

#include "app/served.h"
#include "core/model.h"
#include "core/scope.h"

namespace brume::app {

void publish_endpoints(names::Zone& zone, const std::string& address) {
  const auto put = [&](const std::string& name) {
    zone.put("", name, {{.type = names::RecordType::a, .value = address}});
  };
  put("checkip.amazonaws.com");
  put("s3.amazonaws.com");
  put("*.s3.amazonaws.com");
  put("sts.amazonaws.com");
  for (const model::Service* service : served_services())
    if (service->global) put(std::string(service->endpoint_prefix) + ".amazonaws.com");
  for (std::string_view region : all_regions()) {
    const std::string rest = "." + std::string(region) + "." + std::string(dns_suffix_of(region));
    for (const model::Service* service : served_services())
      if (!service->global) put(std::string(service->endpoint_prefix) + rest);
    put("*.s3" + rest);
    put("s3.dualstack" + rest);
    put("*.s3.dualstack" + rest);
    put("*.dkr.ecr" + rest);
    put("*.ddb" + rest);
  }
}

std::optional<ServerCertificate> Certificates::certificate_for(const std::string& name) {
  const bool local = name == "localhost" || name.ends_with(".localhost") || name == "127.0.0.1" || name == "::1";
  if (!local && !names::is_aws_name(name)) return std::nullopt;
  names::Certificate leaf = authority_.leaf(name);
  return ServerCertificate{std::move(leaf.chain_pem), std::move(leaf.key_pem)};
}

}  // namespace brume::app
