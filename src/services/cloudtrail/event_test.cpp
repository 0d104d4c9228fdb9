// Whole events, byte for byte: what they say of who asked, from where and how it ended. What they show of requests and
// answers is proven in parameters_test.cpp.
#include "services/cloudtrail/event.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "gen/iam.h"
#include "gen/sts.h"
#include "store/record.h"

namespace brume::cloudtrail {
namespace {

namespace json = boost::json;
using Kind = Principal::Kind;

AuditRecord record_of(const model::Service& service, std::string_view operation) {
  const model::Operation* found = service.find(operation);
  AuditRecord record{.service = &service,
                     .operation = found,
                     .service_name = std::string(service.id),
                     .operation_name = std::string(operation),
                     .context = {},
                     .input = model::Object(*found->input)};
  RequestContext& context = record.context;
  context.scope = {"111122223333", "eu-west-1"};
  context.now = Time{1'772'366'400'789};
  context.request_id = "request-1";
  context.source_address = "192.0.2.7";
  context.user_agent = "agent \"of\" a\\b\n";
  context.host = "service.eu-west-1.amazonaws.com";
  return record;
}

AuditRecord get_role() {
  AuditRecord record = record_of(iam::service_model(), "GetRole");
  static_cast<iam::GetRoleRequest*>(record.input->get())->role_name = "app";
  return record;
}

Principal principal(Kind kind) {
  return {.kind = kind,
          .account = "111122223333",
          .arn = "arn:aws:sts::111122223333:assumed-role/team/app/session",
          .id = "AROAEXAMPLE:session",
          .role_arn = "arn:aws:iam::111122223333:role/team/app",
          .access_key_id = "ASIAEXAMPLE",
          .mfa = true,
          .issued = Time{1'772'360'000'000}};
}

std::string rendered(const AuditRecord& record, const std::string& recipient = "111122223333",
                     const std::string& shared_id = {}) {
  return json_of(render(record, recipient, "event-1", shared_id));
}
std::string asked_by(Kind kind) {
  AuditRecord record = get_role();
  record.context.principal = principal(kind);
  return rendered(record);
}

constexpr const char* kSession =
    R"({"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE:session",)"
    R"("arn":"arn:aws:sts::111122223333:assumed-role/team/app/session","accountId":"111122223333",)"
    R"("accessKeyId":"ASIAEXAMPLE","sessionContext":{"sessionIssuer":{"type":"Role",)"
    R"("principalId":"AROAEXAMPLE","arn":"arn:aws:iam::111122223333:role/team/app",)"
    R"("accountId":"111122223333","userName":"app"},"attributes":{"creationDate":"2026-03-01T10:13:20Z",)"
    R"("mfaAuthenticated":"true"}}},"eventTime":"2026-03-01T12:00:00Z","eventSource":"iam.amazonaws.com",)"
    R"("eventName":"GetRole","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.7",)"
    R"("userAgent":"agent \"of\" a\\b\n","requestParameters":{"roleName":"app"},"responseElements":null,)"
    R"("requestID":"request-1","eventID":"event-1","readOnly":true,"eventType":"AwsApiCall",)"
    R"("apiVersion":"2010-05-08","managementEvent":true,"recipientAccountId":"111122223333",)"
    R"("eventCategory":"Management"})";

TEST(Event, ARoleSessionTellsWhoMadeIt) { EXPECT_EQ(asked_by(Kind::role_session), kSession); }

TEST(Event, AUserHasAName) {
  EXPECT_EQ(asked_by(Kind::user),
            R"({"eventVersion":"1.11","userIdentity":{"type":"IAMUser","principalId":"AROAEXAMPLE:session",)"
            R"("arn":"arn:aws:sts::111122223333:assumed-role/team/app/session","accountId":"111122223333",)"
            R"("accessKeyId":"ASIAEXAMPLE","userName":"session"},"eventTime":"2026-03-01T12:00:00Z",)"
            R"("eventSource":"iam.amazonaws.com","eventName":"GetRole","awsRegion":"us-east-1",)"
            R"("sourceIPAddress":"192.0.2.7","userAgent":"agent \"of\" a\\b\n",)"
            R"("requestParameters":{"roleName":"app"},"responseElements":null,"requestID":"request-1",)"
            R"("eventID":"event-1","readOnly":true,"eventType":"AwsApiCall","apiVersion":"2010-05-08",)"
            R"("managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"})");
}

