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
  EXPECT_EQ(denial_message({}, {.action = "s3:GetObject", .resource = "arn:aws:s3:::bucket/key"}, {}),
            "User: anonymous is not authorized to perform: s3:GetObject on resource: \"arn:aws:s3:::bucket/key\"");
  const std::string_view start = "User: anonymous is not authorized to perform: ";
  EXPECT_EQ(denial_message({}, {.action = "ec2:DescribeVpcs"}, {}), std::string(start) + "ec2:DescribeVpcs");
  EXPECT_EQ(denial_message({}, {.action = "s3:ListAllMyBuckets"}, {}), std::string(start) + "s3:ListAllMyBuckets");
  EXPECT_EQ(denial_message({}, {.action = "ecr:GetAuthorizationToken"}, {}),
            std::string(start) + "ecr:GetAuthorizationToken on resource: *");
}

}  // namespace
}  // namespace brume
