// What records show of requests and answers, against the records that AWS's documents and public collections of
// detection rules show of the same operations.
#include "services/cloudtrail/parameters.h"

#include <gtest/gtest.h>
#include "gen/dynamodb.h"
#include "gen/ec2.h"
#include "gen/ecr.h"
#include "gen/elbv2.h"
#include "gen/iam.h"
#include "gen/s3.h"
#include "gen/sts.h"

#include <boost/json.hpp>

namespace brume::cloudtrail {
namespace {

namespace json = boost::json;

template <class Input>
AuditRecord asked(const model::Service& service, std::string_view operation, Input input) {
  const model::Operation* found = service.find(operation);
  EXPECT_NE(found, nullptr) << operation;
  AuditRecord record{.service = &service,
                     .operation = found,
                     .service_name = std::string(service.id),
                     .operation_name = std::string(operation),
                     .context = {},
                     .input = model::Object(*found->input, new Input(std::move(input)))};
  record.context.scope = {"111122223333", "eu-west-1"};
  record.context.request_id = "request-1";
  return record;
}

template <class Output>
void answer(AuditRecord& record, Output output) {
  record.output = model::Object(*record.operation->output, new Output(std::move(output)));
}

template <class Input>
json::value request_of(std::string_view operation, Input input) {
  return request_parameters(asked(ec2::service_model(), operation, std::move(input)), {});
}

template <class Input, class Output>
json::value response_of(std::string_view operation, Input input, Output output) {
  AuditRecord record = asked(ec2::service_model(), operation, std::move(input));
  answer(record, std::move(output));
  return response_elements(record, {});
}

ec2::Tag tag(const std::string& key, const std::string& value) {
  ec2::Tag made;
  made.key = key;
  made.value = value;
  return made;
}

TEST(Ec2Record, AVpcWithItsAssociationsAndEmptySets) {
  ec2::CreateVpcInput input;
  input.cidr_block = "10.0.0.0/16";
  input.instance_tenancy = "default";
  input.amazon_provided_ipv6_cidr_block = false;
  ec2::CreateVpcOutput output;
  ec2::Vpc& vpc = output.vpc.emplace();
  vpc.vpc_id = "vpc-1";
  vpc.state = "pending";
  vpc.is_default = false;
  ec2::VpcCidrBlockAssociation& block = vpc.cidr_block_association_set.ensure().emplace_back();
  block.association_id = "vpc-cidr-assoc-1";
  block.cidr_block = "10.0.0.0/16";
  block.cidr_block_state.emplace().state = "associated";
  EXPECT_EQ(request_of("CreateVpc", input), json::parse(R"({"cidrBlock": "10.0.0.0/16", "instanceTenancy": "default",
                                                            "amazonProvidedIpv6CidrBlock": false})"));
  EXPECT_EQ(response_of("CreateVpc", input, output), json::parse(R"({"requestId": "request-1", "vpc": {
    "vpcId": "vpc-1", "state": "pending", "isDefault": false, "tagSet": {}, "ipv6CidrBlockAssociationSet": {},
    "cidrBlockAssociationSet": {"items": [{"cidrBlock": "10.0.0.0/16", "associationId": "vpc-cidr-assoc-1",
                                           "cidrBlockState": {"state": "associated"}}]}}})"));
}

TEST(Ec2Record, RulesOfAGroup) {
  ec2::AuthorizeSecurityGroupIngressInput input;
  input.group_id = "sg-1";
  ec2::IpPermission& rule = input.ip_permissions.ensure().emplace_back();
  rule.ip_protocol = "tcp";
  rule.from_port = 22;
  rule.to_port = 22;
  rule.ip_ranges.ensure().emplace_back().cidr_ip = "0.0.0.0/0";
  EXPECT_EQ(request_of("AuthorizeSecurityGroupIngress", input), json::parse(R"({"groupId": "sg-1", "ipPermissions":
    {"items": [{"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "groups": {},
                "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}, "ipv6Ranges": {}, "prefixListIds": {}}]}})"));
  ec2::AuthorizeSecurityGroupIngressInput flat;
  flat.group_id = "sg-1";
  flat.cidr_ip = "0.0.0.0/0";
  flat.ip_protocol = "tcp";
  flat.from_port = 22;
  flat.to_port = 22;
  EXPECT_EQ(request_of("AuthorizeSecurityGroupIngress", flat),
            json::parse(R"({"cidrIp": "0.0.0.0/0", "fromPort": 22, "groupId": "sg-1", "ipPermissions": {},
                            "ipProtocol": "tcp", "toPort": 22})"));
  ec2::AuthorizeSecurityGroupIngressOutput output;
  output.return_ = true;
  ec2::SecurityGroupRule& made = output.security_group_rules.ensure().emplace_back();
  made.security_group_rule_id = "sgr-1";
  made.is_egress = false;
  made.cidr_ipv4 = "0.0.0.0/0";
  EXPECT_EQ(response_of("AuthorizeSecurityGroupIngress", input, output),
            json::parse(R"({"requestId": "request-1", "_return": true, "securityGroupRuleSet": {"items": [
              {"securityGroupRuleId": "sgr-1", "isEgress": false, "cidrIpv4": "0.0.0.0/0", "tagSet": {}}]}})"));
}

TEST(Ec2Record, AGroupAndItsEnd) {
  ec2::CreateSecurityGroupInput input;
  input.group_name = "web";
  input.description = "of the web";
  input.vpc_id = "vpc-1";
  ec2::CreateSecurityGroupOutput output;
  output.group_id = "sg-1";
  EXPECT_EQ(request_of("CreateSecurityGroup", input),
            json::parse(R"({"groupName": "web", "groupDescription": "of the web", "vpcId": "vpc-1"})"));
  EXPECT_EQ(response_of("CreateSecurityGroup", input, output),
            json::parse(R"({"requestId": "request-1", "_return": true, "groupId": "sg-1"})"));
  ec2::DeleteVpcInput gone;
  gone.vpc_id = "vpc-1";
  EXPECT_EQ(request_of("DeleteVpc", gone), json::parse(R"({"vpcId": "vpc-1"})"));
  EXPECT_EQ(response_of("DeleteVpc", gone, ec2::DeleteVpcOutput{}),
            json::parse(R"({"requestId": "request-1", "_return": true})"));
}

TEST(Ec2Record, TagsOfAResourceAndOfWhatIsMade) {
  ec2::CreateTagsInput input;
  input.resources.ensure().push_back("i-1");
  input.tags.ensure().push_back(tag("Name", "web"));
  EXPECT_EQ(request_of("CreateTags", input), json::parse(R"({"resourcesSet": {"items": [{"resourceId": "i-1"}]},
                                                             "tagSet": {"items": [{"key": "Name", "value": "web"}]}})"));
  ec2::CreateSubnetInput subnet;
  subnet.vpc_id = "vpc-1";
  subnet.cidr_block = "10.0.1.0/24";
  ec2::TagSpecification& tags = subnet.tag_specifications.ensure().emplace_back();
  tags.resource_type = "subnet";
  tags.tags.ensure().push_back(tag("Name", "a"));
  EXPECT_EQ(request_of("CreateSubnet", subnet),
            json::parse(R"({"vpcId": "vpc-1", "cidrBlock": "10.0.1.0/24", "tagSpecificationSet": {"items": [
              {"resourceType": "subnet", "tags": [{"key": "Name", "value": "a"}]}]}})"));
}

