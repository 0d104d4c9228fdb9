#include "aws/http.h"

#include <gtest/gtest.h>

namespace brume {
namespace {

TEST(HttpRequest, FindsTheFirstHeaderWhateverItsCase) {
  HttpRequest request;
  request.headers = {{"X-aws-ec2-metadata-token", "first"}, {"x-aws-ec2-metadata-token", "second"}};
  EXPECT_EQ(request.header("x-aws-EC2-metadata-token"), "first");
  EXPECT_EQ(request.header("x-aws"), "");
}

TEST(HttpRequest, DecodesQueryParameters) {
  HttpRequest request;
  request.query = "n=10&last=a%2Fb+c&flag&bad=%zz";
  EXPECT_EQ(request.parameter("n"), "10");
  EXPECT_EQ(request.parameter("last"), "a/b c");
  EXPECT_EQ(request.parameter("flag"), "");
  EXPECT_EQ(request.parameter("bad"), "");
  EXPECT_EQ(request.parameter("absent"), "");
}

}  // namespace
}  // namespace brume
