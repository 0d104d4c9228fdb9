#include <gtest/gtest.h>

#include <string_view>

#include "planes/keeper/keeper_process.h"

int main(int count, char** arguments) {
  if (count > 1 && std::string_view(arguments[1]) == "keep") return brume::keeper_main(count - 2, arguments + 2);
  ::testing::InitGoogleTest(&count, arguments);
  return RUN_ALL_TESTS();
}
