// Events from the recorder to LookupEvents, to buckets and log groups, and their signed digests; over a store in
// memory.
#include "services/cloudtrail/cloudtrail.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <boost/json.hpp>
#include <memory>

#include "core/gzip.h"
#include "core/testing.h"
#include "core/text.h"

namespace brume::cloudtrail {
namespace {

namespace json = boost::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// A bucket and a log group that take everything, until they are told to refuse.
struct FakeDeliveries final : Deliveries {
  Problem bucket_problem(const Scope&, const std::string&, const std::string& bucket,
                         const std::string&) const override {
    if (bucket == "absent") return {"NoSuchBucket", "none"};
    if (bucket == "closed") return {"AccessDenied", "closed"};
    return {};
  }
  void put_object(const Scope&, const std::string&, Object object, std::function<void(const Problem&)> done) override {
    if (refusing) return done({"AccessDenied", "refused"});
    objects.push_back(std::move(object));
    done({});
  }
  Problem group_problem(const Scope&, const std::string&, const std::string&) const override { return {}; }
  Problem put_lines(const Scope&, const std::string&, const std::string&, const std::string& stream,
                    const std::vector<Line>& given) override {
    for (const Line& line : given) lines.push_back(stream + " " + line.text);
    return {};
  }
  bool refusing = false;
  std::vector<Object> objects;
  std::vector<std::string> lines;
};

class CloudtrailTest : public testing::Test {
 protected:
  CloudtrailTest() { begin(); }

  // A process that starts on what the one before it left.
  void begin() {
    cloudtrail_.reset();
    runtime_ = std::make_unique<ManualRuntime>();
    runtime_->clock.set(now_);
    cloudtrail_ = std::make_unique<Cloudtrail>(
        CloudtrailNeeds{*store_, runtime_->clock, *random_, runtime_->control, runtime_->workers, deliveries_});
    cloudtrail_->start();
    runtime_->run();
  }
  void advance(Duration span) {
    runtime_->advance(span);
    now_ = runtime_->clock.now();
  }

  RequestContext context() const {
    RequestContext context;
    context.scope = scope_;
    context.principal = {.kind = Principal::Kind::user,
                         .account = scope_.account,
                         .arn = "arn:aws:iam::111122223333:user/team/alice",
                         .id = "AIDAEXAMPLE",
                         .access_key_id = "AKIAEXAMPLE"};
    context.request_id = "request-1";
    context.now = runtime_->clock.now();
    context.source_address = "192.0.2.7";
    return context;
  }

  template <class Output, class Input>
  Output call(Output (*operation)(Cloudtrail&, Tx&, const Request<Input>&), const Input& input) {
    Tx tx(*store_);
    Output output = operation(*cloudtrail_, tx, Request<Input>(context(), input));
    tx.commit();
    runtime_->run();
    return output;
  }

  std::string refusal(const std::function<void()>& call) {
    try {
      call();
    } catch (const AwsError& error) {
      return error.code;
    }
    return "";
  }

  LookupEventsOutput look_up(const LookupEventsInput& input) {
    Tx tx(*store_);
    LookupEventsOutput output;
    lookup_events(*cloudtrail_, tx, Request<LookupEventsInput>(context(), input),
                  Deferred<LookupEventsOutput>([&](LookupEventsOutput given) { output = std::move(given); },
                                               [](const AwsError&) {}));
    tx.commit();
    runtime_->run();
    return output;
  }
  std::vector<std::string> names(LookupEventsInput input = {}, const std::string& key = {},
                                 const std::string& value = {}) {
    if (!key.empty()) {
      LookupAttribute& attribute = input.lookup_attributes.ensure().emplace_back();
      attribute.attribute_key = key;
      attribute.attribute_value = value;
    }
    std::vector<std::string> found;
    for (const Event& event : look_up(input).events.get()) found.push_back(event.event_name.get());
    return found;
  }

  // A request as the front door tells of it: its input names a trail.
  void ask(const std::string& operation, const std::string& trail, const std::string& error = {}) {
    const model::Operation* found = service_model().find(operation);
    AuditRecord record{.service = &service_model(),
                       .operation = found,
                       .service_name = "cloudtrail",
                       .operation_name = operation,
                       .context = context(),
                       .input = model::Object(*found->input)};
    if (const model::Member* name = found->input->find("Name"))
      *static_cast<std::string*>(name->emplace(record.input->get())) = trail;
    record.error_code = error;
    cloudtrail_->recorder.put(std::move(record));
    runtime_->run();
    advance(milliseconds(20));  // events are gathered so long
  }