TEST(Ec2Record, WhatIsAskedForOfDescribe) {
  EXPECT_EQ(request_of("DescribeInstances", ec2::DescribeInstancesInput{}),
            json::parse(R"({"instancesSet": {}, "filterSet": {}})"));
  ec2::DescribeSecurityGroupsInput groups;
  groups.group_ids.ensure().push_back("sg-1");
  EXPECT_EQ(request_of("DescribeSecurityGroups", groups),
            json::parse(R"({"filterSet": {}, "securityGroupIdSet": {"items": [{"groupId": "sg-1"}]},
                            "securityGroupSet": {}})"));
  ec2::DescribeRouteTablesInput tables;
  ec2::Filter& filter = tables.filters.ensure().emplace_back();
  filter.name = "vpc-id";
  filter.values.ensure() = {"vpc-1"};
  EXPECT_EQ(request_of("DescribeRouteTables", tables), json::parse(R"({"routeTableIdSet": {}, "filterSet": {"items": [
    {"name": "vpc-id", "valueSet": {"items": [{"value": "vpc-1"}]}}]}})"));
}

TEST(Ec2Record, AnEntryOfANetworkAcl) {
  ec2::CreateNetworkAclEntryInput input;
  input.network_acl_id = "acl-1";
  input.rule_number = 500;
  input.egress = true;
  input.rule_action = "allow";
  input.protocol = "-1";
  input.cidr_block = "0.0.0.0/0";
  EXPECT_EQ(request_of("CreateNetworkAclEntry", input),
            json::parse(R"({"networkAclId": "acl-1", "ruleNumber": 500, "egress": true, "ruleAction": "allow",
                            "icmpTypeCode": {}, "portRange": {}, "aclProtocol": "-1", "cidrBlock": "0.0.0.0/0"})"));
}

