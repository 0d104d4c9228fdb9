#include "services/cloudtrail/event.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <optional>

#include "core/json_text.h"
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
                               NamedBy{"sqs", "QueueUrl", "AWS::SQS::Queue"},
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

void add_session_context(const Principal& principal, JsonObject& identity) {
  JsonObject context = identity.object("sessionContext");
  JsonObject issuer = context.object("sessionIssuer");
  issuer.text("type", "Role");
  issuer.text("principalId", std::string_view(principal.id).substr(0, principal.id.find(':')));
  issuer.text("arn", principal.role_arn);
  issuer.text("accountId", principal.account);
  issuer.text("userName", after_last(principal.role_arn, '/'));
  issuer.end();
  JsonObject attributes = context.object("attributes");
  attributes.text("creationDate", iso8601(principal.issued));
  attributes.text("mfaAuthenticated", principal.mfa ? "true" : "false");
  attributes.end();
  context.end();
}

// "CloudTrail userIdentity element".
void add_user(const Principal& principal, JsonObject& identity) {
  using Kind = Principal::Kind;
  if (principal.kind == Kind::service) {
    identity.text("type", "AWSService");
    return identity.text("invokedBy", principal.id);
  }
  if (principal.kind == Kind::anonymous) {
    identity.text("type", "AWSAccount");
    identity.text("principalId", "");
    return identity.text("accountId", "ANONYMOUS_PRINCIPAL");
  }
  identity.text("type", principal.kind == Kind::root           ? "Root"
                        : principal.kind == Kind::user         ? "IAMUser"
                        : principal.kind == Kind::role_session ? "AssumedRole"
                                                               : "FederatedUser");
  identity.text("principalId", principal.id);
  identity.text("arn", principal.arn);
  identity.text("accountId", principal.account);
  identity.text("accessKeyId", principal.access_key_id);
  if (principal.kind == Kind::user) identity.text("userName", after_last(principal.arn, '/'));
  if (principal.kind == Kind::role_session) add_session_context(principal, identity);
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
void add_token_holder(const AuditRecord& record, JsonObject& identity) {
  identity.text("type", "WebIdentityUser");
  const std::string provider = text_of(record.output, "Provider"),
                    subject = text_of(record.output, "SubjectFromWebIdentityToken");
  if (provider.empty()) return;
  identity.text("principalId", provider + ":" + text_of(record.output, "Audience") + ":" + subject);
  identity.text("userName", subject);
  identity.text("identityProvider", provider);
}

std::string identity_for(const AuditRecord& record, const std::string& recipient) {
  const Principal& principal = record.context.principal;
  std::string text;
  text.reserve(512);
  JsonObject identity(text);
  if (is_web_identity(record)) {
    add_token_holder(record, identity);
  } else if (principal.account.empty() || principal.account == recipient) {
    add_user(principal, identity);
  } else {
    identity.text("type", "AWSAccount");
    identity.text("principalId", principal.id);
    identity.text("accountId", principal.account);
  }
  identity.end();
  return text;
}

// What is not there needs no text.
std::string text_unless_null(const json::value& value) {
  return value.is_null() ? std::string() : json::serialize(value);
}

// EC2's codes say whose fault it was.
std::string error_code(const AuditRecord& record) {
  return record.service != nullptr && record.service->id == "ec2" ? "Client." + record.error_code : record.error_code;
}

}  // namespace

