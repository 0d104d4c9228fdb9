#include <gmock/gmock.h>

#include "services/ec2/api.h"
#include "services/ec2/flow_log_format.h"
#include "services/ec2/flow_log_objects.h"
#include "services/ec2/testing.h"

namespace brume::ec2 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class RememberingDelivery final : public FlowLogDelivery {
 public:
  std::map<std::string, std::vector<std::string>> streams;  // by group/stream
  std::map<std::string, std::string> objects;               // by bucket/key
  std::string problem;
  std::string role_problem(const Scope&, const std::string&) const override { return problem; }
  bool bucket_exists(const std::string& bucket) const override { return bucket == "logs"; }
  std::string put_lines(const Scope&, const std::string&, const std::string& group, const std::string& stream,
                        const std::vector<Line>& lines) override {
    if (problem.empty())
      for (const Line& line : lines) streams[group + "/" + stream].push_back(line.text);
    return problem;
  }
  void put_object(const Scope&, const std::string& bucket, const std::string& key, std::string text,
                  std::function<void(std::string)> done) override {
    objects[bucket + "/" + key] = std::move(text);
    done(problem);
  }
};

struct Logged : World {
  Logged() {
    vpc_id = vpc();
    subnet_id = subnet(vpc_id);
    interface_id = change([&](Tx& tx) {
      return create_service_interface(
                 *ec2, tx, kScope, {.subnet = subnet_id, .groups = {}, .requester = "123456789012", .sandbox = "task"})
          .id;
    });
    run();
    ec2->flow_collector.start(delivery);
  }
  CreateFlowLogsInput wanted(const std::string& traffic = "ALL") const {
    CreateFlowLogsInput input{.deliver_logs_permission_arn = "arn:aws:iam::123456789012:role/flows",
                              .resource_type = "VPC",
                              .traffic_type = traffic,
                              .log_destination = "arn:aws:logs:eu-west-1:123456789012:log-group:flows:*",
                              .max_aggregation_interval = 60};
    input.resource_ids.ensure().push_back(vpc_id);
    return input;
  }
  void pass(std::uint64_t accepted, std::uint64_t rejected, int port = 443) {
    network.passed[vpc_id].flows.push_back({.interface = interface_id,
                                            .source = "10.0.1.4",
                                            .destination = "10.0.1.9",
                                            .protocol = 6,
                                            .source_port = 40000,
                                            .destination_port = port,
                                            .accepted = {accepted, accepted * 100},
                                            .rejected = {rejected, rejected * 60},
                                            .tcp_flags = 2});
  }
  void wait(Duration span) {
    runtime.clock.advance(span);
    run();
  }
  std::string vpc_id, subnet_id, interface_id;
  RememberingDelivery delivery;
};

TEST(FlowLogs, TellWhatWasAcceptedAndWhatWasRejected) {
  Logged world;
  world.call(create_flow_logs, world.wanted());
  world.run();
  EXPECT_THAT(world.network.vpcs[world.vpc_id].flow_logged, ElementsAre(world.interface_id));
  world.pass(3, 2);
  world.wait(seconds(10));
  const auto& lines = world.delivery.streams["flows/" + world.interface_id + "-all"];
  ASSERT_EQ(lines.size(), 2U);
  const std::string head = "2 123456789012 " + world.interface_id + " 10.0.1.4 10.0.1.9 40000 443 6 ";
  EXPECT_THAT(lines[0], StartsWith(head + "2 120 "));
  EXPECT_THAT(lines[0], HasSubstr(" REJECT OK"));
  EXPECT_THAT(lines[1], StartsWith(head + "3 300 "));
  EXPECT_THAT(lines[1], HasSubstr(" ACCEPT OK"));
}

TEST(FlowLogs, OfOneKindLeaveTheOtherOut) {
  Logged world;
  world.call(create_flow_logs, world.wanted("REJECT"));
  world.pass(3, 0);
  world.pass(0, 1, 22);
  world.wait(seconds(10));
  EXPECT_EQ(world.delivery.streams["flows/" + world.interface_id + "-reject"].size(), 1U);
}

TEST(FlowLogs, SayWhenThereWasNothing) {
  Logged world;
  world.call(create_flow_logs, world.wanted());
  for (int i = 0; i < 7; ++i) world.wait(seconds(10));
  const auto& lines = world.delivery.streams["flows/" + world.interface_id + "-all"];
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_THAT(lines[0], HasSubstr(" - - - - - - - "));
  EXPECT_THAT(lines[0], HasSubstr(" - NODATA"));
}