TEST(Ec2Record, AnInterface) {
  ec2::CreateNetworkInterfaceInput input;
  input.subnet_id = "subnet-1";
  input.description = "of a mount";
  EXPECT_EQ(request_of("CreateNetworkInterface", input),
            json::parse(R"({"subnetId": "subnet-1", "description": "of a mount", "groupSet": {},
                            "privateIpAddressesSet": {}})"));
  input.groups.ensure().push_back("sg-1");
  EXPECT_EQ(request_of("CreateNetworkInterface", input).at("groupSet"),
            json::parse(R"({"items": [{"groupId": "sg-1"}]})"));
}

TEST(Ec2Record, NewerOperationsAreTheirXml) {
  ec2::CreateNatGatewayInput input;
  input.allocation_id = "eipalloc-1";
  input.subnet_id = "subnet-1";
  ec2::CreateNatGatewayOutput output;
  ec2::NatGateway& gateway = output.nat_gateway.emplace();
  gateway.nat_gateway_id = "nat-1";
  gateway.state = "pending";
  gateway.nat_gateway_addresses.ensure().emplace_back().allocation_id = "eipalloc-1";
  EXPECT_EQ(request_of("CreateNatGateway", input),
            json::parse(R"({"CreateNatGatewayRequest": {"AllocationId": "eipalloc-1", "SubnetId": "subnet-1"}})"));
  EXPECT_EQ(response_of("CreateNatGateway", input, output), json::parse(R"({"CreateNatGatewayResponse": {
    "xmlns": "http://ec2.amazonaws.com/doc/2016-11-15/", "requestId": "request-1", "natGateway": {
      "natGatewayId": "nat-1", "state": "pending", "natGatewayAddressSet": {"item": {"allocationId": "eipalloc-1"}}}}})"));
  ec2::DeleteFlowLogsInput logs;
  logs.flow_log_ids.ensure() = {"fl-1"};
  EXPECT_EQ(request_of("DeleteFlowLogs", logs),
            json::parse(R"({"DeleteFlowLogsRequest": {"FlowLogId": {"content": "fl-1", "tag": 1}}})"));
  EXPECT_EQ(response_of("DeleteFlowLogs", logs, ec2::DeleteFlowLogsOutput{}),
            json::parse(R"({"DeleteFlowLogsResponse": {"requestId": "request-1", "unsuccessful": "",
                            "xmlns": "http://ec2.amazonaws.com/doc/2016-11-15/"}})"));
  EXPECT_EQ(request_of("DescribeVpcEndpoints", ec2::DescribeVpcEndpointsInput{}),
            json::parse(R"({"DescribeVpcEndpointsRequest": ""})"));
  ec2::ModifySecurityGroupRulesInput rules;
  rules.group_id = "sg-1";
  ec2::SecurityGroupRuleUpdate& update = rules.security_group_rules.ensure().emplace_back();
  update.security_group_rule_id = "sgr-1";
  update.security_group_rule.emplace().cidr_ipv4 = "0.0.0.0/0";
  EXPECT_EQ(request_of("ModifySecurityGroupRules", rules), json::parse(R"({"ModifySecurityGroupRulesRequest": {
    "GroupId": "sg-1", "SecurityGroupRule": {"SecurityGroupRuleId": "sgr-1", "tag": 1,
                                             "SecurityGroupRule": {"CidrIpv4": "0.0.0.0/0"}}}})"));
}

