#include "app/tool_list.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/system.h"

namespace brume::app {
namespace fs = std::filesystem;
namespace {

std::string directory_of(const Instance& instance) { return instance.run + "/exec/tools"; }

}  // namespace

void note_tool(const Instance& instance, bool follows_cloud, const std::string& command) {
  std::error_code ignored;
  fs::create_directories(directory_of(instance), ignored);
  list_tools(instance);  // clears away what has ended
  std::ofstream(directory_of(instance) + "/" + std::to_string(getpid()))
      << beginning_of(getpid()) << ' ' << (follows_cloud ? "cloud" : "machine") << ' ' << command << '\n';
}

std::vector<Tool> list_tools(const Instance& instance) {
  std::vector<Tool> tools;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory_of(instance), ignored)) {
    std::ifstream file(entry.path());
    std::string beginning, clock, command;
    file >> beginning >> clock;
    std::getline(file >> std::ws, command);
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (beginning.empty() || beginning_of(pid) != beginning)
      fs::remove(entry.path(), ignored);
    else
      tools.push_back({pid, clock == "cloud", command});
  }
  return tools;
}

}  // namespace brume::app
