// How events are gathered, and what they hold while they wait; over a store in memory, on one thread.
#include "services/cloudtrail/recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <memory>

#include "core/testing.h"
#include "gen/cloudtrail.h"
#include "services/cloudtrail/parameters.h"
#include "services/cloudtrail/record_size.h"

namespace brume::cloudtrail {
namespace {

namespace json = boost::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const Scope kScope{"111122223333", "eu-west-1"};

AuditRecord record_of(std::string_view operation, const std::string& name) {
  const model::Operation* found = service_model().find(operation);
  AuditRecord record{.service = &service_model(),
                     .operation = found,
                     .service_name = "cloudtrail",
                     .operation_name = std::string(operation),
                     .context = {},
                     .input = model::Object(*found->input)};
  record.context.scope = kScope;
  record.context.now = Time{1'772'366'400'000};
  const model::Member* member = found->input->find("Name");
  *static_cast<std::string*>(member->emplace(record.input->get())) = name;
  return record;
}

TrailRecord trail(const std::string& name, bool logging) {
  TrailRecord made;
  made.arn = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/" + name;
  made.account = kScope.account;
  made.home_region = kScope.region;
  made.logging = logging;
  made.selectors = default_selectors();
  return made;
}

class RecorderTest : public testing::Test {
 protected:
  void begin(RecorderLimits limits = {}) {
    recorder_ = std::make_unique<Recorder>(
        history_, runtime_.clock, *random_, runtime_.control, runtime_.workers,
        [this](const std::vector<std::string>& arns) { told_.insert(told_.end(), arns.begin(), arns.end()); }, limits);
  }
  // The names in the history, the oldest first.
  std::vector<std::string> written() const {
    std::vector<std::string> names;
    history_.read(kScope, Time{0}, Time{2'000'000'000'000}, {}, [&](const std::string&, const EventRecord& event) {
      const json::value parameters = json::parse(json_of(event)).at("requestParameters");
      const json::value* name = parameters.as_object().if_contains("name");
      names.insert(names.begin(), name == nullptr ? "omitted" : std::string(name->as_string()));
      return true;
    });
    return names;
  }
  std::vector<std::string> pending(const TrailRecord& of) const {
    std::vector<std::string> names;
    for (const PendingEvent& event : history_.pending(of.arn, 100))
      names.emplace_back(json::parse(event.json).at("requestParameters").at("name").as_string());
    return names;
  }

