#include "planes/balancer/render.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/error.h"
#include "planes/balancer/render_parts.h"

namespace brume::balancer {
namespace {

using Field = Condition::Field;

// The repository's copy, found from the test's own place below it.
std::filesystem::path golden_directory() {
  for (std::filesystem::path at = std::filesystem::read_symlink("/proc/self/exe"); at != at.root_path();
       at = at.parent_path())
    if (std::filesystem::exists(at / "src/planes/balancer/golden")) return at / "src/planes/balancer/golden";
  return {};
}

// Compares with golden/NAME; with BRUME_UPDATE_GOLDEN=1 writes it instead.
void expect_golden(const std::string& name, const std::string& text) {
  const auto path = golden_directory() / name;
  if (std::getenv("BRUME_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << text;
  std::ostringstream golden;
  golden << std::ifstream(path).rdbuf();
  EXPECT_EQ(text, golden.str()) << "BRUME_UPDATE_GOLDEN=1 accepts the change of " << path;
}

// HAProxy itself must take what is rendered.
void expect_accepted(const LoadBalancer& balancer, const InService& in_service) {
  std::string pattern = std::filesystem::temp_directory_path() / "brume-render-XXXXXX";
  const std::string directory = ::mkdtemp(pattern.data());
  const Rendered rendered = render(balancer, {directory}, in_service);
  for (const auto& [name, content] : rendered.files) std::ofstream(directory + "/" + name) << content;
  std::ofstream(directory + "/haproxy.cfg") << rendered.config;
  const std::string check = "/usr/sbin/haproxy -c -f " + directory + "/haproxy.cfg > " + directory + "/out 2>&1";
  const int result = std::system(check.c_str());
  std::ostringstream output;
  output << std::ifstream(directory + "/out").rdbuf();
  EXPECT_EQ(result, 0) << output.str();
  std::filesystem::remove_all(directory);
}

Target target(const std::string& address) { return {.id = address + ":8000", .address = address, .port = 8000}; }

LoadBalancer small() {
  LoadBalancer balancer;
  balancer.id = "hello";
  balancer.addresses = {"10.0.1.10", "10.0.2.10"};
  Listener listener{.id = "f2f7dc8efc522ab2"};
  listener.default_action.groups = {{"73e2d6bc24d8a067", 1}};
  balancer.listeners = {listener};
  TargetGroup group;
  group.id = "73e2d6bc24d8a067";
  group.health_check.path = "/health";
  group.targets = {target("10.0.11.5"), target("10.0.12.6")};
  balancer.groups = {group};
  return balancer;
}

LoadBalancer large() {
  LoadBalancer balancer = small();
  balancer.idle_timeout_seconds = 120;
  balancer.drop_invalid_headers = true;
  balancer.forwarded_for = "remove";
  TargetGroup tls;
  tls.id = "blue";
  tls.tls = true;
  tls.least_outstanding = true;
  tls.stickiness_seconds = 86400;
  tls.health_check = {.tls = true,
                      .path = "/h?a=b c'd",
                      .matcher = "200-299,301",
                      .port = 9000,
                      .interval_seconds = 10,
                      .timeout_seconds = 6,
                      .healthy_threshold = 3,
                      .unhealthy_threshold = 4};
  tls.targets = {target("10.0.11.7")};
  TargetGroup plain;
  plain.id = "green";
  plain.tls = true;
  balancer.groups.push_back(tls);
  balancer.groups.push_back(plain);
  Listener& listener = balancer.listeners[0];
  const auto rule = [](int priority, std::vector<Condition> conditions, Action action) {
    return Rule{.id = std::to_string(priority),
                .priority = priority,
                .conditions = std::move(conditions),
                .action = std::move(action)};
  };
  listener.rules = {
      rule(20, {{.field = Field::host_header, .values = {"*.example.com", "a?.example.com", "example.com"}}},
           {.groups = {{"blue", 20}, {"green", 80}, {"73e2d6bc24d8a067", 0}}, .stickiness_seconds = 3600}),
      rule(10,
           {{.field = Field::path_pattern, .values = {"/img/*", "*.css", "*api*", "/it's \"here\" $HOME", "/a\\*b"}},
            {.field = Field::http_header, .header_name = "User-Agent", .values = {"*Mozilla*"}},
            {.field = Field::http_request_method, .values = {"GET", "HEAD"}},
            {.field = Field::source_ip, .values = {"10.0.0.0/8", "2001:db8::/32"}},
            {.field = Field::query_string, .query = {{"version", "v?"}, {"", "*x+y*"}}}},
           {.kind = Action::Kind::fixed_response,
            .status = 503,
            .content_type = "application/json",
            .body = "{\"a\": 1}\n"}),
      rule(30, {{.field = Field::path_pattern, .values = {"/old/*"}}},
           {.kind = Action::Kind::redirect,
            .status = 301,
            .protocol = "HTTPS",
            .host = "www.#{host}",
            .port = "#{port}",
            .path = "/100%/#{path}",
            .query = "from=#{query}"}),
      rule(40, {{.field = Field::path_pattern, .values = {"/nobody"}}}, {.groups = {{"blue", 0}, {"green", 0}}}),
  };
  return balancer;
}

TEST(Render, SmallLoadBalancer) {
  const InService in_service{{"73e2d6bc24d8a067", "10.0.11.5:8000"}};
  expect_golden("small.cfg", render(small(), {"/run/brume/0a1b2c/lb/hello"}, in_service).config);
  expect_accepted(small(), in_service);
}

TEST(Render, LargeLoadBalancer) {
  expect_golden("large.cfg", render(large(), {"/run/brume/0a1b2c/lb/hello"}, {{"blue", "10.0.11.7:8000"}}).config);
  expect_accepted(large(), {{"blue", "10.0.11.7:8000"}});
}

TEST(Render, TheShapeIsTheSameWhateverTargetsThereAre) {
  const RenderOptions options{"/d"};
  const std::string shape = render(small(), options, {}).shape;
  LoadBalancer other = small();
  other.groups[0].targets.pop_back();
  EXPECT_EQ(render(other, options, {{"73e2d6bc24d8a067", "10.0.11.5:8000"}}).shape, shape);
  EXPECT_NE(render(small(), options, {{"73e2d6bc24d8a067", "10.0.11.5:8000"}}).config,
            render(small(), options, {}).config);
  other.groups[0].health_check.interval_seconds = 31;
  EXPECT_NE(render(other, options, {}).shape, shape) << "servers cannot change their checks while they run";
  other = small();
  other.listeners[0].default_action = {.kind = Action::Kind::fixed_response, .status = 200, .body = "a"};
  const std::string one = render(other, options, {}).shape;
  other.listeners[0].default_action.body = "b";
  EXPECT_NE(render(other, options, {}).shape, one) << "files count";
}

TEST(Render, RefusesWhatAConfigurationCannotHold) {
  LoadBalancer balancer = small();
  balancer.groups[0].id = "a b";
  EXPECT_THROW(render(balancer, {"/d"}, {}), PlaneError);
  balancer = small();
  balancer.groups[0].health_check.path = "/\nserver evil 1.2.3.4";
  EXPECT_THROW(render(balancer, {"/d"}, {}), PlaneError);
  balancer = small();
  Rule rule{.priority = 1, .conditions = {{.field = Field::http_header, .header_name = "a) ,b", .values = {"x"}}}};
  balancer.listeners[0].rules = {rule};
  EXPECT_THROW(render(balancer, {"/d"}, {}), PlaneError);
}

TEST(GlobMatch, TakesTheCheapestMatchThatMeansTheSame) {
  EXPECT_EQ(glob_match("/a", false), " -m str -- /a");
  EXPECT_EQ(glob_match("/a/*", false), " -m beg -- /a/");
  EXPECT_EQ(glob_match("*.example.com", true), " -i -m end -- .example.com");
  EXPECT_EQ(glob_match("*a*", true), " -i -m sub -- a");
  EXPECT_EQ(glob_match("/a?c*d", false), " -m reg -- '^/a.c.*d$'");
  EXPECT_EQ(glob_match("a.b(c)*+", false), " -m reg -- '^a\\.b\\(c\\).*\\+$'");
  EXPECT_EQ(glob_match("a\\*b", false), " -m reg -- '^a\\*b$'");
  EXPECT_EQ(glob_match("*", false), " -m reg -- '^.*$'");
  EXPECT_EQ(glob_match("it's", false), " -m str -- 'it'\\''s'");
}

}  // namespace
}  // namespace brume::balancer
