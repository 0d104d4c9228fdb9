// What a request pays for its event: the hand-over of the decoded input and output. And what the worker pays later.
#include <benchmark/benchmark.h>

#include "core/testing.h"
#include "gen/cloudtrail.h"
#include "gen/ec2.h"
#include "gen/iam.h"
#include "services/cloudtrail/cloudtrail.h"
#include "services/cloudtrail/recorder.h"

namespace brume::cloudtrail {
namespace {

AuditRecord typical_record() {
  const model::Operation* operation = service_model().find("CreateTrail");
  AuditRecord record{.service = &service_model(),
                     .operation = operation,
                     .service_name = "cloudtrail",
                     .operation_name = "CreateTrail",
                     .input = model::Object(*operation->input),
                     .output = model::Object(*operation->output)};
  record.context.scope = {"111122223333", "eu-west-1"};
  record.context.principal = {.kind = Principal::Kind::role_session,
                              .account = "111122223333",
                              .arn = "arn:aws:sts::111122223333:assumed-role/deployment/session-of-a-workflow",
                              .id = "AROAEXAMPLEEXAMPLE:session-of-a-workflow",
                              .role_arn = "arn:aws:iam::111122223333:role/deployment",
                              .access_key_id = "ASIAEXAMPLEEXAMPLE"};
  record.context.request_id = "01234567-89ab-cdef-0123-456789abcdef";
  record.context.source_address = "192.0.2.7";
  record.context.user_agent = "Boto3/1.44.5 md/Botocore#1.44.5 ua/2.0 os/linux#6.1.0 md/arch#x86_64 lang/python#3.11.2";
  record.context.host = "cloudtrail.eu-west-1.amazonaws.com";
  auto& input = *static_cast<CreateTrailRequest*>(record.input->get());
  input.name = "the-trail-of-the-organization";
  input.s3_bucket_name = "the-bucket-of-the-organization";
  input.enable_log_file_validation = true;
  auto& output = *static_cast<CreateTrailResponse*>(record.output->get());
  output.name = input.name;
  output.trail_arn = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/the-trail-of-the-organization";
  return record;
}

constexpr std::size_t kBatch = 1000;

std::vector<AuditRecord> batch_of_records() {
  std::vector<AuditRecord> records;
  for (std::size_t i = 0; i < kBatch; ++i) records.push_back(typical_record());
  return records;
}

// The time of put() alone, which is all that the thread of a request does.
void hand_over_one_event(benchmark::State& state) {
  ManualRuntime runtime;
  const auto random = seeded_random(1);
  const auto store = memory_store();
  EventHistory history(*store);
  Recorder recorder(history, runtime.clock, *random, runtime.control, runtime.workers, [](const auto&) {});
  for (auto step : state) {
    state.PauseTiming();
    std::vector<AuditRecord> records = batch_of_records();
    state.ResumeTiming();
    for (AuditRecord& record : records) recorder.put(std::move(record));
    state.PauseTiming();
    runtime.run();
    records.clear();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBatch));
  state.counters["per_event"] = benchmark::Counter(
      static_cast<double>(kBatch), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(hand_over_one_event);

void render_one_event(benchmark::State& state) {
  const AuditRecord record = typical_record();
  for (auto step : state) benchmark::DoNotOptimize(render(record, "111122223333", "id"));
}
BENCHMARK(render_one_event);

// The requests of bench/request_cost.py, by a user.
AuditRecord request_of(const model::Service& service, std::string_view operation) {
  AuditRecord record = typical_record();
  record.service = &service;
  record.operation = service.find(operation);
  record.service_name = service.id;
  record.operation_name = operation;
  record.context.principal = {.kind = Principal::Kind::user,
                              .account = "111122223333",
                              .arn = "arn:aws:iam::111122223333:user/bench",
                              .id = "AIDAEXAMPLEEXAMPLE",
                              .access_key_id = "AKIAEXAMPLEEXAMPLE"};
  record.input = model::Object(*record.operation->input);
  record.output = model::Object(*record.operation->output);
  return record;
}

AuditRecord describe_vpcs() {
  AuditRecord record = request_of(ec2::service_model(), "DescribeVpcs");
  static_cast<ec2::DescribeVpcsInput*>(record.input->get())->vpc_ids.ensure().emplace_back("vpc-0123456789abcdef0");
  return record;
}

AuditRecord get_role() {
  AuditRecord record = request_of(iam::service_model(), "GetRole");
  static_cast<iam::GetRoleInput*>(record.input->get())->role_name = "bench";
  return record;
}

AuditRecord create_tags() {
  AuditRecord record = request_of(ec2::service_model(), "CreateTags");
  auto& input = *static_cast<ec2::CreateTagsInput*>(record.input->get());
  input.resources.ensure().emplace_back("vpc-0123456789abcdef0");
  ec2::Tag& tag = input.tags.ensure().emplace_back();
  tag.key = "Name";
  tag.value = "name-1";
  return record;
}

// All of an event's way: handed over, gathered, rendered and written, a hundred in a batch, to a store on disk.
template <AuditRecord make()>
void keep_one_event(benchmark::State& state) {
  constexpr std::size_t kGathered = 100;
  ManualRuntime runtime;
  const auto random = seeded_random(1);
  const TemporaryDirectory directory;
  const auto store = open_store(directory.path() + "/store", Durability::process_death);
  EventHistory history(*store);
  Recorder recorder(history, runtime.clock, *random, runtime.control, runtime.workers, [](const auto&) {});
  std::vector<AuditRecord> records;
  for (auto step : state) {
    state.PauseTiming();
    for (std::size_t i = 0; i < kGathered; ++i) records.push_back(make());
    state.ResumeTiming();
    for (AuditRecord& record : records) recorder.put(std::move(record));
    runtime.advance(milliseconds(20));
    records.clear();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kGathered));
  state.counters["per_event"] = benchmark::Counter(
      static_cast<double>(kGathered), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(keep_one_event<describe_vpcs>);
BENCHMARK(keep_one_event<get_role>);
BENCHMARK(keep_one_event<create_tags>);

}  // namespace
}  // namespace brume::cloudtrail
