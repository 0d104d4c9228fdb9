// The command line's side of the admin socket: one HTTP request to the daemon of an instance.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "app/instance.h"

namespace brume::app {

struct AdminAnswer {
  int status = 0;
  std::string body;
};

// nullopt: no daemon answers on the instance's admin socket.
std::optional<AdminAnswer> admin_call(const Instance& instance, std::string_view method, std::string_view target);
// The body of a good answer. Throws std::runtime_error with what the daemon says, or that there is none.
std::string ask_daemon(const Instance& instance, std::string_view method, std::string_view target);
// The daemon's process, as the kernel knows it; 0: no daemon answers.
pid_t admin_process(const Instance& instance);

}  // namespace brume::app
