// What a decision costs a request: everything between the dispatcher's question and its answer, the record for `brume
// why` and the note of the last use included.
#include <benchmark/benchmark.h>

#include "aws/policy/sample_policy.h"
#include "services/iam/testing.h"

namespace brume::iam {
namespace {

// A session of a role that has ten policies attached.
struct Team : IamWorld {
  PolicyAuthorizer authorizer{*iam};
  RequestContext context;

  Team() {
    const Role role = make_role("team");
    for (int i = 0; i < 10; ++i) {
      const std::string arn = make_policy("assets-" + std::to_string(i), policy::sample_policy(i));
      call(attach_role_policy, {.role_name = "team", .policy_arn = arn});
    }
    Principal session = root_principal();
    session.kind = Principal::Kind::role_session;
    session.role_arn = *role.arn;
    session.id = *role.role_id + ":run-1";
    session.arn = "arn:aws:sts::111111111111:assumed-role/team/run-1";
    session.access_key_id = "ASIAQWERTYUIOPASDFGH";
    session.issued = clock.now();
    context = context_of(session);
    context.scope.region = "eu-west-1";
    context.request_id = "0d4d3d54-2f0c-4fc4-9c65-3a2b5b1c9c11";
    context.source_address = "10.0.12.34";
    context.user_agent = "Boto3/1.44.5 md/Botocore#1.44.5 ua/2.1 os/linux lang/python#3.11.2";
    context.secure = true;
  }
};

void authorize(benchmark::State& state, const Ask& ask) {
  Team team;
  for (auto step : state) benchmark::DoNotOptimize(team.authorizer.authorize(team.context, ask));
}
BENCHMARK_CAPTURE(authorize, table,
                  Ask{.action = "dynamodb:PutItem",
                      .resource = "arn:aws:dynamodb:eu-west-1:111111111111:table/orders-9"});
BENCHMARK_CAPTURE(authorize, object, Ask{.action = "s3:GetObject", .resource = "arn:aws:s3:::assets-9/picture.png"});
BENCHMARK_CAPTURE(authorize, denied, Ask{.action = "ecs:ListClusters"});

void authorize_root(benchmark::State& state) {
  Team team;
  team.context.principal = root_principal();
  for (auto step : state)
    benchmark::DoNotOptimize(team.authorizer.authorize(
        team.context,
        {.action = "dynamodb:PutItem", .resource = "arn:aws:dynamodb:eu-west-1:111111111111:table/orders-9"}));
}
BENCHMARK(authorize_root);

}  // namespace
}  // namespace brume::iam
