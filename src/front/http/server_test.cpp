#include "front/http/server.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "core/text.h"
#include "front/http/testing.h"

namespace brume::http {
namespace {

std::string request(std::string_view line, std::string_view headers = {}, std::string_view body = {}) {
  std::string text = std::string(line) + " HTTP/1.1\r\nHost: test\r\n" + std::string(headers);
  if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return text + "\r\n" + std::string(body);
}

// Answers with the method, the path and the size of the body.
void describe(std::shared_ptr<Exchange> exchange) {
  exchange->receive_body({.digests = {DigestKind::sha256}}, [exchange](std::expected<ReceivedBody, AwsError> got) {
    if (!got) {
      exchange->reply({.status = got.error().status, .body = Body::of(got.error().code)});
      return;
    }
    exchange->reply({.body = Body::of(exchange->head().method + " " + exchange->head().path + " " +
                                      std::to_string(got->body.size))});
  });
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  TestServer server(describe);
  RawClient client(server.port());
  client.send(request("GET /1") + request("POST /2", "", "abc") + request("GET /3") +
              request("POST /4", "Transfer-Encoding: chunked\r\n") + "2\r\nde\r\n1;x=y\r\nf\r\n0\r\n\r\n" +
              request("GET /5", "Connection: close\r\n"));
  EXPECT_EQ(client.read_answer().body, "GET /1 0");
  EXPECT_EQ(client.read_answer().body, "POST /2 3");
  EXPECT_EQ(client.read_answer().body, "GET /3 0");
  EXPECT_EQ(client.read_answer().body, "POST /4 3");
  const RawClient::Answer last = client.read_answer();
  EXPECT_EQ(last.body, "GET /5 0");
  EXPECT_NE(last.head.find("Connection: close\r\n"), std::string::npos);
  EXPECT_EQ(client.read_to_end(), "");
  EXPECT_FALSE(client.timed_out());
}

TEST(Server, KeepsAnsweringWhenRequestsComeByteByByte) {
  TestServer server(describe);
  RawClient client(server.port());
  for (int round = 0; round < 2; ++round) {
    for (const char byte : request("POST /slow", "", "xyz")) ASSERT_TRUE(client.send({&byte, 1}));
    EXPECT_EQ(client.read_answer().body, "POST /slow 3");
  }
}

TEST(Server, AnswersFromOtherThreadsAndLater) {
  std::promise<std::shared_ptr<Exchange>> received;
  TestServer server([&received](std::shared_ptr<Exchange> exchange) { received.set_value(std::move(exchange)); });
  RawClient client(server.port());
  client.send(request("GET /later"));
  std::thread([exchange = received.get_future().get()] { exchange->reply({.status = 202}); }).join();
  EXPECT_EQ(client.read_answer().status(), 202);
}

TEST(Server, AnswersARequestThatTheApplicationDropsWith500) {
  TestServer server([](const std::shared_ptr<Exchange>&) {});
  RawClient client(server.port());
  client.send(request("GET /"));
  EXPECT_EQ(client.read_answer().status(), 500);
}

TEST(Server, RefusesAMalformedHeadAndCloses) {
  TestServer server(describe);
  RawClient client(server.port());
  client.send(
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled");
  const RawClient::Answer answer = client.read_answer();
  EXPECT_EQ(answer.status(), 400);
  EXPECT_NE(answer.head.find("Connection: close"), std::string::npos);
  client.end_sending();
  EXPECT_EQ(client.read_to_end(), "");
}

TEST(Server, RefusesMalformedChunksAndDoesNotReadOn) {
  for (const std::string_view body :
       {"x\r\n", "3\nabc\r\n", "3\r\nabcd\r\n0\r\n\r\n", "-1\r\n", "ffffffffffffffff\r\n", " 3\r\nabc\r\n0\r\n\r\n",
        "3 \r\nabc\r\n0\r\n\r\n", "0\r\nbad trailer\r\n\r\n", "0\r\nX : y\r\n\r\n"}) {
    TestServer server(describe);
    RawClient client(server.port());
    client.send(request("POST /", "Transfer-Encoding: chunked\r\n") + std::string(body) + request("GET /smuggled"));
    client.end_sending();
    const std::string all = client.read_to_end();
    EXPECT_EQ(all.substr(0, 12), "HTTP/1.1 400") << body;
    EXPECT_EQ(all.find("smuggled"), std::string::npos) << body;
  }
}

TEST(Server, LimitsTheBody) {
  TestServer server([](const std::shared_ptr<Exchange>& exchange) {
    exchange->receive_body({.limit = 10}, [exchange](std::expected<ReceivedBody, AwsError> got) {
      exchange->reply({.status = got ? 200 : got.error().status});
    });
  });
  RawClient fits(server.port());
  fits.send(request("POST /", "", "0123456789"));
  EXPECT_EQ(fits.read_answer().status(), 200);
  RawClient announced(server.port());
  announced.send(request("POST /", "", "0123456789a"));
  EXPECT_EQ(announced.read_answer().status(), 413);
  RawClient chunked(server.port());
  chunked.send(request("POST /", "Transfer-Encoding: chunked\r\n") + "b\r\n0123456789a\r\n0\r\n\r\n");
  EXPECT_EQ(chunked.read_answer().status(), 413);
}

TEST(Server, SaysContinueOnlyWhenTheBodyIsPulled) {
  std::promise<std::shared_ptr<Exchange>> received;
  TestServer server([&received](std::shared_ptr<Exchange> exchange) { received.set_value(std::move(exchange)); });
  RawClient client(server.port());
  client.send("PUT /key HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  const std::shared_ptr<Exchange> exchange = received.get_future().get();
  char byte = 0;
  EXPECT_EQ(::recv(client.fd(), &byte, 1, MSG_DONTWAIT), -1);  // nothing was said yet
  describe(exchange);
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("hello");
  EXPECT_EQ(client.read_answer().body, "PUT /key 5");
}

TEST(Server, SaysContinueForAnEmptyBodyAndGoesOn) {
  TestServer server(describe);
  RawClient client(server.port());
  for (int round = 0; round < 2; ++round) {
    client.send("PUT /empty HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    const RawClient::Answer answer = client.read_answer();
    EXPECT_EQ(answer.body, "PUT /empty 0");
    EXPECT_EQ(answer.head.find("Connection: close"), std::string::npos);
  }
}

TEST(Server, KeepsTheConnectionOfAClientThatDidNotWaitForContinue) {
  TestServer server(describe);
  RawClient client(server.port());
  client.send("PUT /1 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello" +
              request("GET /2"));
  EXPECT_EQ(client.read_answer().body, "PUT /1 5");  // without 100: the body was there
  EXPECT_EQ(client.read_answer().body, "GET /2 0");
}

TEST(Server, AnswersWithoutContinueAndClosesWhenTheBodyIsNotWanted) {
  TestServer server([](const std::shared_ptr<Exchange>& exchange) { exchange->reply({.status = 403}); });
  for (const std::string_view framing : {"Content-Length: 5", "Content-Length: 0", "Transfer-Encoding: chunked"}) {
    RawClient client(server.port());
    client.send("PUT /key HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n" + std::string(framing) + "\r\n\r\n");
    const RawClient::Answer answer = client.read_answer();
    EXPECT_EQ(answer.status(), 403) << framing;
    EXPECT_NE(answer.head.find("Connection: close"), std::string::npos) << framing;
    client.send("hello" + request("GET /smuggled"));  // whatever comes now is no request
    client.end_sending();
    EXPECT_EQ(client.read_to_end(), "") << framing;
    EXPECT_FALSE(client.timed_out()) << framing;
  }
}

TEST(Server, ClosesAfterAnAnswerThatCameBeforeAnEndlessBody) {
  TestServer server([](const std::shared_ptr<Exchange>& exchange) { exchange->reply({.status = 403}); });
  for (const std::string_view framing : {"Content-Length: 65537", "Transfer-Encoding: chunked"}) {
    RawClient client(server.port());
    client.send("PUT /key HTTP/1.1\r\nHost: a\r\n" + std::string(framing) + "\r\n\r\n");
    const RawClient::Answer answer = client.read_answer();
    EXPECT_EQ(answer.status(), 403) << framing;
    EXPECT_NE(answer.head.find("Connection: close"), std::string::npos) << framing;
    client.end_sending();
    EXPECT_EQ(client.read_to_end(), "") << framing;
  }
}

TEST(Server, DeliversTheAnswerToAClientThatIsStillSending) {
  TestServer server(
      [](const std::shared_ptr<Exchange>& exchange) { exchange->reply({.status = 403, .body = Body::of("denied")}); });
  RawClient client(server.port());
  const std::string body(8 << 20, 'x');
  client.send(request("PUT /big", "", body));
  EXPECT_EQ(client.read_answer().body, "denied");
}

TEST(Server, SkipsASmallUnreadBodyAndGoesOn) {
  TestServer server([](const std::shared_ptr<Exchange>& exchange) {
    exchange->reply({.status = 200, .body = Body::of(exchange->head().path)});
  });
  RawClient client(server.port());
  client.send(request("PUT /1", "", "GET /smuggled HTTP/1.1\r\n\r\n") + request("GET /2"));
  EXPECT_EQ(client.read_answer().body, "/1");
  EXPECT_EQ(client.read_answer().body, "/2");
}

TEST(Server, SendsNoBodyForHeadAndKeepsTheConnectionInStep) {
  TestServer server([](const std::shared_ptr<Exchange>& exchange) {
    if (exchange->head().path == "/own")
      exchange->reply({.headers = {{"Content-Length", "12345"}}});
    else
      exchange->reply({.headers = {{"X-Evil", "a\r\nSet-Cookie: b"}}, .body = Body::of("hello")});
  });
  RawClient client(server.port());
  client.send(request("HEAD /") + request("HEAD /own") + request("GET /"));
  EXPECT_NE(client.read_answer(false).head.find("Content-Length: 5\r\n"), std::string::npos);
  EXPECT_NE(client.read_answer(false).head.find("Content-Length: 12345\r\n"), std::string::npos);
  const RawClient::Answer last = client.read_answer();
  EXPECT_EQ(last.body, "hello");
  EXPECT_NE(last.head.find("X-Evil: a  Set-Cookie: b\r\n"), std::string::npos);
}

TEST(Server, ClosesWhatIsTooSlowOrIdle) {
  Limits limits;
  limits.idle = limits.head_time = limits.body_progress = limits.linger = std::chrono::milliseconds(60);
  TestServer server(describe, limits);
  RawClient idle(server.port());
  EXPECT_EQ(idle.read_to_end(), "");
  EXPECT_FALSE(idle.timed_out());
  RawClient slow_head(server.port());
  slow_head.send("GET / HTTP/1.1\r\nHost: a\r\nX-");
  EXPECT_EQ(slow_head.read_answer().status(), 408);
  RawClient slow_body(server.port());
  slow_body.send(request("POST /", "Content-Length: 10\r\n") + "abc");
  const RawClient::Answer answer = slow_body.read_answer();
  EXPECT_EQ(answer.status(), 400);
  EXPECT_EQ(answer.body, "RequestTimeout");
}

TEST(Server, GivesUpAClientThatTakesNoAnswer) {
  Limits limits;
  limits.write_progress = limits.linger = std::chrono::milliseconds(60);
  TestServer server(
      [](const std::shared_ptr<Exchange>& exchange) {
        exchange->reply({.body = Body::of(std::string(64 << 20, 'x'))});
      },
      limits);
  RawClient client(server.port());
  client.send(request("GET /"));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  bool began = false;
  while (std::chrono::steady_clock::now() < deadline) {
    began = began || server.server().connections() > 0;
    if (began && server.server().connections() == 0) break;
    std::this_thread::yield();
  }
  EXPECT_TRUE(began);
  EXPECT_EQ(server.server().connections(), 0U);
  EXPECT_LT(client.read_to_end().size(), 64U << 20);
}

TEST(Server, GivesANewClientThePlaceOfTheLongestWaiting) {
  Limits limits;
  limits.connections = 2;
  std::vector<std::shared_ptr<Exchange>> held;
  std::promise<void> both;
  TestServer server(
      [&](std::shared_ptr<Exchange> exchange) {
        if (exchange->head().path != "/hold") return exchange->reply({});
        held.push_back(std::move(exchange));
        if (held.size() == 2) both.set_value();
      },
      limits);
  auto first = std::make_unique<RawClient>(server.port());
  first->send(request("GET /"));
  EXPECT_EQ(first->read_answer().status(), 200);
  RawClient second(server.port());
  second.send(request("GET /hold"));
  RawClient third(server.port());
  third.send(request("GET /hold"));
  both.get_future().get();
  EXPECT_EQ(first->read_to_end(), "");  // it was idle and gave way
  RawClient fourth(server.port());      // the others are being served
  EXPECT_EQ(fourth.read_answer().status(), 503);
  held[0]->reply({.status = 201});
  EXPECT_EQ(second.read_answer().status(), 201);
  held.clear();
  EXPECT_EQ(third.read_answer().status(), 500);
}

// A server that keeps its requests, and clients that have asked one each.
struct KeptRequests {
  KeptRequests(std::size_t count, std::size_t held_bytes)
      : server(
            [this, count](std::shared_ptr<Exchange> exchange) {
              held.push_back(std::move(exchange));
              if (held.size() == count) all.set_value();
            },
            {.held_bytes = held_bytes}) {
    for (std::size_t i = 0; i < count; ++i) {
      clients.push_back(std::make_unique<RawClient>(server.port()));
      clients.back()->send(request("GET /large"));
    }
    all.get_future().get();
  }
  // On the I/O thread. What it holds lives as long as the answer's body.
  void answer(std::size_t index, std::size_t size) {
    HttpReply reply{.body = Body::of(std::string(size, 'x'))};
    reply.body.spool = std::make_shared<SpoolFile>("none", true);
    bodies.emplace_back(reply.body.spool);
    held[index]->reply(std::move(reply));
  }
  std::size_t bodies_alive() const {
    return static_cast<std::size_t>(std::ranges::count_if(bodies, [](const auto& body) { return !body.expired(); }));
  }

  std::vector<std::weak_ptr<SpoolFile>> bodies;
  std::vector<std::shared_ptr<Exchange>> held;
  std::promise<void> all;
  TestServer server;
  std::vector<std::unique_ptr<RawClient>> clients;
};

TEST(Server, AnswersCountAsMemoryFromWhenTheyAreMade) {
  constexpr std::size_t kClients = 20, kAnswer = 200'000;
  KeptRequests requests(kClients, 5 * kAnswer);
  // In one turn of the I/O thread, before anything of them can be sent.
  std::promise<std::size_t> most;
  requests.held[0]->post([&] {
    std::size_t largest = 0;
    for (std::size_t i = 0; i < kClients; ++i) {
      requests.answer(i, kAnswer);
      largest = std::max(largest, requests.bodies_alive());
    }
    most.set_value(largest);
  });
  EXPECT_LE(most.get_future().get(), 5U);
  std::size_t answered = 0;
  for (const auto& client : requests.clients) answered += client->read_answer().body.size() == kAnswer ? 1 : 0;
  EXPECT_GE(answered, 3U);
  EXPECT_LE(answered, 5U) << "the others gave way";
  requests.held.clear();
}

TEST(Server, AnAnswerThatGivesWayWhileItIsSentIsFreedAtOnce) {
  constexpr std::size_t kClients = 20, kAnswer = 8 << 20;  // more than the kernel takes of it
  KeptRequests requests(kClients, 5 * kAnswer);
  const auto answer = [&](std::size_t from, std::size_t to) {
    std::promise<std::size_t> left;
    requests.held[0]->post([&] {
      for (std::size_t i = from; i < to; ++i) requests.answer(i, kAnswer);
      left.set_value(requests.bodies_alive());
    });
    return left.get_future().get();
  };
  answer(0, 4);
  // Each has written what the kernel takes, and waits.
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(requests.clients[i]->read_exactly(1), "H");
  EXPECT_LE(answer(4, kClients), 5U) << "in the same turn of the thread";
  requests.held.clear();
}

TEST(Server, ClosesAListenerAndItsConnections) {
  TestServer server(describe);
  RawClient client(server.port());
  client.send(request("GET /"));
  EXPECT_EQ(client.read_answer().status(), 200);
  server.server().close_listener("test");
  EXPECT_EQ(client.read_to_end(), "");
  EXPECT_FALSE(client.timed_out());
  EXPECT_FALSE(RawClient(server.port()).connected());
}

TEST(Server, StopsWhileRequestsAreHeldElsewhere) {
  std::promise<std::shared_ptr<Exchange>> received;
  std::shared_ptr<Exchange> held;
  {
    TestServer server([&received](std::shared_ptr<Exchange> exchange) { received.set_value(std::move(exchange)); });
    RawClient client(server.port());
    client.send(request("GET /"));
    held = received.get_future().get();
  }
  held->reply({});  // nobody is there any more: no harm
}

}  // namespace
}  // namespace brume::http