  void make_trail(const std::string& name, bool validation = false) {
    CreateTrailInput input;
    input.name = name;
    input.s3_bucket_name = "bucket";
    input.s3_key_prefix = "audit";
    input.enable_log_file_validation = validation;
    input.cloud_watch_logs_log_group_arn = "arn:aws:logs:eu-west-1:111122223333:log-group:trail:*";
    input.cloud_watch_logs_role_arn = "arn:aws:iam::111122223333:role/trail";
    call(create_trail, input);
    StartLoggingInput start;
    start.name = name;
    call(start_logging, start);
  }
  GetTrailStatusOutput status(const std::string& name) {
    GetTrailStatusInput input;
    input.name = name;
    return call<GetTrailStatusOutput>(get_trail_status, input);
  }
  static std::string content(const Deliveries::Object& object) { return gunzip(object.bytes, 1 << 20).value(); }
  std::vector<const Deliveries::Object*> objects_with(const std::string& part) const {
    std::vector<const Deliveries::Object*> found;
    for (const auto& object : deliveries_.objects)
      if (object.key.find(part) != std::string::npos) found.push_back(&object);
    return found;
  }

  const Scope scope_{"111122223333", "eu-west-1"};
  Time now_{1'772'366'400'000};
  std::unique_ptr<Store> store_ = memory_store();
  std::unique_ptr<Random> random_ = seeded_random(3);
  FakeDeliveries deliveries_;
  std::unique_ptr<ManualRuntime> runtime_;
  std::unique_ptr<Cloudtrail> cloudtrail_;
};

TEST_F(CloudtrailTest, AnEventHasAwssForm) {
  ask("CreateTrail", "main", "TrailAlreadyExistsException");
  const auto found = look_up({}).events.get();
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].event_source.get(), "cloudtrail.amazonaws.com");
  EXPECT_EQ(found[0].username.get(), "alice");
  EXPECT_EQ(found[0].read_only.get(), "false");
  const json::value event = json::parse(found[0].cloud_trail_event.get());
  EXPECT_EQ(event.at("userIdentity"), (json::object{{"type", "IAMUser"},
                                                    {"principalId", "AIDAEXAMPLE"},
                                                    {"arn", "arn:aws:iam::111122223333:user/team/alice"},
                                                    {"accountId", "111122223333"},
                                                    {"accessKeyId", "AKIAEXAMPLE"},
                                                    {"userName", "alice"}}));
  EXPECT_EQ(event.at("eventTime"), "2026-03-01T12:00:00Z");
  EXPECT_EQ(event.at("errorCode"), "TrailAlreadyExistsException");
  EXPECT_EQ(event.at("requestParameters"), (json::object{{"name", "main"}}));
  EXPECT_TRUE(event.at("responseElements").is_null());
  EXPECT_EQ(event.at("requestID"), "request-1");
  EXPECT_EQ(event.at("eventID"), json::value(found[0].event_id.get()));
  EXPECT_EQ(event.at("recipientAccountId"), "111122223333");
}

TEST_F(CloudtrailTest, TheOwnerOfAnotherAccountsResourceIsToldToo) {
  const model::Operation* found = service_model().find("GetTrail");
  AuditRecord record{.service = &service_model(),
                     .operation = found,
                     .service_name = "cloudtrail",
                     .operation_name = "GetTrail",
                     .context = context(),
                     .input = model::Object(*found->input),
                     .resource_account = "444455556666"};
  EXPECT_THAT(recipients(record), ElementsAre("111122223333", "444455556666"));
  const EventRecord own = render(record, "111122223333", "1", "shared"),
                    other = render(record, "444455556666", "2", "shared");
  EXPECT_EQ(own.user_name, "alice");
  EXPECT_EQ(other.user_name + other.access_key_id, "");
  const json::value event = json::parse(json_of(other));
  EXPECT_EQ(event.at("userIdentity"),
            (json::object{{"type", "AWSAccount"}, {"principalId", "AIDAEXAMPLE"}, {"accountId", "111122223333"}}));
  EXPECT_EQ(event.at("recipientAccountId"), "444455556666");
  EXPECT_EQ(event.at("sharedEventID"), json::parse(json_of(own)).at("sharedEventID"));
  // An open bucket's visitor has no account: its owner alone is told.
  record.context.principal = {};
  record.context.scope.account.clear();
  EXPECT_THAT(recipients(record), ElementsAre("444455556666"));
}