TEST(Event, OthersHaveTheirOwnForms) {
  EXPECT_EQ(asked_by(Kind::root),
            R"({"eventVersion":"1.11","userIdentity":{"type":"Root","principalId":"AROAEXAMPLE:session",)"
            R"("arn":"arn:aws:sts::111122223333:assumed-role/team/app/session","accountId":"111122223333",)"
            R"("accessKeyId":"ASIAEXAMPLE"},"eventTime":"2026-03-01T12:00:00Z","eventSource":"iam.amazonaws.com",)"
            R"("eventName":"GetRole","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.7",)"
            R"("userAgent":"agent \"of\" a\\b\n","requestParameters":{"roleName":"app"},"responseElements":null,)"
            R"("requestID":"request-1","eventID":"event-1","readOnly":true,"eventType":"AwsApiCall",)"
            R"("apiVersion":"2010-05-08","managementEvent":true,"recipientAccountId":"111122223333",)"
            R"("eventCategory":"Management"})");
  EXPECT_EQ(asked_by(Kind::federated_user),
            R"({"eventVersion":"1.11","userIdentity":{"type":"FederatedUser","principalId":"AROAEXAMPLE:session",)"
            R"("arn":"arn:aws:sts::111122223333:assumed-role/team/app/session","accountId":"111122223333",)"
            R"("accessKeyId":"ASIAEXAMPLE"},"eventTime":"2026-03-01T12:00:00Z","eventSource":"iam.amazonaws.com",)"
            R"("eventName":"GetRole","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.7",)"
            R"("userAgent":"agent \"of\" a\\b\n","requestParameters":{"roleName":"app"},"responseElements":null,)"
            R"("requestID":"request-1","eventID":"event-1","readOnly":true,"eventType":"AwsApiCall",)"
            R"("apiVersion":"2010-05-08","managementEvent":true,"recipientAccountId":"111122223333",)"
            R"("eventCategory":"Management"})");
  EXPECT_EQ(asked_by(Kind::service),
            R"({"eventVersion":"1.11","userIdentity":{"type":"AWSService","invokedBy":"AROAEXAMPLE:session"},)"
            R"("eventTime":"2026-03-01T12:00:00Z","eventSource":"iam.amazonaws.com","eventName":"GetRole",)"
            R"("awsRegion":"us-east-1","sourceIPAddress":"192.0.2.7","userAgent":"agent \"of\" a\\b\n",)"
            R"("requestParameters":{"roleName":"app"},"responseElements":null,"requestID":"request-1",)"
            R"("eventID":"event-1","readOnly":true,"eventType":"AwsApiCall","apiVersion":"2010-05-08",)"
            R"("managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"})");
  EXPECT_EQ(asked_by(Kind::anonymous),
            R"({"eventVersion":"1.11","userIdentity":{"type":"AWSAccount","principalId":"",)"
            R"("accountId":"ANONYMOUS_PRINCIPAL"},"eventTime":"2026-03-01T12:00:00Z",)"
            R"("eventSource":"iam.amazonaws.com","eventName":"GetRole","awsRegion":"us-east-1",)"
            R"("sourceIPAddress":"192.0.2.7","userAgent":"agent \"of\" a\\b\n",)"
            R"("requestParameters":{"roleName":"app"},"responseElements":null,"requestID":"request-1",)"
            R"("eventID":"event-1","readOnly":true,"eventType":"AwsApiCall","apiVersion":"2010-05-08",)"
            R"("managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"})");
}

TEST(Event, AnotherAccountSeesLessAndWhatTheyShare) {
  AuditRecord record = get_role();
  record.context.principal = principal(Kind::user);
  record.context.secure = true;
  EXPECT_EQ(rendered(record, "444455556666", "shared-1"),
            R"({"eventVersion":"1.11","userIdentity":{"type":"AWSAccount","principalId":"AROAEXAMPLE:session",)"
            R"("accountId":"111122223333"},"eventTime":"2026-03-01T12:00:00Z","eventSource":"iam.amazonaws.com",)"
            R"("eventName":"GetRole","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.7",)"
            R"("userAgent":"agent \"of\" a\\b\n","requestParameters":{"roleName":"app"},"responseElements":null,)"
            R"("requestID":"request-1","eventID":"event-1","readOnly":true,"eventType":"AwsApiCall",)"
            R"("apiVersion":"2010-05-08","managementEvent":true,"recipientAccountId":"444455556666",)"
            R"("sharedEventID":"shared-1","eventCategory":"Management",)"
            R"("tlsDetails":{"clientProvidedHostHeader":"service.eu-west-1.amazonaws.com"}})");
}

