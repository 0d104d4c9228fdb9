// The status as people read it. Pure functions over the admin socket's JSON.
#pragma once

#include <boost/json/value.hpp>
#include <string>

namespace brume::app {

// After `up`: where the cloud is and what to do next.
std::string render_greeting(const boost::json::value& status);
std::string render_status(const boost::json::value& status);
// One line for the foreground: requests, what runs, what was refused.
std::string render_line(const boost::json::value& status);

}  // namespace brume::app
