// Requests of AWS's API through the whole door: real sockets, real signatures.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "front/dispatch/testing.h"
#include "store/tx.h"

namespace brume::front {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

TEST(Api, RunsAnOperationForItsCaller) {
  TestFront front;
  front.sts.on("GetCallerIdentity", [](const TestCall& call) {
    call.out("Arn", call.context.principal.arn);
    call.out("Account", call.context.scope.account + " in " + call.context.scope.region);
    call.out("UserId", call.context.source_address + " " + call.context.endpoint);
  });
  front.start();
  const auto answer = front.query("Action=GetCallerIdentity&Version=2011-06-15", {.region = "us-west-2"});
  EXPECT_EQ(answer.status(), 200) << answer.body;
  EXPECT_THAT(answer.body, HasSubstr("<Arn>arn:aws:iam::000000000000:root</Arn>"));
  EXPECT_THAT(answer.body, HasSubstr("<Account>000000000000 in us-west-2</Account>"));
  EXPECT_THAT(answer.body, HasSubstr("<UserId>127.0.0.1 http://127.0.0.1</UserId>"));
  // The same id in the header and in the document.
  const std::size_t at = answer.head.find("x-amzn-RequestId: ");
  ASSERT_NE(at, std::string::npos);
  EXPECT_THAT(answer.body, HasSubstr("<RequestId>" + answer.head.substr(at + 18, 36) + "</RequestId>"));
  front.settle();
  ASSERT_EQ(front.audit.records.size(), 1U);
  EXPECT_EQ(front.audit.records[0].operation_name, "GetCallerIdentity");
  EXPECT_EQ(front.audit.records[0].context.principal.access_key_id, "test");
  EXPECT_EQ(front.audit.records[0].error_code, "");
  EXPECT_EQ(front.front->counts().operations.at("sts:GetCallerIdentity").calls, 1U);
}

TEST(Api, RefusesWrongSignaturesInTheServicesWords) {
  TestFront front;
  front.start();
  const auto wrong = front.query("Action=GetCallerIdentity", {.secret = "wrong"});
  EXPECT_EQ(wrong.status(), 403);
  EXPECT_THAT(wrong.body, HasSubstr("<Code>SignatureDoesNotMatch</Code>"));
  const auto none = front.query("Action=GetCallerIdentity&Version=2011-06-15", {.key = ""});
  EXPECT_THAT(none.body, HasSubstr("<Code>MissingAuthenticationToken</Code>"));
  const auto unknown = front.json("DescribeClusters", "{}", {.key = "AKIDNOBODY"});
  EXPECT_EQ(unknown.status(), 400);
  EXPECT_THAT(unknown.body, HasSubstr("\"UnrecognizedClientException\""));
  const auto region = front.query("Action=GetCallerIdentity", {.host = "sts.us-east-1.amazonaws.com"});
  EXPECT_THAT(region.body, HasSubstr("Credential should be scoped to a valid region, not 'eu-west-1'."));
  front.settle();
  ASSERT_EQ(front.audit.records.size(), 4U);
  EXPECT_EQ(front.audit.records[0].error_code, "SignatureDoesNotMatch");
}

TEST(Api, FindsServicesByScopeTargetActionHostAndPath) {
  TestFront front;
  front.sts.operation("AssumeRoleWithWebIdentity").is_public = true;
  front.sts.on("AssumeRoleWithWebIdentity", [](const TestCall& call) { call.out("Arn", call.in("RoleArn")); });
  front.sts.on("GetCallerIdentity", [](const TestCall& call) { call.out("Arn", "here"); });
  front.s3.on("GetObject", [](const TestCall& call) { call.out("ETag", call.in("Bucket") + "+" + call.in("Key")); });
  front.start();
  // No scope: by Action, with and without a host.
  EXPECT_THAT(front.query("Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=r", {.key = ""}).body,
              HasSubstr("<Arn>r</Arn>"));
  EXPECT_THAT(front
                  .query("Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=r",
                         {.host = "sts.eu-west-1.amazonaws.com", .key = ""})
                  .body,
              HasSubstr("<Arn>r</Arn>"));
  EXPECT_THAT(
      front.send({.method = "GET", .query = "Action=GetCallerIdentity&Version=2011-06-15", .service = "sts"}).body,
      HasSubstr("<Arn>here</Arn>"));
  const auto tag = [&front](std::string path, std::string host) {
    const auto answer =
        front.send({.method = "GET", .path = std::move(path), .host = std::move(host), .service = "s3"});
    const std::size_t at = answer.head.find("ETag: ");
    return at == std::string::npos ? answer.body : answer.head.substr(at + 6, answer.head.find('\r', at) - at - 6);
  };
  EXPECT_EQ(tag("/photos/a/b%20c", "127.0.0.1:4566"), "photos+a/b c");
  EXPECT_EQ(tag("/photos/a", "s3.eu-west-1.amazonaws.com"), "photos+a");
  EXPECT_EQ(tag("/a/b", "photos.s3.eu-west-1.amazonaws.com"), "photos+a/b");
  EXPECT_EQ(tag("/a", "my.photos.s3.amazonaws.com"), "my.photos+a");
  // A host's service overrides the scope's: the signature is refused in its words.
  const auto elsewhere = front.send({.method = "GET",
                                     .path = "/b/k",
                                     .headers = {{"X-Amz-Content-Sha256", to_hex(sha256(""))}},
                                     .host = "s3.eu-west-1.amazonaws.com",
                                     .service = "sts"});
  EXPECT_THAT(elsewhere.body, HasSubstr("incorrect service \"sts\". This endpoint belongs to \"s3\"."));
}

TEST(Api, RefusesWhatIsNotServedByName) {
  TestFront front;
  front.start();
  const auto member = front.query("Action=GetFederationToken&Version=2011-06-15&Name=a");
  EXPECT_EQ(member.status(), 501);
  EXPECT_THAT(member.body, HasSubstr("<Code>InvalidAction</Code>"));
  EXPECT_THAT(member.body, HasSubstr("sts:GetFederationToken"));
  const auto unknown = front.query("Action=Frobnicate&Version=2011-06-15");
  EXPECT_EQ(unknown.status(), 400);
  EXPECT_THAT(unknown.body, HasSubstr("Could not find operation Frobnicate for version 2011-06-15"));
  const auto target = front.json("UpdateTaskSet", "{}");
  EXPECT_EQ(target.status(), 501);
  EXPECT_THAT(target.body, HasSubstr("ecs:UpdateTaskSet"));
  const auto service = front.send(
      {.method = "POST", .body = "{}", .headers = {{"X-Amz-Target", "TrentService.CreateKey"}}, .service = "kms"});
  EXPECT_EQ(service.status(), 501);
  EXPECT_THAT(service.body, HasSubstr("kms:CreateKey"));
  const auto rest = front.send({.method = "GET", .path = "/2015-03-31/functions/", .service = "lambda"});
  EXPECT_EQ(rest.status(), 501);
  EXPECT_THAT(rest.body, HasSubstr("lambda:ListFunctions"));
  const auto bucket = front.send({.method = "GET", .path = "/b", .query = "inventory&id=1", .service = "s3"});
  EXPECT_EQ(bucket.status(), 501);
  EXPECT_THAT(bucket.body, HasSubstr("s3:GetBucketInventoryConfiguration"));
  const auto counts = front.front->counts().refused_operations;
  EXPECT_EQ(counts.at("kms:CreateKey"), 1U);
  EXPECT_EQ(counts.at("lambda:ListFunctions"), 1U);
  EXPECT_EQ(counts.count("sts:Frobnicate"), 0U);
}

TEST(Api, AuthorizesEachPermissionOfTheOperation) {
  TestFront front;
  front.ecs.require("DescribeClusters", "ecs:DescribeClusters",
                    "{clusters[]=default|arn:{partition}:ecs:{region}:{account}:cluster/%}");
  front.start();
  const TestSend user{.key = "AKIDUSER", .secret = "secret"};
  const auto denied = front.json("DescribeClusters", R"({"clusters":["a"]})", user);
  EXPECT_EQ(denied.status(), 400);
  EXPECT_THAT(denied.body, HasSubstr("AccessDeniedException"));
  EXPECT_THAT(denied.body, HasSubstr("User: arn:aws:iam::123456789012:user/ann is not authorized to perform: "
                                     "ecs:DescribeClusters on resource: arn:aws:ecs:eu-west-1:123456789012:cluster/a "
                                     "because no identity-based policy allows the ecs:DescribeClusters action"));
  front.authorizer.allowed = {"ecs:DescribeClusters on arn:aws:ecs:eu-west-1:123456789012:cluster/a",
                              "ecs:DescribeClusters on arn:aws:ecs:eu-west-1:123456789012:cluster/default"};
  EXPECT_EQ(front.json("DescribeClusters", R"({"clusters":["a"]})", user).status(), 200);
  EXPECT_EQ(front.json("DescribeClusters", R"({"clusters":["a","b"]})", user).status(), 400);
  EXPECT_EQ(front.json("DescribeClusters", "{}", user).status(), 200);
}

TEST(Api, CommitsWhatAHandlerWritesAndUndoesWhatFails) {
  TestFront front;
  int committed = 0;
  front.ecs.on("DescribeClusters", [&committed](const TestCall& call) {
    call.tx.put("key", call.in("clusters[]"));
    call.tx.on_commit([&committed] { ++committed; });
    if (call.in("clusters[]") == "aws") throw AwsError("ClusterNotFoundException", "Cluster not found.");
    if (call.in("clusters[]") == "bug") throw std::runtime_error("secret detail");
    if (call.in("clusters[]") == "full") throw StoreFull("no space");
  });
  front.start();
  EXPECT_EQ(front.json("DescribeClusters", R"({"clusters":["good"]})").status(), 200);
  EXPECT_EQ(front.store->get("key"), "good");
  const auto modelled = front.json("DescribeClusters", R"({"clusters":["aws"]})");
  EXPECT_EQ(modelled.status(), 400);
  EXPECT_THAT(modelled.body, HasSubstr("Cluster not found."));
  const auto bug = front.json("DescribeClusters", R"({"clusters":["bug"]})");
  EXPECT_EQ(bug.status(), 500);
  EXPECT_THAT(bug.body, HasSubstr("InternalFailure"));
  EXPECT_THAT(bug.body, Not(HasSubstr("secret detail")));
  const auto full = front.json("DescribeClusters", R"({"clusters":["full"]})");
  EXPECT_EQ(full.status(), 507);
  EXPECT_THAT(full.body, HasSubstr("no space left"));
  EXPECT_EQ(front.store->get("key"), "good");
  EXPECT_EQ(committed, 1);
  EXPECT_EQ(front.front->counts().operations.at("ecs:DescribeClusters").errors, 3U);
}

TEST(Api, AnswersDeferredOperationsAfterTheirCommit) {
  TestFront front;
  std::optional<Deferred<model::Object>> kept;
  const auto task = [&front](std::string text) {
    const model::Type& type = *front.ecs.operation("RunTask").output;
    model::Object output(type);
    *static_cast<std::string*>(type.find("task")->emplace(output.get())) = std::move(text);
    return output;
  };
  front.ecs.on_deferred("RunTask", [&](const TestCall& call, Deferred<model::Object> answer) {
    call.tx.put("token", call.in("clientToken"));
    const std::string what = call.in("taskDefinition");
    if (what == "at once") answer.succeed(task(call.context.request_id.empty() ? "" : "done"));
    if (what == "then throw") {
      answer.succeed(task("wrong"));
      throw AwsError("ClientException", "It failed after all.");
    }
    if (what == "later") kept = answer;
    if (what == "fail later")
      front.control.post([answer] { answer.fail(AwsError("ClientException", "It failed later.")); });
  });
  front.start();
  EXPECT_THAT(front.json("RunTask", R"({"taskDefinition":"at once"})").body, HasSubstr(R"("task":"done")"));
  EXPECT_EQ(front.store->get("token")->size(), 36U);  // made here: the client left it out
  EXPECT_THAT(front.json("RunTask", R"({"taskDefinition":"then throw","clientToken":"x"})").body,
              HasSubstr("It failed after all."));
  EXPECT_NE(front.store->get("token"), "x");
  EXPECT_THAT(front.json("RunTask", R"({"taskDefinition":"fail later"})").body, HasSubstr("It failed later."));
  EXPECT_EQ(front.json("RunTask", R"({"taskDefinition":"dropped"})").status(), 500);
  http::RawClient client(front.port);
  client.send(front.wire({.body = R"({"taskDefinition":"later","clientToken":"given"})",
                          .headers = {{"X-Amz-Target", "AmazonEC2ContainerServiceV20141113.RunTask"}},
                          .service = "ecs"}));
  while (true) {
    front.settle();
    if (front.store->get("token") == "given") break;
  }
  front.control.post([&] { kept->succeed(task("late")); });
  EXPECT_THAT(client.read_answer().body, HasSubstr(R"("task":"late")"));
}

TEST(Api, CountsMembersThatTheModelDoesNotHave) {
  TestFront front;
  front.start();
  EXPECT_EQ(front.json("DescribeClusters", R"({"clusters":[],"novelty":1})").status(), 200);
  EXPECT_THAT(front.front->counts().ignored_members, Contains(testing::Key(HasSubstr("novelty"))));
}

TEST(Api, LimitsTheBodyOfOperationsThatDoNotStream) {
  TestFront front;
  http::Limits limits;
  limits.request_bytes = 100;
  front.start(nullptr, limits);
  const auto answer = front.json("DescribeClusters", R"({"clusters":[")" + std::string(100, 'x') + R"("]})");
  EXPECT_EQ(answer.status(), 413);
  EXPECT_THAT(answer.body, HasSubstr("RequestEntityTooLargeException"));
}

TEST(Api, AnswersMalformedHeadsAsAws) {
  TestFront front;
  front.start();
  http::RawClient client(front.port);
  client.send("GET / HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n");
  const auto answer = client.read_answer();
  EXPECT_EQ(answer.status(), 400);
  EXPECT_THAT(answer.body, HasSubstr("<Code>BadRequest</Code>"));
  EXPECT_EQ(front.front->counts().malformed, 1U);
}

}  // namespace
}  // namespace brume::front
