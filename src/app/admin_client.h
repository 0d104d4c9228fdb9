// The command line's side of the admin socket: one HTTP request to the daemon of an instance.
#pragma once

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
std::optional<AdminAnswer> admin_call(const Instance& instance, std::string_view method, std::string_view target,
                                      std::string_view body = {});

}  // namespace brume::app
