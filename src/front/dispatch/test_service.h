// For the tests of the front door: services built at run time from small models of STS, ECS and S3, whose handlers are
// the test's functions.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/deferred.h"
#include "core/error.h"
#include "core/model.h"
#include "front/protocols/dynamic_model.h"
#include "store/tx.h"

namespace brume::front {

// What a test's handlers do, by "service:Operation".
struct TestCall {
  Tx& tx;
  const RequestContext& context;
  const model::Type& input_type;
  const void* input;
  const model::Type& output_type;
  void* output;
  std::string in(std::string_view path) const {
    const auto values = model::strings_at(input_type, input, path);
    return values.empty() ? "" : values.front();
  }
  void out(std::string_view member, std::string value) const {
    const model::Member* found = output_type.find(member);
    ASSERT_NE(found, nullptr) << member;
    *static_cast<std::string*>(found->emplace(output)) = std::move(value);
  }
  template <class T>
  const T* in_member(std::string_view member) const {
    return static_cast<const T*>(input_type.find(member)->get(input));
  }
  template <class T>
  T& out_member(std::string_view member) const {
    return *static_cast<T*>(output_type.find(member)->emplace(output));
  }
};

// A service of the test: the model, with what models/served would say, and handlers that call functions.
class TestService {
 public:
  using Function = std::function<void(const TestCall&)>;
  using DeferredFunction = std::function<void(const TestCall&, Deferred<model::Object>)>;

  TestService(std::string_view json, std::string_view id)
      : loaded_(protocols::load_model(json, id)),
        service_(loaded_->service()),
        operations_(service_.operations.begin(), service_.operations.end()) {
    service_.operations = operations_;
    for (model::Operation& each : operations_) each.unchecked = true;
  }
  TestService(const TestService&) = delete;
  TestService& operator=(const TestService&) = delete;

  model::Operation& operation(std::string_view name) {
    for (model::Operation& each : operations_)
      if (each.name == name) return each;
    throw std::out_of_range(std::string(name));
  }
  void on(std::string_view name, Function function) { functions_[operation(name).index] = std::move(function); }
  void on_deferred(std::string_view name, DeferredFunction function) {
    operation(name).deferred = true;
    deferred_[operation(name).index] = std::move(function);
  }
  // Gives the operation a permission, where it had none.
  void require(std::string_view name, std::string_view action, std::string_view resource) {
    model::Operation& found = operation(name);
    permissions_[found.index].push_back({action, resource});
    found.unchecked = false;
    found.permissions = permissions_[found.index];
  }
  const model::Handlers& handlers() {
    fill(std::make_index_sequence<8>());
    handlers_ = {&service_, std::span(table_).first(operations_.size())};
    return handlers_;
  }

 private:
  template <std::size_t... I>
  void fill(std::index_sequence<I...>) {
    BRUME_CHECK(operations_.size() <= sizeof...(I));
    table_ = {model::Handler{&invoke<I>, &invoke_deferred<I>}...};
  }
  // A handler is a plain function: one for each operation's index.
  template <std::size_t I>
  static void invoke(void* object, Tx& tx, const RequestContext& context, const void* input, void* output) {
    auto* self = static_cast<TestService*>(object);
    const model::Operation& called = self->operations_[I];
    if (self->functions_[I]) self->functions_[I]({tx, context, *called.input, input, *called.output, output});
  }
  template <std::size_t I>
  static void invoke_deferred(void* object, Tx& tx, const RequestContext& context, const void* input,
                              Deferred<model::Object> answer) {
    auto* self = static_cast<TestService*>(object);
    const model::Operation& called = self->operations_[I];
    self->deferred_[I]({tx, context, *called.input, input, *called.output, nullptr}, std::move(answer));
  }

  std::unique_ptr<protocols::DynamicModel> loaded_;
  model::Service service_;
  std::vector<model::Operation> operations_;
  std::map<std::size_t, Function> functions_;
  std::map<std::size_t, DeferredFunction> deferred_;
  std::map<std::size_t, std::vector<model::Permission>> permissions_;
  std::vector<model::Handler> table_;
  model::Handlers handlers_;
};

inline constexpr std::string_view kStsModel = R"({
 "metadata": {"apiVersion": "2011-06-15", "endpointPrefix": "sts", "protocol": "query", "serviceId": "STS",
              "xmlNamespace": "https://sts.amazonaws.com/doc/2011-06-15/"},
 "operations": {
  "GetCallerIdentity": {"http": {"method": "POST", "requestUri": "/"},
    "output": {"shape": "Identity", "resultWrapper": "GetCallerIdentityResult"}},
  "AssumeRoleWithWebIdentity": {"http": {"method": "POST", "requestUri": "/"}, "input": {"shape": "Assume"},
    "output": {"shape": "Identity", "resultWrapper": "AssumeRoleWithWebIdentityResult"}}},
 "shapes": {
  "Text": {"type": "string"},
  "Assume": {"type": "structure", "required": ["RoleArn"], "members": {"RoleArn": {"shape": "Text"}}},
  "Identity": {"type": "structure", "members": {"UserId": {"shape": "Text"}, "Account": {"shape": "Text"},
                                                  "Arn": {"shape": "Text"}}}}})";

