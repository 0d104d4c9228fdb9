#include "services/ec2/reconciler.h"

#include <gtest/gtest.h>

#include "services/ec2/api.h"
#include "services/ec2/testing.h"

namespace brume::ec2 {
namespace {

// A network that nothing uses stays for ten minutes.
constexpr Duration kStaysYet = minutes(9), kTheRest = minutes(2);

std::string plug(World& world, const std::string& subnet, const std::string& sandbox, bool public_ip = false) {
  return world.change([&](Tx& tx) {
    return create_service_interface(*world.ec2, tx, kScope,
                                    {.subnet = subnet,
                                     .description = "task",
                                     .requester = "578734482556",
                                     .sandbox = sandbox,
                                     .assign_public_ip = public_ip})
        .id;
  });
}
void unplug(World& world, const std::string& id) {
  world.change([&](Tx& tx) {
    delete_service_interface(*world.ec2, tx, kScope, id);
    return 0;
  });
}

TEST(Reconciler, MakesNoNetworkBeforeItIsUsed) {
  World world;
  const std::string vpc = world.vpc();
  world.interface(world.subnet(vpc));
  world.run();
  EXPECT_EQ(world.network.applies, 0);
  EXPECT_EQ(world.network.removes, 0);
}

TEST(Reconciler, PlugsAnInterfaceAndSaysSo) {
  World world;
  const std::string vpc = world.vpc();
  const std::string subnet = world.subnet(vpc);
  std::vector<std::string> ready;
  on_ready(*world.ec2, [&](const Scope& scope, const std::string& id) {
    EXPECT_EQ(scope, kScope);
    EXPECT_TRUE(is_ready(*world.ec2, id));
    ready.push_back(id);
  });
  world.network.hold = true;
  const std::string id = plug(world, subnet, "task/1");
  world.run();
  const auto status = [&] {
    return *world.call(describe_network_interfaces, {.network_interface_ids = {{id}}})
                .network_interfaces->at(0)
                .attachment->status;
  };
  EXPECT_FALSE(is_ready(*world.ec2, id));
  EXPECT_EQ(status(), "attaching");
  world.network.release();
  world.run();
  EXPECT_EQ(ready, std::vector<std::string>{id});
  EXPECT_EQ(status(), "attached");
  EXPECT_EQ(world.network.vpcs.at(vpc).interfaces.at(0).sandbox, "task/1");
}

TEST(Reconciler, RemovesTheNetworkAWhileAfterItsLastInterface) {
  World world;
  const std::string vpc = world.vpc();
  const std::string subnet = world.subnet(vpc);
  const std::string first = plug(world, subnet, "task/1");
  world.run();
  EXPECT_NE(world.ec2->networks.find(kScope, vpc), nullptr);
  unplug(world, first);
  world.run();
  // The interface is gone at once, the network stays for the next.
  EXPECT_FALSE(is_ready(*world.ec2, first));
  EXPECT_TRUE(world.network.vpcs.at(vpc).interfaces.empty());
  world.runtime.advance(kStaysYet);
  const std::string second = plug(world, subnet, "task/2");
  world.run();
  EXPECT_TRUE(is_ready(*world.ec2, second));
  world.runtime.advance(minutes(12));
  unplug(world, second);
  world.run();
  world.runtime.advance(kStaysYet);
  EXPECT_TRUE(world.network.vpcs.contains(vpc));
  EXPECT_EQ(world.network.removes, 0);
  world.runtime.advance(kTheRest);
  EXPECT_FALSE(world.network.vpcs.contains(vpc));
  EXPECT_EQ(world.ec2->networks.find(kScope, vpc), nullptr);
  EXPECT_TRUE(world.ec2->reconciler.idle());
}

TEST(Reconciler, AnUnusedNetworkGoesAtOnceWithItsVpc) {
  World world;
  const std::string vpc = world.vpc();
  const std::string subnet = world.subnet(vpc);
  unplug(world, plug(world, subnet, "task/1"));
  const std::string id = plug(world, subnet, "task/2");
  world.run();
  unplug(world, id);
  world.run();
  EXPECT_TRUE(world.network.vpcs.contains(vpc));
  world.call(delete_subnet, {.subnet_id = subnet});
  world.call(delete_vpc, {.vpc_id = vpc});
  world.run();
  EXPECT_FALSE(world.network.vpcs.contains(vpc));
  EXPECT_TRUE(world.ec2->reconciler.idle());
}

TEST(Reconciler, AnUnusedNetworkOfAnEarlierRunIsRemoved) {
  World world;
  const std::string vpc = world.vpc();
  const std::string id = plug(world, world.subnet(vpc), "task/1");
  world.run();
  unplug(world, id);
  world.run();
  EXPECT_TRUE(world.network.vpcs.contains(vpc));
  world.restart();
  world.start();
  EXPECT_FALSE(world.network.vpcs.contains(vpc));
}

TEST(Reconciler, OneApplyForManyChangesOfOneTurn) {
  World world;
  const std::string vpc = world.vpc();
  const std::string subnet = world.subnet(vpc);
  for (int i = 0; i < 10; ++i) plug(world, subnet, "task/" + std::to_string(i));
  world.run();
  EXPECT_EQ(world.network.applies, 1);
  EXPECT_EQ(world.network.vpcs.at(vpc).interfaces.size(), 10u);
}

TEST(Reconciler, ARuleReachesThePlane) {
  World world;
  const std::string vpc = world.vpc();
  plug(world, world.subnet(vpc), "task/1");
  const std::string group = world.group(vpc);
  world.run();
  const int before = world.network.applies;
  world.call(authorize_security_group_ingress,
             {.cidr_ip = "10.0.0.0/8", .from_port = 80, .group_id = group, .ip_protocol = "tcp", .to_port = 80});
  world.run();
  EXPECT_EQ(world.network.applies, before + 1);
  const auto ingress_rules = [&] {
    std::size_t count = 0;
    for (const auto& item : world.network.vpcs.at(vpc).groups) count += item.id == group ? item.ingress.size() : 0;
    return count;
  };
  EXPECT_EQ(ingress_rules(), 1u);
  world.call(revoke_security_group_ingress,
             {.cidr_ip = "10.0.0.0/8", .from_port = 80, .group_id = group, .ip_protocol = "tcp", .to_port = 80});
  world.run();
  EXPECT_EQ(ingress_rules(), 0u);
}

TEST(Reconciler, ARefusedRequestTouchesNothing) {
  World world;
  const std::string vpc = world.vpc();
  plug(world, world.subnet(vpc), "task/1");
  world.run();
  const int before = world.network.applies;
  world.code(create_subnet, {.cidr_block = "10.0.1.0/24", .vpc_id = vpc});
  world.run();
  EXPECT_EQ(world.network.applies, before);
}

TEST(Reconciler, ChangesDuringAnApplyAreAppliedAfterIt) {
  World world;
  const std::string vpc = world.vpc();
  const std::string subnet = world.subnet(vpc);
  world.network.hold = true;
  const std::string first = plug(world, subnet, "task/1");
  world.run();
  const std::string second = plug(world, subnet, "task/2");
  world.run();
  EXPECT_EQ(world.network.applies, 1);
  world.network.release();
  world.run();
  EXPECT_TRUE(is_ready(*world.ec2, first));
  EXPECT_FALSE(is_ready(*world.ec2, second));
  EXPECT_EQ(world.network.applies, 2);
  world.network.release();
  world.run();
  EXPECT_TRUE(is_ready(*world.ec2, second));
}

TEST(Reconciler, FailuresAreRepeatedAndShown) {
  World world;
  world.network.error = "nft said no";
  const std::string vpc = world.vpc();
  const std::string id = plug(world, world.subnet(vpc), "task/1");
  world.run();
  EXPECT_EQ(world.ec2->reconciler.error_of(vpc), "nft said no");
  EXPECT_FALSE(is_ready(*world.ec2, id));
  world.network.error = "";
  world.runtime.advance(minutes(1));
  EXPECT_TRUE(is_ready(*world.ec2, id));
  EXPECT_EQ(world.ec2->reconciler.error_of(vpc), "");
}

TEST(Reconciler, ARestartAppliesEverythingAgain) {
  World world;
  const std::string vpc = world.vpc();
  const std::string id = plug(world, world.subnet(vpc), "task/1");
  world.run();
  const network::Vpc before = world.network.vpcs.at(vpc);
  world.restart();
  EXPECT_FALSE(is_ready(*world.ec2, id));
  world.start();
  EXPECT_TRUE(is_ready(*world.ec2, id));
  EXPECT_EQ(world.network.vpcs.at(vpc), before);
}

TEST(Reconciler, ARestartFinishesWhatWasCutOff) {
  World world;
  const std::string vpc = world.vpc();
  const std::string subnet = world.subnet(vpc);
  world.attached_gateway(vpc);
  const std::string nat = *world.call(create_nat_gateway, {.allocation_id = world.address(), .subnet_id = subnet})
                               .nat_gateway->nat_gateway_id;
  world.run();
  ASSERT_TRUE(world.network.vpcs.contains(vpc));
  world.call(delete_nat_gateway, {.nat_gateway_id = nat});
  // The daemon dies before the plane hears of it.
  world.restart();
  world.start();
  EXPECT_FALSE(world.network.vpcs.contains(vpc));
  EXPECT_EQ(*world.call(describe_nat_gateways, {.nat_gateway_ids = {{nat}}}).nat_gateways->at(0).state, "deleted");
}

TEST(Reconciler, NamespacesOfVpcsThatAreGoneAreRemovedAfterARestart) {
  World world;
  const std::string vpc = world.vpc();
  const std::string subnet = world.subnet(vpc);
  const std::string id = plug(world, subnet, "task/1");
  world.run();
  unplug(world, id);
  world.call(delete_subnet, {.subnet_id = subnet});
  world.call(delete_vpc, {.vpc_id = vpc});
  world.restart();
  EXPECT_TRUE(world.network.vpcs.contains(vpc));
  world.start();
  EXPECT_FALSE(world.network.vpcs.contains(vpc));
}

TEST(Reconciler, NothingIsAppliedBeforeThePlaneHasRecovered) {
  World world(false);
  const std::string vpc = world.vpc();
  plug(world, world.subnet(vpc), "task/1");
  world.run();
  EXPECT_EQ(world.network.applies, 0);
  world.network.recover_error = "no permission";
  std::string error;
  world.ec2->reconciler.start([&](const std::string& text) { error = text; });
  world.run();
  EXPECT_EQ(error, "no permission");
  EXPECT_EQ(world.network.applies, 0);
  world.network.recover_error = "";
  world.start();
  EXPECT_EQ(world.network.applies, 1);
}

TEST(Reconciler, PublishesAndWithdrawsNames) {
  World world;
  const std::string vpc = world.vpc();
  const std::string subnet = world.subnet(vpc);
  const std::string id = plug(world, subnet, "task/1", true);
  world.run();
  EXPECT_TRUE(world.names.names.empty());
  world.call(modify_vpc_attribute, {.enable_dns_hostnames = AttributeBooleanValue{.value = true}, .vpc_id = vpc});
  world.run();
  EXPECT_EQ(world.names.names.size(), 3u);
  const InterfaceFacts facts = *find_interface(*world.ec2, kScope, id);
  EXPECT_EQ(world.names.names.at({vpc, facts.private_dns_name}), facts.private_ip);
  unplug(world, id);
  world.run();
  EXPECT_TRUE(world.names.names.empty());
}

// Whatever happens in whatever order: once all is quiet, the plane holds exactly what the tables say.
TEST(Reconciler, ConvergesFromRandomChanges) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    World world;
    const auto dice = seeded_random(seed);
    const std::string vpc = world.vpc();
    const std::string subnet = world.subnet(vpc);
    const std::string group = world.group(vpc);
    std::vector<std::string> plugged;
    for (int step = 0; step < 60; ++step) {
      switch (dice->below(6)) {
        case 0:
          plugged.push_back(plug(world, subnet, "task/" + std::to_string(step)));
          break;
        case 1:
          if (plugged.empty()) break;
          unplug(world, plugged.back());
          plugged.pop_back();
          break;
        case 2:
          world.code(authorize_security_group_ingress, {.cidr_ip = "10.0.0.0/8",
                                                        .from_port = static_cast<std::int64_t>(dice->below(50)) + 1,
                                                        .group_id = group,
                                                        .ip_protocol = "tcp",
                                                        .to_port = 100});
          break;
        case 3:
          world.network.error = dice->below(2) == 0 ? "no" : "";
          break;
        case 4:
          world.run();
          break;
        case 5:
          world.restart();
          world.start();
          break;
      }
    }
    world.network.error = "";
    world.runtime.advance(minutes(12));
    const network::Vpc wanted = render(snapshot(*world.ec2, kScope, *world.ec2->vpcs.find(kScope, vpc)));
    if (plugged.empty()) {
      EXPECT_FALSE(world.network.vpcs.contains(vpc)) << seed;
    } else {
      ASSERT_TRUE(world.network.vpcs.contains(vpc)) << seed;
      EXPECT_EQ(world.network.vpcs.at(vpc), wanted) << seed;
      for (const std::string& id : plugged) EXPECT_TRUE(is_ready(*world.ec2, id)) << seed;
    }
    EXPECT_TRUE(world.ec2->reconciler.idle()) << seed;
  }
}

}  // namespace
}  // namespace brume::ec2
