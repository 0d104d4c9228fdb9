// Which system calls stop for the launcher: those that wait on a clock, or read one without the vDSO. All others, and
// these when they wait for nothing or for ever, run as if nothing was there.
#pragma once

#include <linux/filter.h>

#include <vector>

namespace brume::time {

std::vector<sock_filter> wait_filter();
// `no`: the kernel refuses, and says why in errno. `without_new_rights`: only for the promise that no program will gain
// any (PR_SET_NO_NEW_PRIVS), so that set-user-id bits and file capabilities count nothing.
enum class Installed { no, without_new_rights, whole };
// On this thread and what it starts, for good.
Installed install_wait_filter();

}  // namespace brume::time
