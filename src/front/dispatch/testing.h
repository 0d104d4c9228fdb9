// For the tests of the front door: a door with a few operations of STS, ECS and S3 behind it, built from models at run
// time, and a client that signs.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "aws/authorization.h"
#include "core/control_loop.h"
#include "core/deferred.h"
#include "core/model.h"
#include "core/random.h"
#include "core/testing.h"
#include "core/text.h"
#include "front/front.h"
#include "front/http/testing.h"
#include "front/protocols/dynamic_model.h"
#include "front/sigv4/signer.h"
#include "store/store.h"

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

// Root of 000000000000 as test/test, and a user "AKIDUSER"/"secret".
class TestCredentials final : public Credentials {
 public:
  std::optional<Credential> find(std::string_view access_key_id) const override {
    if (access_key_id == "test")
      return Credential{.secret = "test",
                        .session_token = {},
                        .principal = {.kind = Principal::Kind::root,
                                      .account = "000000000000",
                                      .arn = "arn:aws:iam::000000000000:root",
                                      .id = "000000000000"}};
    if (access_key_id == "AKIDUSER")
      return Credential{.secret = "secret",
                        .session_token = {},
                        .principal = {.kind = Principal::Kind::user,
                                      .account = "123456789012",
                                      .arn = "arn:aws:iam::123456789012:user/ann",
                                      .id = "AIDAANN"}};
    return std::nullopt;
  }
};

// Root may everything, others what the test allows, as "ACTION on RESOURCE".
class TestAuthorizer final : public Authorizer {
 public:
  Verdict authorize(const RequestContext& context, const Ask& ask) const override {
    asked.push_back(ask.action + " on " + ask.resource);
    if (context.principal.kind == Principal::Kind::root) return {.allowed = true, .reason = {}};
    for (const std::string& each : allowed)
      if (each == asked.back()) return {.allowed = true, .reason = {}};
    return {.allowed = false, .reason = "because no identity-based policy allows the " + ask.action + " action"};
  }
  std::vector<std::string> allowed;
  mutable std::vector<std::string> asked;  // control thread; read by tests after an answer
};

class TestAudit final : public AuditSink {
 public:
  void put(AuditRecord record) override { records.push_back(std::move(record)); }
  std::vector<AuditRecord> records;  // control thread
};

// A request to send, signed unless it has no key.
struct TestSend {
  std::string method = "POST", path = "/", query, body;
  Headers headers;
  std::string host = "127.0.0.1";
  std::string key = "test", secret = "test";  // no key: unsigned
  std::string region = "eu-west-1";
  std::string service;
  std::string payload_hash;  // empty: of the body
};

struct TestFront {
  ManualClock clock;
  std::unique_ptr<Random> random = seeded_random(7);
  ControlLoop control{clock};
  std::unique_ptr<Store> store = memory_store();
  TestCredentials credentials;
  TestAuthorizer authorizer;
  TestAudit audit;
  TestService sts{kStsModel, "sts"};
  TestService ecs{kEcsModel, "ecs"};
  TestService s3{kS3Model, "s3"};
  http::TestDirectory directory;
  std::unique_ptr<Front> front;
  std::uint16_t port = 0;

  // After the handlers are set.
  void start(Relay* relay = nullptr, http::Limits limits = {}, const std::function<void(Front&)>& more = {}) {
    front = std::make_unique<Front>(
        FrontOptions{.spool_directory = directory.path() + "/spool", .default_region = "eu-west-1", .limits = limits},
        FrontNeeds{clock, *random, control, *store, credentials, authorizer, audit, nullptr, relay});
    for (TestService* service : {&sts, &ecs, &s3}) front->add(service->handlers(), service);
    if (more) more(*front);
    front->start();
    port = front->listen_loopback(0);
    control.start();
  }
  ~TestFront() {
    if (front) front->stop();
    control.stop();
    front.reset();
  }
  // Lets everything that was posted to the control thread so far run.
  void settle() {
    std::promise<void> done;
    control.post([&done] { done.set_value(); });
    done.get_future().get();
  }

  std::string wire(const TestSend& request) const {
    sigv4::UnsignedRequest signing{request.method, request.path, request.query, {{"Host", request.host}}};
    for (const auto& header : request.headers) signing.headers.push_back(header);
    if (!request.key.empty())
      sigv4::sign(signing, {request.key, request.secret, {}}, request.region, request.service,
                  request.payload_hash.empty() ? to_hex(sha256(request.body)) : request.payload_hash, clock.now());
    std::string text =
        request.method + " " + request.path + (request.query.empty() ? "" : "?" + request.query) + " HTTP/1.1\r\n";
    for (const auto& [name, value] : signing.headers) text += name + ": " + value + "\r\n";
    if (!request.body.empty() || request.method == "PUT")
      text += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
    return text + "\r\n" + request.body;
  }
  http::RawClient::Answer send(const TestSend& request) const {
    http::RawClient client(port);
    client.send(wire(request));
    return client.read_answer(request.method != "HEAD");
  }
  http::RawClient::Answer query(std::string body, TestSend request = {}) const {
    request.service = "sts";
    request.body = std::move(body);
    request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    return send(request);
  }
  http::RawClient::Answer json(std::string_view operation, std::string body, TestSend request = {}) const {
    request.service = "ecs";
    request.body = std::move(body);
    request.headers.emplace_back("Content-Type", "application/x-amz-json-1.1");
    request.headers.emplace_back("X-Amz-Target", "AmazonEC2ContainerServiceV20141113." + std::string(operation));
    return send(request);
  }
};

}  // namespace brume::front
