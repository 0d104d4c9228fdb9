// What a policy's conditions see of a request's input.
#include "front/dispatch/condition_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "front/dispatch/permissions.h"
#include "front/dispatch/test_service.h"
#include "front/protocols/protocol.h"

namespace brume::front {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

constexpr std::string_view kListing = R"({
 "metadata": {"apiVersion": "2006-03-01", "endpointPrefix": "s3", "protocol": "rest-xml", "serviceId": "S3"},
 "operations": {
  "ListObjectsV2": {"http": {"method": "GET", "requestUri": "/{Bucket}?list-type=2"}, "input": {"shape": "List"}},
  "HeadBucket": {"http": {"method": "HEAD", "requestUri": "/{Bucket}"}, "input": {"shape": "Head"}},
  "GetObject": {"http": {"method": "GET", "requestUri": "/{Bucket}/{Key+}"}, "input": {"shape": "Get"}}},
 "shapes": {
  "Text": {"type": "string"}, "Number": {"type": "integer"},
  "Head": {"type": "structure", "members": {"Bucket": {"shape": "Text", "location": "uri", "locationName": "Bucket"}}},
  "Get": {"type": "structure", "members": {"Bucket": {"shape": "Text", "location": "uri", "locationName": "Bucket"},
    "Key": {"shape": "Text", "location": "uri", "locationName": "Key"}}},
  "List": {"type": "structure", "members": {
    "Bucket": {"shape": "Text", "location": "uri", "locationName": "Bucket"},
    "Prefix": {"shape": "Text", "location": "querystring", "locationName": "prefix"},
    "Delimiter": {"shape": "Text", "location": "querystring", "locationName": "delimiter"},
    "MaxKeys": {"shape": "Number", "location": "querystring", "locationName": "max-keys"}}}}})";

// The asks of a request to an operation that needs one permission.
std::vector<Ask> asks(TestService& service, std::string_view operation, const protocols::WireRequest& request) {
  service.handlers();
  const model::Operation& called = service.operation(operation);
  model::Object input(*called.input);
  const model::Service& described = *service.handlers().service;
  protocols::decode(described, called, described.protocols.front(), request, input.get());
  return asks_of(called, input.get(), {"123456789012", "eu-west-1"});
}

std::vector<Ask> list(const std::string& action, const std::string& query) {
  TestService s3(kListing, "s3");
  s3.require("ListObjectsV2", action, "arn:{partition}:s3:::{Bucket}");
  return asks(s3, "ListObjectsV2", {.method = "GET", .path = "/b", .query = query, .headers = {}, .body = {}});
}

TEST(Permissions, AreChosenByWhatTheInputHas) {
  const auto asked = [](const std::string& query) {
    TestService s3(kListing, "s3");
    s3.require("ListObjectsV2", "s3:Whole?!Prefix", "*");
    s3.require("ListObjectsV2", "s3:Part?Prefix", "*");
    std::string actions;
    for (const Ask& ask :
         asks(s3, "ListObjectsV2", {.method = "GET", .path = "/b", .query = query, .headers = {}, .body = {}}))
      actions += ask.action + " ";
    return actions;
  };
  EXPECT_EQ(asked("list-type=2"), "s3:Whole ");
  EXPECT_EQ(asked("list-type=2&prefix=a"), "s3:Part ");
  EXPECT_EQ(asked("list-type=2&prefix="), "s3:Whole ");  // "?versionId=" names no version
}

TEST(ConditionKeys, TellWhatIsListed) {
  const auto all = list("s3:ListBucket", "list-type=2&prefix=home%2Fann&delimiter=/&max-keys=10");
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].resource, "arn:aws:s3:::b");
  EXPECT_THAT(all[0].keys,
              ElementsAre(Pair("s3:delimiter", "/"), Pair("s3:max-keys", "10"), Pair("s3:prefix", "home/ann")));
  EXPECT_THAT(list("s3:ListBucketVersions", "list-type=2&prefix=a")[0].keys, ElementsAre(Pair("s3:prefix", "a")));
  // An empty prefix is one that policies can name; none is not.
  EXPECT_THAT(list("s3:ListBucket", "list-type=2&prefix=")[0].keys, ElementsAre(Pair("s3:prefix", "")));
  EXPECT_THAT(list("s3:ListBucket", "list-type=2")[0].keys, IsEmpty());
  EXPECT_THAT(list("s3:ListBucketMultipartUploads", "list-type=2&prefix=a")[0].keys, IsEmpty());
  TestService s3(kListing, "s3");
  s3.require("HeadBucket", "s3:ListBucket", "*");
  EXPECT_THAT(asks(s3, "HeadBucket", {.method = "HEAD", .path = "/b", .query = {}, .headers = {}, .body = {}})[0].keys,
              IsEmpty());
}

