// gzip (RFC 1952) of whole texts. Pure functions, any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace brume {

std::string gzip(std::string_view text);
// nullopt: damaged, or longer than `limit` when it is unpacked.
std::optional<std::string> gunzip(std::string_view packed, std::size_t limit);

}  // namespace brume
