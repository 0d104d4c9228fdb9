// Flow logs: what is logged of VPCs, subnets and interfaces, and where to.
#include <algorithm>

#include "gen/ec2.h"
#include "services/ec2/describe.h"
#include "services/ec2/flow_log_format.h"
#include "services/ec2/tag_specifications.h"

namespace brume::ec2 {

namespace {

constexpr std::string_view kToLogs = "cloud-watch-logs", kToBucket = "s3";
constexpr std::int64_t kShortInterval = 60, kLongInterval = 600;

AwsError invalid(std::string message) { return {"InvalidParameter", std::move(message)}; }

FlowLog log_shape(const Scope& scope, const FlowLogRecord& log) {
  FlowLog shape{.creation_time = log.created,
                .deliver_logs_status = log.delivery_error.empty() ? "SUCCESS" : "FAILED",
                .flow_log_id = log.id,
                .flow_log_status = "ACTIVE",
                .resource_id = log.resource,
                .traffic_type = log.traffic,
                .log_destination_type = log.destination_type,
                .log_format = log.format,
                .max_aggregation_interval = log.interval};
  if (!log.delivery_error.empty()) shape.deliver_logs_error_message = log.delivery_error;
  if (log.destination_type == kToLogs) {
    shape.deliver_logs_permission_arn = log.role;
    shape.log_group_name = log.group;
    shape.log_destination = make_arn(scope, "logs", "log-group:" + log.group);
  } else {
    shape.log_destination = "arn:" + std::string(partition_of(scope.region)) + ":s3:::" + log.bucket +
                            (log.folder.empty() ? "" : "/" + log.folder);
    shape.destination_options = DestinationOptionsResponse{.file_format = "plain-text",
                                                           .hive_compatible_partitions = log.hive_partitions,
                                                           .per_hour_partition = log.hour_partition};
  }
  shape.tags = tags_to<Tag>(log.tags);
  return shape;
}

const FilterField<FlowLog> kFilters[] = {
    {"deliver-log-status", [](const FlowLog& log) { return one(log.deliver_logs_status); }},
    {"flow-log-id", [](const FlowLog& log) { return one(log.flow_log_id); }},
    {"log-destination-type", [](const FlowLog& log) { return one(log.log_destination_type); }},
    {"log-group-name", [](const FlowLog& log) { return one(log.log_group_name); }},
    {"resource-id", [](const FlowLog& log) { return one(log.resource_id); }},
    {"traffic-type", [](const FlowLog& log) { return one(log.traffic_type); }},
};

void refuse_unserved(const CreateFlowLogsInput& input) {
  if (input.deliver_cross_account_role) throw unsupported("DeliverCrossAccountRole");
  if (!input.tag_field_specifications.get().empty()) throw unsupported("TagFieldSpecification");
  const std::string type = input.log_destination_type.value_or(std::string(kToLogs));
  if (type != kToLogs && type != kToBucket) throw unsupported("LogDestinationType " + type);
  const std::string& resource = input.resource_type.get();
  if (resource != "VPC" && resource != "Subnet" && resource != "NetworkInterface") {
    throw unsupported("ResourceType " + resource);
  }
  if (!input.destination_options) return;
  const std::string format = input.destination_options->file_format.value_or("plain-text");
  if (format != "plain-text") throw unsupported("DestinationOptions.FileFormat " + format);
}

// "arn:aws:logs:REGION:ACCOUNT:log-group:NAME" or with ":*" at its end, or LogGroupName.
void set_group(const Ec2& ec2, const Scope& scope, const CreateFlowLogsInput& input, FlowLogRecord& log) {
  if (input.log_group_name && input.log_destination) {
    throw AwsError("InvalidParameterCombination", "LogDestination and LogGroupName cannot be given together.");
  }
  log.group = input.log_group_name.get();
  if (input.log_destination) {
    const std::string prefix = make_arn(scope, "logs", "log-group:");
    if (!input.log_destination->starts_with(prefix))
      throw invalid("LogDestination is not a log group of this account.");
    log.group = input.log_destination->substr(prefix.size());
    if (log.group.ends_with(":*")) log.group.resize(log.group.size() - 2);
  }
  if (log.group.empty()) throw missing_parameter("LogDestination");
  if (!input.deliver_logs_permission_arn) throw missing_parameter("DeliverLogsPermissionArn");
  log.role = *input.deliver_logs_permission_arn;
  const FlowLogDelivery* delivery = ec2.flow_collector.delivery();
  if (delivery != nullptr && !delivery->role_problem(scope, log.role).empty()) {
    throw invalid("Unable to assume given IAM role");
  }
}

// "arn:aws:s3:::BUCKET" or with a folder: "arn:aws:s3:::BUCKET/FOLDER/".
void set_bucket(const Ec2& ec2, const CreateFlowLogsInput& input, FlowLogRecord& log) {
  if (input.deliver_logs_permission_arn) throw invalid("DeliverLogsPermissionArn is not applicable for s3 delivery");
  if (!input.log_destination) throw missing_parameter("LogDestination");
  const std::string& arn = *input.log_destination;
  const std::size_t start = arn.find(":s3:::");
  if (!arn.starts_with("arn:") || start == std::string::npos) throw invalid("LogDestination is not a bucket.");
  const std::string place = arn.substr(start + 6);
  const std::size_t slash = place.find('/');
  log.bucket = place.substr(0, slash);
  if (slash != std::string::npos) log.folder = place.substr(slash + 1);
  if (!log.folder.empty() && !log.folder.ends_with('/')) log.folder += '/';
  // "You can't use AWSLogs as a subfolder name. This is a reserved term."
  if (log.folder.starts_with("AWSLogs/")) throw invalid("The folder AWSLogs is reserved.");
  const FlowLogDelivery* delivery = ec2.flow_collector.delivery();
  if (delivery != nullptr && !delivery->bucket_exists(log.bucket)) {
    throw AwsError("UnknownLogDestination", "LogDestination: " + log.bucket + " does not exist.");
  }
  if (const auto& options = input.destination_options) {
    log.hive_partitions = options->hive_compatible_partitions.get();
    log.hour_partition = options->per_hour_partition.get();
  }
}

FlowLogRecord wanted_log(const Ec2& ec2, const Request<CreateFlowLogsInput>& request) {
  const CreateFlowLogsInput& input = request.input;
  FlowLogRecord log{.traffic = input.traffic_type.get(),
                    .destination_type = input.log_destination_type.value_or(std::string(kToLogs)),
                    .format = input.log_format.value_or(std::string(kDefaultFlowLogFormat)),
                    .interval = input.max_aggregation_interval.value_or(kLongInterval),
                    .created = request.now,
                    .client_token = input.client_token.get(),
                    .tags = tags_for(input.tag_specifications.get(), "vpc-flow-log")};
  if (!input.traffic_type) throw missing_parameter("TrafficType");
  if (log.traffic != "ALL" && log.traffic != "ACCEPT" && log.traffic != "REJECT") {
    throw invalid("Value (" + log.traffic + ") for parameter TrafficType is invalid.");
  }
  if (log.interval != kShortInterval && log.interval != kLongInterval) {
    throw invalid("MaxAggregationInterval must be 60 or 600 seconds.");
  }
  parse_flow_log_format(log.format);
  if (log.destination_type == kToLogs) {
    set_group(ec2, request.scope, input, log);
  } else {
    set_bucket(ec2, input, log);
  }
  return log;
}

// The VPC of the resource; throws when it does not exist.
std::string vpc_of(const Ec2& ec2, const Scope& scope, const std::string& type, const std::string& id) {
  if (type == "VPC") return get(ec2.vpcs, scope, kVpcId, id).id;
  if (type == "Subnet") return get(ec2.subnets, scope, kSubnetId, id).vpc;
  return get(ec2.interfaces, scope, kInterfaceId, id).vpc;
}

// The resource may be gone; then nobody must be told.
void touch_resource(Ec2& ec2, Tx& tx, const Scope& scope, const std::string& id) {
  if (ec2.vpcs.find(scope, id) != nullptr) return ec2.touch(tx, scope, id);
  if (const SubnetRecord* subnet = ec2.subnets.find(scope, id)) return ec2.touch(tx, scope, subnet->vpc);
  if (const InterfaceRecord* interface = ec2.interfaces.find(scope, id)) ec2.touch(tx, scope, interface->vpc);
}

bool same_log(const FlowLogRecord& a, const FlowLogRecord& b) {
  const auto key = [](const FlowLogRecord& log) {
    return std::tie(log.resource, log.traffic, log.destination_type, log.group, log.bucket, log.folder);
  };
  return key(a) == key(b);
}

UnsuccessfulItem failed(const std::string& id, const AwsError& error) {
  return {.error = UnsuccessfulItemError{.code = error.code, .message = error.message}, .resource_id = id};
}

}  // namespace

CreateFlowLogsOutput create_flow_logs(Ec2& ec2, Tx& tx, const Request<CreateFlowLogsInput>& request) {
  begin(ec2, tx, request);
  const CreateFlowLogsInput& input = request.input;
  refuse_unserved(input);
  const FlowLogRecord wanted = wanted_log(ec2, request);
  CreateFlowLogsOutput output{.client_token = input.client_token};
  auto& made = output.flow_log_ids.ensure();
  auto& unsuccessful = output.unsuccessful.ensure();
  for (const std::string& resource : input.resource_ids.get()) {
    FlowLogRecord log = wanted;
    log.resource = resource;
    const auto token = [&](const FlowLogRecord& other) {
      return !log.client_token.empty() && other.client_token == log.client_token && other.resource == resource;
    };
    if (const auto before = ec2.flow_logs.select(request.scope, token); !before.empty()) {
      made.push_back(before.front()->id);
      continue;
    }
    try {
      const std::string vpc = vpc_of(ec2, request.scope, input.resource_type.get(), resource);
      const auto same = [&](const FlowLogRecord& other) { return same_log(other, log); };
      if (!ec2.flow_logs.select(request.scope, same).empty()) {
        throw AwsError("FlowLogAlreadyExists",
                       "Error. There is an existing Flow Log with the same configuration and log destination.");
      }
      ec2.touch(tx, request.scope, vpc);
    } catch (const AwsError& error) {
      unsuccessful.push_back(failed(resource, error));
      continue;
    }
    log.id = ec2.new_id(kFlowLogId);
    made.push_back(log.id);
    ec2.flow_logs.insert(tx, request.scope, made.back(), std::move(log));
  }
  tx.on_commit([&ec2] { ec2.flow_collector.wake(); });
  return output;
}

DeleteFlowLogsOutput delete_flow_logs(Ec2& ec2, Tx& tx, const Request<DeleteFlowLogsInput>& request) {
  begin(ec2, tx, request);
  DeleteFlowLogsOutput output;
  auto& unsuccessful = output.unsuccessful.ensure();
  for (const std::string& id : request.input.flow_log_ids.get()) {
    const FlowLogRecord* log = ec2.flow_logs.find(request.scope, id);
    if (log == nullptr) {
      unsuccessful.push_back(failed(id, not_found(kFlowLogId, id)));
      continue;
    }
    touch_resource(ec2, tx, request.scope, log->resource);
    ec2.flow_logs.erase(tx, request.scope, id);
  }
  return output;
}

DescribeFlowLogsOutput describe_flow_logs(Ec2& ec2, Tx& tx, const Request<DescribeFlowLogsInput>& request) {
  begin(ec2, tx, request);
  DescribeFlowLogsOutput output;
  const auto records =
      candidates(ec2.flow_logs, request.scope, kFlowLogId, request.input.flow_log_ids.get(), filters_of(request.input));
  output.next_token = show_page(ec2, request, "DescribeFlowLogs", kFilters, records, output.flow_logs.ensure(),
                                [&](const FlowLogRecord& log) { return log_shape(request.scope, log); });
  return output;
}

}  // namespace brume::ec2
