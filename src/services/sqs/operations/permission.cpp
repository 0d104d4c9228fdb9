// The queue's resource policy, a statement at a time.
#include "services/sqs/queue_policy.h"
#include "services/sqs/sqs.h"

namespace brume::sqs {
namespace {

void put_policy(Sqs& sqs, Tx& tx, const Queue& queue, const std::string& policy, Time now) {
  sqs.queues.modify(tx, queue.scope, queue.record.name, [&](QueueRecord& record) {
    record.policy = policy;
    record.modified_at = now;
  });
}

}  // namespace

AddPermissionOutput add_permission(Sqs& sqs, Tx& tx, const Request<AddPermissionInput>& request) {
  const AddPermissionInput& input = request.input;
  const Queue queue = get_own_queue(sqs, request, input.queue_url.get());
  const std::string policy = add_permission_to(queue.record.policy, queue.arn(),
                                               {input.label.get(), input.aws_account_ids.get(), input.actions.get()});
  put_policy(sqs, tx, queue, policy, request.now);
  return {};
}

RemovePermissionOutput remove_permission(Sqs& sqs, Tx& tx, const Request<RemovePermissionInput>& request) {
  const Queue queue = get_own_queue(sqs, request, request.input.queue_url.get());
  put_policy(sqs, tx, queue, remove_permission_from(queue.record.policy, request.input.label.get()), request.now);
  return {};
}

}  // namespace brume::sqs
