// SendMessage, ReceiveMessage, DeleteMessage, ChangeMessageVisibility and their batches: SendMessageBatch,
// DeleteMessageBatch, ChangeMessageVisibilityBatch; on standard queues.
#include <gtest/gtest.h>

#include "services/sqs/message_attributes.h"
#include "services/sqs/testing.h"

namespace brume::sqs {
namespace {

MessageAttributeValue text(const std::string& value, const std::string& type = "String") {
  MessageAttributeValue made;
  made.data_type = type;
  made.string_value = value;
  return made;
}

TEST(SendMessage, AnswersTheDigestsThatSDKsCompare) {
  World world;
  SendMessageInput input = World::sending(world.create("orders"), "derp");
  input.message_attributes.ensure()["timestamp"] = text("1493147359900", "Number");
  SendMessageOutput output = world(send_message, input);
  EXPECT_EQ(output.md5_of_message_body.get(), "58fd9edd83341c29f1aebba81c31e257");
  EXPECT_EQ(output.md5_of_message_attributes.get(), "235c5c510d26fb653d073faed50ae77c");  // as boto's tests have it
  EXPECT_FALSE(output.sequence_number);
  EXPECT_FALSE(output.md5_of_message_system_attributes);
  input.message_attributes.ensure() = {{"a", text("x", "Colour")}};
  EXPECT_EQ(error_code([&] { world(send_message, input); }), "InvalidParameterValue");
  input.message_attributes.ensure() = {{"AWS.a", text("x")}};
  EXPECT_EQ(error_code([&] { world(send_message, input); }), "InvalidParameterValue");
  input.message_attributes.ensure() = {{"n", text("twelve", "Number")}};
  EXPECT_EQ(error_code([&] { world(send_message, input); }), "InvalidParameterValue");
}

TEST(SendMessage, ChecksTheBody) {
  World world;
  const std::string url = world.create("orders", {{"MaximumMessageSize", "1024"}});
  EXPECT_EQ(error_code([&] { world.send(url, ""); }), "MissingParameter");
  EXPECT_EQ(error_code([&] { world.send(url, "a\x01"); }), "InvalidMessageContents");
  EXPECT_EQ(error_code([&] { world.send(url, "a\xEF\xBF\xBE"); }), "InvalidMessageContents");
  EXPECT_EQ(error_code([&] { world.send(url, "tab\t, line\n, \xF0\x9F\x98\x80"); }), "none");
  EXPECT_EQ(error_code([&] { world.send(url, std::string(1025, 'a')); }), "InvalidParameterValue");
  EXPECT_EQ(error_code([&] { world.send(url, std::string(1024, 'a')); }), "none");
  EXPECT_EQ(error_code([&] { world.send(url, "a", {}, "id"); }), "InvalidParameterValue");
  EXPECT_EQ(error_code([&] { world.send(url, "a", "tenant"); }), "none");  // a fair queue's
}

TEST(ReceiveMessage, HidesWhatItGivesUntilTheTimeoutIsOver) {
  World world;
  const std::string url = world.create("orders", {{"VisibilityTimeout", "5"}});
  world.send(url, "one");
  const Message first = world.receive(url).front();
  EXPECT_EQ(first.attributes.get().at("ApproximateReceiveCount"), "1");
  EXPECT_EQ(first.attributes.get().at("SenderId"), "000000000000");
  EXPECT_EQ(world.bodies(url), "");
  EXPECT_EQ(world.counts(url), "0/1/0");
  world.runtime->advance(milliseconds(4'999));
  EXPECT_EQ(world.bodies(url), "");
  world.runtime->advance(milliseconds(1));
  const Message second = world.receive(url).front();
  EXPECT_EQ(second.attributes.get().at("ApproximateReceiveCount"), "2");
  EXPECT_EQ(second.attributes.get().at("ApproximateFirstReceiveTimestamp"),
            first.attributes.get().at("ApproximateFirstReceiveTimestamp"));
  EXPECT_NE(second.receipt_handle.get(), first.receipt_handle.get());
  world.erase(url, second.receipt_handle.get());
  world.erase(url, second.receipt_handle.get());
  EXPECT_EQ(world.counts(url), "0/0/0");
}

TEST(ReceiveMessage, GivesTheAttributesThatAreAskedFor) {
  World world;
  const std::string url = world.create("orders", {{"VisibilityTimeout", "0"}});
  SendMessageInput input = World::sending(url, "body");
  MessageAttributeValue binary;
  binary.data_type = "Binary.png";
  binary.binary_value = std::string("\0\1", 2);
  input.message_attributes.ensure() = {{"foo.one", text("1")}, {"foo.two", text("2")}, {"bar", binary}};
  MessageSystemAttributeValue trace;
  trace.data_type = "String";
  trace.string_value = "Root=1";
  input.message_system_attributes.ensure()["AWSTraceHeader"] = trace;
  EXPECT_TRUE(world(send_message, input).md5_of_message_system_attributes);
  const auto names = [&](std::vector<std::string> asked) {
    ReceiveMessageInput receiving = World::receiving(url);
    receiving.message_attribute_names = std::move(asked);
    const Message message = world.receive(receiving).front();
    std::string found;
    for (const auto& [name, value] : message.message_attributes.get()) found += name + " ";
    EXPECT_EQ(message.md5_of_message_attributes.has_value(), !found.empty());
    return found;
  };
  EXPECT_EQ(names({}), "");
  EXPECT_EQ(names({"bar"}), "bar ");
  EXPECT_EQ(names({"foo.*"}), "foo.one foo.two ");
  EXPECT_EQ(names({"All"}), "bar foo.one foo.two ");
  EXPECT_EQ(names({".*"}), "bar foo.one foo.two ");
  const Message message = world.receive(url).front();
  EXPECT_EQ(message.message_attributes.get().at("bar").binary_value.get(), std::string("\0\1", 2));
  EXPECT_EQ(message.attributes.get().at("AWSTraceHeader"), "Root=1");
}

TEST(ReceiveMessage, ChecksItsParameters) {
  World world;
  const std::string url = world.create("orders");
  EXPECT_EQ(error_code([&] { world.ask(World::receiving(url, 0)); }), "InvalidParameterValue");
  EXPECT_EQ(error_code([&] { world.ask(World::receiving(url, 11)); }), "InvalidParameterValue");
  EXPECT_EQ(error_code([&] { world.ask(World::receiving(url, 1, 21)); }), "InvalidParameterValue");
  ReceiveMessageInput input = World::receiving(url);
  input.attribute_names = std::vector<std::string>{"Colour"};
  EXPECT_EQ(error_code([&] { world.ask(input); }), "InvalidAttributeName");
}

TEST(ReceiveMessage, WaitsForAMessageAndForNoLongerThanItSays) {
  World world;
  const std::string url = world.create("orders");
  const auto waiting = world.ask(World::receiving(url, 1, 20));
  const auto second = world.ask(World::receiving(url, 1, 20));
  EXPECT_FALSE(waiting->output);
  world.runtime->advance(seconds(10));
  world.send(url, "there");
  ASSERT_TRUE(waiting->output);
  EXPECT_EQ(waiting->output->messages.get().front().body.get(), "there");
  EXPECT_FALSE(second->output);
  world.runtime->advance(seconds(10));
  ASSERT_TRUE(second->output);
  EXPECT_FALSE(second->output->messages);
}

TEST(ReceiveMessage, WaitsForWhatBecomesVisible) {
  World world;
  const std::string url = world.create("orders", {{"DelaySeconds", "3"}, {"ReceiveMessageWaitTimeSeconds", "20"}});
  world.send(url, "delayed");
  EXPECT_EQ(world.counts(url), "0/0/1");
  ReceiveMessageInput input = World::receiving(url, 1);
  input.wait_time_seconds = kNothing;
  const auto waiting = world.ask(input);
  world.runtime->advance(milliseconds(2'999));
  EXPECT_FALSE(waiting->output);
  world.runtime->advance(milliseconds(1));
  ASSERT_TRUE(waiting->output);
  const auto again = world.ask(input);
  world.change(url, waiting->output->messages.get().front().receipt_handle.get(), 0);
  world.runtime->advance(milliseconds(1));
  EXPECT_TRUE(again->output);
}

TEST(ReceiveMessage, EndsWhenItsQueueGoes) {
  World world;
  const std::string url = world.create("orders");
  const auto waiting = world.ask(World::receiving(url, 1, 20));
  DeleteQueueInput input;
  input.queue_url = url;
  world(delete_queue, input);
  ASSERT_TRUE(waiting->error);
  EXPECT_EQ(waiting->error->code, "QueueDoesNotExist");
}

TEST(ReceiveMessage, HasALimitOfMessagesInFlight) {
  World world;
  for (const bool fifo : {false, true}) {
    const std::string url = fifo ? world.create_fifo("a.fifo") : world.create("a");
    const QueueRecord& queue = *world.sqs->queues.find({"000000000000", "eu-west-1"}, fifo ? "a.fifo" : "a");
    const Time now = world.runtime->clock.now();
    Tx tx(*world.store);
    for (int i = 0; i < 120'000; ++i) {
      MessageState state{.sent_at = now, .visible_at = now + seconds(30), .receives = 1, .group = std::to_string(i)};
      world.sqs->messages.add(tx, queue, {}, std::move(state), now);
    }
    tx.commit();
    world.send(url, "one more", fifo ? "g" : "", fifo ? "1" : "");
    EXPECT_EQ(world.counts(url), "1/120000/0");
    // "For FIFO queues … Amazon SQS returns no error messages."
    EXPECT_EQ(error_code([&] { EXPECT_EQ(world.bodies(url), ""); }), fifo ? "none" : "OverLimit");
    world.runtime->advance(seconds(30));
    EXPECT_EQ(world.receive(url).size(), 10U);
  }
}

TEST(ChangeMessageVisibility, CountsFromNowAndHasAnEndAfterTwelveHours) {
  World world;
  const std::string url = world.create("orders", {{"VisibilityTimeout", "100"}});
  world.send(url, "one");
  const std::string handle = world.receive(url).front().receipt_handle.get();
  EXPECT_EQ(error_code([&] { world.change(url, "none", 1); }), "ReceiptHandleIsInvalid");
  EXPECT_EQ(error_code([&] { world.change(url, handle, 43'201); }), "InvalidParameterValue");
  world.runtime->advance(seconds(50));
  EXPECT_EQ(error_code([&] { world.change(url, handle, 43'200); }), "InvalidParameterValue");
  world.change(url, handle, 10);
  world.runtime->advance(seconds(10));
  EXPECT_EQ(world.counts(url), "1/0/0");
  EXPECT_EQ(error_code([&] { world.change(url, handle, 10); }), "AWS.SimpleQueueService.MessageNotInflight");
  world.erase(url, handle);
  EXPECT_EQ(error_code([&] { world.change(url, handle, 10); }), "InvalidParameterValue");
  const std::string other = world.create("other");
  EXPECT_EQ(error_code([&] { world.erase(other, handle); }), "ReceiptHandleIsInvalid");
}

TEST(Messages, AreGoneAfterTheirRetention) {
  World world;
  const std::string url = world.create("orders", {{"MessageRetentionPeriod", "60"}});
  world.send(url, "old");
  world.runtime->advance(seconds(30));
  world.send(url, "young");
  world.runtime->advance(seconds(30));
  EXPECT_EQ(world.bodies(url), "young");
  world.set(url, "MessageRetentionPeriod", "1209600");
}

TEST(Messages, AndTheirReceivesOutliveAnEndOfTheDaemon) {
  World world;
  const std::string url = world.create("orders", {{"VisibilityTimeout", "20"}});
  for (const char* body : {"one", "two", "three"}) world.send(url, body);
  const std::vector<Message> received = world.receive(url, 2);
  world.erase(url, received[0].receipt_handle.get());
  world.open();
  EXPECT_EQ(world.counts(url), "1/1/0");
  EXPECT_EQ(world.bodies(url), "three");
  world.runtime->advance(seconds(20));
  const std::vector<Message> again = world.receive(url);
  ASSERT_EQ(again.size(), 2U);
  EXPECT_EQ(again[0].body.get(), "two");
  EXPECT_EQ(again[0].attributes.get().at("ApproximateReceiveCount"), "2");
  world.erase(url, again[0].receipt_handle.get());
  EXPECT_EQ(world.counts(url), "0/1/0");
}

TEST(Messages, UsedBeforeAllWereReadAreAsTheyWereUsed) {
  World world;
  const std::string early = world.create("early"), late = world.create("late");
  world.send(early, "one");
  world.send(late, "one");
  world.reopen_without_running();
  Tx tx(*world.store);
  const SendMessageInput input = World::sending(early, "two");
  send_message(*world.sqs, tx, Request<SendMessageInput>(world.context(), input));
  tx.commit();
  world.runtime->run();
  EXPECT_EQ(world.counts(early), "2/0/0");
  EXPECT_EQ(world.counts(late), "1/0/0");
}

TEST(Messages, OfATransactionThatIsUndoneAreNotThere) {
  World world;
  const std::string url = world.create("orders");
  world.send(url, "kept");
  {
    Tx tx(*world.store);
    const SendMessageInput input = World::sending(url, "lost");
    send_message(*world.sqs, tx, Request<SendMessageInput>(world.context(), input));
    tx.rollback();
  }
  EXPECT_EQ(world.counts(url), "1/0/0");
  EXPECT_EQ(world.bodies(url), "kept");
}

template <class Input>
Input batch(const std::string& url, const std::vector<std::string>& ids) {
  Input input;
  input.queue_url = url;
  input.entries.ensure();
  for (const std::string& id : ids) input.entries->emplace_back().id = id;
  return input;
}

TEST(Batches, AreRefusedWholeOrAnsweredEntryByEntry) {
  World world;
  const std::string url = world.create("orders");
  const auto code = [&](const std::vector<std::string>& ids) {
    SendMessageBatchInput input = batch<SendMessageBatchInput>(url, ids);
    for (SendMessageBatchRequestEntry& entry : *input.entries) entry.message_body = "body";
    return error_code([&] { world(send_message_batch, input); });
  };
  EXPECT_EQ(code({}), "AWS.SimpleQueueService.EmptyBatchRequest");
  EXPECT_EQ(code({"a", "a"}), "AWS.SimpleQueueService.BatchEntryIdsNotDistinct");
  EXPECT_EQ(code({"a b"}), "AWS.SimpleQueueService.InvalidBatchEntryId");
  EXPECT_EQ(code({"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"}),
            "AWS.SimpleQueueService.TooManyEntriesInBatchRequest");
  SendMessageBatchInput send = batch<SendMessageBatchInput>(url, {"good", "late", "empty"});
  (*send.entries)[0].message_body = "good";
  (*send.entries)[1].message_body = "late";
  (*send.entries)[1].delay_seconds = 901;
  const SendMessageBatchOutput sent = world(send_message_batch, send);
  ASSERT_EQ(sent.successful.get().size(), 1U);
  ASSERT_EQ(sent.failed.get().size(), 2U);
  EXPECT_EQ(sent.failed.get()[0].code.get(), "InvalidParameterValue");
  EXPECT_EQ(sent.failed.get()[1].code.get(), "MissingParameter");
  (*send.entries)[0].message_body = std::string(1'048'573, 'a');
  EXPECT_EQ(error_code([&] { world(send_message_batch, send); }), "AWS.SimpleQueueService.BatchRequestTooLong");
  const std::string handle = world.receive(url).front().receipt_handle.get();
  auto change = batch<ChangeMessageVisibilityBatchInput>(url, {"a", "b"});
  (*change.entries)[0].receipt_handle = handle;
  (*change.entries)[0].visibility_timeout = 100;
  (*change.entries)[1].receipt_handle = "none";
  EXPECT_EQ(world(change_message_visibility_batch, change).failed.get().at(0).code.get(), "ReceiptHandleIsInvalid");
  auto erase = batch<DeleteMessageBatchInput>(url, {"a", "b"});
  (*erase.entries)[0].receipt_handle = handle;
  (*erase.entries)[1].receipt_handle = "none";
  const DeleteMessageBatchOutput erased = world(delete_message_batch, erase);
  EXPECT_EQ(erased.successful.get().at(0).id.get(), "a");
  EXPECT_EQ(erased.failed.get().at(0).id.get(), "b");
  EXPECT_EQ(world.counts(url), "0/0/0");
}

}  // namespace
}  // namespace brume::sqs