TEST(QueryRecord, ListsArePlainAndDatesAreWords) {
  iam::CreateUserInput input;
  input.user_name = "alice";
  iam::Tag& label = input.tags.ensure().emplace_back();
  label.key = "team";
  label.value = "a";
  AuditRecord record = asked(iam::service_model(), "CreateUser", input);
  EXPECT_EQ(request_parameters(record, {}),
            json::parse(R"({"userName": "alice", "tags": [{"key": "team", "value": "a"}]})"));
  iam::CreateUserOutput output;
  output.user.emplace().create_date = Time{1'722'519'208'000};
  answer(record, output);
  EXPECT_EQ(response_elements(record, {}), json::parse(R"({"user": {"createDate": "Aug 1, 2024 1:33:28 PM"}})"));
}

TEST(QueryRecord, ARoleThatWasAssumed) {
  sts::AssumeRoleInput input;
  input.role_arn = "arn:aws:iam::444455556666:role/r";
  input.role_session_name = "s";
  input.duration_seconds = 900;
  AuditRecord record = asked(sts::service_model(), "AssumeRole", input);
  sts::AssumeRoleOutput output;
  sts::Credentials& credentials = output.credentials.emplace();
  credentials.access_key_id = "ASIA1";
  credentials.secret_access_key = "never seen";
  credentials.expiration = Time{1'722'297'600'000 + 46'000};
  answer(record, output);
  EXPECT_EQ(request_parameters(record, {}),
            json::parse(R"({"roleArn": "arn:aws:iam::444455556666:role/r", "roleSessionName": "s",
                            "durationSeconds": 900})"));
  const json::value shown = response_elements(record, {}).at("credentials");
  EXPECT_EQ(shown.at("expiration"), "Jul 30, 2024, 12:00:46 AM");
  EXPECT_EQ(json::serialize(shown).find("never seen"), std::string::npos);
  EXPECT_EQ(event_resources(record, {}), json::parse(R"([{"accountId": "444455556666", "type": "AWS::IAM::Role",
                                                          "ARN": "arn:aws:iam::444455556666:role/r"}])"));
}

TEST(QueryRecord, ALoadBalancer) {
  elbv2::CreateLoadBalancerInput input;
  input.name = "web";
  input.subnets.ensure() = {"subnet-1", "subnet-2"};
  EXPECT_EQ(request_parameters(asked(elbv2::service_model(), "CreateLoadBalancer", input), {}),
            json::parse(R"({"name": "web", "subnets": ["subnet-1", "subnet-2"]})"));
}

dynamodb::AttributeValue text(const std::string& value) {
  dynamodb::AttributeValue made;
  made.s = value;
  return made;
}

