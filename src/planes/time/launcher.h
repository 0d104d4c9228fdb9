// How a process that is about to become a tool gets a launcher: a process of its own, which traces it and all it
// starts. The tool keeps its place: its parent, its process group and its terminal are the caller's, so that Ctrl-C,
// Ctrl-Z, exit codes and waiting are what they are without.
#pragma once

#include <string>

namespace brume::time {

// From now on this process, which must have one thread, and everything it executes follow the clock of `page_path`.
// To be called while it has the privileges to enter namespaces, before it gives them up: a privileged launcher leaves
// sudo inside as it is. Empty, or why it cannot be: the process keeps the machine's clock then.
std::string follow_clock(const std::string& page_path);

}  // namespace brume::time
