// What SQS keeps: queues, names that were given up a moment ago, messages on disk, move tasks. Values.
#pragma once

#include <boost/describe/class.hpp>
#include <cstdint>
#include <map>
#include <string>

#include "aws/tags.h"
#include "core/time.h"

namespace brume::sqs {

// By name. The defaults are AWS's ("CreateQueue").
struct QueueRecord {
  std::string name;
  std::string id;           // for ever: receipt handles and deduplication ids belong to it
  std::string messages_id;  // of its messages on disk: another one after a purge
  std::int64_t visibility_timeout = 30, delay_seconds = 0, retention_seconds = 345'600, maximum_size = 1'048'576;
  std::int64_t wait_seconds = 0;
  bool fifo = false, content_deduplication = false;
  std::string deduplication_scope = "queue", throughput_limit = "perQueue";  // of a FIFO queue
  bool managed_encryption = true;
  std::string policy, redrive_policy, redrive_allow_policy;  // documents; empty: none
  std::string dead_letter_arn;                               // of the redrive policy
  std::int64_t maximum_receives = 0;
  Time created_at, modified_at, purged_at;
  Tags tags;
};
BOOST_DESCRIBE_STRUCT(QueueRecord, (),
                      (name, id, messages_id, visibility_timeout, delay_seconds, retention_seconds, maximum_size,
                       wait_seconds, fifo, content_deduplication, deduplication_scope, throughput_limit,
                       managed_encryption, policy, redrive_policy, redrive_allow_policy, dead_letter_arn,
                       maximum_receives, created_at, modified_at, purged_at, tags))

// By name: a queue of that name was deleted then.
struct DeletedQueueRecord {
  Time at;
};
BOOST_DESCRIBE_STRUCT(DeletedQueueRecord, (), (at))

struct AttributeRecord {
  std::string type;   // "String", "Number.int", "Binary"
  std::string value;  // a binary one's raw bytes
};
BOOST_DESCRIBE_STRUCT(AttributeRecord, (), (type, value))

// What does not change of a message while it is in its queue.
struct MessageRecord {
  std::string id, body, sender;
  std::map<std::string, AttributeRecord> attributes;
  std::string trace;  // AWSTraceHeader
  std::string group, deduplication;
  std::string dead_letter_source;  // the ARN of the queue it could not be processed in
};
BOOST_DESCRIBE_STRUCT(MessageRecord, (),
                      (id, body, sender, attributes, trace, group, deduplication, dead_letter_source))

// By the task's id.
struct MoveTaskRecord {
  std::string id, source, destination;  // ARNs; destination empty: each message's own source
  std::string status = "RUNNING";       // COMPLETED, CANCELLING, CANCELLED, FAILED
  std::string failure;
  std::int64_t per_second = 0;  // 0: as fast as it goes
  std::int64_t moved = 0, to_move = 0;
  Time started_at;
};
BOOST_DESCRIBE_STRUCT(MoveTaskRecord, (),
                      (id, source, destination, status, failure, per_second, moved, to_move, started_at))

}  // namespace brume::sqs
