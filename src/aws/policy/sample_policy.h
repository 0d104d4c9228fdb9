// A policy as a team's role has ten of them, for what measures decisions: four statements, one of them with a
// condition.
#pragma once

#include <string>

namespace brume::policy {

// `n` tells them apart: of the bucket "assets-N", the table "orders-N" and the log group "/ecs/service-N".
inline std::string sample_policy(int n) {
  const std::string number = std::to_string(n);
  return R"({"Version":"2012-10-17","Statement":[
      {"Sid":"Read","Effect":"Allow","Action":["s3:GetObject","s3:ListBucket","s3:GetBucketLocation"],
       "Resource":["arn:aws:s3:::assets-)" +
         number + R"(","arn:aws:s3:::assets-)" + number + R"(/*"]},
      {"Sid":"Table","Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:PutItem","dynamodb:Query"],
       "Resource":"arn:aws:dynamodb:eu-west-1:111111111111:table/orders-)" +
         number + R"("},
      {"Sid":"Logs","Effect":"Allow","Action":["logs:CreateLogStream","logs:PutLogEvents"],
       "Resource":"arn:aws:logs:*:*:log-group:/ecs/service-)" +
         number + R"(:*"},
      {"Sid":"Tls","Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::assets-)" +
         number + R"(/*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]})";
}

}  // namespace brume::policy
