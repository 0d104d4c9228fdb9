// The services by name alone, for headers that hold references to them.
#pragma once

namespace brume::cloudtrail {
struct Cloudtrail;
}
namespace brume::dynamodb {
struct Dynamodb;
}
namespace brume::ec2 {
struct Ec2;
}
namespace brume::ecr {
struct Ecr;
}
namespace brume::ecs {
struct Ecs;
}
namespace brume::elbv2 {
struct Elbv2;
}
namespace brume::iam {
struct Iam;
}
namespace brume::logs {
struct Logs;
}
namespace brume::s3 {
struct S3;
}
namespace brume::sqs {
struct Sqs;
}
