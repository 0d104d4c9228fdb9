#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "front/protocols/catalogue.h"
#include "front/protocols/test_models.h"
#include "front/protocols/uri_pattern.h"

namespace brume::protocols {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

// A part of S3's operations under their real names and URIs.
std::unique_ptr<DynamicModel> s3_model() {
  return load_model(R"({
    "metadata": {"apiVersion": "2006-03-01", "endpointPrefix": "s3", "protocol": "rest-xml", "serviceId": "S3"},
    "operations": {
      "ListBuckets": {"http": {"method": "GET", "requestUri": "/"}},
      "ListObjects": {"http": {"method": "GET", "requestUri": "/{Bucket}"}, "input": {"shape": "OfBucket"}},
      "ListObjectsV2": {"http": {"method": "GET", "requestUri": "/{Bucket}?list-type=2"}, "input": {"shape": "OfBucket"}},
      "GetBucketTagging": {"http": {"method": "GET", "requestUri": "/{Bucket}?tagging"}, "input": {"shape": "OfBucket"}},
      "DeleteBucket": {"http": {"method": "DELETE", "requestUri": "/{Bucket}"}, "input": {"shape": "OfBucket"}},
      "GetObject": {"http": {"method": "GET", "requestUri": "/{Bucket}/{Key+}"}, "input": {"shape": "OfKey"}},
      "GetObjectTagging": {"http": {"method": "GET", "requestUri": "/{Bucket}/{Key+}?tagging"}, "input": {"shape": "OfKey"}},
      "ListParts": {"http": {"method": "GET", "requestUri": "/{Bucket}/{Key+}"}, "input": {"shape": "OfUpload"}},
      "PutObject": {"http": {"method": "PUT", "requestUri": "/{Bucket}/{Key+}"}, "input": {"shape": "OfKey"}},
      "CopyObject": {"http": {"method": "PUT", "requestUri": "/{Bucket}/{Key+}"}, "input": {"shape": "OfCopy"}},
      "UploadPart": {"http": {"method": "PUT", "requestUri": "/{Bucket}/{Key+}"}, "input": {"shape": "OfPart"}},
      "UploadPartCopy": {"http": {"method": "PUT", "requestUri": "/{Bucket}/{Key+}"}, "input": {"shape": "OfPartCopy"}}},
    "shapes": {"Text": {"type": "string"},
      "OfBucket": {"type": "structure", "required": ["Bucket"],
        "members": {"Bucket": {"shape": "Text", "location": "uri", "locationName": "Bucket"}}},
      "OfKey": {"type": "structure", "required": ["Bucket", "Key"], "members": {
        "Bucket": {"shape": "Text", "location": "uri", "locationName": "Bucket"},
        "Key": {"shape": "Text", "location": "uri", "locationName": "Key"},
        "UploadId": {"shape": "Text", "location": "querystring", "locationName": "uploadId"}}},
      "OfUpload": {"type": "structure", "required": ["UploadId"], "members": {
        "UploadId": {"shape": "Text", "location": "querystring", "locationName": "uploadId"}}},
      "OfCopy": {"type": "structure", "required": ["CopySource"], "members": {
        "CopySource": {"shape": "Text", "location": "header", "locationName": "x-amz-copy-source"}}},
      "OfPart": {"type": "structure", "required": ["UploadId", "PartNumber"], "members": {
        "UploadId": {"shape": "Text", "location": "querystring", "locationName": "uploadId"},
        "PartNumber": {"shape": "Text", "location": "querystring", "locationName": "partNumber"}}},
      "OfPartCopy": {"type": "structure", "required": ["UploadId", "PartNumber", "CopySource"], "members": {
        "UploadId": {"shape": "Text", "location": "querystring", "locationName": "uploadId"},
        "PartNumber": {"shape": "Text", "location": "querystring", "locationName": "partNumber"},
        "CopySource": {"shape": "Text", "location": "header", "locationName": "x-amz-copy-source"}}}}})",
                    "s3");
}

