#include "services/sts/key_ring.h"

#include <gtest/gtest.h>

#include <set>

namespace brume::sts {
namespace {

TEST(KeyRing, KnowsRootsConventions) {
  const KeyRing ring;
  const Credential test = *ring.find("test");
  EXPECT_EQ(test.secret, "test");
  EXPECT_EQ(test.principal.kind, Principal::Kind::root);
  EXPECT_EQ(test.principal.account, "000000000000");
  EXPECT_EQ(test.principal.arn, "arn:aws:iam::000000000000:root");
  const Credential other = *ring.find("123456789012");
  EXPECT_EQ(other.secret, "test");
  EXPECT_EQ(other.principal.arn, "arn:aws:iam::123456789012:root");
  for (const char* unknown : {"", "Test", "12345678901", "1234567890123", "12345678901x", "AKIAIOSFODNN7EXAMPLE"})
    EXPECT_FALSE(ring.find(unknown)) << unknown;
}

TEST(KeyRing, HoldsWhatWasIssued) {
  KeyRing ring;
  Credential credential;
  credential.secret = "s";
  ring.put("AKIA1", credential);
  EXPECT_EQ(ring.find("AKIA1")->secret, "s");
  ring.remove("AKIA1");
  EXPECT_FALSE(ring.find("AKIA1"));
}

TEST(AccessKeyId, CarriesItsAccount) {
  const auto random = seeded_random(3);
  std::set<std::string> ids;
  for (const char* account : {"000000000000", "000000000001", "123456789012", "999999999999"})
    for (int i = 0; i < 50; ++i) {
      const std::string id = new_access_key_id("AKIA", account, *random);
      EXPECT_EQ(id.size(), 20U);
      EXPECT_EQ(id.substr(0, 4), "AKIA");
      EXPECT_EQ(account_of_access_key(id), account) << id;
      ids.insert(id);
    }
  EXPECT_EQ(ids.size(), 200U);
  // The account of an id that AWS itself gave, and one from before ids carried it.
  EXPECT_EQ(account_of_access_key("ASIAQNZGKIQY56JQ7WML"), "029608264753");
  EXPECT_EQ(account_of_access_key("AKIAIOSFODNN7EXAMPLE"), "");
  EXPECT_EQ(account_of_access_key("123456789012"), "123456789012");
  EXPECT_EQ(account_of_access_key("AKIA0000000000000000"), "");
}

}  // namespace
}  // namespace brume::sts
