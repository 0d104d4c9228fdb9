#include "services/sqs/queue_attributes.h"

#include <algorithm>
#include <boost/json.hpp>

#include "core/text.h"
#include "services/sqs/queue_policy.h"

namespace brume::sqs {
namespace {

namespace json = boost::json;

constexpr std::string_view kReadOnly[] = {"ApproximateNumberOfMessages",
                                          "ApproximateNumberOfMessagesNotVisible",
                                          "ApproximateNumberOfMessagesDelayed",
                                          "CreatedTimestamp",
                                          "LastModifiedTimestamp",
                                          "QueueArn"};
constexpr std::string_view kSettable[] = {"Policy",
                                          "VisibilityTimeout",
                                          "MaximumMessageSize",
                                          "MessageRetentionPeriod",
                                          "DelaySeconds",
                                          "ReceiveMessageWaitTimeSeconds",
                                          "RedrivePolicy",
                                          "FifoQueue",
                                          "ContentBasedDeduplication",
                                          "KmsMasterKeyId",
                                          "KmsDataKeyReusePeriodSeconds",
                                          "DeduplicationScope",
                                          "FifoThroughputLimit",
                                          "RedriveAllowPolicy",
                                          "SqsManagedSseEnabled"};
constexpr std::string_view kOfFifo[] = {"ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"};

bool is_one_of(std::string_view name, const auto& names) {
  return std::ranges::find(names, name) != std::ranges::end(names);
}

AwsError unknown_attribute(const std::string& name) {
  return invalid_attribute_name("Unknown Attribute " + name + ".");
}

AwsError wrong_value(const std::string& name) {
  return invalid_attribute_value("Invalid value for the parameter " + name + ".");
}

bool read_bool(const std::string& name, const std::string& value) {
  const std::string lower = to_lower(value);
  if (lower != "true" && lower != "false") throw wrong_value(name);
  return lower == "true";
}

std::int64_t read_number(const std::string& name, const std::string& value, std::int64_t least, std::int64_t most) {
  std::int64_t number = 0;
  if (!parse_int(value, number) || number < least || number > most) throw wrong_value(name);
  return number;
}

std::string read_choice(const std::string& name, const std::string& value,
                        std::initializer_list<std::string_view> choices) {
  if (!is_one_of(value, choices)) throw wrong_value(name);
  return value;
}

json::object read_object(const std::string& name, const std::string& text) {
  boost::system::error_code problem;
  json::value value = json::parse(text, problem);
  if (problem || !value.is_object()) throw invalid_parameter(text, name, "Redrive policy is not a valid JSON map.");
  return std::move(value.as_object());
}

bool is_empty_document(const std::string& text) {
  const std::string_view trimmed = trim(text);
  return trimmed.empty() || trimmed == "{}";
}

// Whether a queue takes the dead letters of another: "redrivePermission".
bool allows_redrive(const QueueRecord& target, const std::string& source_arn) {
  if (target.redrive_allow_policy.empty()) return true;
  const json::object policy = json::parse(target.redrive_allow_policy).as_object();
  const std::string permission(policy.at("redrivePermission").as_string());
  if (permission != "byQueue") return permission == "allowAll";
  const json::array& sources = policy.at("sourceQueueArns").as_array();
  return std::ranges::any_of(sources, [&](const json::value& each) { return each.as_string() == source_arn; });
}

class Setting {
 public:
  Setting(const Sqs& sqs, const Scope& scope, QueueRecord& queue) : sqs_(sqs), scope_(scope), queue_(queue) {}

