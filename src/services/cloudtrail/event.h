// An event of the audit trail, in AWS's record format ("CloudTrail record contents"), rendered from what the front door
// kept of a request. Pure functions, any thread.
#pragma once

#include <boost/describe/class.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/audit.h"

namespace brume::cloudtrail {

struct ResourceName {
  std::string type, name;  // "AWS::EC2::VPC", "vpc-0123"
};
BOOST_DESCRIBE_STRUCT(ResourceName, (), (type, name))

// As it is kept: what events are looked up by, and the event itself.
struct EventRecord {
  Time time;
  std::string id, name, source;  // a UUID, "CreateVpc", "ec2.amazonaws.com"
  std::string user_name, access_key_id;
  bool read_only = false, management = true;
  std::vector<ResourceName> resources;
  std::string json;
};
BOOST_DESCRIBE_STRUCT(EventRecord, (),
                      (time, id, name, source, user_name, access_key_id, read_only, management, resources, json))

// Whether an operation only reads ("readOnly"), by its name.
bool is_read_only(std::string_view operation);
// Whether its event has what it answered ("Response elements for actions that make changes"): of what only reads just
// the credentials that were made.
bool tells_answer(std::string_view operation);
// Whether it acts on a resource's data rather than on the resource ("Logging data events"): S3's objects, DynamoDB's
// items. Trails record these only when they are asked to.
bool is_data_event(const AuditRecord& record);

// The accounts that are told: the caller's, and the one whose resource or role it was. A role's account learns of those
// who assumed it, not of those who tried ("Logging IAM and AWS STS API calls with AWS CloudTrail").
std::vector<std::string> recipients(const AuditRecord& record);

// As the recipient sees it: the caller of another account has no name there. `shared_id`: of both accounts' events.
EventRecord render(const AuditRecord& record, const std::string& recipient, std::string id,
                   const std::string& shared_id = {});

}  // namespace brume::cloudtrail
