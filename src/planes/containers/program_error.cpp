#include "planes/containers/program_error.h"

#include "core/text.h"

namespace brume::containers {
namespace {

// The quoted string that starts at text[0], with logrus's escapes undone.
std::string unquote(std::string_view text) {
  std::string out;
  for (std::size_t i = 1; i < text.size() && text[i] != '"'; ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      ++i;
      out += text[i] == 'n' ? '\n' : text[i] == 't' ? '\t' : text[i];
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

std::string program_error(std::string_view output) {
  std::string found;
  for (const std::string_view line : split(output, '\n')) {
    const bool is_error =
        line.find("level=fatal") != std::string_view::npos || line.find("level=error") != std::string_view::npos;
    const std::size_t message = line.find("msg=\"");
    if (is_error && message != std::string_view::npos) found = unquote(line.substr(message + 4));
  }
  return std::string(trim(found.empty() ? output : std::string_view(found)));
}

}  // namespace brume::containers
