#include "services/ec2/flow_log_objects.h"

#include <zlib.h>

#include "core/error.h"

namespace brume::ec2 {

namespace {

constexpr int kGzipWindow = 15 + 16;  // zlib writes gzip's header when 16 is added
constexpr int kMemoryLevel = 8;

}  // namespace

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

std::string gzip(std::string_view text) {
  z_stream stream{};
  BRUME_CHECK(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, kMemoryLevel, Z_DEFAULT_STRATEGY) ==
              Z_OK);
  std::string packed(deflateBound(&stream, text.size()), '\0');
  std::string input(text);
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  BRUME_CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

}  // namespace brume::ec2
