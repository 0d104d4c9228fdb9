// Lifecycle policies: which images expire.
#include <gtest/gtest.h>

#include "services/ecr/ecr.h"

namespace brume::ecr {
namespace {

constexpr Time kNow{1'772'366'400'000};

std::string policy(const std::string& selection, int priority = 1) {
  return R"({"rulePriority":)" + std::to_string(priority) + R"(,"selection":{)" + selection +
         R"(},"action":{"type":"expire"}})";
}
std::string rules(const std::vector<std::string>& list) {
  std::string text;
  for (const std::string& rule : list) text += (text.empty() ? "" : ",") + rule;
  return R"({"rules":[)" + text + "]}";
}

std::vector<LifecycleImage> three_images() {
  return {{"new", {"v3"}, kNow - days(1)}, {"middle", {"v2"}, kNow - days(10)}, {"old", {}, kNow - days(20)}};
}

TEST(Lifecycle, KeepsTheNewestByCount) {
  const std::string document = rules({policy(R"("tagStatus":"any","countType":"imageCountMoreThan","countNumber":1)")});
  EXPECT_EQ(expired_images(document, three_images(), kNow), (std::vector<std::string>{"middle", "old"}));
}

TEST(Lifecycle, ExpiresByAge) {
  const std::string document =
      rules({policy(R"("tagStatus":"any","countType":"sinceImagePushed","countUnit":"days","countNumber":10)")});
  EXPECT_EQ(expired_images(document, three_images(), kNow), (std::vector<std::string>{"middle", "old"}));
  EXPECT_EQ(expired_images(document, three_images(), kNow - days(5)), (std::vector<std::string>{"old"}));
}

TEST(Lifecycle, AnyNumberOfDaysIsAnAge) {
  const std::string document = rules({policy(
      R"("tagStatus":"any","countType":"sinceImagePushed","countUnit":"days","countNumber":9223372036854775807)")});
  EXPECT_EQ(lifecycle_problem(document), "");
  EXPECT_TRUE(expired_images(document, three_images(), kNow).empty());
}

TEST(Lifecycle, SelectsByTags) {
  const std::string untagged =
      rules({policy(R"("tagStatus":"untagged","countType":"imageCountMoreThan","countNumber":1)")});
  EXPECT_TRUE(expired_images(untagged, three_images(), kNow).empty());
  const std::string prefixed =
      rules({policy(R"("tagStatus":"tagged","tagPrefixList":["v"],"countType":"imageCountMoreThan","countNumber":1)")});
  EXPECT_EQ(expired_images(prefixed, three_images(), kNow), (std::vector<std::string>{"middle"}));
}

TEST(Lifecycle, AnImageBelongsToTheFirstRuleThatSelectsIt) {
  const std::string document = rules(
      {policy(R"("tagStatus":"any","countType":"imageCountMoreThan","countNumber":1)", 2),
       policy(R"("tagStatus":"tagged","tagPatternList":["v*"],"countType":"imageCountMoreThan","countNumber":5)", 1)});
  EXPECT_TRUE(expired_images(document, three_images(), kNow).empty()) << "only `old` is left for the second rule";
}

TEST(Lifecycle, RefusesWhatIsNoPolicy) {
  EXPECT_NE(lifecycle_problem("{"), "");
  EXPECT_NE(lifecycle_problem("{}"), "");
  EXPECT_NE(
      lifecycle_problem(rules({policy(R"("tagStatus":"some","countType":"imageCountMoreThan","countNumber":1)")})), "");
  EXPECT_NE(lifecycle_problem(rules({policy(R"("tagStatus":"any","countType":"imageCountMoreThan","countNumber":0)")})),
            "");
  const std::string any = policy(R"("tagStatus":"any","countType":"imageCountMoreThan","countNumber":1)");
  EXPECT_NE(lifecycle_problem(rules({any, any})), "") << "two rules of one priority";
  EXPECT_EQ(lifecycle_problem(rules({any})), "");
}

TEST(RegistryHost, IsReadAndWritten) {
  const Scope scope{"123456789012", "eu-west-1"};
  EXPECT_EQ(registry_host(scope), "123456789012.dkr.ecr.eu-west-1.amazonaws.com");
  EXPECT_EQ(scope_of_registry_host(registry_host(scope) + ":443"), scope);
  EXPECT_EQ(scope_of_registry_host("localhost:4566"), std::nullopt);
  EXPECT_EQ(scope_of_registry_host("123456789012.dkr.ecr.nowhere.amazonaws.com"), std::nullopt);
}

}  // namespace
}  // namespace brume::ecr