TEST(Event, AFailureSaysWhy) {
  AuditRecord record = get_role();
  record.context.principal = principal(Kind::root);
  record.error_code = "NoSuchEntity";
  record.error_message = "The role \"app\" is not there.";
  EXPECT_EQ(rendered(record),
            R"({"eventVersion":"1.11","userIdentity":{"type":"Root","principalId":"AROAEXAMPLE:session",)"
            R"("arn":"arn:aws:sts::111122223333:assumed-role/team/app/session","accountId":"111122223333",)"
            R"("accessKeyId":"ASIAEXAMPLE"},"eventTime":"2026-03-01T12:00:00Z","eventSource":"iam.amazonaws.com",)"
            R"("eventName":"GetRole","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.7",)"
            R"("userAgent":"agent \"of\" a\\b\n","errorCode":"NoSuchEntity",)"
            R"("errorMessage":"The role \"app\" is not there.","requestParameters":{"roleName":"app"},)"
            R"("responseElements":null,"requestID":"request-1","eventID":"event-1","readOnly":true,)"
            R"("eventType":"AwsApiCall","apiVersion":"2010-05-08","managementEvent":true,)"
            R"("recipientAccountId":"111122223333","eventCategory":"Management"})");
}

TEST(Event, AServiceThatIsNotServedHasNoVersion) {
  AuditRecord record = get_role();
  record.service = nullptr;
  record.operation = nullptr;
  record.service_name = "quantum";
  record.operation_name = "CreateQubit";
  record.input.reset();
  EXPECT_EQ(rendered(record),
            R"({"eventVersion":"1.11","userIdentity":{"type":"AWSAccount","principalId":"",)"
            R"("accountId":"ANONYMOUS_PRINCIPAL"},"eventTime":"2026-03-01T12:00:00Z",)"
            R"("eventSource":"quantum.amazonaws.com","eventName":"CreateQubit","awsRegion":"eu-west-1",)"
            R"("sourceIPAddress":"192.0.2.7","userAgent":"agent \"of\" a\\b\n","requestParameters":null,)"
            R"("responseElements":null,"requestID":"request-1","eventID":"event-1","readOnly":false,)"
            R"("eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333",)"
            R"("eventCategory":"Management"})");
}

TEST(Event, AnAssumedRoleIsAResourceAndItsKeyIsShown) {
  AuditRecord record = record_of(sts::service_model(), "AssumeRole");
  record.context.principal = principal(Kind::user);
  auto& input = *static_cast<sts::AssumeRoleRequest*>(record.input->get());
  input.role_arn = "arn:aws:iam::444455556666:role/app";
  input.role_session_name = "s";
  record.output = model::Object(*record.operation->output);
  auto& output = *static_cast<sts::AssumeRoleResponse*>(record.output->get());
  auto& credentials = output.credentials.emplace();
  credentials.access_key_id = "ASIAMADE";
  credentials.secret_access_key = "secret";
  credentials.session_token = "token";
  credentials.expiration = Time{1'772'370'000'000};
  EXPECT_EQ(rendered(record),
            R"({"eventVersion":"1.11","userIdentity":{"type":"IAMUser","principalId":"AROAEXAMPLE:session",)"
            R"("arn":"arn:aws:sts::111122223333:assumed-role/team/app/session","accountId":"111122223333",)"
            R"("accessKeyId":"ASIAEXAMPLE","userName":"session"},"eventTime":"2026-03-01T12:00:00Z",)"
            R"("eventSource":"sts.amazonaws.com","eventName":"AssumeRole","awsRegion":"eu-west-1",)"
            R"("sourceIPAddress":"192.0.2.7","userAgent":"agent \"of\" a\\b\n",)"
            R"("requestParameters":{"roleArn":"arn:aws:iam::444455556666:role/app","roleSessionName":"s"},)"
            R"("responseElements":{"credentials":{"accessKeyId":"ASIAMADE",)"
            R"("secretAccessKey":"HIDDEN_DUE_TO_SECURITY_REASONS","sessionToken":"HIDDEN_DUE_TO_SECURITY_REASONS",)"
            R"("expiration":"Mar 1, 2026, 1:00:00 PM"}},"requestID":"request-1","eventID":"event-1",)"
            R"("readOnly":true,"resources":[{"accountId":"444455556666","type":"AWS::IAM::Role",)"
            R"("ARN":"arn:aws:iam::444455556666:role/app"}],"eventType":"AwsApiCall","apiVersion":"2011-06-15",)"
            R"("managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"})");
}

