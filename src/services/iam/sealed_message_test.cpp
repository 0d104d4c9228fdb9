#include "services/iam/sealed_message.h"

#include <gtest/gtest.h>

namespace brume::iam {
namespace {

TEST(SealedMessage, IsReadByItsOwnCloudOnly) {
  const std::string text = R"({"allowed":false,"context":{"action":"ec2:CreateVpc"}})";
  const std::string sealed = seal_message("secret", text);
  EXPECT_EQ(open_message("secret", sealed), text);
  EXPECT_EQ(open_message("another", sealed), std::nullopt);
  EXPECT_EQ(sealed.find("CreateVpc"), std::string::npos);
}

TEST(SealedMessage, IsRefusedWhenAnythingOfItIsChanged) {
  const std::string sealed = seal_message("secret", "a text");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    const auto opened = open_message("secret", changed);
    // The last character before padding has bits that carry nothing.
    if (opened) EXPECT_GE(i + 3, sealed.size()) << i;
  }
  EXPECT_EQ(open_message("secret", "not base64!"), std::nullopt);
  EXPECT_EQ(open_message("secret", ""), std::nullopt);
}

}  // namespace
}  // namespace brume::iam