  void set(const std::string& name, const std::string& value) {
    if (name == "VisibilityTimeout") queue_.visibility_timeout = read_number(name, value, 0, 43'200);
    if (name == "MaximumMessageSize") queue_.maximum_size = read_number(name, value, 1024, 1'048'576);
    if (name == "MessageRetentionPeriod") queue_.retention_seconds = read_number(name, value, 60, 1'209'600);
    if (name == "DelaySeconds") queue_.delay_seconds = read_number(name, value, 0, 900);
    if (name == "ReceiveMessageWaitTimeSeconds") queue_.wait_seconds = read_number(name, value, 0, 20);
    if (name == "ContentBasedDeduplication") queue_.content_deduplication = read_bool(name, value);
    if (name == "DeduplicationScope") queue_.deduplication_scope = read_choice(name, value, {"queue", "messageGroup"});
    if (name == "FifoThroughputLimit")
      queue_.throughput_limit = read_choice(name, value, {"perQueue", "perMessageGroupId"});
    if (name == "SqsManagedSseEnabled") queue_.managed_encryption = read_bool(name, value);
    if (name == "Policy") set_policy(value);
    if (name == "RedrivePolicy") set_redrive_policy(value);
    if (name == "RedriveAllowPolicy") set_redrive_allow_policy(value);
    if (name.starts_with("Kms")) refuse_keys(name, value);
  }

 private:
  void set_policy(const std::string& value) {
    if (!trim(value).empty()) check_policy(value);
    queue_.policy = trim(value);
  }

  static void refuse_keys(const std::string& name, const std::string& value) {
    // An empty key is none; the reuse period means nothing without one.
    if (name == "KmsMasterKeyId" && !value.empty())
      throw invalid_attribute_value("Brume does not serve the attribute KmsMasterKeyId: there is no KMS here.");
    if (name == "KmsDataKeyReusePeriodSeconds" && read_number(name, value, 60, 86'400) != 300)
      throw invalid_attribute_value(
          "Brume does not serve the attribute KmsDataKeyReusePeriodSeconds: there is no KMS here.");
  }

  void set_redrive_policy(const std::string& text) {
    queue_.redrive_policy.clear();
    queue_.dead_letter_arn.clear();
    queue_.maximum_receives = 0;
    if (is_empty_document(text)) return;
    const json::object policy = read_object("RedrivePolicy", text);
    const auto refuse = [&](const std::string& reason) { return invalid_parameter(text, "RedrivePolicy", reason); };
    for (const char* needed : {"deadLetterTargetArn", "maxReceiveCount"})
      if (!policy.contains(needed))
        throw refuse("Redrive policy does not contain mandatory attribute: " + std::string(needed) + ".");
    const json::value& target = policy.at("deadLetterTargetArn");
    const json::value& most = policy.at("maxReceiveCount");
    const std::string arn = target.is_string() ? std::string(target.as_string()) : json::serialize(target);
    const std::string count = most.is_string() ? std::string(most.as_string()) : json::serialize(most);
    std::int64_t maximum = 0;
    if (!parse_int(count, maximum) || maximum < 1 || maximum > 1000)
      throw refuse("Invalid value for maxReceiveCount: " + count + ", valid values are from 1 to 1000 both inclusive.");
    check_target(arn, refuse);
    queue_.dead_letter_arn = arn;
    queue_.maximum_receives = maximum;
    queue_.redrive_policy = json::serialize(json::object{{"deadLetterTargetArn", arn}, {"maxReceiveCount", maximum}});
  }

  // "The dead-letter queue of a FIFO queue must also be a FIFO queue", of the same account and region.
  void check_target(const std::string& arn, const auto& refuse) const {
    const std::optional<Queue> target = find_queue_by_arn(sqs_, arn);
    if (!target || target->scope != scope_) throw refuse("Dead letter target does not exist.");
    const std::string own = make_arn(scope_, "sqs", queue_.name);
    if (arn == own) throw refuse("Dead letter queue must not be the queue itself.");
    if (target->record.fifo != queue_.fifo) throw refuse("Dead-letter queue must be same type of queue as the source.");
    if (!allows_redrive(target->record, own))
      throw refuse("Queue " + arn + " does not allow this queue to use it as a dead-letter queue.");
  }

  void set_redrive_allow_policy(const std::string& text) {
    queue_.redrive_allow_policy.clear();
    if (is_empty_document(text)) return;
    const json::object policy = read_object("RedriveAllowPolicy", text);
    const auto refuse = [&](const std::string& reason) {
      return invalid_parameter(text, "RedriveAllowPolicy", reason);
    };
    const json::value* permission = policy.if_contains("redrivePermission");
    if (permission == nullptr || !permission->is_string() ||
        !is_one_of(std::string_view(permission->as_string()),
                   std::initializer_list<std::string_view>{"allowAll", "denyAll", "byQueue"}))
      throw refuse("Amazon SQS can't create the redrive allow policy, as it's in an unsupported format.");
    const bool by_queue = permission->as_string() == "byQueue";
    const json::value* sources = policy.if_contains("sourceQueueArns");
    json::object kept{{"redrivePermission", *permission}};
    if (by_queue != (sources != nullptr))
      throw refuse("sourceQueueArns are specified if, and only if, redrivePermission is byQueue.");
    if (by_queue) {
      const bool texts = sources->is_array() && std::ranges::all_of(sources->as_array(), [](const json::value& each) {
                           return each.is_string();
                         });
      if (!texts || sources->as_array().empty() || sources->as_array().size() > 10)
        throw refuse("Specify 1 to 10 source queue ARNs.");
      kept["sourceQueueArns"] = *sources;
    }
    queue_.redrive_allow_policy = json::serialize(kept);
  }

  const Sqs& sqs_;
  const Scope& scope_;
  QueueRecord& queue_;
};

bool is_allowed_name(const std::string& name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

}  // namespace

void check_queue_name(const std::string& name, bool fifo) {
  constexpr std::size_t kLongest = 80;
  if (!fifo) {
    if (!is_allowed_name(name) || name.size() > kLongest)
      throw invalid_parameter("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length");
    return;
  }
  if (!name.ends_with(".fifo") || !is_allowed_name(name.substr(0, name.size() - 5)) || name.size() > kLongest)
    throw invalid_parameter(
        "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with "
        ".fifo suffix and be 1 to 80 in length.");
}

bool asks_for_fifo(const AttributeMap& attributes) {
  const auto found = attributes.find("FifoQueue");
  return found != attributes.end() && read_bool("FifoQueue", found->second);
}

void set_attributes(const Sqs& sqs, const Scope& scope, const AttributeMap& attributes, bool creating,
                    QueueRecord& queue) {
  for (const auto& [name, value] : attributes) {
    if (!is_one_of(name, kSettable) || (is_one_of(name, kOfFifo) && !queue.fifo)) throw unknown_attribute(name);
    if (name == "FifoQueue" && !creating && read_bool(name, value) != queue.fifo) throw unknown_attribute(name);
    Setting(sqs, scope, queue).set(name, value);
  }
  if (queue.throughput_limit == "perMessageGroupId" && queue.deduplication_scope != "messageGroup")
    throw invalid_attribute_value(
        "The perMessageGroupId value is allowed only when the value for DeduplicationScope is messageGroup.");
}

AttributeMap settable_attributes(const QueueRecord& queue) {
  AttributeMap all{{"VisibilityTimeout", std::to_string(queue.visibility_timeout)},
                   {"MaximumMessageSize", std::to_string(queue.maximum_size)},
                   {"MessageRetentionPeriod", std::to_string(queue.retention_seconds)},
                   {"DelaySeconds", std::to_string(queue.delay_seconds)},
                   {"ReceiveMessageWaitTimeSeconds", std::to_string(queue.wait_seconds)},
                   {"SqsManagedSseEnabled", queue.managed_encryption ? "true" : "false"}};
  if (!queue.policy.empty()) all["Policy"] = queue.policy;
  if (!queue.redrive_policy.empty()) all["RedrivePolicy"] = queue.redrive_policy;
  if (!queue.redrive_allow_policy.empty()) all["RedriveAllowPolicy"] = queue.redrive_allow_policy;
  if (!queue.fifo) return all;
  all["FifoQueue"] = "true";
  all["ContentBasedDeduplication"] = queue.content_deduplication ? "true" : "false";
  all["DeduplicationScope"] = queue.deduplication_scope;
  all["FifoThroughputLimit"] = queue.throughput_limit;
  return all;
}

AttributeMap describe_attributes(Sqs& sqs, Tx& tx, const Queue& queue, Time now,
                                 const std::vector<std::string>& names) {
  for (const std::string& name : names)
    if (name != "All" && !is_one_of(name, kReadOnly) && !is_one_of(name, kSettable)) throw unknown_attribute(name);
  if (names.empty()) return {};
  AttributeMap all = settable_attributes(queue.record);
  all["QueueArn"] = queue.arn();
  all["CreatedTimestamp"] = std::to_string(queue.record.created_at.seconds());
  all["LastModifiedTimestamp"] = std::to_string(queue.record.modified_at.seconds());
  const bool counted = std::ranges::any_of(
      names, [](const std::string& name) { return name == "All" || name.starts_with("ApproximateNumber"); });
  if (counted) {
    const MessageIndex::Counts counts = sqs.messages.open(tx, queue.record, now).counts();
    all["ApproximateNumberOfMessages"] = std::to_string(counts.ready);
    all["ApproximateNumberOfMessagesNotVisible"] = std::to_string(counts.in_flight);
    all["ApproximateNumberOfMessagesDelayed"] = std::to_string(counts.delayed);
  }
  if (is_one_of("All", names)) return all;
  AttributeMap some;
  for (const std::string& name : names)
    if (const auto found = all.find(name); found != all.end()) some.insert(*found);
  return some;
}

}  // namespace brume::sqs
