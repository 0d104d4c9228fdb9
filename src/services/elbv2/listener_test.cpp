#include <gtest/gtest.h>

#include "services/elbv2/testing.h"

namespace brume::elbv2 {
namespace {

using Strings = std::vector<std::string>;

struct Fixture {
  World world;
  std::string balancer = world.make_balancer(), group = world.make_group(), other = world.make_group("other");

  std::string code(const Action& action) {
    return world.code(
        create_listener,
        {.load_balancer_arn = balancer, .protocol = "HTTP", .port = 80, .default_actions = std::vector{action}});
  }
  Rule make_rule(const std::string& listener, std::int64_t priority, const RuleCondition& condition,
                 const Action& action) {
    return world
        .call(create_rule, {.listener_arn = listener,
                            .conditions = std::vector{condition},
                            .priority = priority,
                            .actions = std::vector{action}})
        .rules->at(0);
  }
  static RuleCondition path(const std::string& value) { return {.field = "path-pattern", .values = Strings{value}}; }
};

TEST(CreateListener, ServesAndIsDescribed) {
  Fixture f;
  const std::string arn = f.world.make_listener(f.balancer, f.group);
  EXPECT_TRUE(arn.starts_with("arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/hello/"));
  const Listener listener = f.world.call(describe_listeners, {.listener_arns = Strings{arn}}).listeners->at(0);
  EXPECT_EQ(*listener.port, 80);
  EXPECT_EQ(*listener.protocol, "HTTP");
  EXPECT_FALSE(listener.ssl_policy);
  const Action& action = listener.default_actions->at(0);
  EXPECT_EQ(*action.target_group_arn, f.group);
  EXPECT_EQ(*action.forward_config->target_groups->at(0).weight, 1);
  EXPECT_FALSE(*action.forward_config->target_group_stickiness_config->enabled);
  EXPECT_EQ(f.world.proxy().listeners.at(0).port, 80);
  EXPECT_EQ(f.world.proxy().listeners.at(0).default_action.groups.size(), 1U);
  EXPECT_EQ(f.world.call(describe_listeners, {.load_balancer_arn = f.balancer}).listeners->size(), 1U);
  EXPECT_EQ(f.world.code(create_listener, {.load_balancer_arn = f.balancer,
                                           .protocol = "HTTP",
                                           .port = 80,
                                           .default_actions = std::vector{World::forward_to(f.group)}}),
            "DuplicateListener");
}

TEST(CreateListener, ForwardsToSeveralGroupsByWeight) {
  Fixture f;
  Action action{.type = "forward"};
  action.forward_config.emplace().target_groups = std::vector<TargetGroupTuple>{
      {.target_group_arn = f.group, .weight = 80}, {.target_group_arn = f.other, .weight = 20}};
  action.forward_config->target_group_stickiness_config =
      TargetGroupStickinessConfig{.enabled = true, .duration_seconds = 600};
  ASSERT_EQ(f.code(action), "");
  const Action shown =
      f.world.call(describe_listeners, {.load_balancer_arn = f.balancer}).listeners->at(0).default_actions->at(0);
  EXPECT_FALSE(shown.target_group_arn) << "several groups are in the configuration only";
  EXPECT_EQ(shown.forward_config, action.forward_config);
  const auto proxy = f.world.proxy().listeners.at(0).default_action;
  EXPECT_EQ(proxy.groups.at(0).second, 80);
  EXPECT_EQ(proxy.stickiness_seconds, 600);
  EXPECT_EQ(f.world.proxy().groups.size(), 2U);
}

TEST(CreateListener, RedirectsAndFixedResponsesKeepTheirParts) {
  Fixture f;
  Action redirect{.type = "redirect"};
  redirect.redirect_config = RedirectActionConfig{.protocol = "HTTPS", .port = "443", .status_code = "HTTP_301"};
  ASSERT_EQ(f.code(redirect), "");
  const auto listeners = [&] {
    return f.world.call(describe_listeners, {.load_balancer_arn = f.balancer}).listeners.get();
  };
  EXPECT_EQ(*listeners().at(0).default_actions->at(0).redirect_config,
            (RedirectActionConfig{.protocol = "HTTPS",
                                  .port = "443",
                                  .host = "#{host}",
                                  .path = "/#{path}",
                                  .query = "#{query}",
                                  .status_code = "HTTP_301"}));
  EXPECT_EQ(f.world.proxy().listeners.at(0).default_action.status, 301);
  Action fixed{.type = "fixed-response"};
  fixed.fixed_response_config =
      FixedResponseActionConfig{.message_body = "no", .status_code = "404", .content_type = "text/plain"};
  f.world.call(modify_listener,
               {.listener_arn = listeners().at(0).listener_arn, .default_actions = std::vector{fixed}});
  EXPECT_EQ(*listeners().at(0).default_actions->at(0).fixed_response_config, *fixed.fixed_response_config);
  EXPECT_EQ(f.world.proxy().listeners.at(0).default_action.body, "no");
}

TEST(CreateListener, RefusesWhatAwsRefusesAndWhatIsNotServed) {
  Fixture f;
  EXPECT_EQ(f.code({.type = "forward"}), "ValidationError");
  EXPECT_EQ(f.code(World::forward_to(f.group + "0")), "TargetGroupNotFound");
  EXPECT_EQ(f.code({.type = "authenticate-oidc"}), "UnsupportedOperation");
  Action loop{.type = "redirect"};
  loop.redirect_config = RedirectActionConfig{.status_code = "HTTP_302"};
  EXPECT_EQ(f.code(loop), "InvalidLoadBalancerAction");
  const auto created = [&](const char* protocol) {
    return f.world.code(create_listener, {.load_balancer_arn = f.balancer,
                                          .protocol = protocol,
                                          .port = 443,
                                          .default_actions = std::vector{World::forward_to(f.group)}});
  };
  EXPECT_EQ(created("HTTPS"), "UnsupportedProtocol");
  EXPECT_EQ(created("TCP"), "ValidationError");
  const std::string second = f.world.make_balancer("second");
  f.world.make_listener(second, f.group);
  EXPECT_EQ(f.code(World::forward_to(f.group)), "TargetGroupAssociationLimit");
  EXPECT_TRUE(
      f.world.message.starts_with("The following target groups cannot be associated with more than one load balancer"));
}

TEST(ListenerAttributes, ShowDefaultsAndRefuseOthers) {
  Fixture f;
  const std::string arn = f.world.make_listener(f.balancer, f.group);
  const auto all = f.world.call(describe_listener_attributes, {.listener_arn = arn}).attributes.get();
  EXPECT_EQ(*all.at(0).key, "routing.http.response.server.enabled");
  EXPECT_EQ(*all.at(0).value, "true");
  const auto modify = [&](const char* key, const char* value) {
    return f.world.code(
        modify_listener_attributes,
        {.listener_arn = arn, .attributes = std::vector<ListenerAttribute>{{.key = key, .value = value}}});
  };
  EXPECT_EQ(modify("routing.http.response.server.enabled", "true"), "");
  EXPECT_EQ(modify("routing.http.response.server.enabled", "false"), "UnsupportedOperation");
  EXPECT_EQ(modify("tcp.idle_timeout.seconds", "60"), "ValidationError");
}

TEST(ModifyListener, ChangesPortAndActions) {
  Fixture f;
  const std::string arn = f.world.make_listener(f.balancer, f.group);
  f.world.call(modify_listener,
               {.listener_arn = arn, .port = 8080, .default_actions = std::vector{World::forward_to(f.other)}});
  EXPECT_EQ(f.world.proxy().listeners.at(0).port, 8080);
  EXPECT_EQ(f.world.code(delete_target_group, {.target_group_arn = f.group}), "");
}

TEST(Rules, AreOrderedByPriorityWithTheDefaultLast) {
  Fixture f;
  const std::string listener = f.world.make_listener(f.balancer, f.group);
  f.make_rule(listener, 20, Fixture::path("/b/*"), World::forward_to(f.other));
  const Rule first = f.make_rule(listener, 3, Fixture::path("/a/*"), World::forward_to(f.other));
  EXPECT_EQ(f.world.code(create_rule, {.listener_arn = listener,
                                       .conditions = std::vector{Fixture::path("/c")},
                                       .priority = 20,
                                       .actions = std::vector{World::forward_to(f.other)}}),
            "PriorityInUse");
  EXPECT_EQ(f.world.message, "Priority '20' is currently in use");
  const auto rules = f.world.call(describe_rules, {.listener_arn = listener}).rules.get();
  ASSERT_EQ(rules.size(), 3U);
  EXPECT_EQ(*rules[0].priority, "3");
  EXPECT_EQ(rules[0].conditions->at(0).path_pattern_config->values.get(), Strings{"/a/*"});
  EXPECT_EQ(rules[0].conditions->at(0).values.get(), Strings{"/a/*"});
  EXPECT_EQ(*rules[2].priority, "default");
  EXPECT_TRUE(*rules[2].is_default);
  EXPECT_EQ(f.world.proxy().listeners.at(0).rules.at(0).priority, 3);
  EXPECT_EQ(f.world.code(delete_rule, {.rule_arn = rules[2].rule_arn}), "OperationNotPermitted");
  EXPECT_EQ(f.world.code(modify_rule, {.rule_arn = rules[2].rule_arn}), "OperationNotPermitted");
  f.world.call(modify_rule, {.rule_arn = first.rule_arn, .conditions = std::vector{Fixture::path("/z")}});
  EXPECT_EQ(f.world.proxy().listeners.at(0).rules.at(0).conditions.at(0).values, Strings{"/z"});
  f.world.call(delete_rule, {.rule_arn = first.rule_arn});
  EXPECT_EQ(f.world.proxy().listeners.at(0).rules.size(), 1U);
  EXPECT_EQ(f.world.code(describe_rules, {.rule_arns = Strings{*first.rule_arn}}), "RuleNotFound");
}

TEST(SetRulePriorities, MayExchangePlaces) {
  Fixture f;
  const std::string listener = f.world.make_listener(f.balancer, f.group);
  const auto a = f.make_rule(listener, 1, Fixture::path("/a"), World::forward_to(f.other)).rule_arn;
  const auto b = f.make_rule(listener, 2, Fixture::path("/b"), World::forward_to(f.other)).rule_arn;
  f.world.call(set_rule_priorities, {.rule_priorities = std::vector<RulePriorityPair>{{.rule_arn = a, .priority = 2},
                                                                                      {.rule_arn = b, .priority = 1}}});
  EXPECT_EQ(f.world.proxy().listeners.at(0).rules.at(0).conditions.at(0).values, Strings{"/b"});
  EXPECT_EQ(f.world.code(set_rule_priorities,
                         {.rule_priorities = std::vector<RulePriorityPair>{{.rule_arn = a, .priority = 1}}}),
            "PriorityInUse");
}

TEST(Conditions, OfEveryKindReachTheProxyAndComeBackAsGiven) {
  Fixture f;
  const std::string listener = f.world.make_listener(f.balancer, f.group);
  std::vector<RuleCondition> conditions(6);
  conditions[0].field = "host-header";
  conditions[0].host_header_config.emplace().values = Strings{"*.example.com"};
  conditions[1].field = "http-header";
  conditions[1].http_header_config =
      HttpHeaderConditionConfig{.http_header_name = "User-Agent", .values = Strings{"x"}};
  conditions[2].field = "http-request-method";
  conditions[2].http_request_method_config.emplace().values = Strings{"GET"};
  conditions[3].field = "source-ip";
  conditions[3].source_ip_config.emplace().values = Strings{"10.0.0.0/8"};
  conditions[4].field = "query-string";
  conditions[4].query_string_config.emplace().values = std::vector<QueryStringKeyValuePair>{{.key = "v", .value = "1"}};
  conditions.pop_back();
  const auto rule = f.world
                        .call(create_rule, {.listener_arn = listener,
                                            .conditions = conditions,
                                            .priority = 1,
                                            .actions = std::vector{World::forward_to(f.other)}})
                        .rules->at(0);
  conditions[0].values = Strings{"*.example.com"};  // host headers are shown in both places
  EXPECT_EQ(*rule.conditions, conditions);
  using Field = balancer::Condition::Field;
  EXPECT_EQ(f.world.proxy().listeners.at(0).rules.at(0).conditions,
            (std::vector<balancer::Condition>{
                {.field = Field::host_header, .values = {"*.example.com"}},
                {.field = Field::http_header, .header_name = "User-Agent", .values = {"x"}},
                {.field = Field::http_request_method, .values = {"GET"}},
                {.field = Field::source_ip, .values = {"10.0.0.0/8"}},
                {.field = Field::query_string, .query = {{"v", "1"}}},
            }));
}

TEST(Conditions, AreChecked) {
  Fixture f;
  const std::string listener = f.world.make_listener(f.balancer, f.group);
  const auto code = [&](std::vector<RuleCondition> conditions) {
    return f.world.code(create_rule, {.listener_arn = listener,
                                      .conditions = std::move(conditions),
                                      .priority = 1,
                                      .actions = std::vector{World::forward_to(f.other)}});
  };
  RuleCondition regex{.field = "path-pattern"};
  regex.path_pattern_config.emplace().regex_values = Strings{"^/a"};
  EXPECT_EQ(code({regex}), "UnsupportedOperation");
  EXPECT_EQ(code({Fixture::path("/a b")}), "ValidationError");
  EXPECT_EQ(code({Fixture::path("")}), "ValidationError");
  EXPECT_EQ(code({Fixture::path("/a"), Fixture::path("/b")}), "ValidationError") << "one of a kind";
  EXPECT_EQ(code({{.field = "path-pattern", .values = Strings{"/1", "/2", "/3", "/4", "/5", "/6"}}}),
            "ValidationError");
  EXPECT_EQ(code({{.field = "nonsense", .values = Strings{"x"}}}), "ValidationError");
  RuleCondition source{.field = "source-ip"};
  source.source_ip_config.emplace().values = Strings{"10.0.0.1"};
  EXPECT_EQ(code({source}), "ValidationError") << "a block, not an address";
}

}  // namespace
}  // namespace brume::elbv2
