// Small readings of the machine: a file whole, a descriptor to its end, when a process began. Any thread; they block as
// long as reading takes.
#pragma once

#include <sys/types.h>

#include <string>

namespace brume {

// Empty: there is no such file, or it may not be read.
std::string read_file(const std::string& path);
// What is left of a pipe, socket or file; what came before an error.
std::string read_to_end(int descriptor);
// When a process began, in the kernel's ticks: a process id is used again, the pair is not. Empty: no such process.
std::string beginning_of(pid_t process);

}  // namespace brume
