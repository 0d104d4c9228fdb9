#include "core/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "core/testing.h"

namespace brume {
namespace {

TEST(Log, WritesOneOwnerOnlyLineForEachEvent) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/log";
  log::set_file(path);
  log::info("store", "first\nsecond\x01");
  log::debug("store", "not at this level");
  log::set_file("");
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_THAT(text.str(), testing::EndsWith("Z info store: first\\nsecond?\n"));
  EXPECT_THAT(text.str(), testing::Not(testing::HasSubstr("level")));
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

}  // namespace
}  // namespace brume
