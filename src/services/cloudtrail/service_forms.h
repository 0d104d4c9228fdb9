// The forms of EC2's, S3's, DynamoDB's and SQS's records, which differ from their models'. For parameters.cpp only.
// Pure functions.
#pragma once

#include <boost/json/storage_ptr.hpp>
#include <boost/json/value.hpp>

#include "aws/audit.h"

namespace brume::cloudtrail {

boost::json::value ec2_request(const AuditRecord& record, const boost::json::storage_ptr& storage);
boost::json::value ec2_response(const AuditRecord& record, const boost::json::storage_ptr& storage);

boost::json::value s3_request(const AuditRecord& record, const boost::json::storage_ptr& storage);
boost::json::value s3_response(const AuditRecord& record, const boost::json::storage_ptr& storage);
boost::json::value s3_resources(const AuditRecord& record, const boost::json::storage_ptr& storage);

// Of operations on items; their answers are not shown.
boost::json::value dynamodb_items_request(const AuditRecord& record, const boost::json::storage_ptr& storage);

boost::json::value sqs_request(const AuditRecord& record, const boost::json::storage_ptr& storage);
boost::json::value sqs_response(const AuditRecord& record, const boost::json::storage_ptr& storage);

}  // namespace brume::cloudtrail
