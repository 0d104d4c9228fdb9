#include "services/ec2/flow_log_objects.h"

namespace brume::ec2 {

std::string flow_log_header(const std::vector<std::string>& fields) {
  std::string header;
  for (const std::string& name : fields) header += (header.empty() ? "" : " ") + name;
  return header + "\n";
}

std::string flow_log_key(const FlowLogRecord& log, const Scope& scope, Time end, const std::string& hash) {
  const std::string at = iso8601(end);  // "2026-11-21T12:00:00Z"
  const std::string year = at.substr(0, 4), month = at.substr(5, 2), day = at.substr(8, 2), hour = at.substr(11, 2);
  std::string key = log.folder + "AWSLogs/";
  if (log.hive_partitions) {
    key += "aws-account-id=" + scope.account + "/aws-service=vpcflowlogs/aws-region=" + scope.region + "/year=" + year +
           "/month=" + month + "/day=" + day + "/";
    if (log.hour_partition) key += "hour=" + hour + "/";
  } else {
    key += scope.account + "/vpcflowlogs/" + scope.region + "/" + year + "/" + month + "/" + day + "/";
    if (log.hour_partition) key += hour + "/";
  }
  return key + scope.account + "_vpcflowlogs_" + scope.region + "_" + log.id + "_" + year + month + day + "T" + hour +
         at.substr(14, 2) + "Z_" + hash + ".log.gz";
}

}  // namespace brume::ec2
