// With a hundred and with ten thousand of a kind: what one costs must not depend on how many there are.
#include <benchmark/benchmark.h>

#include "services/iam/testing.h"

namespace brume::iam {
namespace {

std::string name_of(std::int64_t n) { return "role-" + std::to_string(100'000 + n); }

// Roles that all have one policy attached.
struct Many : IamWorld {
  PolicyAuthorizer authorizer{*iam};
  const std::string policy = make_policy("all");
  std::int64_t count, next = 0;

  explicit Many(std::int64_t given) : count(given) {
    for (std::int64_t n = 0; n < count; ++n) {
      make_role(name_of(n));
      call(attach_role_policy, {.role_name = name_of(n), .policy_arn = policy});
    }
  }
  // Far from the one before, so that nothing is in the processor's caches but by being few.
  std::string another() { return name_of(next = (next + 7919) % count); }
};

void get_one_role(benchmark::State& state) {
  Many many(state.range(0));
  for (auto step : state) {
    const std::string name = many.another();
    many.authorizer.authorize(many.caller,
                              {.action = "iam:GetRole", .resource = "arn:aws:iam::111111111111:role/" + name});
    benchmark::DoNotOptimize(many.call(get_role, {.role_name = name}));
  }
}
BENCHMARK(get_one_role)->Arg(100)->Arg(10'000);

void list_a_page_of_roles(benchmark::State& state) {
  Many many(state.range(0));
  opt<std::string> marker;
  for (auto step : state) marker = many.call(list_roles, {.marker = marker, .max_items = 50}).marker;
  state.SetItemsProcessed(state.iterations() * 50);
}
BENCHMARK(list_a_page_of_roles)->Arg(100)->Arg(10'000);

void list_a_page_of_entities(benchmark::State& state) {
  Many many(state.range(0));
  opt<std::string> marker;
  for (auto step : state)
    marker = many.call(list_entities_for_policy, {.policy_arn = many.policy, .marker = marker, .max_items = 50}).marker;
  state.SetItemsProcessed(state.iterations() * 50);
}
BENCHMARK(list_a_page_of_entities)->Arg(100)->Arg(10'000);

void decide_for_one_role(benchmark::State& state) {
  Many many(state.range(0));
  Principal session = root_principal();
  session.kind = Principal::Kind::role_session;
  for (auto step : state) {
    const std::string name = many.another();
    const RoleRecord& role = *find_role(*many.iam, "arn:aws:iam::111111111111:role/" + name);
    session.role_arn = role.arn;
    session.id = role.id + ":one";
    session.arn = "arn:aws:sts::111111111111:assumed-role/" + name + "/one";
    benchmark::DoNotOptimize(many.authorizer.authorize(many.context_of(session),
                                                       {.action = "s3:GetObject", .resource = "arn:aws:s3:::b/k"}));
  }
}
BENCHMARK(decide_for_one_role)->Arg(100)->Arg(10'000);

}  // namespace
}  // namespace brume::iam
