#include "app/served.h"

#include "core/model.h"
#include "gen/cloudtrail.h"
#include "gen/dynamodb.h"
#include "gen/ec2.h"
#include "gen/ecr.h"
#include "gen/ecs.h"
#include "gen/elbv2.h"
#include "gen/iam.h"
#include "gen/logs.h"
#include "gen/resourcegroupstaggingapi.h"
#include "gen/s3.h"
#include "gen/sqs.h"
#include "gen/sts.h"

namespace brume::app {

std::vector<const model::Service*> served_services() {
  return {&sts::service_model(),
          &iam::service_model(),
          &ec2::service_model(),
          &elbv2::service_model(),
          &ecs::service_model(),
          &ecr::service_model(),
          &logs::service_model(),
          &s3::service_model(),
          &dynamodb::service_model(),
          &cloudtrail::service_model(),
          &resourcegroupstaggingapi::service_model(),
          &sqs::service_model()};
}

bool is_served(std::string_view operation) {
  const std::size_t colon = operation.find(':');
  for (const model::Service* service : served_services())
    if (service->id == operation.substr(0, colon)) return service->find(operation.substr(colon + 1)) != nullptr;
  return false;
}

}  // namespace brume::app
