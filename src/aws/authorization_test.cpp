#include "aws/authorization.h"

#include <gtest/gtest.h>

namespace brume {
namespace {

TEST(DenialMessage, ReadsAsAwsWritesIt) {
  Principal john;
  john.kind = Principal::Kind::user;
  john.arn = "arn:aws:iam::123456789012:user/JohnDoe";
  const Ask ask{.action = "codedeploy:ListDeployments",
                .resource = "arn:aws:codedeploy:us-east-1:123456789012:deploymentgroup:*"};
  EXPECT_EQ(denial_message(john, ask, {false, "with an explicit deny in an identity-based policy"}),
            "User: arn:aws:iam::123456789012:user/JohnDoe is not authorized to perform: codedeploy:ListDeployments on "
            "resource: arn:aws:codedeploy:us-east-1:123456789012:deploymentgroup:* with an explicit deny in an "
            "identity-based policy");
  EXPECT_EQ(denial_message({}, {.action = "s3:GetObject"}, {}),
            "User: anonymous is not authorized to perform: s3:GetObject on resource: *");
}

}  // namespace
}  // namespace brume