inline constexpr std::string_view kEcsModel = R"({
 "metadata": {"apiVersion": "2014-11-13", "endpointPrefix": "ecs", "protocol": "json", "jsonVersion": "1.1",
              "serviceId": "ECS", "targetPrefix": "AmazonEC2ContainerServiceV20141113"},
 "operations": {
  "DescribeClusters": {"http": {"method": "POST", "requestUri": "/"}, "input": {"shape": "Clusters"},
    "output": {"shape": "Task"}},
  "RunTask": {"http": {"method": "POST", "requestUri": "/"}, "input": {"shape": "Run"}, "output": {"shape": "Task"}}},
 "shapes": {
  "Text": {"type": "string"}, "Texts": {"type": "list", "member": {"shape": "Text"}},
  "Clusters": {"type": "structure", "members": {"clusters": {"shape": "Texts"}}},
  "Run": {"type": "structure", "required": ["taskDefinition"],
          "members": {"taskDefinition": {"shape": "Text"}, "cluster": {"shape": "Text"},
                      "clientToken": {"shape": "Text", "idempotencyToken": true}}},
  "Task": {"type": "structure", "members": {"task": {"shape": "Text"}}}}})";

inline constexpr std::string_view kS3Model = R"({
 "metadata": {"apiVersion": "2006-03-01", "endpointPrefix": "s3", "protocol": "rest-xml", "serviceId": "S3"},
 "operations": {
  "ListBuckets": {"http": {"method": "GET", "requestUri": "/"}, "output": {"shape": "Buckets"}},
  "PutObject": {"http": {"method": "PUT", "requestUri": "/{Bucket}/{Key+}"}, "input": {"shape": "Put"},
    "output": {"shape": "Stored"}},
  "GetObject": {"http": {"method": "GET", "requestUri": "/{Bucket}/{Key+}"}, "input": {"shape": "Get"},
    "output": {"shape": "Got"}},
  "PutBucketPolicy": {"http": {"method": "PUT", "requestUri": "/{Bucket}?policy"}, "input": {"shape": "Policy"}}},
 "shapes": {
  "Text": {"type": "string"}, "Data": {"type": "blob"}, "Long": {"type": "long"},
  "Buckets": {"type": "structure", "members": {"Owner": {"shape": "Text"}}},
  "Put": {"type": "structure", "payload": "Body", "required": ["Bucket", "Key"], "members": {
    "Bucket": {"shape": "Text", "location": "uri", "locationName": "Bucket"},
    "Key": {"shape": "Text", "location": "uri", "locationName": "Key"},
    "ContentEncoding": {"shape": "Text", "location": "header", "locationName": "Content-Encoding"},
    "ContentLength": {"shape": "Long", "location": "header", "locationName": "Content-Length"},
    "ChecksumCRC32": {"shape": "Text", "location": "header", "locationName": "x-amz-checksum-crc32"},
    "Body": {"shape": "Data", "streaming": true}}},
  "Stored": {"type": "structure", "members": {
    "ETag": {"shape": "Text", "location": "header", "locationName": "ETag"}}},
  "Get": {"type": "structure", "required": ["Bucket", "Key"], "members": {
    "Bucket": {"shape": "Text", "location": "uri", "locationName": "Bucket"},
    "Key": {"shape": "Text", "location": "uri", "locationName": "Key"}}},
  "Got": {"type": "structure", "payload": "Body", "members": {
    "ETag": {"shape": "Text", "location": "header", "locationName": "ETag"},
    "Body": {"shape": "Data", "streaming": true}}},
  "Policy": {"type": "structure", "payload": "Policy", "required": ["Bucket", "Policy"], "members": {
    "Bucket": {"shape": "Text", "location": "uri", "locationName": "Bucket"}, "Policy": {"shape": "Text"}}}}})";

}  // namespace brume::front
