#include "app/adapters/service_control.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "aws/policy/document.h"

namespace brume::app {

ServiceControlPolicies::ServiceControlPolicies(const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    std::ifstream stream(file);
    if (!stream) throw std::runtime_error("--service-control-policy: cannot read " + file);
    std::string document{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
    if (const auto parsed = policy::parse_document(document, policy::Grammar::identity); !parsed) {
      const policy::Problem& problem = parsed.error();
      throw std::runtime_error("--service-control-policy: " + file + ": " + problem.message +
                               (problem.detail.empty() ? "" : " (" + problem.detail + ")"));
    }
    levels_.push_back({{std::filesystem::path(file).filename().string(), std::move(document)}});
  }
}

}  // namespace brume::app
