#include "app/tool_list.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "core/testing.h"

namespace brume::app {
namespace {

class ToolList : public ::testing::Test {
 protected:
  TemporaryDirectory directory_;
  const Instance instance_{.state = directory_.path(), .id = "0a1b2c", .run = directory_.path() + "/run"};
};

TEST_F(ToolList, TellsWhoIsThereAndByWhichClock) {
  EXPECT_TRUE(list_tools(instance_).empty());
  note_tool(instance_, true, "sleep 100");
  const std::vector<Tool> tools = list_tools(instance_);
  ASSERT_EQ(tools.size(), 1U);
  EXPECT_EQ(tools[0].pid, ::getpid());
  EXPECT_TRUE(tools[0].follows_cloud);
  EXPECT_EQ(tools[0].command, "sleep 100");
}

TEST_F(ToolList, AnotherProcessOfTheSameNumberIsNotTheTool) {
  note_tool(instance_, false, "sleep 100");
  const std::filesystem::path tools = instance_.run + "/exec/tools";
  const std::filesystem::path earlier = tools / (std::to_string(::getpid()) + "-1");
  std::ofstream(earlier) << "cloud earlier\n";
  const std::vector<Tool> left = list_tools(instance_);
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].command, "sleep 100");
  EXPECT_FALSE(std::filesystem::exists(earlier));
}

TEST_F(ToolList, AToolThatIsBeingNotedIsNeverTakenForOneThatEnded) {
  std::atomic<bool> done = false;
  std::thread lister([&] {
    while (!done) list_tools(instance_);
  });
  int missing = 0;
  for (int i = 0; i < 2000; ++i) {
    note_tool(instance_, true, "sleep 100");
    missing += list_tools(instance_).size() == 1 ? 0 : 1;
  }
  done = true;
  lister.join();
  EXPECT_EQ(missing, 0);
}

}  // namespace
}  // namespace brume::app
