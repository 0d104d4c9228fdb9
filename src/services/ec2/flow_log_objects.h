// Flow logs as objects in S3 ("Publish flow logs to Amazon S3: Flow log files"). Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/scope.h"
#include "core/time.h"
#include "services/ec2/records.h"

namespace brume::ec2 {

// The first line of a file: the names of its fields.
std::string flow_log_header(const std::vector<std::string>& fields);
// "AWSLogs/ACCOUNT/vpcflowlogs/REGION/2026/11/21/ACCOUNT_vpcflowlogs_REGION_fl-…_20261121T1200Z_HASH.log.gz"
std::string flow_log_key(const FlowLogRecord& log, const Scope& scope, Time end, const std::string& hash);

}  // namespace brume::ec2
