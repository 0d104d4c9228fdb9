#include "planes/containers/image_user.h"

#include <algorithm>
#include <optional>

#include "core/error.h"
#include "core/text.h"

namespace brume::containers {
namespace {

std::optional<std::uint32_t> number(std::string_view text) {
  std::int64_t value = 0;
  if (!parse_int(text, value) || value < 0 || value > 0xffff'fffe) return std::nullopt;
  return static_cast<std::uint32_t>(value);
}

std::vector<std::vector<std::string_view>> entries(std::string_view text, std::size_t fields) {
  std::vector<std::vector<std::string_view>> out;
  for (const std::string_view line : split(text, '\n')) {
    auto parts = split(line, ':');
    if (parts.size() >= fields && !line.starts_with('#')) out.push_back(std::move(parts));
  }
  return out;
}

[[noreturn]] void unknown(std::string_view what, std::string_view name, std::string_view file) {
  throw PlaneError(PlaneError::Kind::permanent, "unable to find " + std::string(what) + " " + std::string(name) +
                                                    ": no matching entries in " + std::string(file) + " file");
}

}  // namespace

User resolve_user(std::string_view text, std::string_view passwd, std::string_view group) {
  User user;
  const auto parts = split(text, ':');
  const std::string_view user_part = parts.empty() || parts[0].empty() ? "0" : parts[0];
  const std::string_view group_part = parts.size() > 1 ? parts[1] : "";
  const auto users = entries(passwd, 6);
  const auto groups = entries(group, 4);

  const auto uid = number(user_part);
  const auto found = std::ranges::find_if(
      users, [&](const auto& entry) { return entry[0] == user_part || (uid && number(entry[2]) == uid); });
  if (found == users.end() && !uid) unknown("user", user_part, "passwd");
  std::string_view name;
  if (found != users.end()) {
    name = (*found)[0];
    user.uid = number((*found)[2]).value_or(0);
    user.gid = number((*found)[3]).value_or(0);
    if (!(*found)[5].empty()) user.home = (*found)[5];
  } else {
    user.uid = *uid;
  }
  if (!group_part.empty()) {
    const auto gid = number(group_part);
    const auto match = std::ranges::find_if(groups, [&](const auto& entry) { return entry[0] == group_part; });
    if (match == groups.end() && !gid) unknown("group", group_part, "group");
    user.gid = match != groups.end() ? number((*match)[2]).value_or(0) : *gid;
    return user;  // a named group is the only one
  }
  for (const auto& entry : groups) {
    const auto members = split(entry[3], ',');
    const auto gid = number(entry[2]);
    if (!name.empty() && gid && std::ranges::find(members, name) != members.end()) {
      user.additional_groups.push_back(*gid);
    }
  }
  return user;
}

}  // namespace brume::containers
