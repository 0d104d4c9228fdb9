// Queues: made, found, listed, changed, emptied, deleted.
#include "services/sqs/queue_attributes.h"

namespace brume::sqs {
namespace {

constexpr std::size_t kMostListed = 1000;
constexpr Duration kDeletedRecently = seconds(60);
constexpr Duration kBetweenPurges = seconds(60);

void check_tags(const std::string& queue, const Tags& tags) {
  if (tags.size() > 50) throw invalid_parameter("Too many tags added for queue " + queue + ".");
  if (const std::string problem = tag_problem(tags); !problem.empty()) throw invalid_parameter(problem);
}

// "If you specify the name of an existing queue and provide the exact same names and values for all its attributes".
void check_same(const Sqs& sqs, const Scope& scope, const QueueRecord& queue, const AttributeMap& asked) {
  QueueRecord wanted = queue;
  set_attributes(sqs, scope, asked, true, wanted);
  const AttributeMap has = settable_attributes(queue), wants = settable_attributes(wanted);
  for (const auto& [name, value] : asked) {
    const auto a = has.find(name), b = wants.find(name);
    if ((a == has.end()) == (b == wants.end()) && (a == has.end() || a->second == b->second)) continue;
    throw queue_name_exists("A queue already exists with the same name and a different value for attribute " + name);
  }
}

std::size_t page_size(const opt<std::int64_t>& asked) {
  if (!asked) return kMostListed;
  if (*asked < 1 || *asked > 1000)
    throw invalid_parameter(std::to_string(*asked), "MaxResults", "MaxResults must be an integer between 1 and 1000.");
  return static_cast<std::size_t>(*asked);
}

AwsError invalid_token() { return invalid_parameter("Invalid or expired next token."); }

}  // namespace

CreateQueueOutput create_queue(Sqs& sqs, Tx& tx, const Request<CreateQueueInput>& request) {
  const std::string& name = request.input.queue_name.get();
  const AttributeMap& attributes = request.input.attributes.get();
  const Tags& tags = request.input.tags.get();
  const bool fifo = asks_for_fifo(attributes);
  check_queue_name(name, fifo);
  check_tags(name, tags);
  if (const QueueRecord* existing = sqs.queues.find(request.scope, name)) {
    check_same(sqs, request.scope, *existing, attributes);
    return {.queue_url = queue_url(request, {request.scope, *existing})};
  }
  if (const DeletedQueueRecord* deleted = sqs.deleted.find(request.scope, name)) {
    if (deleted->at + kDeletedRecently > request.now)
      throw queue_deleted_recently(
          "You must wait 60 seconds after deleting a queue before you can create another with the same name.");
    sqs.deleted.erase(tx, request.scope, name);
  }
  QueueRecord queue;
  queue.name = name;
  queue.id = sqs.needs.random.hex(16);
  queue.messages_id = sqs.needs.random.hex(16);
  queue.fifo = fifo;
  queue.created_at = queue.modified_at = request.now;
  queue.tags = tags;
  set_attributes(sqs, request.scope, attributes, true, queue);
  return {.queue_url = queue_url(request, {request.scope, sqs.queues.insert(tx, request.scope, name, queue)})};
}

DeleteQueueOutput delete_queue(Sqs& sqs, Tx& tx, const Request<DeleteQueueInput>& request) {
  const Queue queue = get_own_queue(sqs, request, request.input.queue_url.get());
  const std::string name = queue.record.name;
  sqs.messages.erase_all(tx, queue.record);
  sqs.messages.forget_sent(tx, queue.record);
  tx.on_commit([&sqs, scope = queue.scope, name] { sqs.waiters.wake(scope, name); });
  sqs.deleted.put(tx, queue.scope, name, {.at = request.now});
  sqs.queues.erase(tx, queue.scope, name);
  return {};
}

GetQueueUrlOutput get_queue_url(Sqs& sqs, Tx&, const Request<GetQueueUrlInput>& request) {
  const Scope scope{request.input.queue_owner_aws_account_id.value_or(request.scope.account), request.scope.region};
  const QueueRecord* queue = sqs.queues.find(scope, request.input.queue_name.get());
  if (queue == nullptr) throw queue_does_not_exist("The specified queue does not exist.");
  return {.queue_url = queue_url(request, {scope, *queue})};
}

ListQueuesOutput list_queues(Sqs& sqs, Tx&, const Request<ListQueuesInput>& request) {
  const std::string& prefix = request.input.queue_name_prefix.get();
  const std::size_t limit = page_size(request.input.max_results);
  const std::string purpose = paging_purpose("sqs:ListQueues", request.scope, prefix);
  const std::string after = page_start(sqs.paging, purpose, request.input.next_token, invalid_token());
  std::vector<const QueueRecord*> queues;
  sqs.queues.visit_from(request.scope, std::max(after, prefix), [&](const QueueRecord& queue) {
    if (!queue.name.starts_with(prefix)) return false;
    if (queue.name != after) queues.push_back(&queue);
    return queues.size() <= limit;
  });
  ListQueuesOutput output;
  const opt<std::string> next =
      end_page(sqs.paging, purpose, limit, queues, [](const QueueRecord* queue) { return queue->name; });
  // "You must set MaxResults to receive a value for NextToken in the response."
  if (request.input.max_results) output.next_token = next;
  for (const QueueRecord* queue : queues)
    output.queue_urls.ensure().push_back(queue_url(request, {request.scope, *queue}));
  return output;
}

GetQueueAttributesOutput get_queue_attributes(Sqs& sqs, Tx& tx, const Request<GetQueueAttributesInput>& request) {
  const Queue queue = get_queue(sqs, request, request.input.queue_url.get());
  GetQueueAttributesOutput output;
  AttributeMap attributes = describe_attributes(sqs, tx, queue, request.now, request.input.attribute_names.get());
  if (!attributes.empty()) output.attributes = std::move(attributes);
  return output;
}

SetQueueAttributesOutput set_queue_attributes(Sqs& sqs, Tx& tx, const Request<SetQueueAttributesInput>& request) {
  const Queue queue = get_own_queue(sqs, request, request.input.queue_url.get());
  QueueRecord changed = queue.record;
  set_attributes(sqs, queue.scope, request.input.attributes.get(), false, changed);
  changed.modified_at = request.now;
  const bool delays = changed.fifo && changed.delay_seconds != queue.record.delay_seconds;
  const QueueRecord& put = sqs.queues.put(tx, queue.scope, changed.name, changed);
  if (delays) {
    // "For FIFO queues, the per-queue delay setting is retroactive".
    const MessageIndex& index = sqs.messages.open(tx, put, request.now);
    for (const Sequence sequence : index.delayed())
      sqs.messages.delay(tx, put, sequence, index.find(sequence)->sent_at + seconds(put.delay_seconds));
  }
  tx.on_commit([&sqs, scope = queue.scope, name = put.name] { sqs.waiters.wake(scope, name); });
  return {};
}

PurgeQueueOutput purge_queue(Sqs& sqs, Tx& tx, const Request<PurgeQueueInput>& request) {
  const Queue queue = get_queue(sqs, request, request.input.queue_url.get());
  const std::string name = queue.record.name;
  if (queue.record.purged_at != Time{} && queue.record.purged_at + kBetweenPurges > request.now)
    throw purge_queue_in_progress("Only one PurgeQueue operation on " + name + " is allowed every 60 seconds.");
  sqs.messages.erase_all(tx, queue.record);
  sqs.queues.modify(tx, queue.scope, name, [&](QueueRecord& record) {
    record.messages_id = sqs.needs.random.hex(16);
    record.purged_at = request.now;
  });
  return {};
}

TagQueueOutput tag_queue(Sqs& sqs, Tx& tx, const Request<TagQueueInput>& request) {
  const Queue queue = get_own_queue(sqs, request, request.input.queue_url.get());
  if (request.input.tags.get().empty()) throw missing_parameter("Tags");
  Tags tags = queue.record.tags;
  for (const auto& [key, value] : request.input.tags.get()) tags[key] = value;
  check_tags(queue.record.name, tags);
  sqs.queues.modify(tx, queue.scope, queue.record.name, [&](QueueRecord& record) { record.tags = tags; });
  return {};
}

UntagQueueOutput untag_queue(Sqs& sqs, Tx& tx, const Request<UntagQueueInput>& request) {
  const Queue queue = get_own_queue(sqs, request, request.input.queue_url.get());
  const std::vector<std::string>& keys = request.input.tag_keys.get();
  if (keys.empty()) throw invalid_parameter("Tag keys must be between 1 and 128 characters in length.");
  sqs.queues.modify(tx, queue.scope, queue.record.name, [&](QueueRecord& record) {
    for (const std::string& key : keys) record.tags.erase(key);
  });
  return {};
}

ListQueueTagsOutput list_queue_tags(Sqs& sqs, Tx&, const Request<ListQueueTagsInput>& request) {
  const Queue queue = get_own_queue(sqs, request, request.input.queue_url.get());
  ListQueueTagsOutput output;
  if (!queue.record.tags.empty()) output.tags = queue.record.tags;
  return output;
}

ListDeadLetterSourceQueuesOutput list_dead_letter_source_queues(
    Sqs& sqs, Tx&, const Request<ListDeadLetterSourceQueuesInput>& request) {
  const Queue queue = get_queue(sqs, request, request.input.queue_url.get());
  std::vector<const QueueRecord*> sources = sqs.by_dead_letter_arn.find(queue.scope, queue.arn());
  const std::string purpose = paging_purpose("sqs:ListDeadLetterSourceQueues", queue.scope, queue.record.name);
  ListDeadLetterSourceQueuesOutput output;
  const opt<std::string> next = cut_page(
      sqs.paging, purpose, request.input.next_token, page_size(request.input.max_results), sources,
      [](const QueueRecord* source) { return source->name; }, invalid_token());
  if (request.input.max_results) output.next_token = next;
  output.queue_urls.ensure();
  for (const QueueRecord* source : sources) output.queue_urls->push_back(queue_url(request, {queue.scope, *source}));
  return output;
}

}  // namespace brume::sqs