TEST(ItemRecord, KeysAreSeenAndOtherAttributesByTheirNamesOnly) {
  dynamodb::PutItemInput put;
  put.table_name = "Music";
  put.item.ensure() = {{"Artist", text("No One You Know")}, {"Diary", text("never seen")}};
  put.return_values = "ALL_OLD";
  AuditRecord record = asked(dynamodb::service_model(), "PutItem", put);
  EXPECT_EQ(request_parameters(record, {}),
            json::parse(R"({"tableName": "Music", "item": ["Artist", "Diary"], "returnValues": "ALL_OLD"})"));
  dynamodb::PutItemOutput output;
  output.attributes.ensure() = {{"Diary", text("never seen")}};
  answer(record, output);
  EXPECT_TRUE(response_elements(record, {}).is_null());
  dynamodb::UpdateItemInput update;
  update.table_name = "Music";
  update.key.ensure() = {{"Artist", text("No One You Know")}};
  update.key->operator[]("Year").n = "1980";
  update.update_expression = "SET #d = :d";
  update.expression_attribute_names.ensure() = {{"#d", "Diary"}};
  update.expression_attribute_values.ensure() = {{":d", text("never seen")}};
  update.expected.ensure()["Diary"].value = text("never seen");
  const json::value shown = request_parameters(asked(dynamodb::service_model(), "UpdateItem", update), {});
  EXPECT_EQ(shown, json::parse(R"({"tableName": "Music", "key": {"Artist": "No One You Know", "Year": "1980"},
    "updateExpression": "SET #d = :d", "expressionAttributeNames": {"#d": "Diary"}, "expected": {"Diary": {}}})"));
}

TEST(ItemRecord, NoAttributeIsSeenInAnyPlace) {
  dynamodb::TransactWriteItemsInput input;
  dynamodb::Put& put = input.transact_items.ensure().emplace_back().put.ensure();
  put.table_name = "Music";
  put.item.ensure() = {{"Diary", text("never seen")}};
  put.expression_attribute_values.ensure() = {{":d", text("never seen")}};
  EXPECT_EQ(request_parameters(asked(dynamodb::service_model(), "TransactWriteItems", input), {}),
            json::parse(R"({"transactItems": [{"put": {"tableName": "Music", "item": ["Diary"]}}]})"));
  dynamodb::BatchWriteItemInput batch;
  batch.request_items.ensure()["Music"].emplace_back().put_request.ensure().item.ensure() = {
      {"Diary", text("never seen")}};
  EXPECT_EQ(request_parameters(asked(dynamodb::service_model(), "BatchWriteItem", batch), {}),
            json::parse(R"({"requestItems": {"Music": [{"putRequest": {"item": ["Diary"]}}]}})"));
  dynamodb::QueryInput query;
  query.table_name = "Music";
  dynamodb::Condition& condition = query.key_conditions.ensure()["Artist"];
  condition.comparison_operator = "EQ";
  condition.attribute_value_list.ensure() = {text("never seen")};
  EXPECT_EQ(request_parameters(asked(dynamodb::service_model(), "Query", query), {}),
            json::parse(R"({"tableName": "Music", "keyConditions": {"Artist": {"comparisonOperator": "EQ"}}})"));
}

TEST(JsonRecord, DatesAreWordsWherePublishedRecordsHaveThem) {
  ecr::CreateRepositoryInput input;
  input.repository_name = "testrepo";
  AuditRecord record = asked(ecr::service_model(), "CreateRepository", input);
  ecr::CreateRepositoryOutput output;
  output.repository.ensure().created_at = Time{1'531'347'464'000};
  answer(record, output);
  EXPECT_EQ(response_elements(record, {}), json::parse(R"({"repository": {"createdAt": "Jul 11, 2018 10:17:44 PM"}})"));
}

template <class Input>
AuditRecord s3_record(std::string_view operation, Input input) {
  AuditRecord record = asked(s3::service_model(), operation, std::move(input));
  record.context.host = "b.s3.eu-west-1.amazonaws.com";
  return record;
}

