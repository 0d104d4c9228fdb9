// The tests' own program is the keeper as well, started as `TEST keep …`.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string_view>

#include "core/log.h"
#include "planes/keeper/keeper_process.h"

int main(int count, char** arguments) {
  if (count > 1 && std::string_view(arguments[1]) == "keep") return brume::keeper_main(count - 2, arguments + 2);
  if (std::getenv("BRUME_TEST_DEBUG") != nullptr) brume::log::set_level(brume::log::Level::debug);
  ::testing::InitGoogleTest(&count, arguments);
  return RUN_ALL_TESTS();
}
