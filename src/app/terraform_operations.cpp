#include "app/terraform_operations.h"

#include <map>

#include "core/text.h"

namespace brume::embedded {
extern const std::string_view terraform_operations;  // models/terraform.txt, by the build
}

namespace brume::app {
namespace {

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> list;
  for (std::string_view word : split(text, ' '))
    if (!word.empty()) list.emplace_back(word);
  return list;
}

// "aws_vpc: ec2:CreateVpc … ; ec2:ModifyVpcTenancy …"
std::map<std::string, TerraformType> read_table() {
  std::map<std::string, TerraformType> types;
  for (std::string_view line : split(embedded::terraform_operations, '\n')) {
    const std::size_t colon = line.find(": ");
    if (line.empty() || line.front() == '#' || colon == std::string_view::npos) continue;
    const std::string_view rest = line.substr(colon + 2);
    const std::size_t semicolon = rest.find(';');
    TerraformType type{.name = std::string(line.substr(0, colon)), .operations = words(rest.substr(0, semicolon))};
    if (semicolon != std::string_view::npos) type.rare_operations = words(rest.substr(semicolon + 1));
    types.emplace(type.name, std::move(type));
  }
  return types;
}

}  // namespace

const TerraformType* find_terraform_type(const std::string& name) {
  static const auto kTypes = read_table();
  const auto found = kTypes.find(name);
  return found == kTypes.end() ? nullptr : &found->second;
}

}  // namespace brume::app
