#include "planes/containers/cgroup_limits.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "planes/containers/image_user.h"

namespace brume::containers {
namespace {

using Writes = std::vector<CgroupWrite>;

const CgroupLayout kVersion1{false, "/c/cpu", "/c/memory", "/c/cpuacct", true, "/c/pids"};
const CgroupLayout kVersion2{true, "/c", "/c", "/c", true, "/c"};

TEST(SandboxLimits, OfVersion1) {
  EXPECT_EQ(render_sandbox_limits(kVersion1, "/brume/0a1b2c/t1", {"t1", "", 512 << 20, 256}),
            (Writes{{"/c/cpu/brume/0a1b2c/t1/cpu.cfs_period_us", "100000"},
                    {"/c/cpu/brume/0a1b2c/t1/cpu.cfs_quota_us", "25000"},
                    {"/c/memory/brume/0a1b2c/t1/memory.use_hierarchy", "1", false},
                    {"/c/memory/brume/0a1b2c/t1/memory.limit_in_bytes", "536870912"},
                    {"/c/memory/brume/0a1b2c/t1/memory.memsw.limit_in_bytes", "536870912"},
                    {"/c/pids/brume/0a1b2c/t1/pids.max", "4096"}}));
}

TEST(SandboxLimits, OfVersion2HandControllersDown) {
  EXPECT_EQ(render_sandbox_limits(kVersion2, "/brume/0a1b2c/t1", {"t1", "", 512 << 20, 2048}),
            (Writes{{"/c/cgroup.subtree_control", "+cpu +memory +pids", false},
                    {"/c/brume/cgroup.subtree_control", "+cpu +memory +pids"},
                    {"/c/brume/0a1b2c/cgroup.subtree_control", "+cpu +memory +pids"},
                    {"/c/brume/0a1b2c/t1/cgroup.subtree_control", "+cpu +memory +pids"},
                    {"/c/brume/0a1b2c/t1/cpu.max", "200000 100000"},
                    {"/c/brume/0a1b2c/t1/memory.max", "536870912"},
                    {"/c/brume/0a1b2c/t1/memory.swap.max", "0", false},
                    {"/c/brume/0a1b2c/t1/pids.max", "4096"}}));
}

TEST(SandboxLimits, OnlyOfProcessesWithoutLimits) {
  EXPECT_EQ(render_sandbox_limits(kVersion1, "/brume/0a1b2c/t1", {"t1", "", 0, 0}),
            (Writes{{"/c/pids/brume/0a1b2c/t1/pids.max", "4096"}}));
  // The kernel refuses quotas under a millisecond.
  EXPECT_EQ(render_sandbox_limits(kVersion1, "/t", {"t1", "", 0, 1})[1].text, "1000");
}

TEST(KeyedNumber, FindsTheWholeName) {
  EXPECT_EQ(keyed_number("oom_kill_disable 1\nunder_oom 0\noom_kill 3\n", "oom_kill"), 3U);
  EXPECT_EQ(keyed_number("oom 1\n", "oom_kill"), 0U);
}

constexpr std::string_view kPasswd = "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\nbad line\n";
constexpr std::string_view kGroup = "root:x:0:\napp:x:1001:\nextra:x:44:other,app\nvideo:x:45:app\n";

TEST(ImageUser, IsReadAsDockerReadsIt) {
  EXPECT_EQ(resolve_user("", kPasswd, kGroup), (User{0, 0, {}, "/root"}));
  EXPECT_EQ(resolve_user("app", kPasswd, kGroup), (User{1000, 1001, {44, 45}, "/home/app"}));
  EXPECT_EQ(resolve_user("1000", kPasswd, kGroup), (User{1000, 1001, {44, 45}, "/home/app"}));
  EXPECT_EQ(resolve_user("app:video", kPasswd, kGroup), (User{1000, 45, {}, "/home/app"}));
  EXPECT_EQ(resolve_user("app:7", kPasswd, kGroup), (User{1000, 7, {}, "/home/app"}));
  EXPECT_EQ(resolve_user("65532:65532", "", ""), (User{65532, 65532, {}, "/"}));
  EXPECT_EQ(resolve_user("65532", "", ""), (User{65532, 0, {}, "/"}));
}

TEST(ImageUser, UnknownNamesAreErrors) {
  try {
    resolve_user("nobody", kPasswd, kGroup);
    FAIL();
  } catch (const PlaneError& error) {
    EXPECT_EQ(error.message, "unable to find user nobody: no matching entries in passwd file");
  }
  EXPECT_THROW(resolve_user("app:none", kPasswd, kGroup), PlaneError);
  EXPECT_THROW(resolve_user("-1", kPasswd, kGroup), PlaneError);
}

}  // namespace
}  // namespace brume::containers