TEST_F(CloudtrailTest, LooksUpTheNewestFirstByAttributeTimeAndPage) {
  ask("CreateTrail", "one");
  advance(minutes(1));
  const Time second = runtime_->clock.now();
  ask("GetTrail", "one");
  ask("DeleteTrail", "one");
  EXPECT_THAT(names(), ElementsAre("DeleteTrail", "GetTrail", "CreateTrail"));
  EXPECT_THAT(names({}, "ReadOnly", "true"), ElementsAre("GetTrail"));
  EXPECT_THAT(names({}, "EventName", "CreateTrail"), ElementsAre("CreateTrail"));
  EXPECT_THAT(names({}, "Username", "bob"), IsEmpty());
  EXPECT_THAT(names({}, "AccessKeyId", "AKIAEXAMPLE"), SizeIs(3));
  LookupEventsInput since;
  since.start_time = second;
  EXPECT_THAT(names(since), SizeIs(2));
  LookupEventsInput until;
  until.end_time = second - seconds(1);
  EXPECT_THAT(names(until), ElementsAre("CreateTrail"));
  LookupEventsInput page;
  page.max_results = 2;
  LookupEventsOutput first = look_up(page);
  ASSERT_TRUE(first.next_token);
  page.next_token = first.next_token;
  EXPECT_THAT(names(page), ElementsAre("CreateTrail"));
  page.max_results = 51;
  EXPECT_EQ(refusal([&] { look_up(page); }), "InvalidMaxResultsException");
}

TEST_F(CloudtrailTest, ForgetsAfterNinetyDays) {
  ask("CreateTrail", "one");
  advance(days(89));
  EXPECT_THAT(names(), SizeIs(1));
  advance(days(2));
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_THAT(cloudtrail_->history.scopes(), IsEmpty()) << "nothing is left on disk";
}

TEST_F(CloudtrailTest, ATrailDeliversToItsBucketAndGroup) {
  make_trail("main");
  ask("GetTrail", "x");
  advance(kDeliveryPeriod);
  ASSERT_THAT(deliveries_.objects, SizeIs(1));
  const Deliveries::Object& object = deliveries_.objects[0];
  EXPECT_THAT(object.key,
              testing::MatchesRegex("audit/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/03/01/"
                                    "111122223333_CloudTrail_eu-west-1_20260301T1200Z_[A-Za-z0-9]+.json.gz"));
  const json::value document = json::parse(content(object));
  EXPECT_EQ(document.at("Records").as_array().size(), 1U);
  EXPECT_EQ(document.at("Records").at(0).at("eventName"), "GetTrail");
  ASSERT_THAT(deliveries_.lines, SizeIs(1));
  EXPECT_THAT(deliveries_.lines[0], testing::StartsWith("111122223333_CloudTrail_eu-west-1 {\"eventVersion\""));
  EXPECT_TRUE(status("main").latest_delivery_time);
  StopLoggingInput stop;
  stop.name = "main";
  call(stop_logging, stop);
  ask("GetTrail", "x");
  advance(minutes(10));
  EXPECT_THAT(deliveries_.objects, SizeIs(1));
}

TEST_F(CloudtrailTest, WhatABucketRefusesIsDeliveredLater) {
  make_trail("main");
  deliveries_.refusing = true;
  ask("GetTrail", "x");
  advance(minutes(3));
  EXPECT_EQ(status("main").latest_delivery_error.get(), "AccessDenied");
  deliveries_.refusing = false;
  advance(kRetryPeriod);
  EXPECT_THAT(deliveries_.objects, SizeIs(1));
  EXPECT_FALSE(status("main").latest_delivery_error);
}

TEST_F(CloudtrailTest, WhatAKilledProcessLeftIsDelivered) {
  make_trail("main");
  ask("GetTrail", "x");
  begin();
  advance(kDeliveryPeriod);
  ASSERT_THAT(deliveries_.objects, SizeIs(1));
  EXPECT_THAT(content(deliveries_.objects[0]), HasSubstr("\"GetTrail\""));
}

// As whoever validates does it, with the published key.
bool verifies(const std::string& public_der, const std::string& signature_hex, const std::string& text) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(public_der.data());
  EVP_PKEY* key = d2i_PublicKey(EVP_PKEY_RSA, nullptr, &bytes, static_cast<long>(public_der.size()));
  EVP_MD_CTX* digest = EVP_MD_CTX_new();
  const std::string signature = from_hex(signature_hex).value();
  const bool good = key != nullptr && EVP_DigestVerifyInit(digest, nullptr, EVP_sha256(), nullptr, key) == 1 &&
                    EVP_DigestVerify(digest, reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                                     reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
  EVP_MD_CTX_free(digest);
  EVP_PKEY_free(key);
  return good;
}

