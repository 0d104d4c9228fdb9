#include "planes/network/flow_meter.h"

#include <gmock/gmock.h>

#include "planes/network/render.h"
#include "planes/network/sample_vpc.h"

namespace brume::network {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

const FlowKey kKey = {"eni-1", "10.0.1.5", "10.0.2.6", "40000", "443"};
const std::map<std::string, std::string> kInterfaces = {{"eni-1", "eni-a"}};

FlowListing counted(const char* set, std::uint64_t packets) { return {{set, {{kKey, {packets, packets * 100}}}}}; }

TEST(FlowListing, ReadsSetsOfSeveralElements) {
  const FlowListing listing = parse_flows(
      "table inet brume {\n\tset flow.out_seen.tcp {\n\t\ttype ifname . ipv4_addr . ipv4_addr . inet_service . "
      "inet_service\n\t\tsize 65535\n\t\tflags dynamic,timeout\n\t\ttimeout 3m\n\t\telements = { \"eni-1\" . 10.0.1.5 "
      ". 10.0.2.6 . 40000 . 443 counter packets 4 bytes 216 expires 9m59s976ms,\n\t\t\t     \"eni-1\" . 10.0.1.5 . "
      "10.0.2.6 . 40001 . 443 counter packets 1 bytes 60 expires 1s }\n\t}\n}\ntable inet brume {\n\tset "
      "flow.out_seen.udp {\n\t\ttype ifname . ipv4_addr\n\t}\n}\ntable inet brume {\n\tset flow.syn {\n\t\telements = "
      "{ 10.0.1.5 . 10.0.2.6 . 40000 . 443 expires 1s }\n\t}\n}\n");
  ASSERT_EQ(listing.size(), 3U);
  EXPECT_THAT(listing.at("flow.out_seen.tcp"), SizeIs(2));
  EXPECT_EQ(listing.at("flow.out_seen.tcp").at(kKey), std::pair(std::uint64_t{4}, std::uint64_t{216}));
  EXPECT_THAT(listing.at("flow.out_seen.udp"), IsEmpty());
  EXPECT_THAT(listing.at("flow.syn"), SizeIs(1));
}

TEST(FlowMeter, TellsWhatIsNewAndWhatDidNotPass) {
  FlowMeter meter;
  EXPECT_FALSE(meter.read(counted("flow.out_seen.tcp", 5), counted("flow.out_passed.tcp", 5), kInterfaces).complete);
  const Flows second = meter.read(counted("flow.out_seen.tcp", 9), counted("flow.out_passed.tcp", 8), kInterfaces);
  ASSERT_THAT(second.flows, SizeIs(1));
  EXPECT_TRUE(second.complete);
  EXPECT_EQ(second.flows[0].interface, "eni-a");
  EXPECT_EQ(second.flows[0].accepted.packets, 3U);
  EXPECT_EQ(second.flows[0].rejected.packets, 1U);
  EXPECT_EQ(second.flows[0].destination_port, 443);
  EXPECT_THAT(meter.read(counted("flow.out_seen.tcp", 9), counted("flow.out_passed.tcp", 8), kInterfaces).flows,
              IsEmpty());
}

TEST(FlowMeter, TakesAPacketOnItsWayForNothingRejected) {
  FlowMeter meter;
  meter.read({}, {}, kInterfaces);
  // Two packets came between the two listings.
  EXPECT_EQ(meter.read(counted("flow.out_seen.tcp", 3), counted("flow.out_passed.tcp", 5), kInterfaces)
                .flows[0]
                .rejected.packets,
            0U);
  const Flows quiet = meter.read(counted("flow.out_seen.tcp", 6), counted("flow.out_passed.tcp", 5), kInterfaces);
  EXPECT_EQ(quiet.flows[0].rejected.packets, 1U);
  EXPECT_EQ(quiet.flows[0].accepted.packets, 0U);
}

TEST(FlowMeter, GoesOnWhenAnElementWasAway) {
  FlowMeter meter;
  meter.read({}, {}, kInterfaces);
  meter.read(counted("flow.in_seen.tcp", 5), counted("flow.in_passed.tcp", 5), kInterfaces);
  EXPECT_THAT(meter.read({}, {}, kInterfaces).flows, IsEmpty());
  const Flows again = meter.read(counted("flow.in_seen.tcp", 6), counted("flow.in_passed.tcp", 6), kInterfaces);
  ASSERT_THAT(again.flows, SizeIs(1));
  EXPECT_EQ(again.flows[0].accepted.packets, 6U);
  EXPECT_TRUE(again.flows[0].ingress);
}

TEST(FlowMeter, KnowsInterfacesThatAreGone) {
  FlowMeter meter;
  meter.read({}, {}, kInterfaces);
  EXPECT_THAT(meter.read(counted("flow.out_seen.tcp", 1), counted("flow.out_passed.tcp", 1), {}).flows, SizeIs(1));
}

TEST(RenderFlows, CountsNothingUnlessAsked) {
  Vpc vpc = testing::sample_vpc();
  const NftTable without = render_table(vpc);
  EXPECT_FALSE(without.chains.contains("flow_seen"));
  vpc.flow_logged = {vpc.interfaces.front().id};
  const NftTable with = render_table(vpc);
  EXPECT_TRUE(with.chains.contains("flow_seen"));
  EXPECT_TRUE(with.sets.at("flow.out_seen.tcp").dynamic);
  EXPECT_THAT(with.sets.at("flow_ports").elements, SizeIs(1));
}

}  // namespace
}  // namespace brume::network
