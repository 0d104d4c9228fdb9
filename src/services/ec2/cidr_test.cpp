#include "services/ec2/cidr.h"

#include <gtest/gtest.h>

namespace brume::ec2 {
namespace {

Cidr cidr(std::string_view text) { return parse_cidr(text).value(); }

TEST(ParseCidr, ReadsAndCanonicalizes) {
  EXPECT_EQ(to_string(cidr("10.0.0.0/16")), "10.0.0.0/16");
  EXPECT_EQ(to_string(cidr("100.68.0.18/18")), "100.68.0.0/18");
  EXPECT_EQ(to_string(cidr("1.2.3.4/0")), "0.0.0.0/0");
  EXPECT_EQ(to_string(cidr("1.2.3.4/32")), "1.2.3.4/32");
}

TEST(ParseCidr, RefusesEverythingElse) {
  for (const char* text : {"", "10.0.0.0", "10.0.0/16", "10.0.0.0.0/16", "10.0.0.256/16", "10.0.0.0/33", "10.0.0.0/",
                           "10.0.0.0/-1", " 10.0.0.0/16", "10.0.0.00/16", "a.b.c.d/8", "10.0.0.0/16/8", "::/0"}) {
    EXPECT_FALSE(parse_cidr(text)) << text;
  }
}

TEST(Cidr, ContainsAndOverlaps) {
  EXPECT_TRUE(cidr("10.0.0.0/16").contains(cidr("10.0.255.0/24")));
  EXPECT_FALSE(cidr("10.0.0.0/16").contains(cidr("10.1.0.0/24")));
  EXPECT_FALSE(cidr("10.0.0.0/24").contains(cidr("10.0.0.0/16")));
  EXPECT_TRUE(cidr("10.0.0.0/24").overlaps(cidr("10.0.0.0/16")));
  EXPECT_TRUE(cidr("10.0.0.0/16").overlaps(cidr("10.0.3.0/24")));
  EXPECT_FALSE(cidr("10.0.0.0/24").overlaps(cidr("10.0.1.0/24")));
  EXPECT_TRUE(cidr("0.0.0.0/0").contains(*parse_address("255.255.255.255")));
  EXPECT_EQ(cidr("0.0.0.0/0").size(), std::uint64_t{1} << 32);
}

TEST(IsVpcBlock, SizesAndRanges) {
  EXPECT_TRUE(is_vpc_block(cidr("10.0.0.0/16")));
  EXPECT_TRUE(is_vpc_block(cidr("10.0.0.0/28")));
  EXPECT_FALSE(is_vpc_block(cidr("10.0.0.0/15")));
  EXPECT_FALSE(is_vpc_block(cidr("10.0.0.0/29")));
  for (const char* text : {"127.0.0.0/16", "169.254.0.0/16", "198.19.4.0/24", "224.0.0.0/16", "0.0.0.0/16"}) {
    EXPECT_FALSE(is_vpc_block(cidr(text))) << text;
  }
}

TEST(MayBeAdded, PrivateRangesDoNotMix) {
  EXPECT_TRUE(may_be_added(cidr("10.0.0.0/16"), cidr("10.1.0.0/16")));
  EXPECT_FALSE(may_be_added(cidr("10.0.0.0/16"), cidr("172.16.0.0/16")));
  EXPECT_FALSE(may_be_added(cidr("192.168.0.0/16"), cidr("10.0.0.0/16")));
  EXPECT_TRUE(may_be_added(cidr("10.0.0.0/16"), cidr("100.64.0.0/16")));
  EXPECT_TRUE(may_be_added(cidr("100.64.0.0/16"), cidr("10.0.0.0/16")));
}

TEST(IsReservedInSubnet, FirstFourAndLast) {
  const Cidr subnet = cidr("10.0.1.0/28");
  for (IpAddress i = 0; i < 16; ++i)
    EXPECT_EQ(is_reserved_in_subnet(subnet, subnet.first() + i), i < 4 || i == 15) << i;
}

TEST(CanonicalIpv6Cidr, NormalizesText) {
  EXPECT_EQ(canonical_ipv6_cidr("::/0"), "::/0");
  EXPECT_EQ(canonical_ipv6_cidr("2001:DB8:0:0::1/32"), "2001:db8::/32");
  EXPECT_FALSE(canonical_ipv6_cidr("10.0.0.0/8"));
  EXPECT_FALSE(canonical_ipv6_cidr("::/129"));
}

}  // namespace
}  // namespace brume::ec2