TEST_F(CloudtrailTest, DigestsChainAndVerify) {
  make_trail("main", true);
  ask("GetTrail", "x");
  advance(minutes(121));
  const auto digests = objects_with("CloudTrail-Digest");
  const auto logs = objects_with("/CloudTrail/");
  ASSERT_THAT(digests, SizeIs(2));
  ASSERT_THAT(logs, SizeIs(1));
  const json::value first = json::parse(content(*digests[0])), second = json::parse(content(*digests[1]));
  EXPECT_EQ(first.at("logFiles").at(0).at("hashValue"), json::value(to_hex(sha256(content(*logs[0])))));
  EXPECT_EQ(first.at("logFiles").at(0).at("s3Object"), json::value(logs[0]->key));
  EXPECT_TRUE(first.at("previousDigestSignature").is_null());
  EXPECT_EQ(second.at("previousDigestHashValue"), json::value(to_hex(sha256(content(*digests[0])))));
  EXPECT_EQ(second.at("digestStartTime"), first.at("digestEndTime"));
  EXPECT_EQ(second.at("logFiles").as_array().size(), 0U);
  const auto keys = call(list_public_keys, ListPublicKeysInput{}).public_key_list.get();
  ASSERT_THAT(keys, SizeIs(1));
  EXPECT_EQ(first.at("digestPublicKeyFingerprint"), json::value(keys[0].fingerprint.get()));
  const std::string signature = digests[1]->metadata[0].second;
  const std::string text = std::string(second.at("digestEndTime").as_string()) + "\nbucket/" + digests[1]->key + "\n" +
                           to_hex(sha256(content(*digests[1]))) + "\n" + digests[0]->metadata[0].second;
  EXPECT_TRUE(verifies(keys[0].value.get(), signature, text));
  EXPECT_FALSE(verifies(keys[0].value.get(), signature, text + "x"));
}

TEST_F(CloudtrailTest, ATrailsBucketMustTakeIt) {
  CreateTrailInput input;
  input.name = "main";
  input.s3_bucket_name = "absent";
  EXPECT_EQ(refusal([&] { call(create_trail, input); }), "S3BucketDoesNotExistException");
  input.s3_bucket_name = "closed";
  EXPECT_EQ(refusal([&] { call(create_trail, input); }), "InsufficientS3BucketPolicyException");
  input.s3_bucket_name = "bucket";
  input.name = "a..b";
  EXPECT_EQ(refusal([&] { call(create_trail, input); }), "InvalidTrailNameException");
  GetTrailInput get;
  get.name = "nobody";
  EXPECT_EQ(refusal([&] { call<GetTrailOutput>(get_trail, get); }), "TrailNotFoundException");
}

TEST(Selectors, ChooseByKindAndField) {
  TrailRecord trail{.account = "111122223333", .home_region = "eu-west-1", .logging = true};
  trail.selectors = default_selectors();
  const Scope scope{"111122223333", "eu-west-1"};
  EventRecord write{.name = "CreateVpc", .source = "ec2.amazonaws.com"};
  EventRecord read{.name = "DescribeVpcs", .source = "ec2.amazonaws.com", .read_only = true};
  EventRecord data{.name = "PutObject",
                   .source = "s3.amazonaws.com",
                   .management = false,
                   .resources = {{"AWS::S3::Bucket", "photos"}}};
  EXPECT_TRUE(selects(trail, scope, write));
  EXPECT_FALSE(selects(trail, scope, data));
  EXPECT_FALSE(selects(trail, {"111122223333", "us-west-2"}, write));
  EXPECT_FALSE(selects(trail, {"444455556666", "eu-west-1"}, write));
  trail.selectors[0].read_write_type = "WriteOnly";
  EXPECT_FALSE(selects(trail, scope, read));
  DataResource& photos = trail.selectors[0].data_resources->emplace_back();
  photos.type = "AWS::S3::Object";
  photos.values = std::vector<std::string>{"arn:aws:s3:::photos/"};
  EXPECT_TRUE(selects(trail, scope, data));
  EXPECT_TRUE(selects_data_events(trail));
  data.resources[0].name = "other";
  EXPECT_FALSE(selects(trail, scope, data));

  trail.selectors.clear();
  AdvancedEventSelector& advanced = trail.advanced_selectors.emplace_back();
  const auto add = [&](const char* field) -> AdvancedFieldSelector& {
    AdvancedFieldSelector& added = advanced.field_selectors.ensure().emplace_back();
    added.field = field;
    return added;
  };
  add("eventCategory").equals = std::vector<std::string>{"Management"};
  add("eventName").not_starts_with = std::vector<std::string>{"Describe"};
  EXPECT_TRUE(selects(trail, scope, write));
  EXPECT_FALSE(selects(trail, scope, read));
  EXPECT_FALSE(selects(trail, scope, data));
}

}  // namespace
}  // namespace brume::cloudtrail
