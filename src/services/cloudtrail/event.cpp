#include "services/cloudtrail/event.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <optional>

#include "services/cloudtrail/parameters.h"

namespace brume::cloudtrail {
namespace {

namespace json = boost::json;

constexpr const char* kEventVersion = "1.11";

// Members that name a resource, and its type as CloudFormation calls it ("AWS resource and property types reference").
struct NamedBy {
  std::string_view service, member, type;
};
constexpr std::array kNames = {NamedBy{"ec2", "VpcId", "AWS::EC2::VPC"},
                               NamedBy{"ec2", "SubnetId", "AWS::EC2::Subnet"},
                               NamedBy{"ec2", "GroupId", "AWS::EC2::SecurityGroup"},
                               NamedBy{"ec2", "RouteTableId", "AWS::EC2::RouteTable"},
                               NamedBy{"ec2", "InternetGatewayId", "AWS::EC2::InternetGateway"},
                               NamedBy{"ec2", "NatGatewayId", "AWS::EC2::NatGateway"},
                               NamedBy{"ec2", "NetworkAclId", "AWS::EC2::NetworkAcl"},
                               NamedBy{"ec2", "NetworkInterfaceId", "AWS::EC2::NetworkInterface"},
                               NamedBy{"ec2", "AllocationId", "AWS::EC2::EIP"},
                               NamedBy{"ec2", "VpcEndpointId", "AWS::EC2::VPCEndpoint"},
                               NamedBy{"iam", "RoleName", "AWS::IAM::Role"},
                               NamedBy{"iam", "UserName", "AWS::IAM::User"},
                               NamedBy{"iam", "GroupName", "AWS::IAM::Group"},
                               NamedBy{"iam", "PolicyArn", "AWS::IAM::Policy"},
                               NamedBy{"iam", "InstanceProfileName", "AWS::IAM::InstanceProfile"},
                               NamedBy{"iam", "AccessKeyId", "AWS::IAM::AccessKey"},
                               NamedBy{"sts", "RoleArn", "AWS::IAM::Role"},
                               NamedBy{"elbv2", "LoadBalancerArn", "AWS::ElasticLoadBalancingV2::LoadBalancer"},
                               NamedBy{"elbv2", "TargetGroupArn", "AWS::ElasticLoadBalancingV2::TargetGroup"},
                               NamedBy{"elbv2", "ListenerArn", "AWS::ElasticLoadBalancingV2::Listener"},
                               NamedBy{"elbv2", "RuleArn", "AWS::ElasticLoadBalancingV2::ListenerRule"},
                               NamedBy{"ecs", "cluster", "AWS::ECS::Cluster"},
                               NamedBy{"ecs", "clusterName", "AWS::ECS::Cluster"},
                               NamedBy{"ecs", "service", "AWS::ECS::Service"},
                               NamedBy{"ecs", "serviceName", "AWS::ECS::Service"},
                               NamedBy{"ecs", "taskDefinition", "AWS::ECS::TaskDefinition"},
                               NamedBy{"ecr", "repositoryName", "AWS::ECR::Repository"},
                               NamedBy{"logs", "logGroupName", "AWS::Logs::LogGroup"},
                               NamedBy{"s3", "Bucket", "AWS::S3::Bucket"},
                               NamedBy{"dynamodb", "TableName", "AWS::DynamoDB::Table"},
                               NamedBy{"cloudtrail", "TrailARN", "AWS::CloudTrail::Trail"}};

void add_resources(std::string_view service, const model::Type& type, const void* value, int levels,
                   std::vector<ResourceName>& out) {
  for (const model::Member& member : type.members) {
    const void* each = member.get(value);
    if (each == nullptr) continue;
    if (member.type->kind == model::Kind::structure && levels > 0)
      add_resources(service, *member.type, each, levels - 1, out);
    if (member.type->kind != model::Kind::string) continue;
    const auto named = std::ranges::find_if(
        kNames, [&](const NamedBy& row) { return row.service == service && row.member == member.name; });
    if (named == kNames.end()) continue;
    const auto& name = *static_cast<const std::string*>(each);
    const bool known = std::ranges::any_of(out, [&](const ResourceName& other) { return other.name == name; });
    if (!known) out.push_back({std::string(named->type), name});
  }
}

std::vector<ResourceName> resources_of(const AuditRecord& record) {
  std::vector<ResourceName> resources;
  if (record.service == nullptr) return resources;
  if (record.input) add_resources(record.service->id, record.input->type(), record.input->get(), 0, resources);
  // What a call made is named in its answer: {"vpc": {"vpcId": …}}.
  if (record.output && !is_read_only(record.operation_name))
    add_resources(record.service->id, record.output->type(), record.output->get(), 1, resources);
  return resources;
}

std::string after_last(std::string_view text, char mark) {
  const std::size_t at = text.rfind(mark);
  return std::string(at == std::string_view::npos ? text : text.substr(at + 1));
}

json::object session_context(const Principal& principal, const json::storage_ptr& storage) {
  return {{{"sessionIssuer", json::object{{"type", "Role"},
                                          {"principalId", principal.id.substr(0, principal.id.find(':'))},
                                          {"arn", principal.role_arn},
                                          {"accountId", principal.account},
                                          {"userName", after_last(principal.role_arn, '/')}}},
           {"attributes", json::object{{"creationDate", iso8601(principal.issued)},
                                       {"mfaAuthenticated", principal.mfa ? "true" : "false"}}}},
          storage};
}

// "CloudTrail userIdentity element".
json::object user_identity(const Principal& principal, const json::storage_ptr& storage) {
  using Kind = Principal::Kind;
  if (principal.kind == Kind::service) return {{{"type", "AWSService"}, {"invokedBy", principal.id}}, storage};
  if (principal.kind == Kind::anonymous)
    return {{{"type", "AWSAccount"}, {"principalId", ""}, {"accountId", "ANONYMOUS_PRINCIPAL"}}, storage};
  const char* type = principal.kind == Kind::root           ? "Root"
                     : principal.kind == Kind::user         ? "IAMUser"
                     : principal.kind == Kind::role_session ? "AssumedRole"
                                                            : "FederatedUser";
  json::object identity({{"type", type},
                         {"principalId", principal.id},
                         {"arn", principal.arn},
                         {"accountId", principal.account},
                         {"accessKeyId", principal.access_key_id}},
                        storage);
  if (principal.kind == Kind::user) identity["userName"] = after_last(principal.arn, '/');
  if (principal.kind == Kind::role_session) identity["sessionContext"] = session_context(principal, storage);
  return identity;
}

std::string user_name(const Principal& principal) {
  switch (principal.kind) {
    case Principal::Kind::root:
      return "root";
    case Principal::Kind::service:
      return principal.id;
    case Principal::Kind::anonymous:
      return {};
    default:
      return after_last(principal.arn, '/');
  }
}

std::string source_of(const AuditRecord& record) {
  const std::string name(record.service != nullptr ? record.service->signing_name : record.service_name);
  return name + ".amazonaws.com";
}

std::string text_of(const std::optional<model::Object>& object, std::string_view path) {
  if (!object) return {};
  const std::vector<std::string> values = model::strings_at(object->type(), object->get(), path);
  return values.empty() ? std::string() : values.front();
}

bool is_web_identity(const AuditRecord& record) { return record.operation_name == "AssumeRoleWithWebIdentity"; }

// Whose resource or role it was, if not the caller's.
std::string other_account(const AuditRecord& record) {
  if (record.service == nullptr || record.service->id != "sts") return record.resource_account;
  const bool assumed = record.operation_name == "AssumeRole" && record.error_code.empty();
  if (!assumed && !is_web_identity(record)) return {};
  const std::optional<Arn> role = parse_arn(text_of(record.input, "RoleArn"));
  return role ? role->account : std::string();
}

// Who holds a token of a provider: known when the token was believed.
json::object web_identity(const AuditRecord& record, const json::storage_ptr& storage) {
  json::object identity(storage);
  identity["type"] = "WebIdentityUser";
  const std::string provider = text_of(record.output, "Provider"),
                    subject = text_of(record.output, "SubjectFromWebIdentityToken");
  if (provider.empty()) return identity;
  identity["principalId"] = provider + ":" + text_of(record.output, "Audience") + ":" + subject;
  identity["userName"] = subject;
  identity["identityProvider"] = provider;
  return identity;
}

json::object identity_for(const AuditRecord& record, const std::string& recipient, const json::storage_ptr& storage) {
  if (is_web_identity(record)) return web_identity(record, storage);
  const Principal& principal = record.context.principal;
  if (principal.account.empty() || principal.account == recipient) return user_identity(principal, storage);
  return json::object({{"type", "AWSAccount"}, {"principalId", principal.id}, {"accountId", principal.account}},
                      storage);
}

// EC2's codes say whose fault it was.
std::string error_code(const AuditRecord& record) {
  return record.service != nullptr && record.service->id == "ec2" ? "Client." + record.error_code : record.error_code;
}

}  // namespace

bool is_read_only(std::string_view operation) {
  constexpr std::string_view kPrefixes[] = {"Get",      "List",   "Describe", "Head",   "Lookup",
                                            "BatchGet", "Query",  "Scan",     "Filter", "Simulate",
                                            "Select",   "Search", "BatchChe", "Decode", "AssumeRole"};
  // They read as their names do not say, or write as their names do.
  if (operation == "GenerateCredentialReport") return true;
  return std::ranges::any_of(kPrefixes, [&](std::string_view prefix) { return operation.starts_with(prefix); });
}

bool is_data_event(const AuditRecord& record) {
  if (record.service == nullptr || record.operation == nullptr) return false;
  const std::string_view service = record.service->id, operation = record.operation->name;
  if (service == "s3")
    return record.operation->input->find("Key") != nullptr || operation == "DeleteObjects" ||
           operation.starts_with("ListObject") || operation == "HeadBucket";
  if (service == "logs") return operation == "PutLogEvents";
  if (service != "dynamodb") return false;
  constexpr std::string_view kItems[] = {"GetItem",
                                         "PutItem",
                                         "UpdateItem",
                                         "DeleteItem",
                                         "Query",
                                         "Scan",
                                         "BatchGetItem",
                                         "BatchWriteItem",
                                         "TransactGetItems",
                                         "TransactWriteItems",
                                         "ExecuteStatement",
                                         "BatchExecuteStatement"};
  return std::ranges::find(kItems, operation) != std::ranges::end(kItems);
}

bool tells_answer(std::string_view operation) {
  return !is_read_only(operation) || operation.starts_with("AssumeRole");
}

std::vector<std::string> recipients(const AuditRecord& record) {
  std::vector<std::string> accounts;
  const std::string &own = record.context.scope.account, other = other_account(record);
  if (!own.empty()) accounts.push_back(own);
  if (!other.empty() && other != own) accounts.push_back(other);
  return accounts;
}

EventRecord render(const AuditRecord& record, const std::string& recipient, std::string id,
                   const std::string& shared_id) {
  const RequestContext& context = record.context;
  const bool own = recipient == context.scope.account;
  const std::string name = is_web_identity(record) ? text_of(record.output, "SubjectFromWebIdentityToken")
                           : own                   ? user_name(context.principal)
                                                   : std::string();
  EventRecord event{.time = context.now,
                    .id = std::move(id),
                    .name = event_name(record),
                    .source = source_of(record),
                    .user_name = name,
                    .access_key_id = own ? context.principal.access_key_id : std::string(),
                    .read_only = is_read_only(record.operation_name),
                    .management = !is_data_event(record),
                    .resources = resources_of(record),
                    .json = {}};
  const bool global = record.service != nullptr && record.service->global;
  // All of it goes at once: the event's many small pieces need no memory of their own.
  std::array<unsigned char, 4096> first;
  json::monotonic_resource memory(first.data(), first.size());
  const json::storage_ptr storage(&memory);
  json::object out({{"eventVersion", kEventVersion},
                    {"userIdentity", identity_for(record, recipient, storage)},
                    {"eventTime", iso8601(Time{context.now.ms / 1000 * 1000})},
                    {"eventSource", event.source},
                    {"eventName", event.name},
                    {"awsRegion", global ? std::string("us-east-1") : context.scope.region},
                    {"sourceIPAddress", context.source_address},
                    {"userAgent", context.user_agent}},
                   storage);
  if (!record.error_code.empty()) {
    out["errorCode"] = error_code(record);
    out["errorMessage"] = record.error_message;
  }
  out["requestParameters"] = request_parameters(record, storage);
  out["responseElements"] =
      tells_answer(record.operation_name) ? response_elements(record, storage) : json::value(nullptr);
  out["requestID"] = context.request_id;
  out["eventID"] = event.id;
  out["readOnly"] = event.read_only;
  json::value resources = event_resources(record, storage);
  if (!resources.is_null()) out["resources"] = std::move(resources);
  out["eventType"] = "AwsApiCall";
  if (record.service != nullptr) out["apiVersion"] = record.service->api_version;
  out["managementEvent"] = event.management;
  out["recipientAccountId"] = recipient;
  if (!shared_id.empty()) out["sharedEventID"] = shared_id;
  out["eventCategory"] = event.management ? "Management" : "Data";
  if (context.secure) out["tlsDetails"] = json::object{{"clientProvidedHostHeader", context.host}};
  event.json = json::serialize(out);
  return event;
}

}  // namespace brume::cloudtrail
