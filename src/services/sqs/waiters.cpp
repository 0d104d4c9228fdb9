#include "services/sqs/waiters.h"

#include <algorithm>

#include "core/log.h"
#include "services/sqs/receive.h"
#include "services/sqs/sqs.h"

namespace brume::sqs {

void Waiters::wait(const Scope& queue_scope, const std::string& queue, const RequestContext& context,
                   const ReceiveMessageInput& input, Deferred<ReceiveMessageOutput> reply, Time until) {
  const Place place{queue_scope, queue};
  auto waiter = std::make_shared<Waiter>(Waiter{context, input, std::move(reply), until});
  waiter->timer = sqs_.needs.control.at(until, [this, place, waiter] { end(place, waiter); });
  Line& line = lines_[place];
  line.waiters.push_back(std::move(waiter));
  look_again(place, line);
}

void Waiters::wake(const Scope& queue_scope, const std::string& queue) {
  const Place place{queue_scope, queue};
  if (!lines_.contains(place)) return;
  // Not within the transaction that brought the messages.
  sqs_.needs.control.post([this, place] { serve(place); });
}

void Waiters::serve(const Place& place) {
  const auto found = lines_.find(place);
  if (found == lines_.end()) return;
  Line& line = found->second;
  while (!line.waiters.empty() && serve_first(place, line)) {
  }
  if (line.waiters.empty()) {
    sqs_.needs.control.cancel(line.timer);
    lines_.erase(found);
  } else {
    look_again(place, line);
  }
}

// False: there is nothing for it.
bool Waiters::serve_first(const Place& place, Line& line) {
  const std::shared_ptr<Waiter> waiter = line.waiters.front();
  ReceiveMessageOutput output;
  std::optional<AwsError> failure;
  try {
    Tx tx(sqs_.needs.store);
    const QueueRecord* queue = sqs_.queues.find(place.first, place.second);
    if (queue == nullptr) throw queue_does_not_exist("The specified queue does not exist.");
    waiter->context.now = sqs_.needs.clock.now();
    output = receive(sqs_, tx, {place.first, *queue}, waiter->context, waiter->input);
    if (output.messages.get().empty()) {
      tx.commit();  // dead letters may have left
      return false;
    }
    tx.commit();
  } catch (const AwsError& error) {
    failure = error;
  } catch (const StoreError& error) {
    log::warning("sqs", "a receive waits on: " + error.message);
    return false;
  }
  line.waiters.pop_front();
  sqs_.needs.control.cancel(waiter->timer);
  if (failure)
    waiter->reply.fail(*failure);
  else
    waiter->reply.succeed(std::move(output));
  return true;
}

void Waiters::end(const Place& place, const std::shared_ptr<Waiter>& waiter) {
  const auto found = lines_.find(place);
  if (found == lines_.end()) return;
  Line& line = found->second;
  if (std::erase(line.waiters, waiter) == 0) return;
  if (line.waiters.empty()) {
    sqs_.needs.control.cancel(line.timer);
    lines_.erase(found);
  }
  waiter->reply.succeed({});
}

// A message that is delayed or in flight now may be there before the waiters' time is over.
void Waiters::look_again(const Place& place, Line& line) {
  const QueueRecord* queue = sqs_.queues.find(place.first, place.second);
  const std::optional<Time> next = queue == nullptr ? std::nullopt : sqs_.messages.next_visible(*queue);
  if (line.due == next) return;
  sqs_.needs.control.cancel(line.timer);
  line.due = next;
  if (!next) return;
  line.timer = sqs_.needs.control.at(*next, [this, place] {
    if (const auto found = lines_.find(place); found != lines_.end()) found->second.due.reset();
    serve(place);
  });
}

}  // namespace brume::sqs
