// CreateQueue, GetQueueUrl, ListQueues, GetQueueAttributes, SetQueueAttributes, DeleteQueue, PurgeQueue, TagQueue,
// UntagQueue, ListQueueTags, AddPermission, RemovePermission, ListDeadLetterSourceQueues.
#include <gtest/gtest.h>

#include "services/sqs/testing.h"

namespace brume::sqs {
namespace {

TEST(CreateQueue, AnswersTheSameQueueForEqualAttributesAndRefusesOthers) {
  World world;
  const std::string url = world.create("orders", {{"VisibilityTimeout", "60"}});
  EXPECT_EQ(url, "https://sqs.eu-west-1.amazonaws.com/000000000000/orders");
  EXPECT_EQ(world.create("orders", {{"VisibilityTimeout", "60"}}), url);
  EXPECT_EQ(world.create("orders"), url);
  EXPECT_EQ(error_code([&] { world.create("orders", {{"VisibilityTimeout", "61"}}); }), "QueueAlreadyExists");
  EXPECT_EQ(error_code([&] { world.create("orders", {{"DelaySeconds", "1"}}); }), "QueueAlreadyExists");
}

TEST(CreateQueue, ChecksNamesAndAttributes) {
  World world;
  for (const char* name : {"", "a b", "a/b", "a.fifo"})
    EXPECT_EQ(error_code([&] { world.create(name); }), "InvalidParameterValue") << name;
  EXPECT_EQ(error_code([&] { world.create(std::string(81, 'a')); }), "InvalidParameterValue");
  EXPECT_EQ(error_code([&] { world.create_fifo("a"); }), "InvalidParameterValue");
  EXPECT_EQ(error_code([&] { world.create("a", {{"Colour", "red"}}); }), "InvalidAttributeName");
  EXPECT_EQ(error_code([&] { world.create("a", {{"ContentBasedDeduplication", "true"}}); }), "InvalidAttributeName");
  for (const auto& [name, value] : std::map<std::string, std::string>{{"VisibilityTimeout", "43201"},
                                                                      {"DelaySeconds", "-1"},
                                                                      {"MessageRetentionPeriod", "59"},
                                                                      {"MaximumMessageSize", "1048577"},
                                                                      {"ReceiveMessageWaitTimeSeconds", "x"},
                                                                      {"KmsMasterKeyId", "alias/aws/sqs"},
                                                                      {"Policy", "{"},
                                                                      {"SqsManagedSseEnabled", "yes"}})
    EXPECT_EQ(error_code([&] { world.create("a", {{name, value}}); }), "InvalidAttributeValue") << name;
}

TEST(DeleteQueue, KeepsItsNameForAMinuteAndItsMessagesNowhere) {
  World world;
  const std::string url = world.create("orders");
  world.send(url, "gone");
  DeleteQueueInput input;
  input.queue_url = url;
  world(delete_queue, input);
  EXPECT_EQ(error_code([&] { world.send(url, "late"); }), "AWS.SimpleQueueService.NonExistentQueue");
  EXPECT_EQ(error_code([&] { world.create("orders"); }), "AWS.SimpleQueueService.QueueDeletedRecently");
  world.runtime->advance(seconds(59));
  EXPECT_EQ(error_code([&] { world.create("orders"); }), "AWS.SimpleQueueService.QueueDeletedRecently");
  world.runtime->advance(seconds(1));
  world.create("orders");
  EXPECT_EQ(world.counts(url), "0/0/0");
}

TEST(GetQueueUrl, FindsQueuesOfOtherAccounts) {
  World world;
  world.create("orders");
  world.account = "111122223333";
  GetQueueUrlInput input;
  input.queue_name = "orders";
  EXPECT_EQ(error_code([&] { world(get_queue_url, input); }), "AWS.SimpleQueueService.NonExistentQueue");
  input.queue_owner_aws_account_id = "000000000000";
  EXPECT_EQ(world(get_queue_url, input).queue_url.get(), "https://sqs.eu-west-1.amazonaws.com/000000000000/orders");
}

TEST(ListQueues, PagesWhatBeginsWithAPrefix) {
  World world;
  for (const char* name : {"a1", "a2", "a3", "b1"}) world.create(name);
  ListQueuesInput input;
  input.queue_name_prefix = "a";
  EXPECT_EQ(world(list_queues, input).queue_urls.get().size(), 3U);
  input.max_results = 2;
  ListQueuesOutput page = world(list_queues, input);
  EXPECT_EQ(page.queue_urls.get().size(), 2U);
  input.next_token = page.next_token;
  page = world(list_queues, input);
  EXPECT_EQ(page.queue_urls.get().size(), 1U);
  EXPECT_FALSE(page.next_token);
  input.next_token = "forged";
  EXPECT_EQ(error_code([&] { world(list_queues, input); }), "InvalidParameterValue");
  EXPECT_FALSE(world(list_queues,
                     [] {
                       ListQueuesInput other;
                       other.queue_name_prefix = "c";
                       return other;
                     }())
                   .queue_urls);
}

TEST(GetQueueAttributes, HasAWSsDefaults) {
  World world;
  GetQueueAttributesInput input;
  input.queue_url = world.create_fifo("a.fifo");
  EXPECT_FALSE(world(get_queue_attributes, input).attributes);
  input.attribute_names = std::vector<std::string>{"All"};
  auto attributes = *world(get_queue_attributes, input).attributes;
  attributes.erase("CreatedTimestamp");
  attributes.erase("LastModifiedTimestamp");
  const std::map<std::string, std::string> wanted{{"ApproximateNumberOfMessages", "0"},
                                                  {"ApproximateNumberOfMessagesDelayed", "0"},
                                                  {"ApproximateNumberOfMessagesNotVisible", "0"},
                                                  {"ContentBasedDeduplication", "false"},
                                                  {"DeduplicationScope", "queue"},
                                                  {"DelaySeconds", "0"},
                                                  {"FifoQueue", "true"},
                                                  {"FifoThroughputLimit", "perQueue"},
                                                  {"MaximumMessageSize", "1048576"},
                                                  {"MessageRetentionPeriod", "345600"},
                                                  {"QueueArn", "arn:aws:sqs:eu-west-1:000000000000:a.fifo"},
                                                  {"ReceiveMessageWaitTimeSeconds", "0"},
                                                  {"SqsManagedSseEnabled", "true"},
                                                  {"VisibilityTimeout", "30"}};
  EXPECT_EQ(attributes, wanted);
  input.attribute_names = std::vector<std::string>{"Nothing"};
  EXPECT_EQ(error_code([&] { world(get_queue_attributes, input); }), "InvalidAttributeName");
}

TEST(SetQueueAttributes, KeepsTheRedrivePolicyCompactAndItsTargetTrue) {
  World world;
  const std::string url = world.create("orders"), dead = world.create("dead");
  const std::string fifo = world.create_fifo("dead.fifo");
  const auto policy = [&](const std::string& target, const std::string& most) {
    return R"({ "deadLetterTargetArn": ")" + target + R"(", "maxReceiveCount": )" + most + "}";
  };
  world.set(url, "RedrivePolicy", policy(world.arn(dead), "\"3\""));
  EXPECT_EQ(world.attribute(url, "RedrivePolicy"),
            R"({"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:000000000000:dead","maxReceiveCount":3})");
  ListDeadLetterSourceQueuesInput sources;
  sources.queue_url = dead;
  EXPECT_EQ(world(list_dead_letter_source_queues, sources).queue_urls.get(), std::vector{url});
  for (const std::string& wrong :
       {policy(world.arn(dead) + "x", "3"), policy(world.arn(fifo), "3"), policy(world.arn(url), "3"),
        policy(world.arn(dead), "0"), policy(world.arn(dead), "1001"), std::string("[]"),
        std::string(R"({"maxReceiveCount":3})")})
    EXPECT_EQ(error_code([&] { world.set(url, "RedrivePolicy", wrong); }), "InvalidParameterValue") << wrong;
  world.set(url, "RedrivePolicy", "");
  EXPECT_EQ(world.attribute(url, "RedrivePolicy"), "");
  world.set(dead, "RedriveAllowPolicy",
            R"({"redrivePermission":"byQueue","sourceQueueArns":[")" + world.arn(url) + "x\"]}");
  EXPECT_EQ(error_code([&] { world.set(url, "RedrivePolicy", policy(world.arn(dead), "3")); }),
            "InvalidParameterValue");
  world.set(dead, "RedriveAllowPolicy",
            R"({"redrivePermission":"byQueue","sourceQueueArns":[")" + world.arn(url) + "\"]}");
  world.set(url, "RedrivePolicy", policy(world.arn(dead), "3"));
  EXPECT_EQ(error_code([&] { world.set(dead, "RedriveAllowPolicy", R"({"redrivePermission":"some"})"); }),
            "InvalidParameterValue");
}

