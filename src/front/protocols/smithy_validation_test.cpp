// A service whose ValidationException lists fields is answered for as Smithy's servers answer; the others keep AWS's
// older words.
#include <gtest/gtest.h>

#include "front/protocols/dynamic_model.h"
#include "front/protocols/protocol.h"

namespace brume::protocols {
namespace {

constexpr std::string_view kModel = R"({
 "metadata": {"protocol": "rest-json", "serviceId": "Bakery", "endpointPrefix": "bakery", "apiVersion": "2026"},
 "operations": {"Bake": {"name": "Bake", "http": {"method": "POST", "requestUri": "/bake"}, "input": {"shape": "Cake"}}},
 "shapes": {
  "Cake": {"type": "structure", "required": ["name"], "members": {
    "name": {"shape": "Name"}, "layers": {"shape": "Layers"}, "size": {"shape": "Size"}}},
  "Name": {"type": "string", "min": 2, "max": 8, "pattern": "^[a-z]+$"},
  "Layers": {"type": "list", "member": {"shape": "Name"}},
  "Size": {"type": "integer", "min": 1},
  "ValidationException": {"type": "structure", "exception": true, "error": {"httpStatusCode": 400}, "members": {
    "message": {"shape": "Text"} %FIELDS% }},
  "Text": {"type": "string"},
  "Fields": {"type": "list", "member": {"shape": "Field"}},
  "Field": {"type": "structure", "members": {"path": {"shape": "Text"}, "message": {"shape": "Text"}}}}})";

std::string model_text(bool lists_fields) {
  std::string text(kModel);
  const std::size_t at = text.find("%FIELDS%");
  return text.replace(at, 8, lists_fields ? R"(, "fieldList": {"shape": "Fields"})" : "");
}

std::string answer(bool lists_fields, std::string_view body, int status = 400) {
  const auto loaded = load_model(model_text(lists_fields), "bakery");
  const Headers headers = {{"Content-Type", "application/json"}};
  const WireRequest request{"POST", "/bake", "", headers, "", body, nullptr};
  const model::Operation& operation = *loaded->service().find("Bake");
  model::Object input(*operation.input);
  try {
    decode(loaded->service(), operation, Protocol::rest_json, request, input.get(), &loaded->facts());
  } catch (const AwsError& error) {
    const WireReply reply = encode_error(loaded->service(), &operation, Protocol::rest_json, error, "id", "POST");
    EXPECT_EQ(reply.status, status);
    return reply.body.bytes;
  }
  return "accepted";
}

TEST(SmithyValidation, ListsEveryFieldWithItsPath) {
  EXPECT_EQ(answer(true, R"({"name":"ab","layers":["cd"],"size":1})"), "accepted");
  EXPECT_EQ(
      answer(true, R"({"layers":["ab","c"],"size":0})"),
      R"({"message":"3 validation errors detected. Value at '/name' failed to satisfy constraint: Member must not )"
      R"(be null; Value with length 1 at '/layers/1' failed to satisfy constraint: Member must have length between 2 )"
      R"(and 8, inclusive; Value at '/size' failed to satisfy constraint: Member must be greater than or equal to 1",)"
      R"("fieldList":[{"path":"/name","message":"Value at '/name' failed to satisfy constraint: Member must not be )"
      R"(null"},{"path":"/layers/1","message":"Value with length 1 at '/layers/1' failed to satisfy constraint: )"
      R"(Member must have length between 2 and 8, inclusive"},{"path":"/size","message":"Value at '/size' failed to )"
      R"(satisfy constraint: Member must be greater than or equal to 1"}]})");
}

TEST(SmithyValidation, OtherServicesKeepTheOlderWords) {
  EXPECT_EQ(answer(false, R"({"name":"ab","size":0})"),
            R"({"message":"1 validation error detected: Value '0' at 'size' failed to satisfy constraint: Member must )"
            R"(have value greater than or equal to 1"})");
}

TEST(SmithyValidation, IntegersHaveTheirModelsWidth) {
  EXPECT_EQ(answer(true, R"({"name":"ab","size":2147483647})"), "accepted");
  EXPECT_NE(answer(true, R"({"name":"ab","size":2147483648})"), "accepted");
  EXPECT_NE(answer(true, R"({"name":"ab","layers":[null]})"), "accepted") << "a list that is not sparse";
}

TEST(SmithyValidation, MediaTypesAreThoseOfTheModel) {
  const auto loaded = load_model(model_text(true), "bakery");
  const model::Operation& operation = *loaded->service().find("Bake");
  const Headers wrong = {{"Content-Type", "application/hal+json"}};
  const WireRequest request{"POST", "/bake", "", wrong, "", R"({"name":"ab"})", nullptr};
  model::Object input(*operation.input);
  try {
    decode(loaded->service(), operation, Protocol::rest_json, request, input.get(), &loaded->facts());
    FAIL() << "accepted";
  } catch (const AwsError& error) {
    EXPECT_EQ(error.code, "UnsupportedMediaTypeException");
    EXPECT_EQ(error.status, 415);
  }
}

}  // namespace
}  // namespace brume::protocols
