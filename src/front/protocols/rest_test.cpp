#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "front/protocols/test_models.h"

namespace brume::protocols {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// PutObject and PutBucketTagging as S3 has them, in short.
std::unique_ptr<DynamicModel> s3_model(const std::string& operations) {
  return load_model(
      R"({
    "metadata": {"apiVersion": "2006-03-01", "endpointPrefix": "s3", "protocol": "rest-xml", "serviceId": "S3"},
    "operations": {)" +
          operations +
          R"(}, "shapes": {"Text": {"type": "string"}, "Number": {"type": "integer"}, "When": {"type": "timestamp"},
      "Flag": {"type": "boolean"}, "Stream": {"type": "blob", "streaming": true}, "Class": {"type": "string", "enum": ["STANDARD"]},
      "Metadata": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Text"}},
      "Object": {"type": "structure", "required": ["Bucket", "Key"], "payload": "Body", "members": {
        "Body": {"shape": "Stream"}, "Bucket": {"shape": "Text", "location": "uri", "locationName": "Bucket"},
        "Key": {"shape": "Text", "location": "uri", "locationName": "Key"},
        "Metadata": {"shape": "Metadata", "location": "headers", "locationName": "x-amz-meta-"},
        "Expires": {"shape": "When", "location": "header", "locationName": "Expires"},
        "StorageClass": {"shape": "Class", "location": "header", "locationName": "x-amz-storage-class"},
        "MaxKeys": {"shape": "Number", "location": "querystring", "locationName": "max-keys"},
        "ContentLength": {"shape": "Number", "location": "header", "locationName": "Content-Length"}}},
      "Tagged": {"type": "structure", "required": ["Tagging"], "payload": "Tagging", "members": {
        "Bucket": {"shape": "Text", "location": "uri", "locationName": "Bucket"},
        "Tagging": {"shape": "Tagging", "locationName": "Tagging"}}},
      "Tagging": {"type": "structure", "required": ["TagSet"], "members": {"TagSet": {"shape": "TagSet"}}},
      "TagSet": {"type": "list", "member": {"shape": "Tag", "locationName": "Tag"}},
      "Tag": {"type": "structure", "members": {"Key": {"shape": "Text"}}},
      "Versioning": {"type": "structure", "members": {"Status": {"shape": "Text"}}},
      "Location": {"type": "structure", "members": {"LocationConstraint": {"shape": "Text"}}},
      "Place": {"type": "string", "enum": ["eu-west-2"]},
      "Configuration": {"type": "structure", "members": {"LocationConstraint": {"shape": "Place"}}},
      "Created": {"type": "structure", "payload": "CreateBucketConfiguration", "members": {
        "Bucket": {"shape": "Text", "location": "uri", "locationName": "Bucket"},
        "CreateBucketConfiguration": {"shape": "Configuration", "locationName": "CreateBucketConfiguration"}}},
      "Ranged": {"type": "structure", "payload": "Body", "members": {"Body": {"shape": "Stream"},
        "ContentRange": {"shape": "Text", "location": "header", "locationName": "Content-Range"}}}}})",
      "s3");
}

std::unique_ptr<DynamicModel> object_model() {
  return s3_model(R"("PutObject": {"http": {"method": "PUT", "requestUri": "/{Bucket}/{Key+}"},
                     "input": {"shape": "Object"}, "output": {"shape": "Object"}})");
}
std::unique_ptr<DynamicModel> tagging_model() {
  return s3_model(R"("PutBucketTagging": {"http": {"method": "PUT", "requestUri": "/{Bucket}?tagging"},
                     "input": {"shape": "Tagged"}, "output": {"shape": "Tagged"}})");
}

std::vector<std::string> at(const model::Object& object, std::string_view path) {
  return model::strings_at(object.type(), object.get(), path);
}

TEST(DecodeRest, ReadsLabelsMetadataAndTheStream) {
  const auto loaded = object_model();
  const auto input = decoded(loaded->service(), {.method = "PUT",
                                                 .path = "/b/a%2Fb/%C3%BC+c",
                                                 .query = "max-keys=5&x-id=PutObject",
                                                 .body = "bytes",
                                                 .headers = {{"X-Amz-Meta-Color", "Red"}}});
  EXPECT_THAT(at(input, "Bucket"), ElementsAre("b"));
  EXPECT_THAT(at(input, "Key"), ElementsAre("a/b/ü+c"));
  EXPECT_THAT(at(input, "MaxKeys"), ElementsAre("5"));
  EXPECT_THAT(at(input, "Metadata[]"), ElementsAre("color"));
  EXPECT_EQ(static_cast<const Body*>(input.type().find("Body")->get(input.get()))->bytes, "bytes");
}

