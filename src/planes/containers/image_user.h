// Whom a container runs as: Docker's reading of USER against the image's own /etc/passwd and /etc/group. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace brume::containers {

struct User {
  std::uint32_t uid = 0, gid = 0;
  std::vector<std::uint32_t> additional_groups;
  std::string home = "/";
  bool operator==(const User&) const = default;
};

// `text` is "", "USER" or "USER:GROUP", each a name or a number. A number need not be in passwd; a name must be: throws
// PlaneError{permanent} otherwise.
User resolve_user(std::string_view text, std::string_view passwd, std::string_view group);

}  // namespace brume::containers