Lookup look_up(const model::Service& service, const Sent& sent) {
  const WireRequest request{sent.method, sent.path, sent.query, sent.headers, {}, sent.body, nullptr};
  const auto protocol = protocol_of(service, request);
  EXPECT_TRUE(protocol.has_value());
  return find_operation(service, protocol.value_or(Protocol::query), request);
}

TEST(FindOperation, TellsS3sOperationsApart) {
  const auto loaded = s3_model();
  const auto name = [&](const std::string& method, const std::string& path, const std::string& query = {},
                        Headers headers = {}) {
    return look_up(loaded->service(), {method, path, query, {}, std::move(headers)}).operation_name;
  };
  const Headers copy = {{"X-Amz-Copy-Source", "/other/key"}};
  EXPECT_EQ(name("GET", "/"), "ListBuckets");
  EXPECT_EQ(name("GET", "/bucket"), "ListObjects");
  EXPECT_EQ(name("GET", "/bucket/"), "ListObjects");
  EXPECT_EQ(name("GET", "/bucket", "list-type=2&prefix=a"), "ListObjectsV2");
  EXPECT_EQ(name("GET", "/bucket", "tagging="), "GetBucketTagging");
  EXPECT_EQ(name("GET", "/bucket/a/b//c"), "GetObject");
  EXPECT_EQ(name("GET", "/bucket/key", "x-id=GetObject"), "GetObject");
  EXPECT_EQ(name("GET", "/bucket/key", "tagging"), "GetObjectTagging");
  EXPECT_EQ(name("GET", "/bucket/key", "uploadId=1"), "ListParts");
  EXPECT_EQ(name("PUT", "/bucket/key"), "PutObject");
  EXPECT_EQ(name("PUT", "/bucket/key", "", copy), "CopyObject");
  EXPECT_EQ(name("PUT", "/bucket/key", "partNumber=1&uploadId=1"), "UploadPart");
  EXPECT_EQ(name("PUT", "/bucket/key", "partNumber=1&uploadId=1", copy), "UploadPartCopy");
}

// A request for a part of a bucket must never be taken for one of the whole bucket.
TEST(FindOperation, NeverTakesAnUnservedSubresourceForTheBucket) {
  const auto loaded = s3_model();
  const Lookup lookup = look_up(loaded->service(), {.method = "DELETE", .path = "/bucket", .query = "inventory&id=1"});
  EXPECT_EQ(lookup.kind, Lookup::Kind::known);
  EXPECT_EQ(lookup.operation_name, "DeleteBucketInventoryConfiguration");
  EXPECT_EQ(look_up(loaded->service(), {.method = "DELETE", .path = "/bucket"}).kind, Lookup::Kind::served);
}

TEST(FindOperation, KnowsNoOperationForAStrangeMethod) {
  const auto loaded = s3_model();
  const Lookup lookup = look_up(loaded->service(), {.method = "PATCH", .path = "/bucket"});
  EXPECT_EQ(lookup.kind, Lookup::Kind::unknown);
  const AwsError error = refusal(lookup, Protocol::rest_xml, "s3", "2006-03-01");
  EXPECT_EQ(error.code, "MethodNotAllowed");
  EXPECT_EQ(error.status, 405);
}

TEST(FindOperation, FindsActionsAndTargets) {
  const auto query = thing_model("query", "sqs");
  EXPECT_EQ(look_up(query->service(), {.body = "Version=1&Action=CreateThing"}).kind, Lookup::Kind::served);
  EXPECT_EQ(look_up(query->service(), {.query = "Action=CreateThing"}).kind, Lookup::Kind::served);
  EXPECT_EQ(look_up(query->service(), {.body = "Action=SendMessage"}).kind, Lookup::Kind::known);
  EXPECT_EQ(look_up(query->service(), {.body = "Action=Dance"}).kind, Lookup::Kind::unknown);
  const auto json = thing_model("json", "sqs");
  const auto target = [&](const char* text) {
    return look_up(json->service(), {.headers = {{"x-amz-target", text}}}).kind;
  };
  EXPECT_EQ(target("Things.CreateThing"), Lookup::Kind::served);
  EXPECT_EQ(target("Things.SendMessage"), Lookup::Kind::known);
  EXPECT_EQ(target("Others.CreateThing"), Lookup::Kind::unknown);
}

