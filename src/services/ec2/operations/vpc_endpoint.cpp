// Gateway endpoints for S3 and DynamoDB. Interface endpoints are refused by name.
#include <algorithm>
#include <set>

#include "aws/policy/document.h"
#include "gen/ec2.h"
#include "services/ec2/describe.h"
#include "services/ec2/endpoints.h"
#include "services/ec2/prefix_lists.h"
#include "services/ec2/service_addresses.h"
#include "services/ec2/tag_specifications.h"

namespace brume::ec2 {

namespace {

// "Amazon VPC quotas: gateway endpoints per Region".
constexpr std::size_t kMostEndpoints = 100;
constexpr std::size_t kMostPolicyBytes = 20480;

VpcEndpoint endpoint_shape(const Scope& scope, const EndpointRecord& endpoint) {
  VpcEndpoint shape{.vpc_endpoint_id = endpoint.id,
                    .vpc_endpoint_type = "Gateway",
                    .vpc_id = endpoint.vpc,
                    .service_name = endpoint_service_name(scope.region, endpoint.service),
                    .state = "available",
                    .policy_document = endpoint.policy.empty() ? std::string(kFullAccess) : endpoint.policy,
                    .private_dns_enabled = false,
                    .requester_managed = false,
                    .creation_timestamp = endpoint.created,
                    .owner_id = scope.account};
  shape.route_table_ids = endpoint.route_tables;
  shape.subnet_ids.ensure();
  shape.groups.ensure();
  shape.network_interface_ids.ensure();
  shape.dns_entries.ensure();
  shape.tags = tags_to<Tag>(endpoint.tags);
  return shape;
}

const FilterField<VpcEndpoint> kFilters[] = {
    {"ip-address-type", none<VpcEndpoint>},
    {"service-name", [](const VpcEndpoint& endpoint) { return one(endpoint.service_name); }},
    {"service-region", none<VpcEndpoint>},
    {"vpc-endpoint-id", [](const VpcEndpoint& endpoint) { return one(endpoint.vpc_endpoint_id); }},
    {"vpc-endpoint-state", [](const VpcEndpoint& endpoint) { return one(endpoint.state); }},
    {"vpc-endpoint-type", [](const VpcEndpoint& endpoint) { return one(endpoint.vpc_endpoint_type); }},
    {"vpc-id", [](const VpcEndpoint& endpoint) { return one(endpoint.vpc_id); }},
};

// "s3" of "com.amazonaws.eu-west-1.s3".
std::string served_service(const std::string& region, const std::string& name) {
  for (const std::string_view service : kGatewayServices) {
    if (endpoint_service_name(region, service) == name) return std::string(service);
  }
  throw AwsError("InvalidServiceName", "The Vpc Endpoint Service '" + name + "' does not exist");
}

void refuse_unserved(const CreateVpcEndpointInput& input) {
  const std::string type = input.vpc_endpoint_type.value_or("Gateway");
  if (type != "Gateway") throw unsupported("VpcEndpointType " + type);
  if (!input.subnet_ids.get().empty()) throw unsupported("SubnetId (interface endpoints)");
  if (!input.security_group_ids.get().empty()) throw unsupported("SecurityGroupId (interface endpoints)");
  if (!input.subnet_configurations.get().empty()) throw unsupported("SubnetConfiguration (interface endpoints)");
  if (input.private_dns_enabled.get()) throw unsupported("PrivateDnsEnabled (interface endpoints)");
  if (input.ip_address_type.value_or("ipv4") != "ipv4") throw unsupported("IpAddressType " + *input.ip_address_type);
  if (input.dns_options) throw unsupported("DnsOptions (interface endpoints)");
  if (input.service_network_arn) throw unsupported("ServiceNetworkArn");
  if (input.resource_configuration_arn) throw unsupported("ResourceConfigurationArn");
  if (input.service_region) throw unsupported("ServiceRegion (interface endpoints)");
  if (!input.service_name) throw missing_parameter("ServiceName");
}

void check_policy(const std::string& text) {
  if (text.size() > kMostPolicyBytes) {
    throw AwsError("InvalidPolicyDocument", "The policy document is longer than 20480 characters.");
  }
  const auto document = policy::parse_document(text, policy::Grammar::own_resource);
  if (!document) throw AwsError("InvalidPolicyDocument", document.error().message);
}

// Another endpoint of the same service may lead there already.
void check_tables(const Ec2& ec2, const Scope& scope, const EndpointRecord& endpoint,
                  const std::vector<std::string>& tables) {
  const std::string list = prefix_list_of(endpoint, scope.region);
  for (const std::string& id : tables) {
    const RouteTableRecord& table = get(ec2.route_tables, scope, kRouteTableId, id);
    if (table.vpc != endpoint.vpc) {
      throw invalid_parameter("Route table " + id + " and VPC " + endpoint.vpc + " belong to different networks");
    }
    std::vector<RouteRecord> routes = table.routes;
    std::ranges::move(endpoint_routes(ec2, scope, id), std::back_inserter(routes));
    for (const RouteRecord& route : routes) {
      if (route.prefix_list != list || route.target == endpoint.id) continue;
      throw AwsError("RouteAlreadyExists",
                     "route table " + id + " already has a route with destination-prefix-list-id " + list);
    }
  }
}

std::vector<std::string> without_repeats(const std::vector<std::string>& ids) {
  const std::set<std::string> set(ids.begin(), ids.end());
  return {set.begin(), set.end()};
}

ServiceDetail service_shape(const Scope& scope, std::string_view service) {
  const std::string name = endpoint_service_name(scope.region, service);
  ServiceDetail shape{
      .service_name = name,
      .service_id = "vpce-svc-" + (prefix_list_of({.service = std::string(service)}, scope.region)).substr(3),
      .service_region = scope.region,
      .owner = "amazon",
      .vpc_endpoint_policy_supported = true,
      .acceptance_required = false,
      .manages_vpc_endpoints = false};
  shape.service_type.ensure().push_back({.service_type = "Gateway"});
  for (const Zone& zone : zones_of(scope.region)) {
    shape.availability_zones.ensure().push_back(zone.name);
    shape.availability_zone_ids.ensure().push_back(zone.id);
  }
  shape.base_endpoint_dns_names.ensure().push_back(std::string(service) + "." + scope.region + "." +
                                                   std::string(dns_suffix_of(scope.region)));
  shape.supported_ip_address_types.ensure().push_back("ipv4");
  shape.tags.ensure();
  return shape;
}

const FilterField<ServiceDetail> kServiceFilters[] = {
    {"owner", [](const ServiceDetail& service) { return one(service.owner); }},
    {"service-name", [](const ServiceDetail& service) { return one(service.service_name); }},
    {"service-region", [](const ServiceDetail& service) { return one(service.service_region); }},
    {"service-type",
     [](const ServiceDetail& service) {
       return each(service.service_type, [](const auto& item) { return one(item.service_type); });
     }},
    {"supported-ip-address-types",
     [](const ServiceDetail& service) { return service.supported_ip_address_types.get(); }},
};

}  // namespace

CreateVpcEndpointOutput create_vpc_endpoint(Ec2& ec2, Tx& tx, const Request<CreateVpcEndpointInput>& request) {
  begin(ec2, tx, request);
  const CreateVpcEndpointInput& input = request.input;
  refuse_unserved(input);
  const VpcRecord& vpc = get(ec2.vpcs, request.scope, kVpcId, input.vpc_id.get());
  EndpointRecord endpoint{.id = ec2.new_id(kEndpointId),
                          .vpc = vpc.id,
                          .service = served_service(request.scope.region, *input.service_name),
                          .policy = input.policy_document.get(),
                          .route_tables = without_repeats(input.route_table_ids.get()),
                          .created = ec2.clock.now(),
                          .client_token = input.client_token.get(),
                          .tags = tags_for(input.tag_specifications.get(), "vpc-endpoint")};
  if (!endpoint.policy.empty()) check_policy(endpoint.policy);
  const auto same = [&](const EndpointRecord& other) {
    return other.vpc == endpoint.vpc && other.service == endpoint.service;
  };
  if (const EndpointRecord* made = find_by_token(ec2.endpoints, request.scope, input.client_token, same)) {
    return {.vpc_endpoint = endpoint_shape(request.scope, *made), .client_token = input.client_token};
  }
  if (ec2.endpoints.count(request.scope) >= kMostEndpoints) {
    throw AwsError("VpcEndpointLimitExceeded", "The maximum number of VPC endpoints has been reached.");
  }
  check_tables(ec2, request.scope, endpoint, endpoint.route_tables);
  ec2.touch(tx, request.scope, vpc.id);
  const std::string id = endpoint.id;
  const EndpointRecord& made = ec2.endpoints.insert(tx, request.scope, id, std::move(endpoint));
  return {.vpc_endpoint = endpoint_shape(request.scope, made), .client_token = input.client_token};
}

ModifyVpcEndpointOutput modify_vpc_endpoint(Ec2& ec2, Tx& tx, const Request<ModifyVpcEndpointInput>& request) {
  begin(ec2, tx, request);
  const ModifyVpcEndpointInput& input = request.input;
  EndpointRecord endpoint = get(ec2.endpoints, request.scope, kEndpointId, input.vpc_endpoint_id.get());
  const std::pair<std::string_view, bool> unserved[] = {
      {"AddSubnetId", !input.add_subnet_ids.get().empty()},
      {"RemoveSubnetId", !input.remove_subnet_ids.get().empty()},
      {"AddSecurityGroupId", !input.add_security_group_ids.get().empty()},
      {"RemoveSecurityGroupId", !input.remove_security_group_ids.get().empty()},
      {"SubnetConfiguration", !input.subnet_configurations.get().empty()},
      {"PrivateDnsEnabled", input.private_dns_enabled.get()},
      {"DnsOptions", input.dns_options.has_value()},
      {"IpAddressType", input.ip_address_type.value_or("ipv4") != "ipv4"}};
  for (const auto& [name, given] : unserved) {
    if (given) throw unsupported(std::string(name) + " (interface endpoints)");
  }
  if (input.reset_policy.get() && input.policy_document) {
    throw AwsError("InvalidParameterCombination", "ResetPolicy may not be used with PolicyDocument");
  }
  if (input.reset_policy.get()) endpoint.policy.clear();
  if (input.policy_document) {
    check_policy(*input.policy_document);
    endpoint.policy = *input.policy_document;
  }
  for (const std::string& id : input.remove_route_table_ids.get()) {
    get(ec2.route_tables, request.scope, kRouteTableId, id);
    std::erase(endpoint.route_tables, id);
  }
  check_tables(ec2, request.scope, endpoint, input.add_route_table_ids.get());
  for (const std::string& id : input.add_route_table_ids.get()) endpoint.route_tables.push_back(id);
  endpoint.route_tables = without_repeats(endpoint.route_tables);
  ec2.touch(tx, request.scope, endpoint.vpc);
  const std::string id = endpoint.id;
  ec2.endpoints.put(tx, request.scope, id, std::move(endpoint));
  return {.return_ = true};
}

DeleteVpcEndpointsOutput delete_vpc_endpoints(Ec2& ec2, Tx& tx, const Request<DeleteVpcEndpointsInput>& request) {
  begin(ec2, tx, request);
  DeleteVpcEndpointsOutput output;
  auto& unsuccessful = output.unsuccessful.ensure();
  for (const std::string& id : request.input.vpc_endpoint_ids.get()) {
    const EndpointRecord* endpoint = ec2.endpoints.find(request.scope, id);
    if (endpoint == nullptr) {
      const AwsError error = not_found(kEndpointId, id);
      unsuccessful.push_back(
          {.error = UnsuccessfulItemError{.code = error.code, .message = error.message}, .resource_id = id});
      continue;
    }
    ec2.touch(tx, request.scope, endpoint->vpc);
    ec2.endpoints.erase(tx, request.scope, id);
  }
  return output;
}

DescribeVpcEndpointsOutput describe_vpc_endpoints(Ec2& ec2, Tx& tx, const Request<DescribeVpcEndpointsInput>& request) {
  begin(ec2, tx, request);
  DescribeVpcEndpointsOutput output;
  const auto records = candidates(ec2.endpoints, request.scope, kEndpointId, request.input.vpc_endpoint_ids.get(),
                                  filters_of(request.input));
  output.next_token =
      show_page(ec2, request, "DescribeVpcEndpoints", kFilters, records, output.vpc_endpoints.ensure(),
                [&](const EndpointRecord& endpoint) { return endpoint_shape(request.scope, endpoint); });
  return output;
}

DescribeVpcEndpointServicesOutput describe_vpc_endpoint_services(
    Ec2& ec2, Tx& tx, const Request<DescribeVpcEndpointServicesInput>& request) {
  begin(ec2, tx, request);
  const std::vector<std::string>& names = request.input.service_names.get();
  for (const std::string& name : names) served_service(request.scope.region, name);
  DescribeVpcEndpointServicesOutput output;
  auto& services = output.service_details.ensure();
  for (const std::string_view service : kGatewayServices) {
    ServiceDetail shape = service_shape(request.scope, service);
    if (names.empty() || std::ranges::find(names, *shape.service_name) != names.end()) services.push_back(shape);
  }
  std::ranges::sort(services, {}, [](const ServiceDetail& service) { return *service.service_name; });
  apply_filters<ServiceDetail>(filters_from(request.input.filters.get()), kServiceFilters, services);
  output.next_token = page(ec2, request, "DescribeVpcEndpointServices", services,
                           [](const ServiceDetail& service) { return *service.service_name; });
  auto& all = output.service_names.ensure();
  for (const ServiceDetail& service : services) all.push_back(*service.service_name);
  return output;
}

}  // namespace brume::ec2
