#include "planes/network/topology.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "planes/network/nft_table.h"
#include "planes/network/render.h"
#include "planes/network/sample_vpc.h"

namespace brume::network {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::sample_vpc;

std::vector<std::string> texts(const std::vector<Change>& changes) {
  std::vector<std::string> all;
  for (const Change& change : changes) all.push_back(to_text(change));
  return all;
}

TEST(Plan, MovedInterfaceIsMadeAnew) {
  Vpc moved = sample_vpc();
  testing::find_interface(moved, "eni-task2").sandbox = "vpc-a/other";
  const std::string link = interface_link("eni-task2");
  EXPECT_THAT(
      texts(plan(render_topology(sample_vpc(), {}), render_topology(moved, {}))),
      ElementsAre("router.vpc-a: delete link " + link, "sandbox.vpc-a%2Fother: create namespace",
                  HasSubstr("router.vpc-a: create link " + link), HasSubstr("router.vpc-a: set link " + link),
                  "router.vpc-a: put route 10.0.2.12/32 dev " + link + " src 10.0.2.1 table main",
                  HasSubstr("sandbox.vpc-a%2Fother: set link eth0"), HasSubstr("sandbox.vpc-a%2Fother: set link lo"),
                  "sandbox.vpc-a%2Fother: add address 10.0.2.12/24 dev eth0",
                  "sandbox.vpc-a%2Fother: put route 0.0.0.0/0 via 10.0.2.1 dev eth0 src 10.0.2.12 table main",
                  "sandbox.vpc-a%2Ftask2: remove namespace"));
}

TEST(Plan, FloatingAddressSwingsInOneRoute) {
  Vpc before = sample_vpc(), after = sample_vpc();
  testing::find_interface(before, "eni-task1").addresses.push_back("10.0.2.50");
  testing::find_interface(after, "eni-task2").addresses.push_back("10.0.2.50");
  EXPECT_THAT(texts(plan(render_topology(before, {}), render_topology(after, {}))),
              ElementsAre("sandbox.vpc-a%2Ftask1: remove address 10.0.2.50/32 dev eth0",
                          "router.vpc-a: put route 10.0.2.50/32 dev " + interface_link("eni-task2") +
                              " src 10.0.2.1 table main",
                          "sandbox.vpc-a%2Ftask2: add address 10.0.2.50/32 dev eth0"));
}

TEST(Plan, RouteThatPrefersAnAddressIsPutAgainAfterTheAddress) {
  Vpc after = sample_vpc();
  testing::find_interface(after, "eni-task1").addresses = {"10.0.2.77"};
  const std::vector<std::string> planned = texts(plan(render_topology(sample_vpc(), {}), render_topology(after, {})));
  EXPECT_THAT(
      planned,
      ::testing::Contains("sandbox.vpc-a%2Ftask1: put route 0.0.0.0/0 via 10.0.2.1 dev eth0 src 10.0.2.77 table main"));
}

TEST(Plan, RemovedVpcTakesItsLinksFirst) {
  const std::vector<std::string> planned =
      texts(plan(render_topology(sample_vpc(), {}), {{kInternetNamespace, NamespaceState{}}}));
  ASSERT_FALSE(planned.empty());
  EXPECT_THAT(planned.front(), HasSubstr("router.vpc-a: delete link"));
  EXPECT_EQ(planned.back(), "sandbox.vpc-a%2Ftask2: remove namespace");
  EXPECT_THAT(planned, ::testing::Not(::testing::Contains("internet: remove namespace")));
}

TEST(Plan, UnfinishedLinkIsMadeAnew) {
  // A daemon that died between making a pair and naming it leaves ends without labels, which nothing pairs.
  Topology observed = render_topology(sample_vpc(), {});
  const std::string link = interface_link("eni-task1");
  observed["router.vpc-a"].links[link] = {.router_end = true};
  observed["sandbox.vpc-a%2Ftask1"].links["eth0"] = {};
  const std::vector<std::string> planned = texts(plan(observed, render_topology(sample_vpc(), {})));
  EXPECT_THAT(planned, ::testing::Contains("router.vpc-a: delete link " + link));
  EXPECT_THAT(planned, ::testing::Contains(HasSubstr("router.vpc-a: create link " + link)));
}

TEST(NftTable, StatementsAreOneTransactionUnlessLimited) {
  const std::vector<std::string> statements = replacement(render_table(sample_vpc()), {});
  EXPECT_EQ(transactions(statements, 0).size(), 1U);
  const std::vector<std::string> lines = transactions(statements, 2000);
  EXPECT_GT(lines.size(), 2U);
  for (const std::string& line : lines) EXPECT_LE(line.size(), 2000U);
}

TEST(NftTable, ReplacementCarriesCounts) {
  EXPECT_THAT(replacement(render_table(sample_vpc()), {{"rule.sgr-web", {7, 420}}}),
              ::testing::Contains("add counter inet brume rule.sgr-web { packets 7 bytes 420 ; }"));
}

}  // namespace
}  // namespace brume::network
