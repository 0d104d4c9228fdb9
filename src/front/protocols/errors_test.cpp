#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "front/protocols/test_models.h"

namespace brume::protocols {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

WireReply error_reply(const std::string& protocol, const std::string& id, const AwsError& error,
                      const std::string& method = "POST") {
  const auto loaded = thing_model(protocol, id);
  return encode_error(loaded->service(), nullptr, loaded->service().protocols.front(), error, "id-1", method);
}

TEST(EncodeError, WritesEachProtocolsForm) {
  const AwsError error("NoSuchThing", "No <thing>.", 404);
  EXPECT_EQ(error_reply("query", "things", error).body.bytes,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ErrorResponse xmlns=\"https://things.example.com/doc/\">"
            "<Error><Type>Sender</Type><Code>NoSuchThing</Code><Message>No &lt;thing&gt;.</Message></Error>"
            "<RequestId>id-1</RequestId></ErrorResponse>");
  EXPECT_EQ(error_reply("ec2", "ec2", error).body.bytes,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>NoSuchThing</Code>"
            "<Message>No &lt;thing&gt;.</Message></Error></Errors><RequestID>id-1</RequestID></Response>");
  EXPECT_EQ(error_reply("json", "things", error).body.bytes, R"({"__type":"NoSuchThing","message":"No <thing>."})");
  const WireReply rest = error_reply("rest-json", "things", error);
  EXPECT_EQ(rest.body.bytes, R"({"message":"No <thing>."})");
  EXPECT_EQ(header_of(rest.headers, "x-amzn-ErrorType"), "NoSuchThing");
  EXPECT_EQ(rest.status, 404);
}

TEST(EncodeError, WritesS3sFormWithoutAWrapper) {
  AwsError error("NoSuchKey", "The specified key does not exist.", 404);
  error.with("Key", "a&b");
  const WireReply reply = error_reply("rest-xml", "s3", error);
  EXPECT_THAT(reply.body.bytes,
              HasSubstr("<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message>"
                        "<Key>a&amp;b</Key><RequestId>id-1</RequestId><HostId>"));
  EXPECT_EQ(header_of(reply.headers, "x-amz-request-id"), "id-1");
  EXPECT_NE(header_of(reply.headers, "x-amz-id-2"), "");
}

TEST(EncodeError, SendsNoBodyToHeadNorWithNotModified) {
  EXPECT_EQ(error_reply("rest-xml", "s3", AwsError("NotFound", "", 404), "HEAD").body.size, 0u);
  EXPECT_EQ(error_reply("rest-xml", "s3", AwsError("NotModified", "", 304), "GET").body.size, 0u);
}

TEST(EncodeError, NamesAModelledErrorByItsCodeOrItsShape) {
  const AwsError error("ThingExists", "It is there.", 409);
  EXPECT_THAT(error_reply("query", "things", error).body.bytes, HasSubstr("<Code>Thing.Exists</Code>"));
  EXPECT_THAT(error_reply("json", "things", error).body.bytes, HasSubstr(R"("__type":"ThingExists")"));
}

TEST(EncodeError, WritesMembersAsTheirTypesSay) {
  AwsError error("ThingExists", "It is there.", 409);
  error.with("Owner", "someone").with("Count", "7");
  EXPECT_EQ(error_reply("json", "things", error).body.bytes,
            R"({"__type":"ThingExists","message":"It is there.","Owner":"someone","Count":7})");
}

TEST(EncodeError, BlamesTheServerForItsOwnFaults) {
  EXPECT_THAT(error_reply("query", "things", AwsError("InternalFailure", "", 500)).body.bytes,
              HasSubstr("<Type>Receiver</Type>"));
}

TEST(EncodeError, PassesHeadersOfTheErrorOn) {
  AwsError error("SlowDown", "", 503);
  error.with_header("Retry-After", "1");
  EXPECT_EQ(header_of(error_reply("rest-xml", "s3", error).headers, "Retry-After"), "1");
}

TEST(EncodeError, GivesDynamoDbsAssemblies) {
  EXPECT_THAT(error_reply("json", "dynamodb", AwsError("ValidationException", "")).body.bytes,
              HasSubstr("com.amazon.coral.validate#ValidationException"));
  EXPECT_THAT(error_reply("json", "dynamodb", AwsError("ThingExists", "")).body.bytes,
              HasSubstr("com.amazonaws.dynamodb.v20120810#ThingExists"));
}

TEST(EncodeError, TellsQueryCodesToQueryCompatibleClients) {
  const auto loaded = load_model(R"({"metadata": {"apiVersion": "1", "endpointPrefix": "sqs", "jsonVersion": "1.0",
      "protocol": "json", "targetPrefix": "AmazonSQS", "awsQueryCompatible": {}}, "shapes": {
      "QueueDoesNotExist": {"type": "structure", "exception": true, "members": {},
        "error": {"code": "AWS.SimpleQueueService.NonExistentQueue", "httpStatusCode": 400}}}})",
                                 "sqs");
  const AwsError error("QueueDoesNotExist", "gone");
  const WireReply reply = encode_error(loaded->service(), nullptr, Protocol::json, error, "id-1", "POST");
  EXPECT_EQ(header_of(reply.headers, "x-amzn-query-error"), "AWS.SimpleQueueService.NonExistentQueue;Sender");
  EXPECT_THAT(reply.body.bytes, HasSubstr("QueueDoesNotExist"));
  const WireReply query = encode_error(loaded->service(), nullptr, Protocol::query, error, "id-1", "POST");
  EXPECT_THAT(query.body.bytes, HasSubstr("<Code>AWS.SimpleQueueService.NonExistentQueue</Code>"));
}

}  // namespace
}  // namespace brume::protocols
