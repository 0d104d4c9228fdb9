// What clients see of listeners, rules and actions, through the real plane.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include "planes/balancer/test_plane.h"

namespace brume::balancer {
namespace {

using testing::fetch;
using testing::kBalancerAddress;
using testing::quick_group;

class HaproxyTrafficTest : public testing::PlaneTest {
 protected:
  // Group a is target one and the default, group b is target two; `rules` come before.
  void serve(std::vector<Rule> rules) {
    desired_ = balancer_over({quick_group("a", {one_.get()}), quick_group("b", {two_.get()})});
    desired_.listeners[0].rules = std::move(rules);
    ASSERT_EQ(plane_->apply(desired_), "");
    ASSERT_TRUE(plane_->until_healthy(desired_));
  }
  static Rule to_b(int priority, std::vector<Condition> conditions) {
    Rule rule{.id = "r" + std::to_string(priority), .priority = priority, .conditions = std::move(conditions)};
    rule.action.groups = {{"b", 1}};
    return rule;
  }
  static Rule answer(int priority, const std::string& path, Action action) {
    return {.id = "r" + std::to_string(priority),
            .priority = priority,
            .conditions = {{.field = Condition::Field::path_pattern, .values = {path}}},
            .action = std::move(action)};
  }
  std::string who(const std::string& path, const std::string& headers = "Host: app.example.com\r\n",
                  const std::string& method = "GET") {
    const auto reply = fetch(plane_->network, kBalancerAddress, 80, path, headers, method);
    return reply.body.substr(0, 3);
  }
  LoadBalancer desired_;
};

TEST_F(HaproxyTrafficTest, MatchesEveryKindOfCondition) {
  using Field = Condition::Field;
  serve({
      to_b(10, {{.field = Field::host_header, .values = {"*.Shop.example.com", "shop?.example.com"}}}),
      to_b(20, {{.field = Field::path_pattern, .values = {"/img/*", "/a?c", "/*/end", "/it's"}}}),
      to_b(30, {{.field = Field::http_header, .header_name = "X-Kind", .values = {"*blue*", "red?"}}}),
      to_b(40, {{.field = Field::http_request_method, .values = {"PUT"}},
                {.field = Field::path_pattern, .values = {"/both"}}}),
      to_b(50, {{.field = Field::query_string, .query = {{"version", "v1*"}, {"", "any?thing"}}}}),
      to_b(60, {{.field = Field::source_ip, .values = {"10.77.1.10/32"}},
                {.field = Field::path_pattern, .values = {"/from-here"}}}),
      to_b(70, {{.field = Field::source_ip, .values = {"192.0.2.0/24"}},
                {.field = Field::path_pattern, .values = {"/from-there"}}}),
  });
  EXPECT_EQ(who("/"), "one");
  EXPECT_EQ(who("/", "Host: x.shop.example.com\r\n"), "two");
  EXPECT_EQ(who("/", "Host: X.SHOP.EXAMPLE.COM:80\r\n"), "two");
  EXPECT_EQ(who("/", "Host: shop1.example.com\r\n"), "two");
  EXPECT_EQ(who("/", "Host: shop12.example.com\r\n"), "one");
  EXPECT_EQ(who("/", "Host: shopx.example.com.evil\r\n"), "one");
  EXPECT_EQ(who("/img/a/b?x=/no"), "two");
  EXPECT_EQ(who("/IMG/a"), "one") << "paths are case-sensitive";
  EXPECT_EQ(who("/img"), "one");
  EXPECT_EQ(who("/abc"), "two");
  EXPECT_EQ(who("/abbc"), "one");
  EXPECT_EQ(who("/a.c/x"), "one");
  EXPECT_EQ(who("/x/y/end"), "two");
  EXPECT_EQ(who("/it's"), "two");
  EXPECT_EQ(who("/?path=/img/a"), "one") << "the query is no part of the path";
  EXPECT_EQ(who("/", "Host: a\r\nX-Kind: very BLUE indeed\r\n"), "two");
  EXPECT_EQ(who("/", "Host: a\r\nX-Kind: green\r\nX-Kind: reds\r\n"), "two") << "each header of the name is looked at";
  EXPECT_EQ(who("/", "Host: a\r\nX-Kind: red\r\n"), "one");
  EXPECT_EQ(who("/both"), "one");
  EXPECT_EQ(who("/both", "Host: a\r\nContent-Length: 0\r\n", "PUT"), "two");
  EXPECT_EQ(who("/other", "Host: a\r\nContent-Length: 0\r\n", "PUT"), "one") << "all conditions must hold";
  EXPECT_EQ(who("/?a=b&Version=V12"), "two");
  EXPECT_EQ(who("/?version=v2"), "one");
  EXPECT_EQ(who("/?subversion=v1"), "one");
  EXPECT_EQ(who("/?x=any-thing&y"), "two");
  EXPECT_EQ(who("/from-here"), "two");
  EXPECT_EQ(who("/from-there"), "one");
}

TEST_F(HaproxyTrafficTest, TheLowestPriorityNumberWins) {
  serve({to_b(5, {{.field = Condition::Field::path_pattern, .values = {"/x*"}}}),
         answer(7, "/x*", {.kind = Action::Kind::fixed_response, .status = 404}),
         answer(2, "/xy",
                {.kind = Action::Kind::fixed_response,
                 .status = 410,
                 .content_type = "text/plain",
                 .body = "gone, \"really\"\n"})});
  EXPECT_EQ(who("/xz"), "two");
  const auto gone = get("/xy");
  EXPECT_EQ(gone.status, 410);
  EXPECT_EQ(gone.body, "gone, \"really\"\n");
  EXPECT_EQ(gone.header("content-type"), "text/plain; charset=utf-8");
  EXPECT_EQ(gone.header("server"), "awselb/2.0");
  EXPECT_NE(gone.header("date"), "");
}

TEST_F(HaproxyTrafficTest, RedirectsWithTheRequestsParts) {
  const auto redirect = [](Action action) {
    action.kind = Action::Kind::redirect;
    return action;
  };
  serve({answer(1, "/secure*", redirect({.status = 301, .protocol = "HTTPS", .port = "443", .query = "#{query}"})),
         answer(2, "/moved*",
                redirect({.status = 302, .host = "new.#{host}", .path = "/sub/#{path}", .query = "a=1&#{query}"})),
         answer(3, "/bare", redirect({.status = 302, .host = "example.org", .path = "/100%"}))});
  const auto secure = get("/secure/a%20b?x=1&y=2", "Host: app.example.com:80\r\n");
  EXPECT_EQ(secure.status, 301);
  EXPECT_EQ(secure.header("location"), "https://app.example.com:443/secure/a%20b?x=1&y=2");
  EXPECT_NE(secure.body.find("<center><h1>301 Moved Permanently</h1></center>"), std::string::npos);
  EXPECT_EQ(get("/secure").header("location"), "https://app.example.com:443/secure");
  EXPECT_EQ(get("/moved?b=2").header("location"), "http://new.app.example.com:80/sub/moved?a=1&b=2");
  EXPECT_EQ(get("/bare?dropped").header("location"), "http://example.org:80/100%");
}

TEST_F(HaproxyTrafficTest, ForwardsByWeightAndSticksToAGroup) {
  serve({});
  desired_.listeners[0].default_action = {.groups = {{"a", 80}, {"b", 20}}};
  ASSERT_EQ(plane_->apply(desired_), "");
  std::map<std::string, int> counts;
  for (int i = 0; i < 300; ++i) ++counts[who("/")];
  EXPECT_GT(counts["one"], 200);
  EXPECT_GT(counts["two"], 20);
  desired_.listeners[0].default_action = {.groups = {{"a", 0}, {"b", 7}}};
  ASSERT_EQ(plane_->apply(desired_), "");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(who("/"), "two");
  desired_.listeners[0].default_action = {.groups = {{"a", 50}, {"b", 50}}, .stickiness_seconds = 60};
  ASSERT_EQ(plane_->apply(desired_), "");
  const auto first = get("/");
  const std::string cookie = first.header("set-cookie");
  ASSERT_TRUE(cookie.starts_with("AWSALBTG=")) << first.head;
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(who("/", "Host: a\r\nCookie: " + cookie.substr(0, cookie.find(';')) + "\r\n"), first.body.substr(0, 3));
}

TEST_F(HaproxyTrafficTest, SticksToATarget) {
  LoadBalancer desired = balancer_over({quick_group("a", {one_.get(), two_.get()})});
  desired.groups[0].stickiness_seconds = 60;
  ASSERT_EQ(plane_->apply(desired), "");
  ASSERT_TRUE(plane_->until_healthy(desired));
  const auto first = get("/");
  const std::string cookie = first.header("set-cookie");
  ASSERT_TRUE(cookie.starts_with("AWSALB=")) << first.head;
  const std::string sent = "Host: a\r\nCookie: " + cookie.substr(0, cookie.find(';')) + "\r\n";
  for (int i = 0; i < 10; ++i) EXPECT_EQ(get("/", sent).body, first.body);
  desired.idle_timeout_seconds = 50;  // another process knows the cookie, too
  ASSERT_EQ(plane_->apply(desired), "");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(get("/", sent).body, first.body);
}

TEST_F(HaproxyTrafficTest, AnswersForATargetThatIsTooSlow) {
  serve({});
  desired_.idle_timeout_seconds = 1;
  ASSERT_EQ(plane_->apply(desired_), "");
  const auto late = get("/wait");
  EXPECT_EQ(late.status, 504);
  EXPECT_NE(late.body.find("504 Gateway Time-out"), std::string::npos);
}

TEST_F(HaproxyTrafficTest, TellsOfEveryRequest) {
  serve({answer(1, "/fixed", {.kind = Action::Kind::fixed_response, .status = 503})});
  get("/path%20a?query", "Host: app.example.com\r\nUser-Agent: tab\there\r\n");
  get("/fixed");
  ASSERT_TRUE(plane_->until([&] { return plane_->accesses.size() >= 2; }));
  const bool in_order = plane_->accesses[0].path == "/path%20a";
  const auto& target = plane_->accesses[in_order ? 0 : 1];
  const auto& fixed = plane_->accesses[in_order ? 1 : 0];
  EXPECT_EQ(target.balancer, "app-1");
  EXPECT_EQ(target.listener, "listener-1");
  EXPECT_EQ(target.group, "a");
  EXPECT_EQ(target.target, one_->id());
  EXPECT_EQ(target.client, kBalancerAddress);
  EXPECT_EQ(target.method, "GET");
  EXPECT_EQ(target.host, "app.example.com");
  EXPECT_EQ(target.path, "/path%20a");
  EXPECT_EQ(target.status, 200);
  EXPECT_EQ(target.target_status, 200);
  EXPECT_GT(target.bytes_out, 0U);
  EXPECT_GT(target.at_ms, 0);
  EXPECT_EQ(fixed.group, "");
  EXPECT_EQ(fixed.status, 503);
  EXPECT_EQ(fixed.target_status, 0);
  const auto statistics = plane_->loop.await<std::map<std::string, Statistics>>(
      [&](auto done) { plane_->balancer->statistics("app-1", done); });
  EXPECT_EQ(statistics.at("").requests, 2U);
  EXPECT_EQ(statistics.at("").elb_5xx, 1U);
  EXPECT_EQ(statistics.at("a").requests, 1U);
  EXPECT_EQ(statistics.at("a").status_2xx, 1U);
}

std::string shell(const std::string& command) {
  std::string output;
  if (FILE* pipe = ::popen(command.c_str(), "r")) {
    char buffer[4096];
    while (const std::size_t got = std::fread(buffer, 1, sizeof buffer, pipe)) output.append(buffer, got);
    ::pclose(pipe);
  }
  return output;
}

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST_F(HaproxyTrafficTest, ServesTlsByServerNameWithHttp2) {
  const std::string directory = plane_->instance.directory();
  std::vector<std::string> bundles;
  for (const std::string name : {"default.example.com", "shop.example.com"}) {
    const std::string base = directory + "/" + name;
    shell("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=" + name +
          " -addext subjectAltName=DNS:" + name + " -keyout " + base + ".key -out " + base + ".crt 2>/dev/null");
    bundles.push_back(read_file(base + ".crt") + read_file(base + ".key"));
  }
  desired_ = balancer_over({quick_group("a", {one_.get()})});
  desired_.listeners[0].tls = true;
  desired_.listeners[0].port = 443;
  desired_.listeners[0].certificates = bundles;
  ASSERT_EQ(plane_->apply(desired_), "");
  ASSERT_TRUE(plane_->until_healthy(desired_));
  for (const std::string name : {"default.example.com", "shop.example.com"}) {
    const std::string seen =
        shell("nsenter --net=" + plane_->network.path() + " curl -s -w '%{http_version}' --cacert " + directory + "/" +
              name + ".crt --resolve " + name + ":443:" + kBalancerAddress + " https://" + name + "/head");
    EXPECT_TRUE(seen.ends_with("\r\n\r\n2")) << name << ": " << seen;
    EXPECT_NE(seen.find("x-forwarded-proto: https\r\n"), std::string::npos) << seen;
    EXPECT_NE(seen.find("x-forwarded-port: 443\r\n"), std::string::npos) << seen;
  }
  desired_.listeners[0].certificates = {"nonsense"};
  const std::string refused = plane_->apply(desired_);
  EXPECT_NE(refused.find("HAProxy refused its configuration"), std::string::npos) << refused;
  EXPECT_NE(refused.find("ALERT"), std::string::npos) << refused;
  desired_.listeners[0].certificates = bundles;
  EXPECT_EQ(plane_->apply(desired_), "") << "what served before still does";
}

}  // namespace
}  // namespace brume::balancer
