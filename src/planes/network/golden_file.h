// For tests: text compared with a file beside the test. BRUME_UPDATE_GOLDEN=1 in the environment writes the files anew.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace brume::network::testing {

// A compiler cache may have made __FILE__ relative to the build directory, which is where the test program lies. Found
// only when the source is really there, so that nothing is ever written elsewhere.
inline std::filesystem::path golden_directory() {
  const std::filesystem::path written = __FILE__;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  const std::filesystem::path source = written.is_absolute() ? written : (program / written).lexically_normal();
  return std::filesystem::exists(source) ? source.parent_path() / "golden" : std::filesystem::path();
}

inline void expect_golden(const std::string& name, const std::string& text) {
  const std::filesystem::path directory = golden_directory();
  ASSERT_FALSE(directory.empty()) << "the golden files are not to be found from " << __FILE__;
  const std::filesystem::path file = directory / (name + ".txt");
  if (std::getenv("BRUME_UPDATE_GOLDEN") != nullptr) {
    std::filesystem::create_directory(directory);
    std::ofstream(file) << text;
    return;
  }
  std::ifstream in(file);
  std::ostringstream wanted;
  wanted << in.rdbuf();
  EXPECT_EQ(wanted.str(), text) << "if this is meant, run the test with BRUME_UPDATE_GOLDEN=1 and look at the change";
}

}  // namespace brume::network::testing
