// Raw handlers, listeners and the relay through the whole door; permission templates.
#include "front/front.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/un.h>

#include "front/dispatch/permissions.h"
#include "front/dispatch/relay_call.h"
#include "front/dispatch/testing.h"

namespace brume::front {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Answers what it was asked, by path.
class EchoHandler final : public HttpHandler {
 public:
  explicit EchoHandler(std::string name) : name_(std::move(name)) {}
  void handle(HttpRequest request, std::function<void(HttpReply)> done) override {
    if (request.path == "/throw") throw std::runtime_error("broken");
    if (request.path == "/drop") return;
    done({.headers = {{"X-Vpc", request.context.vpc}},
          .body = Body::of(name_ + " " + request.method + " " + request.path + " " + request.parameter("q") + " " +
                           request.listener + " " + std::to_string(request.body.size) + " " +
                           request.context.scope.account)});
  }
  std::uint64_t largest_body(std::string_view, std::string_view path) const override {
    return path == "/large" ? 1 << 20 : 10;
  }

 private:
  std::string name_;
};

http::RawClient::Answer get(std::uint16_t port, const std::string& target, const std::string& host,
                            const std::string& more = {}) {
  http::RawClient client(port);
  client.send("GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n" + more + "\r\n");
  return client.read_answer();
}

TEST(RawHandlers, AreFoundByHostAndPath) {
  TestFront front;
  EchoHandler registry("registry");
  EchoHandler page("page");
  front.start(nullptr, {}, [&](Front& door) {
    door.set_registry(registry);
    door.route("", "/_brume/", page);
  });
  EXPECT_EQ(get(front.port, "/v2/?q=1%202", "127.0.0.1:4566").body, "registry GET /v2/ 1 2 loopback 0 ");
  EXPECT_EQ(get(front.port, "/v2/a/tags/list", "123456789012.dkr.ecr.eu-west-1.amazonaws.com").body,
            "registry GET /v2/a/tags/list  loopback 0 123456789012");
  EXPECT_EQ(get(front.port, "/_brume/x", "s3.eu-west-1.amazonaws.com").body, "page GET /_brume/x  loopback 0 ");
  // A bucket called v2 is S3's when the request is signed.
  EXPECT_THAT(front.send({.method = "GET", .path = "/v2/key", .service = "s3"}).head, HasSubstr("x-amz-request-id"));
}

TEST(RawHandlers, MayLimitTheirBodiesAndFail) {
  TestFront front;
  EchoHandler page("page");
  front.start(nullptr, {}, [&](Front& door) { door.route("", "/", page); });
  const auto post = [&front](const std::string& path, std::size_t size) {
    http::RawClient client(front.port);
    client.send("POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
                std::string(size, 'x'));
    return client.read_answer();
  };
  EXPECT_EQ(post("/small", 11).status(), 413);
  EXPECT_THAT(post("/large", 100'000).body, HasSubstr(" 100000 "));
  EXPECT_EQ(get(front.port, "/throw", "a").status(), 500);
  EXPECT_EQ(get(front.port, "/drop", "a").status(), 500);
}

// Keeps the digests that came with a body.
class DigestHandler final : public HttpHandler {
 public:
  void handle(HttpRequest request, std::function<void(HttpReply)> done) override {
    done({.body = Body::of(to_hex(request.body.sha256) + "," + request.body.md5)});
  }
  std::uint64_t largest_body(std::string_view, std::string_view) const override { return 1 << 20; }
};

TEST(RawHandlers, GetTheSha256OfTheirBodies) {
  TestFront front;
  DigestHandler page;
  front.start(nullptr, {}, [&](Front& door) { door.route("", "/", page); });
  for (const std::string& body : {std::string("small"), std::string(100'000, 'x')}) {
    http::RawClient client(front.port);
    client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    EXPECT_EQ(client.read_answer().body, to_hex(sha256(body)) + ",");  // md5 is S3's alone
  }
}

TEST(Listeners, ComeAndGoWithTheirHandlers) {
  TestFront front;
  front.start();
  EchoHandler metadata("metadata");
  http::LoopbackSockets sockets = http::listen_loopback(0);
  front.front->adopt(sockets.v4.release(), {.label = "metadata/vpc-1", .handler = &metadata, .vpc = "vpc-1"});
  const auto answer = get(sockets.port, "/latest/meta-data/", "169.254.169.254");
  EXPECT_EQ(answer.body, "metadata GET /latest/meta-data/  metadata/vpc-1 0 ");
  EXPECT_THAT(answer.head, HasSubstr("X-Vpc: vpc-1"));
  http::RawClient kept(sockets.port);
  kept.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(kept.read_answer().status(), 200);
  front.front->stop_listening("metadata/vpc-1");
  EXPECT_EQ(kept.read_to_end(), "");
  EXPECT_FALSE(http::RawClient(sockets.port).connected());
}

TEST(Listeners, MayBeForSomeServicesOnly) {
  TestFront front;
  EchoHandler registry("registry");
  front.start(nullptr, {}, [&](Front& door) { door.set_registry(registry); });
  http::LoopbackSockets open = http::listen_loopback(0), closed = http::listen_loopback(0);
  front.front->adopt(open.v4.release(), {.label = "all"});
  front.front->adopt(closed.v4.release(), {.label = "endpoint", .vpc = "vpc-1", .services = {"s3"}});
  EXPECT_THAT(get(open.port, "/v2/", "a").body, HasSubstr("registry"));
  EXPECT_THAT(get(closed.port, "/v2/", "a").body, testing::Not(HasSubstr("registry")));
}

TEST(Listeners, ServeTheAdminSocketToItsOwner) {
  TestFront front;
  front.start();
  EchoHandler admin("admin");
  const std::string path = front.directory.path() + "/admin.sock";
  front.front->listen_unix(path, ::getuid(), "admin", admin);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  http::Fd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
  ASSERT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  const std::string request = "GET /status HTTP/1.1\r\nHost: brume\r\nConnection: close\r\n\r\n";
  ASSERT_EQ(::send(fd.get(), request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
  std::string answer;
  char bytes[4096];
  for (ssize_t got = 0; (got = ::recv(fd.get(), bytes, sizeof bytes, 0)) > 0;)
    answer.append(bytes, static_cast<std::size_t>(got));
  EXPECT_THAT(answer, HasSubstr("admin GET /status  admin 0 "));
}

TEST(Listeners, SayWhatToDoWhenThePortIsTaken) {
  TestFront front;
  front.start();
  try {
    front.front->listen_loopback(front.port);
    FAIL() << "the port was free";
  } catch (const PlaneError& error) {
    EXPECT_THAT(error.message, HasSubstr("Choose another with --port"));
  }
}

class TestRelay final : public Relay {
 public:
  void dial(const std::string& host, std::function<void(Result)> done) override {
    dialled.push_back(host);
    if (port == 0) return done({.status = 503, .error = "there is no load balancer <" + host + ">."});
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    done({.fd = fd});
  }
  std::uint16_t port = 0;
  std::vector<std::string> dialled;
};

TEST(RelayRequests, ReachTheLoadBalancerOneRequestAConnection) {
  http::TestServer backend([](const std::shared_ptr<http::Exchange>& exchange) {
    exchange->receive_body({}, [exchange](std::expected<http::ReceivedBody, AwsError> body) {
      exchange->reply({.body = Body::of(std::string(exchange->head().host) + exchange->head().path + "?" +
                                        exchange->head().query + body->body.bytes)});
    });
  });
  TestRelay relay;
  relay.port = backend.port();
  TestFront front;
  front.start(&relay);
  http::RawClient client(front.port);
  client.send(
      "POST /a?b HTTP/1.1\r\nHost: hello.elb.localhost:4566\r\nConnection: keep-alive\r\nContent-Length: "
      "4\r\n\r\nbody");
  const auto answer = client.read_answer();
  EXPECT_EQ(answer.body, "hello.elb.localhost:4566/a?bbody");
  EXPECT_THAT(answer.head, HasSubstr("Connection: close"));
  EXPECT_EQ(client.read_to_end(), "");  // the next request is routed by its own host
  EXPECT_EQ(get(front.port, "/", "hello-1234567890.eu-west-1.elb.amazonaws.com").status(), 200);
  EXPECT_THAT(relay.dialled, ElementsAre("hello.elb.localhost", "hello-1234567890.eu-west-1.elb.amazonaws.com"));
}

TEST(RelayRequests, SayWhatIsMissing) {
  TestRelay relay;
  TestFront front;
  front.start(&relay);
  const auto answer = get(front.port, "/", "gone.elb.localhost");
  EXPECT_EQ(answer.status(), 503);
  EXPECT_THAT(answer.body, HasSubstr("there is no load balancer &lt;gone.elb.localhost&gt;."));
}

TEST(RelayRequests, KeepTheHeadOfAnUpgrade) {
  http::RequestHead head{
      .method = "GET", .path = "/ws", .headers = {{"Host", "a"}, {"Connection", "Upgrade"}}, .upgrade = true};
  EXPECT_EQ(relayed_head(head), "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\r\n");
  head.upgrade = false;
  EXPECT_EQ(relayed_head(head), "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
}

TEST(Permissions, AreFilledFromTheInput) {
  TestService ecs(kEcsModel, "ecs");
  const auto fill = [&ecs](std::string_view operation, std::string_view text,
                           const std::vector<std::pair<std::string, std::vector<std::string>>>& members) {
    const model::Type& type = *ecs.operation(operation).input;
    model::Object input(type);
    for (const auto& [name, values] : members) {
      const model::Member& member = *type.find(name);
      void* value = member.emplace(input.get());
      if (member.type->kind == model::Kind::string) *static_cast<std::string*>(value) = values.front();
      if (member.type->kind == model::Kind::list)
        for (const std::string& each : values)
          *static_cast<std::string*>(member.type->ops->append(*member.type, value)) = each;
    }
    return fill_template(text, type, input.get(), {"123456789012", "cn-north-1"});
  };
  EXPECT_THAT(fill("RunTask", "*", {}), ElementsAre("*"));
  EXPECT_THAT(fill("RunTask", "arn:{partition}:iam::{account}:role/{cluster}", {{"cluster", {"r"}}}),
              ElementsAre("arn:aws-cn:iam::123456789012:role/r"));
  constexpr std::string_view kDefinition = "{taskDefinition|arn:{partition}:ecs:{region}:{account}:task-definition/%}";
  EXPECT_THAT(fill("RunTask", kDefinition, {{"taskDefinition", {"web:3"}}}),
              ElementsAre("arn:aws-cn:ecs:cn-north-1:123456789012:task-definition/web:3"));
  EXPECT_THAT(fill("RunTask", kDefinition, {{"taskDefinition", {"arn:aws:ecs:x"}}}), ElementsAre("arn:aws:ecs:x"));
  EXPECT_THAT(fill("RunTask", kDefinition, {}), ElementsAre("*"));
  constexpr std::string_view kEmbedded = "arn:x:service/{cluster=default|%}/{taskDefinition}";
  EXPECT_THAT(fill("RunTask", kEmbedded, {{"taskDefinition", {"t"}}}), ElementsAre("arn:x:service/default/t"));
  EXPECT_THAT(fill("RunTask", kEmbedded, {{"cluster", {"arn:aws:ecs:r:a:cluster/c"}}, {"taskDefinition", {"t"}}}),
              ElementsAre("arn:x:service/c/t"));
  EXPECT_THAT(fill("DescribeClusters", "c/{clusters[]}", {{"clusters", {"a", "b"}}}), ElementsAre("c/a", "c/b"));
  EXPECT_THAT(fill("DescribeClusters", "c/{clusters[]=default}", {}), ElementsAre("c/default"));
  EXPECT_THAT(fill("DescribeClusters", "c/{clusters[]}", {}), ElementsAre());
  constexpr std::string_view kQueue = "arn:aws:sqs:eu-west-1:{@cluster}";
  EXPECT_THAT(fill("RunTask", kQueue, {{"cluster", {"https://sqs.eu-west-1.amazonaws.com/111122223333/q"}}}),
              ElementsAre("arn:aws:sqs:eu-west-1:111122223333:q"));
  EXPECT_THAT(fill("RunTask", kQueue, {{"cluster", {"q"}}}), ElementsAre("arn:aws:sqs:eu-west-1:123456789012:q"));
}

TEST(Permissions, AreNeverNoneForACheckedOperation) {
  TestService ecs(kEcsModel, "ecs");
  ecs.require("DescribeClusters", "ecs:DescribeClusters", "c/{clusters[]}");
  const model::Operation& operation = ecs.operation("DescribeClusters");
  const model::Object input(*operation.input);
  const auto asks = asks_of(operation, input.get(), {});
  ASSERT_EQ(asks.size(), 1U);
  EXPECT_EQ(asks[0].resource, "*");
}

}  // namespace
}  // namespace brume::front
