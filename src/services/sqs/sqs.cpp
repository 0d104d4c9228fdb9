#include "services/sqs/sqs.h"

#include "aws/queue_url.h"
#include "core/log.h"

namespace brume::sqs {
namespace {

AwsError with_query_code(AwsError error, std::string query_code) {
  error.query_code = std::move(query_code);
  return error;
}

AwsError no_such_queue() { return queue_does_not_exist("The specified queue does not exist."); }

}  // namespace

Sqs::Sqs(const SqsNeeds& given)
    : needs(given),
      paging(PagingTokens::load(given.store, given.random)),
      queues(given.store, {"sqs.queue"}),
      by_dead_letter_arn(queues,
                         [](const QueueRecord& queue) {
                           return queue.dead_letter_arn.empty() ? std::vector<std::string>()
                                                                : std::vector{queue.dead_letter_arn};
                         }),
      deleted(given.store, {"sqs.deleted"}),
      messages(given.store),
      waiters(*this),
      move_tasks(*this) {}

void Sqs::start() {
  load_messages();
  move_tasks.resume();
  sweep();
}

// Queues that are used before it is done are read where they are used.
void Sqs::load_messages() {
  std::map<std::string, bool> fifo_by_id;
  queues.for_all(
      [&](const Scope&, std::string_view, const QueueRecord& queue) { fifo_by_id[queue.messages_id] = queue.fifo; });
  // Shared by the job and what follows it.
  auto loaded = std::make_shared<MessageStore::Indexes>();
  needs.workers.run(
      [this, loaded, snapshot = messages.snapshot(), fifo_by_id = std::move(fifo_by_id), now = needs.clock.now()] {
        try {
          *loaded = messages.load(*snapshot, fifo_by_id, now);
        } catch (const StoreError& error) {
          log::error("sqs", "messages cannot be read: " + error.message);
        }
      },
      [this, loaded] { messages.adopt(std::move(*loaded)); });
}

// What nobody asks for any more goes too.
void Sqs::sweep() {
  const Time now = needs.clock.now();
  std::vector<std::pair<Scope, std::string>> names, forgotten;
  queues.for_all([&](const Scope& scope, std::string_view name, const QueueRecord& queue) {
    if (messages.is_open(queue)) names.emplace_back(scope, name);
  });
  deleted.for_all([&](const Scope& scope, std::string_view name, const DeletedQueueRecord& record) {
    if (record.at + minutes(1) <= now) forgotten.emplace_back(scope, name);
  });
  try {
    Tx tx(needs.store);
    for (const auto& [scope, name] : names) messages.open(tx, *queues.find(scope, name), now);
    for (const auto& [scope, name] : forgotten) deleted.erase(tx, scope, name);
    tx.commit();
  } catch (const StoreError& error) {
    log::warning("sqs", "messages past their retention stay: " + error.message);
  }
  needs.control.at(now + hours(1), [this] { sweep(); });
}

std::optional<ResourcePolicies::Found> Sqs::find(const std::string& resource_arn) const {
  const std::optional<Queue> queue = find_queue_by_arn(*this, resource_arn);
  if (!queue) return std::nullopt;
  return Found{queue->scope.account, queue->record.policy};
}

std::string queue_url(const RequestContext& context, const Queue& queue) {
  return context.endpoint + "/" + queue.scope.account + "/" + queue.record.name;
}

std::optional<Queue> find_queue_by_arn(const Sqs& sqs, const std::string& text) {
  const std::optional<Arn> arn = parse_arn(text);
  if (!arn || arn->service != "sqs") return std::nullopt;
  const Scope scope{arn->account, arn->region};
  const QueueRecord* queue = sqs.queues.find(scope, arn->resource);
  if (queue == nullptr) return std::nullopt;
  return Queue{scope, *queue};
}

Queue get_queue(const Sqs& sqs, const RequestContext& context, const std::string& url) {
  const QueueAddress address = parse_queue_url(url);
  // A queue is where its URL says.
  if (address.host.starts_with("sqs.") && address.host.ends_with(".amazonaws.com") &&
      !address.host.starts_with("sqs." + context.scope.region + "."))
    throw invalid_address("The address " + url + " is not valid for this endpoint.");
  const Scope scope{address.account.empty() ? context.scope.account : address.account, context.scope.region};
  const QueueRecord* queue = sqs.queues.find(scope, address.name);
  if (queue == nullptr) throw no_such_queue();
  return {scope, *queue};
}

Queue get_own_queue(const Sqs& sqs, const RequestContext& context, const std::string& url) {
  const Queue queue = get_queue(sqs, context, url);
  if (queue.scope.account != context.scope.account)
    throw with_query_code(
        AwsError("AccessDeniedException",
                 "Access to the resource " + url + " is denied: this action is its owner's alone.", 403),
        "AccessDenied");
  return queue;
}

AwsError invalid_parameter(std::string message) {
  return with_query_code(AwsError("InvalidParameterValueException", std::move(message)), "InvalidParameterValue");
}

AwsError invalid_parameter(const std::string& value, const std::string& name, const std::string& reason) {
  return invalid_parameter("Value " + value + " for parameter " + name + " is invalid. Reason: " + reason);
}

AwsError missing_parameter(const std::string& name) {
  return with_query_code(
      AwsError("MissingRequiredParameterException", "The request must contain the parameter " + name + "."),
      "MissingParameter");
}

}  // namespace brume::sqs
