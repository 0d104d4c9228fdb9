// `brume why` for people: the admin socket's explanation as text. Pure.
#pragma once

#include <boost/json/fwd.hpp>
#include <string>

namespace brume::app {

// Every ask of one request: who, what, the evaluation's steps, each statement with what kept it from applying, and what
// would allow it. `all`: statements of other actions too.
std::string render_why(const boost::json::value& explanation, bool all);
// The last refusals, newest first.
std::string render_denials(const boost::json::value& list);

}  // namespace brume::app
