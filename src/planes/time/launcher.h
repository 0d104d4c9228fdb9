// How a process that is about to become a tool gets a launcher: a process of its own, which traces it and all it
// starts. The tool keeps its place: its parent, its process group and its terminal are the caller's, so that Ctrl-C,
// Ctrl-Z, exit codes and waiting are what they are without.
#pragma once

#include <string>

#include "planes/time/session.h"

namespace brume::time {

// From now on this process, which must have one thread, and everything it executes follow the clock of the page.
// To be called while it has the privileges to enter namespaces, before it gives them up: a privileged launcher leaves
// sudo inside as it is. Empty, or why it cannot be: the process keeps the machine's clock then.
std::string follow_clock(const PagePaths& paths);

// `brume follow PAGE INSIDE COMMAND...`: becomes a command that makes a container (runc run, runc exec), whose programs
// follow. PAGE is where the page is, INSIDE where the container sees it. Returns only when it cannot.
int follow_main(int count, char** arguments);

}  // namespace brume::time