bool is_read_only(std::string_view operation) {
  constexpr std::string_view kPrefixes[] = {"Get",      "List",   "Describe",   "Head",          "Lookup", "BatchGet",
                                            "Query",    "Scan",   "Filter",     "Simulate",      "Select", "Search",
                                            "BatchChe", "Decode", "AssumeRole", "ReceiveMessage"};
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
  // By "Logging Amazon Simple Queue Service API calls using AWS CloudTrail", whose lists were not at hand for this one.
  constexpr std::string_view kManagement[] = {
      "AddPermission", "CancelMessageMoveTask", "CreateQueue",        "DeleteQueue",          "ListMessageMoveTasks",
      "PurgeQueue",    "RemovePermission",      "SetQueueAttributes", "StartMessageMoveTask", "TagQueue",
      "UntagQueue"};
  if (service == "sqs") return std::ranges::find(kManagement, operation) == std::ranges::end(kManagement);
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
  // A global service's events are in us-east-1 ("Global service events").
  const bool global = record.service != nullptr && record.service->global;
  EventRecord event{.scope = {recipient, global ? "us-east-1" : context.scope.region},
                    .time = context.now,
                    .id = std::move(id),
                    .name = event_name(record),
                    .source = source_of(record),
                    .user_name = {},
                    .access_key_id = own ? context.principal.access_key_id : std::string(),
                    .read_only = is_read_only(record.operation_name),
                    .management = !is_data_event(record),
                    .resources = resources_of(record),
                    .identity = identity_for(record, recipient),
                    .address = context.source_address,
                    .agent = context.user_agent,
                    .request_id = context.request_id,
                    .shared_id = shared_id};
  if (is_web_identity(record))
    event.user_name = text_of(record.output, "SubjectFromWebIdentityToken");
  else if (own)
    event.user_name = user_name(context.principal);
  if (!record.error_code.empty()) {
    event.error_code = error_code(record);
    event.error_message = record.error_message;
  }
  // All of it goes at once: the many small pieces need no memory of their own.
  std::array<unsigned char, 4096> first;
  json::monotonic_resource memory(first.data(), first.size());
  const json::storage_ptr storage(&memory);
  event.request = text_unless_null(request_parameters(record, storage));
  if (tells_answer(record.operation_name)) event.response = text_unless_null(response_elements(record, storage));
  event.named = text_unless_null(event_resources(record, storage));
  if (record.service != nullptr) event.api_version = record.service->api_version;
  if (context.secure) event.tls_host = context.host;
  return event;
}

bool is_shared(const EventRecord& event) {
  return !event.shared_id.empty() || event.json.find("\"sharedEventID\":") != std::string::npos;
}

bool has_failed(const EventRecord& event) {
  return !event.error_code.empty() || event.json.find("\"errorCode\":") != std::string::npos;
}

std::string json_of(const EventRecord& event) {
  if (!event.json.empty()) return event.json;
  std::string text;
  text.reserve(1000 + event.agent.size() + event.identity.size() + event.request.size() + event.response.size());
  JsonObject out(text);
  const auto json_or_null = [](const std::string& json) { return json.empty() ? std::string_view("null") : json; };
  out.text("eventVersion", kEventVersion);
  out.raw("userIdentity", event.identity);
  out.text("eventTime", iso8601(Time{event.time.ms / 1000 * 1000}));
  out.text("eventSource", event.source);
  out.text("eventName", event.name);
  out.text("awsRegion", event.scope.region);
  out.text("sourceIPAddress", event.address);
  out.text("userAgent", event.agent);
  if (!event.error_code.empty()) {
    out.text("errorCode", event.error_code);
    out.text("errorMessage", event.error_message);
  }
  out.raw("requestParameters", json_or_null(event.request));
  out.raw("responseElements", json_or_null(event.response));
  out.text("requestID", event.request_id);
  out.text("eventID", event.id);
  out.boolean("readOnly", event.read_only);
  if (!event.named.empty()) out.raw("resources", event.named);
  out.text("eventType", "AwsApiCall");
  if (event.api_version) out.text("apiVersion", *event.api_version);
  out.boolean("managementEvent", event.management);
  out.text("recipientAccountId", event.scope.account);
  if (!event.shared_id.empty()) out.text("sharedEventID", event.shared_id);
  out.text("eventCategory", event.management ? "Management" : "Data");
  if (event.tls_host) {
    JsonObject details = out.object("tlsDetails");
    details.text("clientProvidedHostHeader", *event.tls_host);
    details.end();
  }
  out.end();
  return text;
}

}  // namespace brume::cloudtrail
