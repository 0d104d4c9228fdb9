// Time to live: tables are read when an item can have expired, and not otherwise. Over a store in memory; readings are
// counted by the jobs that workers get.
#include "services/dynamodb/expiry.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "core/testing.h"
#include "gen/dynamodb.h"
#include "services/dynamodb/dynamodb.h"

namespace brume::dynamodb {
namespace {

class CountingWorkers final : public Workers {
 public:
  explicit CountingWorkers(Workers& workers) : workers_(workers) {}
  void run(Function job, Function then) override {
    ++jobs;
    workers_.run(std::move(job), std::move(then));
  }
  int jobs = 0;

 private:
  Workers& workers_;
};

class ExpiryTest : public testing::Test {
 protected:
  ExpiryTest() {
    begin();
    CreateTableInput input;
    input.table_name = "t";
    AttributeDefinition& key = input.attribute_definitions.ensure().emplace_back();
    key.attribute_name = "id";
    key.attribute_type = "S";
    KeySchemaElement& hash = input.key_schema.ensure().emplace_back();
    hash.attribute_name = "id";
    hash.key_type = "HASH";
    input.billing_mode = "PAY_PER_REQUEST";
    call(create_table, input);
    UpdateTimeToLiveInput live;
    live.table_name = "t";
    live.time_to_live_specification.ensure().attribute_name = "until";
    live.time_to_live_specification->enabled = true;
    call(update_time_to_live, live);
    runtime_->advance(minutes(2));
    workers_->jobs = 0;
    begin_ = runtime_->clock.now();
  }

  void begin() {
    const Time now = runtime_ ? runtime_->clock.now() : Time{1'772'366'400'000};
    dynamodb_.reset();
    workers_.reset();
    runtime_ = std::make_unique<ManualRuntime>();
    runtime_->clock.set(now);
    workers_ = std::make_unique<CountingWorkers>(runtime_->workers);
    dynamodb_ =
        std::make_unique<Dynamodb>(DynamodbNeeds{*store_, runtime_->clock, *random_, runtime_->control, *workers_});
    dynamodb_->start();
    runtime_->run();
  }

  template <class Output, class Input>
  Output call(Output (*operation)(Dynamodb&, Tx&, const Request<Input>&), const Input& input) {
    RequestContext context;
    context.scope = scope_;
    context.now = runtime_->clock.now();
    Tx tx(*store_);
    Output output = operation(*dynamodb_, tx, Request<Input>(context, input));
    tx.commit();
    runtime_->run();
    return output;
  }

  // `until` is counted from the test's begin; without it the item stays.
  void put(const std::string& id, std::optional<Duration> until) {
    PutItemInput input;
    input.table_name = "t";
    input.item.ensure()["id"].s = id;
    if (until) (*input.item)["until"].n = std::to_string((begin_ + *until).seconds());
    call(put_item, input);
  }
  bool is_there(const std::string& id) {
    GetItemInput input;
    input.table_name = "t";
    input.key.ensure()["id"].s = id;
    return call(get_item, input).item.has_value();
  }
  // The next moment that anything waits for, from the test's begin.
  std::optional<Duration> next() const {
    const auto timer = runtime_->control.next_timer();
    return timer ? std::optional(*timer - begin_) : std::nullopt;
  }
  int readings() const { return workers_->jobs; }

  const Scope scope_{"111122223333", "eu-west-1"};
  std::unique_ptr<Store> store_ = memory_store();
  std::unique_ptr<Random> random_ = seeded_random(7);
  std::unique_ptr<ManualRuntime> runtime_;
  std::unique_ptr<CountingWorkers> workers_;
  std::unique_ptr<Dynamodb> dynamodb_;
  Time begin_;
};

TEST_F(ExpiryTest, NothingIsReadWhileNothingCanExpire) {
  put("kept", std::nullopt);
  EXPECT_EQ(next(), std::nullopt);
  runtime_->advance(days(400));
  EXPECT_EQ(readings(), 0);
  EXPECT_TRUE(is_there("kept"));
}

TEST_F(ExpiryTest, OneReadingForEachMomentThatIsDue) {
  put("days", days(3));
  EXPECT_EQ(next(), days(3));
  put("hour", hours(1));
  EXPECT_EQ(next(), hours(1)) << "what expires sooner is waited for";
  put("two", hours(2));
  put("kept", std::nullopt);
  EXPECT_EQ(next(), hours(1));
  runtime_->advance(seconds(3599));
  EXPECT_EQ(readings(), 0);
  EXPECT_TRUE(is_there("hour"));
  runtime_->advance(seconds(1));
  EXPECT_EQ(readings(), 1);
  EXPECT_FALSE(is_there("hour"));
  EXPECT_EQ(next(), hours(2)) << "the reading found what is next";
  runtime_->advance(days(30));
  EXPECT_EQ(readings(), 3);
  EXPECT_FALSE(is_there("two") || is_there("days"));
  EXPECT_TRUE(is_there("kept"));
  EXPECT_EQ(next(), std::nullopt);
}

TEST_F(ExpiryTest, WhatExpiresWithinAMinuteIsReadTogether) {
  for (int i = 0; i < 50; ++i) put(std::to_string(i), seconds(3600 + i));
  runtime_->advance(minutes(63));
  EXPECT_EQ(readings(), 2);
  for (int i = 0; i < 50; ++i) EXPECT_FALSE(is_there(std::to_string(i))) << i;
}

TEST_F(ExpiryTest, AnItemThatWasGivenMoreTimeStays) {
  put("renewed", hours(1));
  put("renewed", hours(5));
  runtime_->advance(hours(2));
  EXPECT_TRUE(is_there("renewed"));
  runtime_->advance(hours(4));
  EXPECT_FALSE(is_there("renewed"));
  put("spared", hours(7));
  put("spared", std::nullopt);
  runtime_->advance(days(1));
  EXPECT_TRUE(is_there("spared"));
}

TEST_F(ExpiryTest, AProcessThatStartsReadsOnceAndWaitsForTheNext) {
  put("past", hours(1));
  put("later", days(2));
  runtime_->clock.set(begin_ + hours(3));  // nobody ran
  begin();
  EXPECT_EQ(readings(), 1);
  EXPECT_FALSE(is_there("past"));
  EXPECT_EQ(next(), days(2));
}

}  // namespace
}  // namespace brume::dynamodb