TEST(Refusal, NamesWhatIsNotServedAndIsNotRetried) {
  const Lookup known{Lookup::Kind::known, nullptr, "ListFunctions"};
  for (const auto& [protocol, code] : {std::pair(Protocol::query, "InvalidAction"),
                                       {Protocol::ec2, "InvalidAction"},
                                       {Protocol::json, "UnknownOperationException"},
                                       {Protocol::rest_json, "UnknownOperationException"},
                                       {Protocol::rest_xml, "NotImplemented"}}) {
    const AwsError error = refusal(known, protocol, "lambda", "");
    EXPECT_EQ(error.code, code);
    EXPECT_EQ(error.status, 501);  // Neither Go's nor Python's SDK retries it.
    EXPECT_THAT(error.message, HasSubstr("lambda:ListFunctions"));
  }
}

TEST(Refusal, AnswersUnknownActionsAsAwsDoes) {
  const Lookup unknown{Lookup::Kind::unknown, nullptr, "Dance"};
  EXPECT_EQ(refusal(unknown, Protocol::query, "sts", "2011-06-15").message,
            "Could not find operation Dance for version 2011-06-15");
  EXPECT_EQ(refusal(unknown, Protocol::ec2, "ec2", "").message, "The action Dance is not valid for this web service.");
  EXPECT_EQ(refusal({}, Protocol::query, "sts", "").code, "MissingAction");
}

TEST(FindKnown, NamesOperationsOfServicesThatAreNotServedAtAll) {
  const auto find = [](std::string_view signing_name, const Sent& sent) {
    const auto candidates = services_by_signing_name(signing_name);
    const WireRequest request{sent.method, sent.path, sent.query, sent.headers, {}, sent.body, nullptr};
    const auto found = find_known(candidates, request);
    return found ? std::string(found->service->id) + ":" + found->lookup.operation_name : "nothing";
  };
  EXPECT_EQ(find("lambda", {.method = "GET", .path = "/2015-03-31/functions"}), "lambda:ListFunctions");
  EXPECT_EQ(find("lambda", {.method = "GET", .path = "/2015-03-31/functions/f"}), "lambda:GetFunction");
  EXPECT_EQ(find("kms", {.headers = {{"X-Amz-Target", "TrentService.Encrypt"}}}), "kms:Encrypt");
  EXPECT_EQ(find("sns", {.body = "Action=Publish", .headers = {{"Content-Type", "application/x-www-form-urlencoded"}}}),
            "sns:Publish");
  EXPECT_EQ(find("lambda", {.method = "GET", .path = "/nowhere"}), "nothing");
}

TEST(Catalogue, FindsServicesByEveryName) {
  EXPECT_GT(all_services().size(), 400u);
  ASSERT_NE(service_by_id("elbv2"), nullptr);
  EXPECT_EQ(service_by_id("elbv2")->signing_name, "elasticloadbalancing");
  EXPECT_EQ(service_by_target("DynamoDB_20120810")->id, "dynamodb");
  EXPECT_EQ(service_by_endpoint("api.ecr")->id, "ecr");
  EXPECT_EQ(service_by_id("nothing"), nullptr);
  EXPECT_EQ(service_by_target(""), nullptr);
}

