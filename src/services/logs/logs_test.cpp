// Logs through its handlers, over a store in memory.
#include "services/logs/logs.h"

#include <gtest/gtest.h>

#include "core/testing.h"

namespace brume::logs {
namespace {

struct Metrics final : MetricSink {
  void put(const Metric& metric) override { list.push_back(metric); }
  std::vector<Metric> list;
};

class LogsTest : public testing::Test {
 protected:
  template <class Output, class Input>
  Output call(Output (*operation)(Logs&, Tx&, const Request<Input>&), const Input& input) {
    Tx tx(*store_);
    RequestContext context;
    context.scope = scope_;
    context.now = runtime_.clock.now();
    Output output = operation(logs_, tx, Request<Input>(context, input));
    tx.commit();
    runtime_.run();
    return output;
  }
  template <class Output, class Input>
  Output call(void (*operation)(Logs&, Tx&, const Request<Input>&, Deferred<Output>), const Input& input) {
    Tx tx(*store_);
    RequestContext context;
    context.scope = scope_;
    context.now = runtime_.clock.now();
    Output output;
    bool answered = false;
    operation(
        logs_, tx, Request<Input>(context, input),
        Deferred<Output>([&](Output given) { output = std::move(given), answered = true; }, [](const AwsError&) {}));
    tx.commit();
    runtime_.run();
    EXPECT_TRUE(answered);
    return output;
  }

  void make(const std::string& group, const std::vector<std::string>& streams) {
    CreateLogGroupInput input;
    input.log_group_name = group;
    call(create_log_group, input);
    for (const std::string& stream : streams) {
      CreateLogStreamInput stream_input;
      stream_input.log_group_name = group;
      stream_input.log_stream_name = stream;
      call(create_log_stream, stream_input);
    }
  }
  PutLogEventsOutput put(const std::string& stream, const std::vector<std::pair<Duration, std::string>>& events) {
    PutLogEventsInput input;
    input.log_group_name = "g";
    input.log_stream_name = stream;
    input.log_events.ensure();
    for (const auto& [offset, message] : events) {
      InputLogEvent& event = input.log_events->emplace_back();
      event.timestamp = (runtime_.clock.now() + offset).ms;
      event.message = message;
    }
    return call(put_log_events, input);
  }
  std::vector<std::string> filter(FilterLogEventsInput input = {}) {
    input.log_group_name = "g";
    std::vector<std::string> messages;
    do {
      const FilterLogEventsOutput output = call(filter_log_events, input);
      for (const FilteredLogEvent& event : output.events.get()) messages.push_back(event.message.get());
      input.next_token = output.next_token;
    } while (input.next_token);
    return messages;
  }

