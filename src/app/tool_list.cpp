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

// "1234-56789": a process and its beginning, as beginning_of tells it.
std::string name_of(pid_t process) { return std::to_string(process) + "-" + beginning_of(process); }

}  // namespace

void note_tool(const Instance& instance, bool follows_cloud, const std::string& command) {
  const std::string name = name_of(getpid());
  std::error_code ignored;
  fs::create_directories(directory_of(instance), ignored);
  list_tools(instance);  // clears away what has ended
  // Whoever lists meanwhile finds it whole or not at all.
  const std::string written = instance.run + "/exec/" + name;
  std::ofstream(written) << (follows_cloud ? "cloud" : "machine") << ' ' << command << '\n';
  fs::rename(written, directory_of(instance) + "/" + name, ignored);
}

std::vector<Tool> list_tools(const Instance& instance) {
  std::vector<Tool> tools;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory_of(instance), ignored)) {
    const std::string name = entry.path().filename();
    const pid_t pid = std::atoi(name.c_str());
    if (name != name_of(pid)) {
      fs::remove(entry.path(), ignored);
      continue;
    }
    std::ifstream file(entry.path());
    std::string clock, command;
    file >> clock;
    std::getline(file >> std::ws, command);
    tools.push_back({pid, clock == "cloud", command});
  }
  return tools;
}

}  // namespace brume::app
