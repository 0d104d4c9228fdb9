// Processes that come and go: another daemon, a HAProxy that dies, the end.
#include <gtest/gtest.h>
#include <signal.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <thread>

#include "planes/balancer/runtime.h"
#include "planes/balancer/test_plane.h"

namespace brume::balancer {
namespace {

using testing::kBalancerAddress;
using testing::quick_group;
using testing::TestLoad;

class HaproxyLifeTest : public testing::PlaneTest {
 protected:
  std::string directory() const { return plane_->instance.directory() + "/lb/app-1"; }
  std::string worker() const { return info_value(runtime_command(directory() + "/admin.sock", "show info"), "Pid"); }
};

TEST_F(HaproxyLifeTest, AnotherDaemonAdoptsItWithoutAFailedRequest) {
  const LoadBalancer desired = balancer_over({quick_group("a", {one_.get(), two_.get()})});
  ASSERT_EQ(plane_->apply(desired), "");
  ASSERT_TRUE(plane_->until_healthy(desired));
  const std::string before = worker();
  TestLoad load(plane_->network, kBalancerAddress, 80, "/");
  plane_->restart();
  ASSERT_EQ(plane_->apply(desired), "");
  EXPECT_TRUE(plane_->until_healthy(desired)) << "their health is told to the new daemon";
  EXPECT_EQ(worker(), before) << "an equal apply changes nothing";
  two_->kill();
  EXPECT_TRUE(plane_->until_health("a", two_->id(), Health::unhealthy));
  load.stop();
  EXPECT_GT(load.answered(), 0);
  EXPECT_EQ(load.failed(), 0);
}

TEST_F(HaproxyLifeTest, GoesOnCheckingWhileNoDaemonIsThere) {
  const LoadBalancer desired = balancer_over({quick_group("a", {one_.get(), two_.get()})});
  ASSERT_EQ(plane_->apply(desired), "");
  ASSERT_TRUE(plane_->until_healthy(desired));
  plane_->balancer.reset();
  two_->health_status = 500;
  const std::string socket = directory() + "/admin.sock";
  ASSERT_TRUE(eventually([&] {
    const auto observed = observe(parse_stat(runtime_command(socket, "show stat -1 4 -1")));
    return !observed.at({"a", two_->id()}).up;
  }));
  const int before = two_->served;
  for (int i = 0; i < 10; ++i) EXPECT_EQ(get("/").body, "one /");
  EXPECT_EQ(two_->served, before);
}

TEST_F(HaproxyLifeTest, IsStartedAgainWithItsTargetsWhenItDies) {
  const LoadBalancer desired = balancer_over({quick_group("a", {one_.get(), two_.get()})});
  ASSERT_EQ(plane_->apply(desired), "");
  ASSERT_TRUE(plane_->until_healthy(desired));
  const int old = plane_->pid();
  ::kill(old, SIGKILL);
  ASSERT_TRUE(plane_->until([&] {
    plane_->loop.post([] {});
    const int pid = plane_->pid();
    return pid != 0 && pid != old && get("/").status == 200;
  }));
  EXPECT_EQ(get("/").status, 200) << "what was healthy serves at once";
}

TEST_F(HaproxyLifeTest, TakesATargetIntoServiceSoonAfterItsRegistration) {
  LoadBalancer desired = balancer_over({quick_group("a", {one_.get()})});
  ASSERT_EQ(plane_->apply(desired), "");
  ASSERT_TRUE(plane_->until_healthy(desired));
  desired.groups[0].health_check.interval_seconds = 30;  // the first check does not wait for the interval
  ASSERT_EQ(plane_->apply(desired), "");
  desired.groups[0].targets.push_back(testing::target_of(*two_));
  const auto start = std::chrono::steady_clock::now();
  ASSERT_EQ(plane_->apply(desired), "");
  ASSERT_TRUE(eventually([&] { return get("/").body == "two /"; }));
  const auto took = std::chrono::steady_clock::now() - start;
  RecordProperty("milliseconds", std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()));
  EXPECT_LT(took, std::chrono::seconds(10));
}

TEST_F(HaproxyLifeTest, ARemovedTargetIsCutOff) {
  LoadBalancer desired = balancer_over({quick_group("a", {one_.get(), two_.get()})});
  ASSERT_EQ(plane_->apply(desired), "");
  ASSERT_TRUE(plane_->until_healthy(desired));
  std::array<testing::TestReply, 2> slow;
  // A POST is not sent again to another target.
  const auto post = [&] {
    return testing::fetch(plane_->network, kBalancerAddress, 80, "/wait", "Host: a\r\nContent-Length: 0\r\n", "POST");
  };
  std::thread first([&] { slow[0] = post(); }), second([&] { slow[1] = post(); });
  ASSERT_TRUE(eventually([&] { return two_->waiting > 0 && one_->waiting > 0; }));
  desired.groups[0].targets.pop_back();  // the deregistration delay is over
  ASSERT_EQ(plane_->apply(desired), "");
  const std::string socket = directory() + "/admin.sock";
  EXPECT_TRUE(eventually([&] {
    return !observe(parse_stat(runtime_command(socket, "show stat -1 4 -1"))).contains({"a", two_->id()});
  })) << "the server is deleted although a request hung on it";
  one_->release();
  two_->release();
  first.join();
  second.join();
  EXPECT_TRUE((slow[0].status == 200) != (slow[1].status == 200)) << "the other target's request was completed";
}

TEST_F(HaproxyLifeTest, LeavesNothingWhenRemoved) {
  ASSERT_EQ(plane_->apply(balancer_over({quick_group("a", {one_.get()})})), "");
  const int pid = plane_->pid();
  ASSERT_EQ(plane_->await([&](Done done) { plane_->balancer->remove("app-1", std::move(done)); }), "");
  EXPECT_FALSE(std::filesystem::exists(directory()));
  EXPECT_NE(::kill(pid, 0), 0);
  EXPECT_EQ(get("/").status, 0);
  EXPECT_EQ(plane_->await([&](Done done) { plane_->balancer->remove("app-1", std::move(done)); }), "") << "again";
  EXPECT_EQ(plane_->apply(balancer_over({})), "") << "and it can come back";
  EXPECT_EQ(plane_->await([&](Done done) { plane_->balancer->remove_all(std::move(done)); }), "");
  EXPECT_EQ(get("/").status, 0);
}

TEST_F(HaproxyLifeTest, SaysWhyItCannotServe) {
  LoadBalancer desired = balancer_over({});
  desired.addresses = {"192.0.2.99"};
  const std::string error = plane_->apply(desired);
  EXPECT_NE(error.find("192.0.2.99:80"), std::string::npos) << error;
  desired.listeners[0].id = "no/slash";
  EXPECT_NE(plane_->apply(desired).find("no/slash"), std::string::npos);
}

}  // namespace
}  // namespace brume::balancer
