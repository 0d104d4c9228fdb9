// What one request costs: its head, its signature, and the whole way over a loopback connection.
#include <benchmark/benchmark.h>

#include "front/dispatch/testing.h"
#include "front/http/head.h"
#include "front/sigv4/verify.h"

namespace brume::front {
namespace {

TestSend identity_request() {
  return {.body = "Action=GetCallerIdentity&Version=2011-06-15",
          .headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
                      {"User-Agent", "aws-sdk-go-v2/1.36.3 ua/2.1 os/linux lang/go#1.23.10 md/GOOS#linux api/sts#1.33"},
                      {"Amz-Sdk-Invocation-Id", "8a1b0a52-9f3b-4e3b-9c5c-1a2b3c4d5e6f"},
                      {"Amz-Sdk-Request", "attempt=1; max=25"}},
          .service = "sts"};
}

void parse_head(benchmark::State& state) {
  const std::string text = TestFront().wire(identity_request());
  http::RequestHead head;
  for (auto _ : state) benchmark::DoNotOptimize(http::parse_head(text, 0, {}, head));
}
BENCHMARK(parse_head);

void verify_signature(benchmark::State& state) {
  TestFront front;
  http::RequestHead head;
  http::parse_head(front.wire(identity_request()), 0, {}, head);
  const sigv4::SignedRequest request{head.method, head.path, head.query, &head.headers};
  const std::string hash = to_hex(sha256(identity_request().body));
  sigv4::KeyCache cache;
  for (auto _ : state) {
    const auto claim = sigv4::read_claim(request, sigv4::Style::query);
    const auto verified = sigv4::verify(request, **claim, {sigv4::Style::query, "sts", {}}, hash, front.clock.now(),
                                        front.credentials, cache);
    if (!verified) state.SkipWithError(verified.error().message.c_str());
  }
}
BENCHMARK(verify_signature);

// One request after the other on one connection: the latency of the door and a handler that does nothing.
void round_trip(benchmark::State& state) {
  TestFront front;
  front.start();
  const std::string text = front.wire(identity_request());
  http::RawClient client(front.port);
  for (auto _ : state) {
    client.send(text);
    const auto answer = client.read_answer();
    if (answer.status() != 200) state.SkipWithError(answer.body.c_str());
  }
}
BENCHMARK(round_trip)->UseRealTime();

// Thirty-two requests at once: what one costs when the threads are never idle.
void pipelined(benchmark::State& state) {
  TestFront front;
  front.start();
  std::string text;
  for (int i = 0; i < 32; ++i) text += front.wire(identity_request());
  http::RawClient client(front.port);
  for (auto _ : state) {
    client.send(text);
    for (int i = 0; i < 32; ++i)
      if (client.read_answer().status() != 200) state.SkipWithError("refused");
  }
  state.SetItemsProcessed(state.iterations() * 32);
}
BENCHMARK(pipelined)->UseRealTime();

void upload_mebibytes(benchmark::State& state) {
  TestFront front;
  front.start();
  const auto size = static_cast<std::size_t>(state.range(0)) << 20;
  const std::string text = front.wire({.method = "PUT",
                                       .path = "/bucket/key",
                                       .body = std::string(size, 'b'),
                                       .service = "s3",
                                       .payload_hash = "UNSIGNED-PAYLOAD"});
  http::RawClient client(front.port);
  for (auto _ : state) {
    client.send(text);
    if (client.read_answer().status() != 200) state.SkipWithError("refused");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(size));
}
BENCHMARK(upload_mebibytes)->Arg(1)->Arg(64)->UseRealTime();

}  // namespace
}  // namespace brume::front