TEST(FlowLogs, SayWhenSomethingWasMissed) {
  Logged world;
  world.call(create_flow_logs, world.wanted());
  world.network.passed[world.vpc_id].complete = false;
  world.wait(seconds(10));
  EXPECT_THAT(world.delivery.streams["flows/" + world.interface_id + "-all"], ElementsAre(HasSubstr(" - SKIPDATA")));
}

TEST(FlowLogs, OfAnInterfaceThatIsGoneAreStillTold) {
  Logged world;
  world.call(create_flow_logs, world.wanted());
  world.run();
  world.change([&](Tx& tx) {
    delete_service_interface(*world.ec2, tx, kScope, world.interface_id);
    return 0;
  });
  world.run();
  world.pass(1, 0);
  world.wait(seconds(10));
  EXPECT_EQ(world.delivery.streams["flows/" + world.interface_id + "-all"].size(), 1U);
}

TEST(FlowLogs, GoToABucketInFolders) {
  Logged world;
  CreateFlowLogsInput input = world.wanted();
  input.deliver_logs_permission_arn.reset();
  input.log_destination_type = "s3";
  input.log_destination = "arn:aws:s3:::logs/refused";
  input.log_format = "${version} ${interface-id} ${flow-direction} ${tcp-flags} ${traffic-path}";
  input.destination_options = DestinationOptionsRequest{.hive_compatible_partitions = true, .per_hour_partition = true};
  world.call(create_flow_logs, input);
  world.pass(1, 0);
  world.wait(seconds(10));
  ASSERT_EQ(world.delivery.objects.size(), 1U);
  EXPECT_THAT(
      world.delivery.objects.begin()->first,
      StartsWith("logs/refused/AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=eu-west-1/"));
  const auto shown = world.call(describe_flow_logs, {});
  EXPECT_EQ(shown.flow_logs->at(0).log_destination, "arn:aws:s3:::logs/refused/");
  EXPECT_EQ(shown.flow_logs->at(0).deliver_logs_status, "SUCCESS");
}

TEST(FlowLogs, ThatCannotBeDeliveredSaySo) {
  Logged world;
  world.delivery.problem = "denied";
  EXPECT_EQ(world.code(create_flow_logs, world.wanted()), "InvalidParameter");
  world.delivery.problem.clear();
  const std::string id = world.call(create_flow_logs, world.wanted()).flow_log_ids->at(0);
  world.delivery.problem = "denied";
  world.pass(1, 0);
  world.wait(seconds(10));
  const auto shown = world.call(describe_flow_logs, {.flow_log_ids = std::vector{id}});
  EXPECT_EQ(shown.flow_logs->at(0).deliver_logs_status, "FAILED");
  EXPECT_EQ(shown.flow_logs->at(0).deliver_logs_error_message, "Access error");
}

TEST(FlowLogs, AreRefusedWhereTheyCannotBe) {
  Logged world;
  CreateFlowLogsInput input = world.wanted();
  world.call(create_flow_logs, input);
  EXPECT_EQ(world.call(create_flow_logs, input).unsuccessful->at(0).error->code, "FlowLogAlreadyExists");
  input.resource_ids = std::vector<std::string>{"vpc-00000000000000000"};
  EXPECT_EQ(world.call(create_flow_logs, input).unsuccessful->at(0).error->code, "InvalidVpcID.NotFound");
  input.log_format = "${no-such-field}";
  EXPECT_EQ(world.code(create_flow_logs, input), "InvalidParameter");
  input.log_format = "${ecs-task-id}";
  EXPECT_EQ(world.code(create_flow_logs, input), "UnsupportedOperation");
}

TEST(FlowLogs, EndWhenDeleted) {
  Logged world;
  const std::string id = world.call(create_flow_logs, world.wanted()).flow_log_ids->at(0);
  world.call(delete_flow_logs, {.flow_log_ids = std::vector{id}});
  world.run();
  EXPECT_THAT(world.network.vpcs[world.vpc_id].flow_logged, IsEmpty());
  world.pass(1, 0);
  world.wait(seconds(30));
  EXPECT_THAT(world.delivery.streams, IsEmpty());
  EXPECT_EQ(world.call(delete_flow_logs, {.flow_log_ids = std::vector{id}}).unsuccessful->size(), 1U);
}

TEST(FlowLogFormat, HasTheHighestVersionOfItsFields) {
  FlowLogLine line{.interface = "eni-1", .source = "10.0.0.1", .direction = "ingress"};
  EXPECT_EQ(render_flow_log_line(parse_flow_log_format("${version} ${srcaddr}"), line), "2 10.0.0.1");
  EXPECT_EQ(render_flow_log_line(parse_flow_log_format("${version} ${type} ${flow-direction}"), line),
            "5 IPv4 ingress");
}

}  // namespace
}  // namespace brume::ec2
