// The daemon's own log: one line per event to standard error or a file, thread-safe. Secrets never go here.
#pragma once

#include <string_view>

namespace brume::log {

enum class Level { debug, info, warning, error };
void set_level(Level level);
void set_file(std::string_view path);  // owner-only; empty: standard error
void write(Level level, std::string_view component, std::string_view text);

inline void debug(std::string_view component, std::string_view text) { write(Level::debug, component, text); }
inline void info(std::string_view component, std::string_view text) { write(Level::info, component, text); }
inline void warning(std::string_view component, std::string_view text) { write(Level::warning, component, text); }
inline void error(std::string_view component, std::string_view text) { write(Level::error, component, text); }

}  // namespace brume::log