TEST(S3Record, APolicyIsItsDocument) {
  s3::PutBucketPolicyInput input;
  input.bucket = "b";
  input.policy = R"({"Statement": [{"Effect": "Allow"}]})";
  AuditRecord record = s3_record("PutBucketPolicy", input);
  EXPECT_EQ(request_parameters(record, {}),
            json::parse(R"({"bucketName": "b", "Host": "b.s3.eu-west-1.amazonaws.com", "policy": "",
                            "bucketPolicy": {"Statement": [{"Effect": "Allow"}]}})"));
  record.operation_name = "PutBucketPolicy";
  answer(record, s3::PutBucketPolicyOutput{});
  EXPECT_TRUE(response_elements(record, {}).is_null());
  EXPECT_EQ(event_resources(record, {}), json::parse(R"([{"accountId": "111122223333", "type": "AWS::S3::Bucket",
                                                          "ARN": "arn:aws:s3:::b"}])"));
}

TEST(S3Record, ABodyIsItsXml) {
  s3::PutBucketTaggingInput input;
  input.bucket = "b";
  for (const char* key : {"t1", "t2"}) {
    s3::Tag& made = input.tagging.ensure().tag_set.ensure().emplace_back();
    made.key = key;
    made.value = "v";
  }
  EXPECT_EQ(request_parameters(s3_record("PutBucketTagging", input), {}), json::parse(R"({"bucketName": "b",
    "Host": "b.s3.eu-west-1.amazonaws.com", "tagging": "", "Tagging": {"xmlns": "http://s3.amazonaws.com/doc/2006-03-01/",
    "TagSet": {"Tag": [{"Key": "t1", "Value": "v"}, {"Key": "t2", "Value": "v"}]}}})"));
  s3::PutBucketLifecycleConfigurationInput lifecycle;
  lifecycle.bucket = "b";
  s3::LifecycleRule& rule = lifecycle.lifecycle_configuration.ensure().rules.ensure().emplace_back();
  rule.id = "one";
  rule.status = "Enabled";
  rule.expiration.emplace().days = 1;
  const AuditRecord record = s3_record("PutBucketLifecycleConfiguration", lifecycle);
  EXPECT_EQ(request_parameters(record, {}), json::parse(R"({"bucketName": "b", "Host": "b.s3.eu-west-1.amazonaws.com",
    "lifecycle": "", "LifecycleConfiguration": {"xmlns": "http://s3.amazonaws.com/doc/2006-03-01/",
    "Rule": {"ID": "one", "Status": "Enabled", "Expiration": {"Days": 1}}}})"));
  EXPECT_EQ(event_name(record), "PutBucketLifecycle");
}

TEST(S3Record, QueriesAndHeadersBearTheirOwnNames) {
  s3::ListObjectsV2Input list;
  list.bucket = "b";
  list.prefix = "";
  list.max_keys = 10;
  list.encoding_type = "url";
  const AuditRecord listed = s3_record("ListObjectsV2", list);
  EXPECT_EQ(request_parameters(listed, {}),
            json::parse(R"({"bucketName": "b", "Host": "b.s3.eu-west-1.amazonaws.com", "list-type": "2", "prefix": "",
                            "max-keys": "10", "encoding-type": "url"})"));
  EXPECT_EQ(event_name(listed), "ListObjects");
  s3::PutObjectInput put;
  put.bucket = "b";
  put.key = "logs/1.gz";
  put.acl = "bucket-owner-full-control";
  put.sse_customer_key = "never seen";
  AuditRecord record = s3_record("PutObject", std::move(put));
  EXPECT_EQ(request_parameters(record, {}),
            json::parse(R"({"bucketName": "b", "Host": "b.s3.eu-west-1.amazonaws.com", "key": "logs/1.gz",
                            "x-amz-acl": "bucket-owner-full-control",
                            "x-amz-server-side-encryption-customer-key": "HIDDEN_DUE_TO_SECURITY_REASONS"})"));
  s3::PutObjectOutput output;
  output.server_side_encryption = "AES256";
  output.e_tag = "\"x\"";
  answer(record, std::move(output));
  EXPECT_EQ(response_elements(record, {}), json::parse(R"({"x-amz-server-side-encryption": "AES256"})"));
  EXPECT_EQ(event_resources(record, {}).at(0).at("ARN"), "arn:aws:s3:::b/logs/1.gz");
}

}  // namespace
}  // namespace brume::cloudtrail
