#include "services/sqs/move_tasks.h"

#include <algorithm>
#include <boost/json.hpp>

#include "core/log.h"
#include "core/text.h"
#include "services/sqs/sqs.h"

namespace brume::sqs {
namespace {

namespace json = boost::json;

constexpr std::int64_t kMostPerSecond = 500;
constexpr std::size_t kKept = 10;  // of each source: what ListMessageMoveTasks can tell

std::string field(const std::string& handle, const char* name) {
  const std::optional<std::string> text = from_base64(handle);
  if (!text) return {};
  boost::system::error_code problem;
  const json::value value = json::parse(*text, problem);
  if (problem || !value.is_object()) return {};
  const json::value* found = value.as_object().if_contains(name);
  return found != nullptr && found->is_string() ? std::string(found->as_string()) : std::string();
}

}  // namespace

MoveTasks::MoveTasks(Sqs& sqs)
    : sqs_(sqs),
      tasks_(sqs.needs.store, {"sqs.move_task"}),
      by_source_(tasks_, [](const MoveTaskRecord& task) { return std::vector{task.source}; }) {}

void MoveTasks::resume() {
  tasks_.for_all([this](const Scope& scope, std::string_view id, const MoveTaskRecord& task) {
    if (task.status == "RUNNING") run_in(scope, std::string(id), seconds(1));
  });
}

std::string MoveTasks::handle_of(const MoveTaskRecord& task) {
  return to_base64(json::serialize(json::object{{"taskId", task.id}, {"sourceArn", task.source}}));
}

std::string MoveTasks::source_in(const std::string& handle) { return field(handle, "sourceArn"); }

std::vector<const MoveTaskRecord*> MoveTasks::of_source(const Scope& scope, const std::string& source_arn) const {
  std::vector<const MoveTaskRecord*> found = by_source_.find(scope, source_arn);
  std::ranges::sort(found,
                    [](const MoveTaskRecord* a, const MoveTaskRecord* b) { return a->started_at > b->started_at; });
  return found;
}

std::string MoveTasks::start(Tx& tx, const Queue& source, const std::string& destination, std::int64_t per_second,
                             Time now) {
  std::vector<std::string> old;
  for (const MoveTaskRecord* task : of_source(source.scope, source.arn())) {
    if (task->status == "RUNNING")
      throw unsupported_operation(
          "There is already a task running. Only one active task is allowed for a source queue arn at a given time.");
    old.push_back(task->id);
  }
  for (std::size_t i = kKept - 1; i < old.size(); ++i) tasks_.erase(tx, source.scope, old[i]);
  MoveTaskRecord task{.id = sqs_.needs.random.uuid(),
                      .source = source.arn(),
                      .destination = destination,
                      .failure = {},
                      .per_second = per_second,
                      .started_at = now};
  task.to_move = static_cast<std::int64_t>(sqs_.messages.open(tx, source.record, now).counts().ready);
  const std::string id = task.id, handle = handle_of(task);
  tasks_.insert(tx, source.scope, id, std::move(task));
  tx.on_commit([this, scope = source.scope, id] { sqs_.needs.control.post([this, scope, id] { run(scope, id); }); });
  return handle;
}

std::int64_t MoveTasks::cancel(Tx& tx, const Scope& scope, const std::string& handle) {
  const std::string id = field(handle, "taskId");
  const MoveTaskRecord* task = tasks_.find(scope, id);
  if (task == nullptr) throw resource_not_found_exception("Task does not exist.");
  // "A message movement can only be cancelled when the current status is RUNNING."
  if (task->status != "RUNNING") throw unsupported_operation("Only a task that is running can be cancelled.");
  return tasks_.modify(tx, scope, id, [](MoveTaskRecord& record) { record.status = "CANCELLED"; }).moved;
}

void MoveTasks::run_in(const Scope& scope, const std::string& id, Duration span) {
  sqs_.needs.control.at(sqs_.needs.clock.now() + span, [this, scope, id] { run(scope, id); });
}

void MoveTasks::run(const Scope& scope, const std::string& id) {
  const MoveTaskRecord* found = tasks_.find(scope, id);
  if (found == nullptr || found->status != "RUNNING") return;
  MoveTaskRecord task = *found;
  try {
    move(scope, task);
  } catch (const StoreError& error) {
    log::warning("sqs", "a move task waits on: " + error.message);
    return run_in(scope, id, seconds(1));
  }
  if (task.status == "RUNNING") run_in(scope, id, seconds(1));
}

void MoveTasks::move(const Scope& scope, MoveTaskRecord& task) {
  const Time now = sqs_.needs.clock.now();
  Tx tx(sqs_.needs.store);
  const std::optional<Queue> source = find_queue_by_arn(sqs_, task.source);
  std::vector<Sequence> sequences;
  const std::int64_t quota =
      std::min(task.per_second == 0 ? kMostPerSecond : task.per_second, task.to_move - task.moved);
  if (source) sequences = sqs_.messages.open(tx, source->record, now).available(static_cast<std::size_t>(quota));
  for (const Sequence sequence : sequences) {
    std::optional<MessageRecord> message = sqs_.messages.read(tx, source->record, sequence);
    if (!message) continue;
    const std::optional<Queue> target =
        find_queue_by_arn(sqs_, task.destination.empty() ? message->dead_letter_source : task.destination);
    if (!target || target->record.fifo != source->record.fifo) {
      task.status = "FAILED";
      task.failure = target ? "AWS.SimpleQueueService.UnsupportedOperation" : "AWS.SimpleQueueService.NonExistentQueue";
      break;
    }
    sqs_.messages.erase(tx, source->record, sequence);
    // "All redriven messages are considered new messages with a new messageID and enqueueTime".
    message->id = sqs_.needs.random.uuid();
    message->dead_letter_source.clear();
    MessageState state;
    state.sent_at = state.visible_at = now;
    if (target->record.fifo) state.group = message->group;
    sqs_.messages.open(tx, target->record, now);
    sqs_.messages.add(tx, target->record, *message, std::move(state), now);
    tx.on_commit([this, to = target->scope, name = target->record.name] { sqs_.waiters.wake(to, name); });
    ++task.moved;
  }
  if (!source) {
    task.status = "FAILED";
    task.failure = "AWS.SimpleQueueService.NonExistentQueue";
  } else if (task.status == "RUNNING" && (sequences.empty() || task.moved >= task.to_move)) {
    task.status = "COMPLETED";
  }
  tasks_.put(tx, scope, task.id, task);
  tx.commit();
}

}  // namespace brume::sqs