TEST(ConditionKeys, NeverTakeAnObjectsKeyForAnArn) {
  TestService s3(kListing, "s3");
  s3.require("GetObject", "s3:GetObject", "arn:{partition}:s3:::{Bucket}/{Key}");
  const auto asked =
      asks(s3, "GetObject", {.method = "GET", .path = "/b/arn:x/y", .query = {}, .headers = {}, .body = {}});
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].resource, "arn:aws:s3:::b/arn:x/y");
}

// An operation of a JSON service whose input has tags in every form.
constexpr std::string_view kTagging = R"({
 "metadata": {"apiVersion": "2020-01-01", "endpointPrefix": "things", "protocol": "json", "jsonVersion": "1.1",
              "serviceId": "Things", "targetPrefix": "Things"},
 "operations": {"Make": {"http": {"method": "POST", "requestUri": "/"}, "input": {"shape": "Make"}},
                "Mark": {"http": {"method": "POST", "requestUri": "/"}, "input": {"shape": "Mark"}}},
 "shapes": {
  "Text": {"type": "string"}, "Texts": {"type": "list", "member": {"shape": "Text"}},
  "Tag": {"type": "structure", "members": {"Key": {"shape": "Text"}, "Value": {"shape": "Text"}}},
  "Small": {"type": "structure", "members": {"key": {"shape": "Text"}, "value": {"shape": "Text"}}},
  "Tags": {"type": "list", "member": {"shape": "Tag"}}, "Smalls": {"type": "list", "member": {"shape": "Small"}},
  "Map": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Text"}},
  "Specification": {"type": "structure", "members": {"ResourceType": {"shape": "Text"}, "Tags": {"shape": "Tags"}}},
  "Specifications": {"type": "list", "member": {"shape": "Specification"}},
  "Make": {"type": "structure", "members": {"TagSpecifications": {"shape": "Specifications"},
    "Tags": {"shape": "Tags"}, "TagKeys": {"shape": "Texts"}, "propagateTags": {"shape": "Text"}}},
  "Mark": {"type": "structure", "members": {"tags": {"shape": "Map"}, "Tags": {"shape": "Smalls"},
    "tagKeys": {"shape": "Texts"}}}}})";

ConditionKeys keys(std::string_view operation, std::string_view body) {
  TestService things(kTagging, "things");
  things.require(operation, "things:Make", "*");
  return asks(things, operation, {.method = "POST", .path = "/", .query = {}, .headers = {}, .body = body})[0].keys;
}

TEST(ConditionKeys, TellTheTagsOfARequest) {
  const auto two = ElementsAre(Pair("aws:RequestTag/a", "1"), Pair("aws:RequestTag/b", ""), Pair("aws:TagKeys", "a"),
                               Pair("aws:TagKeys", "b"));
  EXPECT_THAT(keys("Make", R"({"Tags":[{"Key":"a","Value":"1"},{"Key":"b","Value":""}]})"), two);
  EXPECT_THAT(keys("Make", R"({"TagSpecifications":[{"ResourceType":"vpc","Tags":[{"Key":"a","Value":"1"}]},
                              {"ResourceType":"subnet"},{"Tags":[{"Key":"b","Value":""}]}]})"),
              two);
  EXPECT_THAT(keys("Mark", R"({"tags":{"a":"1","b":""}})"), two);
  EXPECT_THAT(keys("Mark", R"({"Tags":[{"key":"a","value":"1"},{"key":"b","value":""}]})"), two);
  EXPECT_THAT(keys("Make", R"({"Tags":[{"Key":"a"},{"Value":"lost"}]})"), ElementsAre(Pair("aws:TagKeys", "a")));
  EXPECT_THAT(keys("Make", R"({"TagKeys":["a"],"propagateTags":"SERVICE"})"), ElementsAre(Pair("aws:TagKeys", "a")));
  EXPECT_THAT(keys("Mark", R"({"tagKeys":["a"]})"), ElementsAre(Pair("aws:TagKeys", "a")));
}

}  // namespace
}  // namespace brume::front