  Scope scope_{"000000000000", "eu-west-1"};
  ManualRuntime runtime_;
  std::unique_ptr<Store> store_ = memory_store();
  std::unique_ptr<Random> random_ = seeded_random(1);
  Metrics metrics_;
  Logs logs_{{*store_, runtime_.clock, *random_, runtime_.control, runtime_.workers, metrics_}};
};

TEST_F(LogsTest, MergesStreamsByTimeOverPages) {
  make("g", {"a", "b"});
  put("a", {{seconds(1), "1"}, {seconds(3), "3"}, {seconds(5), "5"}});
  put("b", {{seconds(2), "2"}, {seconds(4), "4"}});
  FilterLogEventsInput small;
  small.limit = 2;
  EXPECT_EQ(filter(small), (std::vector<std::string>{"1", "2", "3", "4", "5"}));
  FilterLogEventsInput pattern;
  pattern.filter_pattern = "?2 ?5";
  EXPECT_EQ(filter(pattern), (std::vector<std::string>{"2", "5"}));
}

TEST_F(LogsTest, ReadsAStreamForwardsAndBackwards) {
  make("g", {"a"});
  put("a", {{seconds(1), "1"}, {seconds(2), "2"}, {seconds(3), "3"}});
  GetLogEventsInput input;
  input.log_group_name = "g";
  input.log_stream_name = "a";
  input.limit = 2;
  GetLogEventsOutput tail = call(get_log_events, input);
  ASSERT_EQ(tail.events->size(), 2U);
  EXPECT_EQ((*tail.events)[0].message.get(), "2");
  input.next_token = tail.next_backward_token;
  EXPECT_EQ(call(get_log_events, input).events.get()[0].message.get(), "1");
  input.next_token = tail.next_forward_token;
  GetLogEventsOutput end = call(get_log_events, input);
  EXPECT_TRUE(end.events->empty());
  EXPECT_EQ(end.next_forward_token, tail.next_forward_token) << "the same token at the end of the stream";
  put("a", {{seconds(4), "4"}});
  EXPECT_EQ(call(get_log_events, input).events.get()[0].message.get(), "4");
}

TEST_F(LogsTest, ListsStreamsInEveryOrderOverPages) {
  make("g", {"d", "b", "e", "a", "c"});
  make("other", {"z"});
  put("b", {{seconds(9), "late"}});
  put("c", {{seconds(4), "early"}});
  put("e", {{seconds(9), "late"}});
  const auto list = [&](DescribeLogStreamsInput input) {
    input.log_group_name = "g";
    input.limit = 2;
    std::string names;
    int pages = 0;
    do {
      const DescribeLogStreamsOutput output = call(describe_log_streams, input);
      for (const LogStream& stream : output.log_streams.get()) names += stream.log_stream_name.get();
      input.next_token = output.next_token;
      ++pages;
    } while (input.next_token);
    EXPECT_EQ(pages, 3);
    return names;
  };
  EXPECT_EQ(list({}), "abcde");
  EXPECT_EQ(list({.descending = true}), "edcba");
  EXPECT_EQ(list({.order_by = "LastEventTime"}), "adcbe") << "those of one moment by name";
  EXPECT_EQ(list({.order_by = "LastEventTime", .descending = true}), "becad");
  // A token is good for its order only.
  DescribeLogStreamsInput input{.log_group_name = "g", .limit = 2};
  input.next_token = call(describe_log_streams, input).next_token;
  input.descending = true;
  EXPECT_THROW(call(describe_log_streams, input), AwsError);
}

TEST_F(LogsTest, RejectsWhatIsTooOldTooNewOrOutOfOrder) {
  make("g", {"a"});
  const PutLogEventsOutput output = put("a", {{days(-20), "old"}, {seconds(0), "now"}, {hours(3), "later"}});
  EXPECT_EQ(output.rejected_log_events_info->too_old_log_event_end_index, opt<std::int64_t>(1));
  EXPECT_EQ(output.rejected_log_events_info->too_new_log_event_start_index, opt<std::int64_t>(2));
  EXPECT_EQ(filter(), std::vector<std::string>{"now"});
  EXPECT_THROW(put("a", {{seconds(2), "b"}, {seconds(1), "a"}}), AwsError);
}

TEST_F(LogsTest, RetentionRemovesOldEvents) {
  logs_.start();
  make("g", {"a"});
  PutRetentionPolicyInput retention;
  retention.log_group_name = "g";
  retention.retention_in_days = 3;
  call(put_retention_policy, retention);
  put("a", {{seconds(0), "first"}});
  runtime_.advance(days(2));
  put("a", {{seconds(0), "second"}});
  EXPECT_EQ(filter().size(), 2U);
  runtime_.advance(hours(26));
  EXPECT_EQ(filter(), std::vector<std::string>{"second"});
  retention.retention_in_days = 4;
  EXPECT_THROW(call(put_retention_policy, retention), AwsError) << "not one of AWS's values";
}

TEST_F(LogsTest, AStreamMadeAgainBeginsEmpty) {
  make("g", {"a"});
  put("a", {{seconds(0), "gone"}});
  DeleteLogGroupInput gone;
  gone.log_group_name = "g";
  call(delete_log_group, gone);
  make("g", {"a"});
  EXPECT_TRUE(filter().empty());
}

TEST_F(LogsTest, MetricFiltersPublishWhatMatches) {
  make("g", {"a"});
  PutMetricFilterInput input;
  input.log_group_name = "g";
  input.filter_name = "errors";
  input.filter_pattern = "{ $.level = \"error\" }";
  MetricTransformation& transformation = input.metric_transformations.ensure().emplace_back();
  transformation.metric_name = "Errors";
  transformation.metric_namespace = "App";
  transformation.metric_value = "$.count";
  call(put_metric_filter, input);
  put("a", {{seconds(0), R"({"level":"error","count":3})"}, {seconds(0), R"({"level":"info","count":5})"}});
  ASSERT_EQ(metrics_.list.size(), 1U);
  EXPECT_EQ(metrics_.list[0].value, 3);
}

}  // namespace
}  // namespace brume::logs
