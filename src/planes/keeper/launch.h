// Reaching the keeper from a process of many threads: connecting to its socket, and starting it when there is none.
#pragma once

#include <string>
#include <vector>

#include "planes/keeper/process.h"

namespace brume::keeper {

// A non-blocking stream socket, or none with errno set.
Descriptor connect_to(const std::string& path);
// Runs the command with the arguments, which puts the keeper into the background, and waits until it has. "" or the
// reason.
std::string launch(const std::vector<std::string>& command, const std::vector<std::string>& arguments);

}  // namespace brume::keeper
