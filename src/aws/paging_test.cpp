#include "aws/paging.h"

#include <gtest/gtest.h>

#include "core/random.h"
#include "store/store.h"

namespace brume {
namespace {

const AwsError kInvalid("InvalidNextToken", "The specified NextToken is not valid.");
const auto kSelf = [](const std::string& item) { return item; };

TEST(PagingTokens, OpensOnlyWhatItSealedForThePurpose) {
  const PagingTokens tokens("secret");
  const std::string token = tokens.seal("ec2:DescribeVpcs/1/eu", "vpc-9");
  EXPECT_EQ(tokens.open("ec2:DescribeVpcs/1/eu", token), "vpc-9");
  EXPECT_EQ(tokens.open("ec2:DescribeVpcs/2/eu", token), std::nullopt);
  EXPECT_EQ(PagingTokens("other").open("ec2:DescribeVpcs/1/eu", token), std::nullopt);
  EXPECT_EQ(tokens.open("ec2:DescribeVpcs/1/eu", "vpc-9"), std::nullopt);
  EXPECT_EQ(tokens.open("ec2:DescribeVpcs/1/eu", ""), std::nullopt);
}

TEST(PagingTokens, ABitChangedAnywhereIsRefused) {
  const PagingTokens tokens("secret");
  const std::string token = tokens.seal("p", "position");
  for (std::size_t i = 0; i + 2 < token.size(); ++i) {
    std::string forged = token;
    forged[i] = forged[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(tokens.open("p", forged), std::nullopt) << i;
  }
}

TEST(PagingTokens, PurposeAndPositionCannotBeShifted) {
  const PagingTokens tokens("secret");
  EXPECT_EQ(tokens.open("ab", tokens.seal("a", "bc")), std::nullopt);
}

TEST(PagingTokens, SecretIsKeptInTheStore) {
  const auto store = memory_store();
  const auto random = seeded_random(1);
  const std::string token = PagingTokens::load(*store, *random).seal("p", "x");
  EXPECT_EQ(PagingTokens::load(*store, *random).open("p", token), "x");
}

TEST(CutPage, WalksTheWholeListOnce) {
  const PagingTokens tokens("secret");
  const std::vector<std::string> all{"a", "b", "c", "d", "e"};
  std::vector<std::string> seen;
  opt<std::string> token;
  int pages = 0;
  do {
    std::vector<std::string> items = all;
    token = cut_page(tokens, "p", token, 2, items, kSelf, kInvalid);
    seen.insert(seen.end(), items.begin(), items.end());
    ++pages;
  } while (token);
  EXPECT_EQ(seen, all);
  EXPECT_EQ(pages, 3);
}

TEST(CutPage, DeletionsBetweenPagesHideNothing) {
  const PagingTokens tokens("secret");
  std::vector<std::string> items{"a", "b", "c", "d"};
  const opt<std::string> token = cut_page(tokens, "p", kNothing, 2, items, kSelf, kInvalid);
  std::vector<std::string> rest{"c", "d"};  // "a" and "b" are gone meanwhile
  EXPECT_FALSE(cut_page(tokens, "p", token, 2, rest, kSelf, kInvalid));
  EXPECT_EQ(rest, (std::vector<std::string>{"c", "d"}));
}

TEST(CutPage, ExactFitHasNoNextPage) {
  std::vector<std::string> items{"a", "b"};
  EXPECT_FALSE(cut_page(PagingTokens("s"), "p", kNothing, 2, items, kSelf, kInvalid));
  EXPECT_EQ(items.size(), 2u);
}

TEST(CutPage, BadTokenThrowsTheGivenError) {
  std::vector<std::string> items{"a"};
  EXPECT_THROW(cut_page(PagingTokens("s"), "p", std::string("x"), 2, items, kSelf, kInvalid), AwsError);
}

}  // namespace
}  // namespace brume
