// FIFO queues, dead letters, and StartMessageMoveTask, CancelMessageMoveTask, ListMessageMoveTasks.
#include <gtest/gtest.h>

#include "services/sqs/testing.h"

namespace brume::sqs {
namespace {

TEST(Fifo, KeepsTheOrderOfAGroupAndBlocksItWhileAMessageIsInFlight) {
  World world;
  const std::string url = world.create_fifo("a.fifo");
  for (const char* body : {"a1", "a2"}) world.send(url, body, "a", body);
  world.send(url, "b1", "b", "b1");
  const Message first = world.receive(url, 1).front();
  EXPECT_EQ(first.body.get(), "a1");
  EXPECT_EQ(first.attributes.get().at("MessageGroupId"), "a");
  EXPECT_EQ(world.bodies(url), "b1");
  world.erase(url, first.receipt_handle.get());
  const Message second = world.receive(url, 1).front();
  EXPECT_EQ(second.body.get(), "a2");
  EXPECT_GT(second.attributes.get().at("SequenceNumber"), first.attributes.get().at("SequenceNumber"));
  world.runtime->advance(seconds(30));
  EXPECT_EQ(error_code([&] { world.erase(url, second.receipt_handle.get()); }), "InvalidParameterValue");
  EXPECT_EQ(world.bodies(url), "a2 b1");
}

TEST(Fifo, WantsAGroupAndADeduplicationId) {
  World world;
  const std::string url = world.create_fifo("a.fifo");
  EXPECT_EQ(error_code([&] { world.send(url, "x", {}, "1"); }), "MissingParameter");
  EXPECT_EQ(error_code([&] { world.send(url, "x", "g"); }), "InvalidParameterValue");
  SendMessageInput input = World::sending(url, "x", "g", "1");
  input.delay_seconds = 1;
  EXPECT_EQ(error_code([&] { world(send_message, input); }), "InvalidParameterValue");
  input.delay_seconds = 0;
  EXPECT_EQ(error_code([&] { world(send_message, input); }), "none");
}

TEST(Fifo, TakesWhatWasSentBeforeForTheSameForFiveMinutes) {
  World world;
  const std::string url = world.create_fifo("a.fifo", {{"ContentBasedDeduplication", "true"}});
  const SendMessageOutput first = world.send(url, "same", "g");
  const SendMessageOutput second = world.send(url, "same", "h");
  EXPECT_EQ(second.message_id.get(), first.message_id.get());
  EXPECT_EQ(second.sequence_number.get(), first.sequence_number.get());
  world.open();  // the interval goes on
  world.erase(url, world.receive(url).front().receipt_handle.get());
  world.runtime->advance(milliseconds(299'999));
  EXPECT_EQ(world.send(url, "same", "g").message_id.get(), first.message_id.get());
  EXPECT_EQ(world.counts(url), "0/0/0");
  world.runtime->advance(milliseconds(1));
  EXPECT_NE(world.send(url, "same", "g").message_id.get(), first.message_id.get());
  EXPECT_EQ(world.counts(url), "1/0/0");
}

TEST(Fifo, DeduplicatesWithinAGroupWhereThatIsTheScope) {
  World world;
  EXPECT_EQ(error_code([&] { world.create_fifo("b.fifo", {{"FifoThroughputLimit", "perMessageGroupId"}}); }),
            "InvalidAttributeValue");
  const std::string url = world.create_fifo(
      "a.fifo", {{"DeduplicationScope", "messageGroup"}, {"FifoThroughputLimit", "perMessageGroupId"}});
  world.send(url, "x", "g", "1");
  world.send(url, "x", "g", "1");
  world.send(url, "x", "h", "1");
  EXPECT_EQ(world.counts(url), "2/0/0");
}

TEST(Fifo, AnAttemptThatIsRepeatedGivesTheSameMessagesAgain) {
  World world;
  const std::string url = world.create_fifo("a.fifo");
  for (const char* body : {"1", "2"}) world.send(url, body, "g", body);
  ReceiveMessageInput input = World::receiving(url, 1);
  input.receive_request_attempt_id = "attempt";
  const Message first = world.receive(input).front();
  EXPECT_EQ(world.receive(input).front().receipt_handle.get(), first.receipt_handle.get());
  world.erase(url, first.receipt_handle.get());
  EXPECT_EQ(world.receive(input).front().body.get(), "2");
}

TEST(Fifo, TheQueuesDelayHoldsForWhatIsThereAlready) {
  World world;
  const std::string url = world.create_fifo("a.fifo", {{"DelaySeconds", "100"}});
  world.send(url, "x", "g", "1");
  EXPECT_EQ(world.counts(url), "0/0/1");
  world.set(url, "DelaySeconds", "10");
  world.runtime->advance(seconds(10));
  EXPECT_EQ(world.bodies(url), "x");
}

struct DeadLetters : World {
  std::string dead, url;
  explicit DeadLetters(bool fifo = false) {
    dead = fifo ? create_fifo("dead.fifo") : create("dead");
    const std::string policy = R"({"deadLetterTargetArn":")" + arn(dead) + R"(","maxReceiveCount":2})";
    const std::map<std::string, std::string> attributes{{"VisibilityTimeout", "0"}, {"RedrivePolicy", policy}};
    url = fifo ? create_fifo("live.fifo", attributes) : create("live", attributes);
  }
  void kill(const std::string& body) {
    for (int i = 0; i < 2; ++i) EXPECT_EQ(bodies(url, 1), body);
    EXPECT_EQ(bodies(url, 1), "");
  }
};

TEST(DeadLetter, GoesAfterItsReceivesAndKeepsTheMomentItWasSent) {
  DeadLetters world;
  const std::string sent = std::to_string(world.runtime->clock.now().ms);
  world.send(world.url, "poison");
  const auto waiting = world.ask(World::receiving(world.dead, 1, 20));
  world.runtime->advance(seconds(5));
  world.kill("poison");
  ASSERT_TRUE(waiting->output);
  const Message message = waiting->output->messages.get().front();
  EXPECT_EQ(message.attributes.get().at("SentTimestamp"), sent);
  EXPECT_EQ(message.attributes.get().at("DeadLetterQueueSourceArn"), world.arn(world.url));
  EXPECT_EQ(world.counts(world.url), "0/0/0");
}

TEST(DeadLetter, OfAFifoQueueFreesItsGroup) {
  DeadLetters world(true);
  world.send(world.url, "poison", "g", "1");
  world.send(world.url, "next", "g", "2");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(world.bodies(world.url, 1), "poison");
  EXPECT_EQ(world.bodies(world.url, 1), "next");
  const Message message = world.receive(world.dead).front();
  EXPECT_EQ(message.attributes.get().at("MessageGroupId"), "g");
  EXPECT_EQ(message.attributes.get().at("MessageDeduplicationId"), message.message_id.get());
}

StartMessageMoveTaskInput moving(const std::string& source, std::int64_t rate = 0) {
  StartMessageMoveTaskInput input;
  input.source_arn = source;
  if (rate > 0) input.max_number_of_messages_per_second = rate;
  return input;
}

TEST(MoveTask, BringsDeadLettersBackToWhereTheyCameFrom) {
  DeadLetters world;
  world.send(world.url, "poison");
  world.kill("poison");
  const std::string dead = world.arn(world.dead);
  world(start_message_move_task, moving(dead));
  EXPECT_EQ(world.counts(world.dead), "0/0/0");
  const Message message = world.receive(world.url).front();
  EXPECT_EQ(message.attributes.get().at("ApproximateReceiveCount"), "1");
  ListMessageMoveTasksInput list;
  list.source_arn = dead;
  const ListMessageMoveTasksResultEntry task = world(list_message_move_tasks, list).results.get().at(0);
  EXPECT_EQ(task.status.get(), "COMPLETED");
  EXPECT_EQ(task.approximate_number_of_messages_moved.get(), 1);
  EXPECT_FALSE(task.task_handle);
}

TEST(MoveTask, KeepsItsRateAndCanBeCancelledAndGoesOnAfterARestart) {
  DeadLetters world;
  for (int i = 0; i < 6; ++i) world.send(world.dead, "m");
  const std::string dead = world.arn(world.dead);
  StartMessageMoveTaskInput input = moving(dead, 1);
  EXPECT_EQ(error_code([&] { world(start_message_move_task, moving(world.arn(world.url))); }), "InvalidParameterValue");
  EXPECT_EQ(error_code([&] { world(start_message_move_task, moving(dead + "x")); }), "ResourceNotFoundException");
  input.destination_arn = world.arn(world.create("elsewhere"));
  const std::string handle = world(start_message_move_task, input).task_handle.get();
  EXPECT_EQ(error_code([&] { world(start_message_move_task, input); }), "AWS.SimpleQueueService.UnsupportedOperation");
  world.runtime->advance(seconds(2));
  EXPECT_EQ(world.counts(world.dead), "3/0/0");
  world.open();
  world.runtime->advance(seconds(1));
  EXPECT_EQ(world.counts(world.dead), "2/0/0");
  CancelMessageMoveTaskInput cancel;
  cancel.task_handle = handle;
  EXPECT_EQ(world(cancel_message_move_task, cancel).approximate_number_of_messages_moved.get(), 4);
  world.runtime->advance(seconds(5));
  EXPECT_EQ(world.counts(world.dead), "2/0/0");
  EXPECT_EQ(error_code([&] { world(cancel_message_move_task, cancel); }),
            "AWS.SimpleQueueService.UnsupportedOperation");
}

}  // namespace
}  // namespace brume::sqs
