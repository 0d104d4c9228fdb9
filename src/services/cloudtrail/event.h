// An event of the audit trail, in AWS's record format ("CloudTrail record contents"), rendered from what the front door
// kept of a request. Pure functions, any thread.
#pragma once

#include <boost/describe/class.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/audit.h"

namespace brume::cloudtrail {

struct ResourceName {
  std::string type, name;  // "AWS::EC2::VPC", "vpc-0123"
  bool operator==(const ResourceName&) const = default;
};
BOOST_DESCRIBE_STRUCT(ResourceName, (), (type, name))

// As it is kept: what events are looked up by, and the parts of its text. What every event says alike is not; json_of
// puts the whole together.
struct EventRecord {
  Scope scope;  // the account that is told, and the event's region; by the key of its page
  Time time;
  std::uint64_t count = 0;   // orders the events of a millisecond
  std::string id;            // a UUID
  std::string name, source;  // "CreateVpc", "ec2.amazonaws.com"
  std::string user_name, access_key_id;
  bool read_only = false, management = true;
  std::vector<ResourceName> resources;
  std::string identity, request, response,
      named;  // JSON: the caller, the parameters, the answer's elements, "resources"
  std::string address, agent, request_id, error_code, error_message, shared_id;
  std::optional<std::string> api_version, tls_host;
  std::string json;  // all of it: of an event that was kept before its parts were
};
BOOST_DESCRIBE_STRUCT(EventRecord, (),
                      (time, count, id, name, source, user_name, access_key_id, read_only, management, resources,
                       identity, request, response, named, address, agent, request_id, error_code, error_message,
                       shared_id, api_version, tls_host, json))

// In AWS's record format, byte for byte the same whenever it is asked for.
std::string json_of(const EventRecord& event);
// Whether another account was told of the same request, and whether that was refused.
bool is_shared(const EventRecord& event);
bool has_failed(const EventRecord& event);

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