TEST(MatchPath, GivesLabelsStillEncoded) {
  Labels labels;
  ASSERT_TRUE(match_path("/{Bucket}/{Key+}?acl", "/b/a%2Fb/c/", &labels));
  EXPECT_THAT(labels, ElementsAre(Pair("Bucket", "b"), Pair("Key", "a%2Fb/c/")));
  labels.clear();
  ASSERT_TRUE(match_path("/functions/{Name}/code", "/functions/f/code/", &labels));
  EXPECT_THAT(labels, ElementsAre(Pair("Name", "f")));
  ASSERT_TRUE(match_path("/a/{Greedy+}/end", "/a/b/c/end", &labels));
  EXPECT_EQ(labels.back().second, "b/c");
  EXPECT_FALSE(match_path("/functions/{Name}", "/functions/", nullptr));
  EXPECT_FALSE(match_path("/functions/{Name}", "/functions/a/b", nullptr));
  EXPECT_FALSE(match_path("/{Bucket}/{Key+}", "/b/", nullptr));
  EXPECT_FALSE(match_path("/a/{Greedy+}/end", "/a/end", nullptr));
}

TEST(ProtocolOf, TellsTheProtocolsOfAServiceApart) {
  const auto loaded = load_model(R"({"metadata": {"apiVersion": "1", "endpointPrefix": "sqs", "jsonVersion": "1.0",
      "protocol": "json", "protocols": ["json", "query"], "targetPrefix": "AmazonSQS"}, "shapes": {}})",
                                 "sqs");
  const auto protocol = [&](const Sent& sent) {
    const WireRequest request{sent.method, sent.path, sent.query, sent.headers, {}, sent.body, nullptr};
    return protocol_of(loaded->service(), request);
  };
  EXPECT_EQ(protocol({.headers = {{"X-Amz-Target", "AmazonSQS.SendMessage"}}}), Protocol::json);
  EXPECT_EQ(protocol({.body = "Action=SendMessage"}), Protocol::query);
  EXPECT_EQ(protocol({.query = "Action=SendMessage"}), Protocol::query);
  EXPECT_EQ(protocol({.headers = {{"Smithy-Protocol", "rpc-v2-cbor"}}}), std::nullopt);
}

// One operation asked in each of its service's protocols is the same input, and each is answered in its own.
TEST(ProtocolOf, EveryProtocolOfAServiceIsServed) {
  const auto loaded = load_model(R"({"metadata": {"apiVersion": "1", "endpointPrefix": "queue", "jsonVersion": "1.0",
      "protocol": "json", "protocols": ["json", "query", "smithy-rpc-v2-cbor"], "targetPrefix": "Queue"},
      "operations": {"Send": {"name": "Send", "http": {"method": "POST", "requestUri": "/"},
                              "input": {"shape": "Letter"}, "output": {"shape": "Letter"}}},
      "shapes": {"Letter": {"type": "structure", "members": {"Text": {"shape": "Text"}}}, "Text": {"type": "string"}}})",
                                 "queue");
  const model::Service& service = loaded->service();
  const auto ask = [&](const Sent& sent) {
    const WireRequest request{sent.method, sent.path, sent.query, sent.headers, {}, sent.body, nullptr};
    const Protocol protocol = protocol_of(service, request).value();
    const Lookup lookup = find_operation(service, protocol, request);
    EXPECT_EQ(lookup.kind, Lookup::Kind::served);
    model::Object input(*lookup.operation->input);
    decode(service, *lookup.operation, protocol, request, input.get(), &loaded->facts());
    const void* text = lookup.operation->input->find("Text")->get(input.get());
    EXPECT_NE(text, nullptr);
    if (text != nullptr) EXPECT_EQ(*static_cast<const std::string*>(text), "hi");
    return encode(service, *lookup.operation, protocol, input.get(), "id").body.bytes;
  };
  EXPECT_EQ(ask({.body = R"({"Text":"hi"})", .headers = {{"X-Amz-Target", "Queue.Send"}}}), R"({"Text":"hi"})");
  EXPECT_NE(ask({.body = "Action=Send&Text=hi"}).find("<Text>hi</Text>"), std::string::npos);
  EXPECT_EQ(ask({.path = "/service/Queue/operation/Send",
                 .body = "\xa1\x64Text\x62hi",
                 .headers = {{"Smithy-Protocol", "rpc-v2-cbor"}}}),
            "\xa1\x64Text\x62hi");
}

}  // namespace
}  // namespace brume::protocols
