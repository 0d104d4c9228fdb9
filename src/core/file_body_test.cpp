#include "core/file_body.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/testing.h"

namespace brume {
namespace {

TEST(SpoolFile, GoesWithItsLastOwner) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/spool";
  std::ofstream(path) << "x";
  auto spool = std::make_shared<SpoolFile>(path);
  auto other = spool;
  spool.reset();
  EXPECT_TRUE(std::filesystem::exists(path));
  other.reset();
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(SpoolFile, StaysWhereItIsKept) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/spool";
  std::ofstream(path) << "x";
  {
    SpoolFile spool(path);
    spool.keep_as(directory.path() + "/kept");
    EXPECT_EQ(spool.path(), directory.path() + "/kept");
  }
  EXPECT_TRUE(std::filesystem::exists(directory.path() + "/kept"));
  EXPECT_FALSE(std::filesystem::exists(path));
  SpoolFile missing(directory.path() + "/none");
  EXPECT_THROW(missing.keep_as(directory.path() + "/there"), PlaneError);
}

}  // namespace
}  // namespace brume