TEST(SetQueueAttributes, IsTheOwnersAlone) {
  World world;
  const std::string url = world.create("orders");
  world.account = "111122223333";
  EXPECT_EQ(error_code([&] { world.set(url, "DelaySeconds", "1"); }), "AccessDenied");
  EXPECT_EQ(
      error_code([&] { world.set("https://sqs.us-east-1.amazonaws.com/000000000000/orders", "DelaySeconds", "1"); }),
      "InvalidAddress");
}

TEST(PurgeQueue, EmptiesTheQueueOnceAMinute) {
  World world;
  const std::string url = world.create("orders");
  world.send(url, "one");
  const std::string handle = world.receive(url).front().receipt_handle.get();
  PurgeQueueInput input;
  input.queue_url = url;
  world(purge_queue, input);
  EXPECT_EQ(world.counts(url), "0/0/0");
  world.erase(url, handle);  // of a message that is gone: no error
  EXPECT_EQ(error_code([&] { world(purge_queue, input); }), "AWS.SimpleQueueService.PurgeQueueInProgress");
  world.send(url, "two");
  EXPECT_EQ(world.bodies(url), "two");
  world.runtime->advance(seconds(60));
  world(purge_queue, input);
}

TEST(TagQueue, AddsUntagQueueTakesAndListQueueTagsShows) {
  World world;
  const std::string url = world.create("orders");
  TagQueueInput tag;
  tag.queue_url = url;
  EXPECT_EQ(error_code([&] { world(tag_queue, tag); }), "MissingParameter");
  tag.tags.ensure() = {{"team", "shop"}, {"cost", "1"}};
  world(tag_queue, tag);
  UntagQueueInput untag;
  untag.queue_url = url;
  untag.tag_keys = std::vector<std::string>{"cost", "none"};
  world(untag_queue, untag);
  ListQueueTagsInput list;
  list.queue_url = url;
  EXPECT_EQ(world(list_queue_tags, list).tags.get(), (Tags{{"team", "shop"}}));
}

