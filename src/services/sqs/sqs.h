// Amazon Simple Queue Service: standard and FIFO queues with their messages on disk, long polls, dead letters, move
// tasks. All times are cloud time. Control thread.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "aws/authorization.h"
#include "aws/paging.h"
#include "aws/request.h"
#include "core/random.h"
#include "core/runtime.h"
#include "gen/sqs.h"
#include "services/sqs/message_store.h"
#include "services/sqs/move_tasks.h"
#include "services/sqs/records.h"
#include "services/sqs/waiters.h"
#include "store/table.h"

namespace brume::sqs {

struct SqsNeeds {
  Store& store;
  Clock& clock;
  Random& random;
  Control& control;
  Workers& workers;
  const Authorizer* authorizer;  // for what only a handler knows; null: everything is allowed
};

struct Sqs final : ResourcePolicies {
  explicit Sqs(const SqsNeeds& needs);

  // The indexes of all messages are read; move tasks go on; what is past its retention goes now and every hour.
  void start();
  // Queues' own policies, by their ARNs.
  std::optional<Found> find(const std::string& resource_arn) const override;

  const SqsNeeds needs;
  const PagingTokens paging;
  Table<QueueRecord> queues;
  TableIndex<QueueRecord> by_dead_letter_arn;
  Table<DeletedQueueRecord> deleted;
  MessageStore messages;
  Waiters waiters;
  MoveTasks move_tasks;

 private:
  void load_messages();
  void sweep();
};

// Where a queue is, with its record.
struct Queue {
  Scope scope;
  const QueueRecord& record;
  std::string arn() const { return make_arn(scope, "sqs", record.name); }
};
std::string queue_url(const RequestContext& context, const Queue& queue);
// The queue that a URL or ARN names. Both throw QueueDoesNotExist.
Queue get_queue(const Sqs& sqs, const RequestContext& context, const std::string& url);
// For "Cross-account permissions don't apply to this action".
Queue get_own_queue(const Sqs& sqs, const RequestContext& context, const std::string& url);
std::optional<Queue> find_queue_by_arn(const Sqs& sqs, const std::string& arn);

// The errors that SQS's model does not have.
AwsError invalid_parameter(std::string message);
AwsError invalid_parameter(const std::string& value, const std::string& name, const std::string& reason);
AwsError missing_parameter(const std::string& name);

}  // namespace brume::sqs
