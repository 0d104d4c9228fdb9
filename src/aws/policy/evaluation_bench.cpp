#include <benchmark/benchmark.h>

#include "aws/policy/evaluation.h"
#include "aws/policy/library.h"
#include "aws/policy/sample_policy.h"

namespace brume::policy {
namespace {

std::vector<std::string> ten_policies() {
  std::vector<std::string> texts;
  for (int i = 0; i < 10; ++i) texts.push_back(sample_policy(i));
  return texts;
}

void decide_over_ten_policies(benchmark::State& state) {
  Library library;
  const std::vector<std::string> texts = ten_policies();
  Principal principal;
  principal.kind = Principal::Kind::role_session;
  principal.account = "111111111111";
  Keys keys;
  for (const char* name : {"aws:PrincipalArn", "aws:PrincipalAccount", "aws:SourceIp", "aws:userid", "aws:CurrentTime"})
    keys.add(name, "value");
  keys.add("aws:SecureTransport", "true");
  for (auto step : state) {
    Policies policies;
    policies.identity.reserve(texts.size());
    for (const std::string& text : texts) policies.identity.push_back({"p", library.get(text, Grammar::identity)});
    benchmark::DoNotOptimize(decide(
        {principal, "dynamodb:PutItem", "arn:aws:dynamodb:eu-west-1:111111111111:table/orders-9", keys}, policies));
  }
}
BENCHMARK(decide_over_ten_policies);

void parse_one_policy(benchmark::State& state) {
  const std::string text = ten_policies().front();
  for (auto step : state) benchmark::DoNotOptimize(parse_document(text, Grammar::identity));
}
BENCHMARK(parse_one_policy);

}  // namespace
}  // namespace brume::policy
