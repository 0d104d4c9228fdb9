// Message move tasks: from a dead-letter queue back, or elsewhere.
#include "services/sqs/sqs.h"

namespace brume::sqs {
namespace {

Queue get_by_arn(const Sqs& sqs, const RequestContext& context, const std::string& arn, const std::string& name) {
  const std::optional<Queue> queue = find_queue_by_arn(sqs, arn);
  // "Cross-account permissions don't apply to this action."
  if (!queue || queue->scope != context.scope)
    throw resource_not_found_exception("The resource that you specified for the " + name + " parameter doesn't exist.");
  return *queue;
}

}  // namespace

StartMessageMoveTaskOutput start_message_move_task(Sqs& sqs, Tx& tx,
                                                   const Request<StartMessageMoveTaskInput>& request) {
  const StartMessageMoveTaskInput& input = request.input;
  const Queue source = get_by_arn(sqs, request, input.source_arn.get(), "SourceArn");
  if (sqs.by_dead_letter_arn.find_first(source.scope, source.arn()) == nullptr)
    throw invalid_parameter("Source queue must be configured as a Dead Letter Queue.");
  if (input.destination_arn) {
    const Queue destination = get_by_arn(sqs, request, *input.destination_arn, "DestinationArn");
    if (destination.arn() == source.arn())
      throw invalid_parameter("Source queue arn and destination queue arn must be different.");
    if (destination.record.fifo != source.record.fifo)
      throw invalid_parameter("Source queue and destination queue must be of the same type.");
  }
  const std::int64_t rate = input.max_number_of_messages_per_second.value_or(0);
  if (input.max_number_of_messages_per_second && (rate < 1 || rate > 500))
    throw invalid_parameter(std::to_string(rate), "MaxNumberOfMessagesPerSecond", "Must be between 1 and 500.");
  return {.task_handle = sqs.move_tasks.start(tx, source, input.destination_arn.get(), rate, request.now)};
}

CancelMessageMoveTaskOutput cancel_message_move_task(Sqs& sqs, Tx& tx,
                                                     const Request<CancelMessageMoveTaskInput>& request) {
  const std::string& handle = request.input.task_handle.get();
  const std::string source = MoveTasks::source_in(handle);
  if (source.empty()) throw invalid_parameter(handle, "TaskHandle", "The task handle is not valid.");
  const Ask ask{.action = "sqs:CancelMessageMoveTask", .resource = source, .keys = {}};
  if (sqs.needs.authorizer != nullptr) {
    const Verdict verdict = sqs.needs.authorizer->authorize(request, ask);
    if (!verdict.allowed) {
      AwsError denied("AccessDeniedException", denial_message(request.principal, ask, verdict));
      denied.query_code = "AccessDenied";
      throw denied;
    }
  }
  CancelMessageMoveTaskOutput output;
  output.approximate_number_of_messages_moved = sqs.move_tasks.cancel(tx, request.scope, handle);
  return output;
}

ListMessageMoveTasksOutput list_message_move_tasks(Sqs& sqs, Tx&, const Request<ListMessageMoveTasksInput>& request) {
  const Queue source = get_by_arn(sqs, request, request.input.source_arn.get(), "SourceArn");
  const std::int64_t most = request.input.max_results.value_or(1);
  if (most < 1 || most > 10)
    throw invalid_parameter(std::to_string(most), "MaxResults", "MaxResults must be an integer between 1 and 10.");
  ListMessageMoveTasksOutput output;
  output.results.ensure();
  for (const MoveTaskRecord* task : sqs.move_tasks.of_source(source.scope, source.arn())) {
    if (static_cast<std::int64_t>(output.results->size()) >= most) break;
    ListMessageMoveTasksResultEntry& entry = output.results->emplace_back();
    // "If the status of a task is not RUNNING, no task handle is returned".
    if (task->status == "RUNNING") entry.task_handle = MoveTasks::handle_of(*task);
    entry.status = task->status;
    entry.source_arn = task->source;
    if (!task->destination.empty()) entry.destination_arn = task->destination;
    if (task->per_second > 0) entry.max_number_of_messages_per_second = task->per_second;
    entry.approximate_number_of_messages_moved = task->moved;
    entry.approximate_number_of_messages_to_move = task->to_move;
    if (!task->failure.empty()) entry.failure_reason = task->failure;
    entry.started_timestamp = task->started_at.ms;
  }
  return output;
}

}  // namespace brume::sqs
