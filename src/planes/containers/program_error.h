// What a program of the container world (runc, skopeo) says when it fails, without its logger's decoration.
#pragma once

#include <string>
#include <string_view>

namespace brume::containers {

// The message of the last logged error (time="…" level=fatal msg="…", or JSON with "msg"), else the whole text trimmed.
std::string program_error(std::string_view output);

}  // namespace brume::containers