  ManualRuntime runtime_;
  std::unique_ptr<Random> random_ = seeded_random(5);
  std::unique_ptr<Store> store_ = memory_store();
  EventHistory history_{*store_};
  std::vector<std::string> told_;
  std::unique_ptr<Recorder> recorder_;
};

TEST_F(RecorderTest, WhatComesWithinAMomentIsWrittenTogether) {
  begin();
  recorder_->put(record_of("GetTrail", "one"));
  runtime_.advance(milliseconds(15));
  recorder_->put(record_of("GetTrail", "two"));
  EXPECT_THAT(written(), IsEmpty());
  runtime_.advance(milliseconds(5));
  EXPECT_THAT(written(), ElementsAre("one", "two"));
  EXPECT_EQ(recorder_->waiting_bytes(), 0U);
}

TEST_F(RecorderTest, AClockThatStandsStillHoldsNoMoreThanABatch) {
  begin();
  for (int i = 0; i < 999; ++i) recorder_->put(record_of("GetTrail", "x"));
  runtime_.run();
  EXPECT_THAT(written(), IsEmpty());
  recorder_->put(record_of("GetTrail", "x"));
  runtime_.run();
  EXPECT_THAT(written(), SizeIs(1000));
}

TEST_F(RecorderTest, AFlushWaitsForWhatCameBefore) {
  begin();
  recorder_->put(record_of("GetTrail", "one"));
  std::vector<std::string> seen;
  recorder_->flush([&] { seen = written(); });
  EXPECT_THAT(seen, IsEmpty());
  runtime_.run();  // no time passes
  EXPECT_THAT(seen, ElementsAre("one"));
}

TEST_F(RecorderTest, AnEventBelongsToTheTrailsThatLoggedWhenItHappened) {
  begin();
  const TrailRecord early = trail("early", true), late = trail("late", true);
  recorder_->set_trails({early, trail("late", false)});
  recorder_->put(record_of("GetTrail", "first"));
  recorder_->set_trails({trail("early", false), late});
  recorder_->put(record_of("GetTrail", "second"));
  recorder_->set_trails({});
  runtime_.advance(milliseconds(20));
  EXPECT_THAT(pending(early), ElementsAre("first"));
  EXPECT_THAT(pending(late), ElementsAre("second"));
  EXPECT_THAT(told_, ElementsAre(early.arn, late.arn));
}

TEST_F(RecorderTest, TheAnswerOfACallThatOnlyReadsIsNotHeld) {
  begin();
  const auto answered = [](std::string_view operation) {
    AuditRecord record = record_of(operation, "x");
    record.output = model::Object(*record.operation->output);
    auto* arn = record.operation->output->find("TrailARN");
    auto* trails = record.operation->output->find("Trail");
    const std::string text(50'000, 'a');
    if (arn != nullptr) {
      *static_cast<std::string*>(arn->emplace(record.output->get())) = text;
    } else {
      auto& found = *static_cast<Trail*>(trails->emplace(record.output->get()));
      found.trail_arn = text;
    }
    return record;
  };
  recorder_->put(answered("GetTrail"));
  EXPECT_LT(recorder_->waiting_bytes(), 5'000U);
  recorder_->put(answered("CreateTrail"));  // it made something: its event says what
  EXPECT_GT(recorder_->waiting_bytes(), 50'000U);
  runtime_.advance(milliseconds(20));
  EXPECT_EQ(recorder_->waiting_bytes(), 0U);
}

TEST_F(RecorderTest, AValueThatNoEventCouldShowIsNotHeldAndSaysSo) {
  begin();
  recorder_->put(record_of("GetTrail", std::string(kLargestValue, 'a')));
  EXPECT_LT(recorder_->waiting_bytes(), 5'000U);
  recorder_->put(record_of("GetTrail", std::string(kLargestField, 'b')));  // too large by its quotes
  recorder_->put(record_of("GetTrail", std::string(kLargestField - 50, 'c')));
  runtime_.advance(milliseconds(20));
  EXPECT_THAT(written(), ElementsAre("omitted", "omitted", std::string(kLargestField - 50, 'c')));
  AuditRecord record = record_of("GetTrail", std::string(kLargestField, 'b'));
  const json::value shown = request_parameters(record, {});
  EXPECT_EQ(shown, (json::object{{"omitted", true},
                                 {"originalSize", kLargestField + std::string(R"({"name":""})").size()},
                                 {"reason", "requestParameters too large"}}));
}

TEST_F(RecorderTest, WhoComesWhenItIsFullWritesTheOldestAndNothingIsLost) {
  begin({.records = 3});
  recorder_->set_trails({trail("main", true)});
  for (const char* name : {"1", "2", "3"}) recorder_->put(record_of("GetTrail", name));
  EXPECT_THAT(written(), IsEmpty());
  recorder_->put(record_of("GetTrail", "4"));  // no worker has run
  EXPECT_THAT(written(), ElementsAre("1", "2", "3"));
  runtime_.advance(milliseconds(20));
  EXPECT_THAT(written(), ElementsAre("1", "2", "3", "4"));
  EXPECT_THAT(pending(trail("main", true)), ElementsAre("1", "2", "3", "4"));
  EXPECT_THAT(told_, testing::Each(trail("main", true).arn));
  EXPECT_FALSE(told_.empty());
  EXPECT_EQ(recorder_->lost(), 0U);
}

TEST_F(RecorderTest, WhatWaitsIsBoundedInBytesToo) {
  constexpr std::size_t kBytes = 200'000;
  begin({.bytes = kBytes});
  for (int i = 0; i < 40; ++i) {
    recorder_->put(record_of("GetTrail", std::string(50'000, static_cast<char>('a' + i % 26))));
    ASSERT_LE(recorder_->waiting_bytes(), kBytes) << i;
  }
  EXPECT_GE(written().size(), 37U);
  runtime_.advance(milliseconds(20));
  EXPECT_THAT(written(), SizeIs(40));
  EXPECT_EQ(recorder_->waiting_bytes(), 0U);
}

TEST_F(RecorderTest, WhatWaitsInABatchCountsToo) {
  constexpr std::size_t kBytes = 200'000;
  begin({.bytes = kBytes});
  for (int i = 0; i < 3; ++i) recorder_->put(record_of("GetTrail", std::string(50'000, 'a')));
  recorder_->flush([] {});  // a worker has them, and does not come to it
  for (int i = 0; i < 3; ++i) recorder_->put(record_of("GetTrail", std::string(50'000, 'b')));
  EXPECT_LE(recorder_->waiting_bytes(), kBytes);
  EXPECT_THAT(written(), SizeIs(testing::Ge(3U)));
  runtime_.advance(milliseconds(20));
  EXPECT_THAT(written(), SizeIs(6));
}

TEST_F(RecorderTest, TheRestIsWrittenAtTheEnd) {
  begin();
  recorder_->put(record_of("GetTrail", "1"));
  recorder_->flush([] {});
  recorder_->put(record_of("GetTrail", "2"));
  recorder_->write_rest();
  EXPECT_THAT(written(), ElementsAre("1", "2"));
}

TEST(RecordSize, FollowsWhatIsHeld) {
  const AuditRecord small = record_of("GetTrail", "x"), large = record_of("GetTrail", std::string(10'000, 'x'));
  const auto size = [](const AuditRecord& record, std::size_t limit) {
    return memory_of(record.input->type(), record.input->get(), limit);
  };
  EXPECT_EQ(size(large, 1'000'000) - size(small, 1'000'000), 9'999U);
  EXPECT_GT(size(large, 100), 100U);
  AuditRecord blamed = record_of("GetTrail", "x");
  blamed.error_message = std::string(1000, 'x');
  EXPECT_EQ(memory_of_context(blamed) - memory_of_context(small), 1000U);
}

}  // namespace
}  // namespace brume::cloudtrail
