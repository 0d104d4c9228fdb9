// `brume check DIRECTORY`: reads the Terraform files, and says for each resource type and data source which of the
// operations that its provider calls are served. Knowledge comes from models/terraform.txt, built in.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "app/commands/commands.h"
#include "app/served.h"
#include "app/terraform_operations.h"

namespace brume::app {
namespace fs = std::filesystem;
namespace {

struct Found {
  int count = 0;
  std::string where;  // the first place
};

// Types used in .tf files, modules below included; "data." before data sources.
std::map<std::string, Found> types_in(const std::string& directory) {
  static const std::regex kBlock(R"re(^\s*(resource|data)\s+"([a-z0-9_]+)"\s+"[^"]+"\s*\{?)re");
  std::map<std::string, Found> types;
  for (auto entry = fs::recursive_directory_iterator(directory); entry != fs::recursive_directory_iterator(); ++entry) {
    if (entry->is_directory() && entry->path().filename() == ".terraform" && entry->path().extension().empty()) {
      // Modules that init fetched are the user's system too; providers are not.
      if (!fs::exists(entry->path() / "modules")) entry.disable_recursion_pending();
    }
    if (entry->path().extension() != ".tf") continue;
    std::ifstream file(entry->path());
    int number = 0;
    for (std::string line; std::getline(file, line);) {
      ++number;
      std::smatch match;
      if (!std::regex_search(line, match, kBlock)) continue;
      Found& found = types[(match[1] == "data" ? "data." : "") + match[2].str()];
      if (found.count++ == 0)
        found.where = entry->path().lexically_relative(directory).string() + ":" + std::to_string(number);
    }
  }
  return types;
}

std::vector<std::string> unserved(const std::vector<std::string>& operations) {
  std::vector<std::string> list;
  for (const std::string& operation : operations)
    if (!is_served(operation)) list.push_back(operation);
  return list;
}

std::string joined(const std::vector<std::string>& list) {
  std::string text;
  for (const std::string& item : list) text += (text.empty() ? "" : ", ") + item;
  return text;
}

}  // namespace

int run_check(const std::string& directory) {
  const auto types = types_in(directory);
  if (types.empty()) {
    std::printf("no resources in %s\n", directory.c_str());
    return 0;
  }
  int refused = 0;
  for (const auto& [type, found] : types) {
    const bool aws = type.starts_with("aws_") || type.starts_with("data.aws_");
    const TerraformType* known = find_terraform_type(type);
    std::string verdict;
    if (!aws) {
      verdict = "not AWS: it runs as it is";
    } else if (known == nullptr) {
      verdict = "unknown to brume check: try it; what is not served is refused by name";
      ++refused;
    } else if (const auto missing = unserved(known->operations); !missing.empty()) {
      const bool nothing = missing.size() == known->operations.size();
      verdict = (nothing ? "refused: " : "partly refused: ") + joined(missing);
      ++refused;
    } else if (const auto rare = unserved(known->rare_operations); !rare.empty()) {
      verdict = "served (refused with particular arguments only: " + joined(rare) + ")";
    } else {
      verdict = "served";
    }
    std::printf("%-44s ×%-3d %-28s %s\n", type.c_str(), found.count, found.where.c_str(), verdict.c_str());
  }
  std::printf("%zu types, %d not fully served\n", types.size(), refused);
  return refused == 0 ? 0 : 1;
}

}  // namespace brume::app