TEST(AddPermission, PutsAStatementAndRemovePermissionTakesItAway) {
  World world;
  const std::string url = world.create("orders");
  AddPermissionInput add;
  add.queue_url = url;
  add.label = "guests";
  add.aws_account_ids = std::vector<std::string>{"111122223333"};
  add.actions = std::vector<std::string>{"SendMessage"};
  world(add_permission, add);
  EXPECT_EQ(
      world.attribute(url, "Policy"),
      R"({"Version":"2012-10-17","Id":"arn:aws:sqs:eu-west-1:000000000000:orders/SQSDefaultPolicy","Statement":[{"Sid":)"
      R"("guests","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"SQS:SendMessage",)"
      R"("Resource":"arn:aws:sqs:eu-west-1:000000000000:orders"}]})");
  EXPECT_EQ(world.sqs->find(world.arn(url))->owner_account, "000000000000");
  EXPECT_EQ(world.sqs->find(world.arn(url))->document, world.attribute(url, "Policy"));
  EXPECT_EQ(error_code([&] { world(add_permission, add); }), "InvalidParameterValue");
  add.label = "others";
  add.actions = std::vector<std::string>{"DeleteQueue"};
  EXPECT_EQ(error_code([&] { world(add_permission, add); }), "InvalidParameterValue");
  RemovePermissionInput remove;
  remove.queue_url = url;
  remove.label = "guests";
  world(remove_permission, remove);
  EXPECT_EQ(world.attribute(url, "Policy"), "");
  EXPECT_EQ(error_code([&] { world(remove_permission, remove); }), "InvalidParameterValue");
}

}  // namespace
}  // namespace brume::sqs
