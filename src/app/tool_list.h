// Which tools `brume exec` has begun and are still there, and by which clock: one file for each in the run directory,
// named by its process and when that began. Used by the command line alone.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "app/instance.h"

namespace brume::app {

struct Tool {
  pid_t pid = 0;
  bool follows_cloud = false;
  std::string command;
};

// Notes this process, which is about to become the tool. Failing is no error: the list is for people.
void note_tool(const Instance& instance, bool follows_cloud, const std::string& command);
// Those that are alive; the files of others are removed.
std::vector<Tool> list_tools(const Instance& instance);

}  // namespace brume::app
