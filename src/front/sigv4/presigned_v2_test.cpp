#include "front/sigv4/presigned_v2.h"

#include <gtest/gtest.h>

#include "front/sigv4/testing.h"

namespace brume::sigv4 {
namespace {

// "Query string request authentication alternative", the example of AWS's own document.
struct Example {
  Headers headers = {{"Host", "awsexamplebucket1.us-west-1.s3.amazonaws.com"}};
  std::string method = "GET", path = "/photos/puppy.jpg";
  std::string resource = "/awsexamplebucket1/photos/puppy.jpg";
  std::string query =
      "AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D&Expires=1175139620";
  std::string region = "us-west-1";
  Time now{1'175'139'000'000};

  std::string code() const {
    const SignedRequest request{method, path, query, &headers};
    const auto principal = verify_presigned_v2(request, resource, region, now, OneKey());
    return principal ? "" : principal.error().code;
  }
};

TEST(PresignedV2, SignsTheTextOfAwsDocument) {
  Example example;
  example.resource = "/johnsmith/photos/puppy.jpg";
  const SignedRequest request{example.method, example.path, example.query, &example.headers};
  EXPECT_EQ(string_to_sign_v2(request, example.resource), "GET\n\n\n1175139620\n/johnsmith/photos/puppy.jpg");
  // The signature of the document's earlier edition, whose bucket is "johnsmith".
  EXPECT_EQ(example.code(), "");
}

TEST(PresignedV2, RefusesWhatIsChangedLateOrElsewhere) {
  Example base;
  base.resource = "/johnsmith/photos/puppy.jpg";
  Example method = base;
  method.method = "PUT";
  EXPECT_EQ(method.code(), "SignatureDoesNotMatch");
  Example resource = base;
  resource.resource += "x";
  EXPECT_EQ(resource.code(), "SignatureDoesNotMatch");
  Example version = base;
  version.query += "&versionId=1";
  EXPECT_EQ(version.code(), "SignatureDoesNotMatch");
  Example header = base;
  header.headers.emplace_back("x-amz-acl", "public-read");
  EXPECT_EQ(header.code(), "SignatureDoesNotMatch");
  Example type = base;
  type.headers.emplace_back("Content-Type", "text/html");
  EXPECT_EQ(type.code(), "SignatureDoesNotMatch");
  Example late = base;
  late.now = {1'175'139'621'000};
  EXPECT_EQ(late.code(), "AccessDenied");
  Example later_expiry = base;
  later_expiry.query.replace(later_expiry.query.find("1175139620"), 10, "1975139620");
  EXPECT_EQ(later_expiry.code(), "SignatureDoesNotMatch");
  Example region = base;
  region.region = "eu-central-1";
  EXPECT_EQ(region.code(), "InvalidRequest");
  Example unknown = base;
  unknown.query.replace(unknown.query.find("AKIA"), 4, "AKIB");
  EXPECT_EQ(unknown.code(), "InvalidAccessKeyId");
}

}  // namespace
}  // namespace brume::sigv4
