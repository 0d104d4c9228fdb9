// Gateway endpoints and the counting of flows, proven by packets between sandboxes. Each denial has a control beside it
// that passes.
#include <gmock/gmock.h>

#include "planes/network/sample_vpc.h"
#include "planes/network/test_world.h"

namespace brume::network {
namespace {

using testing::Client;
using testing::EchoServer;
using testing::Outcome;
using testing::sample_vpc;

constexpr const char* kService = "198.18.64.9";

class Flows_ : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = testing::why_no_kernel(); !reason.empty()) GTEST_SKIP() << reason;
    world = testing::make_real_world();
    ASSERT_EQ(world->recover(), "");
  }
  std::string at(const std::string& sandbox) const { return world->network().namespace_path("vpc-a/" + sandbox); }
  Flows read() {
    return world->loop().await<Flows>([&](const auto& done) { world->network().flows("vpc-a", done); });
  }
  static const Flow* find(const Flows& flows, const std::string& interface, bool ingress, int port) {
    for (const Flow& flow : flows.flows)
      if (flow.interface == interface && flow.ingress == ingress && flow.destination_port == port) return &flow;
    return nullptr;
  }
  std::size_t endpoint_listeners() const {
    return static_cast<std::size_t>(std::ranges::count(world->listeners, Service::endpoint, &Listener::service));
  }

  Vpc vpc = sample_vpc();
  std::unique_ptr<testing::World> world;
};

using FlowCounting = Flows_;
using GatewayEndpoint = Flows_;

TEST_F(FlowCounting, SaysAtEachInterfaceWhatPassedAndWhatDidNot) {
  for (const Interface& interface : vpc.interfaces) vpc.flow_logged.push_back(interface.id);
  ASSERT_EQ(world->apply(vpc), "");
  EXPECT_FALSE(read().complete);
  const EchoServer task(at("task1"), "10.0.2.11", 8000);
  Client allowed(at("balancer"), "10.0.2.11", 8000);
  ASSERT_EQ(allowed.outcome(), Outcome::connected);
  EXPECT_TRUE(allowed.echo());
  EXPECT_EQ(Client(at("task2"), "10.0.2.11", 8000).outcome(), Outcome::timed_out);     // refused on its way in
  EXPECT_EQ(Client(at("database"), "10.0.2.12", 8001).outcome(), Outcome::timed_out);  // refused on its way out
  const Flows flows = read();
  EXPECT_TRUE(flows.complete);
  const Flow* sent = find(flows, "eni-balancer", false, 8000);
  ASSERT_NE(sent, nullptr);
  EXPECT_EQ(sent->source, "10.0.1.10");
  EXPECT_EQ(sent->protocol, 6);
  EXPECT_GE(sent->accepted.packets, 3U);
  EXPECT_GT(sent->accepted.bytes, 120U);
  EXPECT_EQ(sent->rejected.packets, 0U);
  EXPECT_EQ(sent->tcp_flags & 2, 2);
  const Flow* left = find(flows, "eni-task2", false, 8000);
  ASSERT_NE(left, nullptr);
  EXPECT_GE(left->accepted.packets, 1U);
  EXPECT_EQ(left->rejected.packets, 0U);
  const Flow* held = find(flows, "eni-database", false, 8001);
  ASSERT_NE(held, nullptr);
  EXPECT_EQ(held->accepted.packets, 0U);
  EXPECT_GE(held->rejected.packets, 1U);
  EXPECT_EQ(find(flows, "eni-task2", true, 8001), nullptr) << "it never got that far";
  std::uint64_t accepted = 0, rejected = 0;
  for (const Flow& flow : flows.flows)
    if (flow.interface == "eni-task1" && flow.ingress && flow.destination_port == 8000) {
      accepted += flow.source == "10.0.1.10" ? flow.accepted.packets : 0;
      rejected += flow.source == "10.0.2.12" ? flow.rejected.packets : 0;
    }
  EXPECT_EQ(accepted, sent->accepted.packets);
  EXPECT_EQ(rejected, left->accepted.packets);
}

TEST_F(FlowCounting, PutsWhatTheReceiversAclRefusesDownToTheReceiver) {
  vpc.flow_logged = {"eni-balancer", "eni-task1"};
  Acl closed = testing::open_acl("acl-closed");
  closed.entries.push_back({90, false, false, "tcp", "0.0.0.0/0", 8000, 8000});
  vpc.acls.push_back(closed);
  testing::find_subnet(vpc, "subnet-private").acl = "acl-closed";
  ASSERT_EQ(world->apply(vpc), "");
  read();
  EXPECT_EQ(Client(at("balancer"), "10.0.2.11", 8000).outcome(), Outcome::timed_out);
  const Flows flows = read();
  ASSERT_NE(find(flows, "eni-balancer", false, 8000), nullptr);
  EXPECT_EQ(find(flows, "eni-balancer", false, 8000)->rejected.packets, 0U);
  ASSERT_NE(find(flows, "eni-task1", true, 8000), nullptr);
  EXPECT_EQ(find(flows, "eni-task1", true, 8000)->accepted.packets, 0U);
}

TEST_F(GatewayEndpoint, AnswersSubnetsWhoseTablesLeadThere) {
  vpc.service_addresses = {kService};
  for (RouteTable& table : vpc.route_tables)
    if (table.id == "rtb-isolated")
      table.routes.push_back({std::string(kService) + "/32", Route::Target::endpoint, "vpce-a"});
  testing::group(vpc, "sg-database").egress = {
      testing::allow("sgr-s3", "tcp", 443, 443, std::string(kService) + "/32")};
  ASSERT_EQ(world->apply(vpc), "");
  EXPECT_EQ(endpoint_listeners(), 2U);
  EXPECT_EQ(Client(at("database"), kService, 443).outcome(), Outcome::connected);
  EXPECT_EQ(Client(at("database"), kService, 80).outcome(), Outcome::timed_out) << "its group has no rule for it";
  EXPECT_EQ(Client(at("database"), kService, 22).outcome(), Outcome::timed_out);
  EXPECT_NE(Client(at("task1"), kService, 443).outcome(), Outcome::connected) << "its table leads elsewhere";
  // The route goes; the sockets stay, and nobody reaches them.
  vpc.route_tables.back().routes.pop_back();
  ASSERT_EQ(world->apply(vpc), "");
  EXPECT_NE(Client(at("database"), kService, 443).outcome(), Outcome::connected);
}

TEST_F(GatewayEndpoint, IsSubjectToTheSubnetsAcl) {
  vpc.service_addresses = {kService};
  for (RouteTable& table : vpc.route_tables)
    table.routes.push_back({std::string(kService) + "/32", Route::Target::endpoint, "vpce-a"});
  Acl closed = testing::open_acl("acl-closed");
  closed.entries.push_back({90, true, false, "tcp", std::string(kService) + "/32", 443, 443});
  vpc.acls.push_back(closed);
  testing::find_subnet(vpc, "subnet-private").acl = "acl-closed";
  ASSERT_EQ(world->apply(vpc), "");
  EXPECT_EQ(Client(at("balancer"), kService, 443).outcome(), Outcome::connected);
  EXPECT_EQ(Client(at("task1"), kService, 443).outcome(), Outcome::timed_out);
}

}  // namespace
}  // namespace brume::network
