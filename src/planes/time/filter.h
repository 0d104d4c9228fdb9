// Which system calls stop for the launcher: those that wait on a clock, or read one without the vDSO. All others, and
// these when they wait for nothing or for ever, run as if nothing was there.
#pragma once

#include <linux/filter.h>

#include <vector>

namespace brume::time {

std::vector<sock_filter> wait_filter();
// On this thread and what it starts, for good. False, with errno, when the kernel refuses.
bool install_wait_filter();

}  // namespace brume::time