TEST(Event, ATokensHolderIsKnownWhenItWasBelieved) {
  AuditRecord record = record_of(sts::service_model(), "AssumeRoleWithWebIdentity");
  auto& input = *static_cast<sts::AssumeRoleWithWebIdentityRequest*>(record.input->get());
  input.role_arn = "arn:aws:iam::111122223333:role/app";
  input.web_identity_token = "token";
  EXPECT_EQ(rendered(record),
            R"({"eventVersion":"1.11","userIdentity":{"type":"WebIdentityUser"},"eventTime":"2026-03-01T12:00:00Z",)"
            R"("eventSource":"sts.amazonaws.com","eventName":"AssumeRoleWithWebIdentity","awsRegion":"eu-west-1",)"
            R"("sourceIPAddress":"192.0.2.7","userAgent":"agent \"of\" a\\b\n",)"
            R"("requestParameters":{"roleArn":"arn:aws:iam::111122223333:role/app",)"
            R"("webIdentityToken":"HIDDEN_DUE_TO_SECURITY_REASONS"},"responseElements":null,)"
            R"("requestID":"request-1","eventID":"event-1","readOnly":true,)"
            R"("resources":[{"accountId":"111122223333","type":"AWS::IAM::Role",)"
            R"("ARN":"arn:aws:iam::111122223333:role/app"}],"eventType":"AwsApiCall","apiVersion":"2011-06-15",)"
            R"("managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"})");
  record.output = model::Object(*record.operation->output);
  auto& output = *static_cast<sts::AssumeRoleWithWebIdentityResponse*>(record.output->get());
  output.provider = "arn:aws:iam::111122223333:oidc-provider/example.com";
  output.audience = "sts.amazonaws.com";
  output.subject_from_web_identity_token = "repo:a/b";
  EXPECT_EQ(rendered(record),
            R"({"eventVersion":"1.11","userIdentity":{"type":"WebIdentityUser",)"
            R"("principalId":"arn:aws:iam::111122223333:oidc-provider/example.com:sts.amazonaws.com:repo:a/b",)"
            R"("userName":"repo:a/b","identityProvider":"arn:aws:iam::111122223333:oidc-provider/example.com"},)"
            R"("eventTime":"2026-03-01T12:00:00Z","eventSource":"sts.amazonaws.com",)"
            R"("eventName":"AssumeRoleWithWebIdentity","awsRegion":"eu-west-1","sourceIPAddress":"192.0.2.7",)"
            R"("userAgent":"agent \"of\" a\\b\n",)"
            R"("requestParameters":{"roleArn":"arn:aws:iam::111122223333:role/app",)"
            R"("webIdentityToken":"HIDDEN_DUE_TO_SECURITY_REASONS"},)"
            R"("responseElements":{"subjectFromWebIdentityToken":"repo:a/b",)"
            R"("provider":"arn:aws:iam::111122223333:oidc-provider/example.com","audience":"sts.amazonaws.com"},)"
            R"("requestID":"request-1","eventID":"event-1","readOnly":true,)"
            R"("resources":[{"accountId":"111122223333","type":"AWS::IAM::Role",)"
            R"("ARN":"arn:aws:iam::111122223333:role/app"}],"eventType":"AwsApiCall","apiVersion":"2011-06-15",)"
            R"("managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"})");
}

}  // namespace
}  // namespace brume::cloudtrail