TEST(DecodeRest, TakesAnUnreadableDateForNone) {
  const auto loaded = object_model();
  const auto input =
      decoded(loaded->service(), {.method = "PUT", .path = "/b/k", .headers = {{"Expires", "next summer"}}});
  EXPECT_THAT(at(input, "Expires"), IsEmpty());
}

TEST(DecodeRest, AnswersS3sOwnErrors) {
  const auto object = object_model();
  const AwsError number = refused(object->service(), {.method = "PUT", .path = "/b/k", .query = "max-keys=many"});
  EXPECT_EQ(number.code, "InvalidArgument");
  EXPECT_EQ(number.message, "Provided max-keys not an integer or within integer range");
  EXPECT_EQ(
      refused(object->service(), {.method = "PUT", .path = "/b/k", .headers = {{"x-amz-storage-class", "ATTIC"}}}).code,
      "InvalidStorageClass");
  const auto tagging = tagging_model();
  const auto code = [&](const std::string& body) {
    return refused(tagging->service(), {.method = "PUT", .path = "/b", .query = "tagging", .body = body}).code;
  };
  EXPECT_EQ(code(""), "MissingRequestBodyError");
  EXPECT_EQ(code("<Tagging>"), "MalformedXML");
  EXPECT_EQ(code("<Tagging/>"), "MalformedXML");                        // TagSet is required
  EXPECT_EQ(code("<Other><TagSet></TagSet></Other>"), "MalformedXML");  // another root
  EXPECT_EQ(code("<!DOCTYPE a><Tagging><TagSet></TagSet></Tagging>"), "MalformedXML");
  EXPECT_EQ(code("<Tagging><TagSet>\xff</TagSet></Tagging>"), "MalformedXML");
  EXPECT_EQ(refused(object->service(), {.method = "PUT", .path = "/b/%FF"}).code, "InvalidURI");
  EXPECT_EQ(refused(object->service(), {.method = "PUT", .path = "/b/k", .query = "max-keys=%FF"}).code, "InvalidURI");
}

TEST(DecodeRest, LeavesTheLocationOfABucketToTheService) {
  const auto loaded = s3_model(R"("CreateBucket": {"http": {"method": "PUT", "requestUri": "/{Bucket}"},
                                  "input": {"shape": "Created"}})");
  const auto input = decoded(loaded->service(), {.method = "PUT",
                                                 .path = "/b",
                                                 .body = "<CreateBucketConfiguration><LocationConstraint>moon-1"
                                                         "</LocationConstraint></CreateBucketConfiguration>"});
  EXPECT_THAT(at(input, "CreateBucketConfiguration.LocationConstraint"), ElementsAre("moon-1"));
}

TEST(DecodeRest, ReadsXmlInAnyNamespaceAndKeepsSpaces) {
  const auto loaded = tagging_model();
  const auto input = decoded(
      loaded->service(),
      {.method = "PUT",
       .path = "/b",
       .query = "tagging",
       .body = "<s:Tagging xmlns:s=\"http://s3.amazonaws.com/doc/2006-03-01/\"><s:TagSet>\n <s:Tag><s:Key> </s:Key>"
               "</s:Tag><Tag><Key><![CDATA[a<]]>&amp;b</Key></Tag></s:TagSet></s:Tagging>"});
  EXPECT_THAT(at(input, "Tagging.TagSet[].Key"), ElementsAre(" ", "a<&b"));
}

