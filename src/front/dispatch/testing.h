// For the tests of the front door: a door with a few operations of STS, ECS and S3 behind it, and a client that signs.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "aws/authorization.h"
#include "core/control_loop.h"
#include "core/random.h"
#include "core/testing.h"
#include "core/text.h"
#include "front/dispatch/test_service.h"
#include "front/front.h"
#include "front/http/testing.h"
#include "front/sigv4/signer.h"
#include "store/store.h"

namespace brume::front {

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
  std::vector<AuditRecord> records;  // I/O thread
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
  TestService sts{kStsModel, "sts"};
  TestService ecs{kEcsModel, "ecs"};
  TestService s3{kS3Model, "s3"};
  TestAudit audit;  // its records hold values of the services' models
  http::TestDirectory directory;
  const CrossOrigin* cross_origin = nullptr;
  std::unique_ptr<Front> front;
  std::uint16_t port = 0;

  // After the handlers are set.
  void start(Relay* relay = nullptr, http::Limits limits = {}, const std::function<void(Front&)>& more = {}) {
    front = std::make_unique<Front>(
        FrontOptions{.spool_directory = directory.path() + "/spool", .default_region = "eu-west-1", .limits = limits},
        FrontNeeds{clock, *random, control, *store, credentials, authorizer, audit, nullptr, relay, cross_origin,
                   &control});
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