TEST(EncodeRest, WritesHeadersAndMovesTheStream) {
  const auto loaded = object_model();
  const model::Service& service = loaded->service();
  model::Object output(*service.operations.front().output);
  const auto set = [&](const char* name) { return output.type().find(name)->emplace(output.get()); };
  *static_cast<Body*>(set("Body")) = Body::of("bytes");
  *static_cast<std::int64_t*>(set("ContentLength")) = 5;
  static_cast<Time*>(set("Expires"))->ms = 0;
  const model::Member& metadata = *output.type().find("Metadata");
  *static_cast<std::string*>(metadata.type->ops->insert(*metadata.type, set("Metadata"), "color")) = "red\r\nX-Evil: 1";
  const WireReply reply = encode(service, service.operations.front(), Protocol::rest_xml, output.get(), "id-1");
  EXPECT_EQ(reply.body.bytes, "bytes");
  EXPECT_EQ(header_of(reply.headers, "Expires"), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(header_of(reply.headers, "x-amz-meta-color"), "red  X-Evil: 1");  // one header, not two
  EXPECT_EQ(header_of(reply.headers, "Content-Length"), "");                  // the front's, but for HEAD
  EXPECT_EQ(header_of(reply.headers, "x-amz-request-id"), "id-1");
}

TEST(EncodeRest, AnswersARangeAsPartialContent) {
  for (const std::string method : {"GET", "HEAD"}) {
    const auto loaded = s3_model("\"ReadObject\": {\"http\": {\"method\": \"" + method +
                                 R"(", "requestUri": "/{Bucket}/{Key+}"}, "output": {"shape": "Ranged"}})");
    const model::Service& service = loaded->service();
    model::Object output(*service.operations.front().output);
    const auto status = [&] {
      return encode(service, service.operations.front(), Protocol::rest_xml, output.get(), "id-1").status;
    };
    EXPECT_EQ(status(), 200) << method;
    *static_cast<std::string*>(output.type().find("ContentRange")->emplace(output.get())) = "bytes 0-4/10";
    EXPECT_EQ(status(), 206) << method;
  }
}

TEST(EncodeRest, AnswersS3sStatusesAndTypesThatTheModelLacks) {
  const auto answer = [](const std::string& name, const std::string& http) {
    const auto loaded = s3_model("\"" + name + "\": {\"http\": {\"requestUri\": \"/{Bucket}\", " + http + "}}");
    const model::Service& service = loaded->service();
    model::Object output(*service.operations.front().output);
    const WireReply reply = encode(service, service.operations.front(), Protocol::rest_xml, output.get(), "id-1");
    return std::to_string(reply.status) + " " + std::string(header_of(reply.headers, "Content-Type"));
  };
  EXPECT_EQ(answer("PutBucketPolicy", R"("method": "PUT")"), "204 ");
  EXPECT_EQ(answer("PutBucketTagging", R"("method": "PUT")"), "204 ");
  EXPECT_EQ(answer("PutBucketCors", R"("method": "PUT")"), "200 ");
  EXPECT_EQ(answer("DeleteBucketPolicy", R"("method": "DELETE", "responseCode": 204)"), "204 ");
  EXPECT_EQ(answer("HeadBucket", R"("method": "HEAD")"), "200 application/xml");
}

TEST(EncodeRest, WritesS3sRootsEvenWhenNothingIsInside) {
  const auto loaded =
      s3_model(R"("GetBucketVersioning": {"http": {"method": "GET", "requestUri": "/{Bucket}?versioning"},
                                  "output": {"shape": "Versioning"}})");
  const model::Service& service = loaded->service();
  model::Object output(*service.operations.front().output);
  const WireReply reply = encode(service, service.operations.front(), Protocol::rest_xml, output.get(), "id-1");
  EXPECT_THAT(reply.body.bytes,
              HasSubstr("<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>"));
}

TEST(EncodeRest, WritesTheLocationAsTheRootsText) {
  const auto loaded = s3_model(R"("GetBucketLocation": {"http": {"method": "GET", "requestUri": "/{Bucket}?location"},
                                  "output": {"shape": "Location"}})");
  const model::Service& service = loaded->service();
  model::Object output(*service.operations.front().output);
  const auto body = [&] {
    return encode(service, service.operations.front(), Protocol::rest_xml, output.get(), "id-1").body.bytes;
  };
  constexpr std::string_view start = "<LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";
  EXPECT_THAT(body(), HasSubstr(std::string(start) + "/>"));  // us-east-1
  *static_cast<std::string*>(output.type().find("LocationConstraint")->emplace(output.get())) = "eu-west-1";
  EXPECT_THAT(body(), HasSubstr(std::string(start) + ">eu-west-1</LocationConstraint>"));
}

}  // namespace
}  // namespace brume::protocols
