#include "aws/policy/keys.h"

#include <cstring>

namespace brume::policy {
namespace {

// Eight characters at a time: a carry of either sum shows in the high bit of its own byte, unless that had one before.
std::uint64_t lower_eight(std::uint64_t bytes) {
  constexpr std::uint64_t kEach = 0x0101010101010101, kHigh = 0x80 * kEach;
  const std::uint64_t low = bytes & ~kHigh;
  const std::uint64_t from_a = low + (0x80 - 'A') * kEach;
  const std::uint64_t beyond_z = low + (0x80 - 'Z' - 1) * kEach;
  return bytes | (from_a & ~beyond_z & ~bytes & kHigh) >> 2U;
}

void lower(char* text, std::size_t size) {
  for (std::size_t at = 0; at < size; at += sizeof(std::uint64_t)) {
    std::uint64_t bytes = 0;
    const std::size_t count = std::min(size - at, sizeof bytes);
    if (count == sizeof bytes) {
      std::memcpy(&bytes, text + at, sizeof bytes);
      bytes = lower_eight(bytes);
      std::memcpy(text + at, &bytes, sizeof bytes);
    } else {
      for (std::size_t i = at; i < size; ++i)
        if (text[i] >= 'A' && text[i] <= 'Z') text[i] = static_cast<char>(text[i] | 0x20);
    }
  }
}

// Its length and a few of its characters, which tell all of AWS's names apart.
std::uint32_t mark_of(std::string_view lower_name) {
  if (lower_name.empty()) return 0;
  const auto at = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(lower_name[i])); };
  const std::size_t size = lower_name.size();
  return static_cast<std::uint32_t>(size & 0xFF) << 24 | at(size - 1) << 16 | at(size / 2) << 8 | at(size * 3 / 4);
}

std::uint32_t narrow(std::size_t size) { return static_cast<std::uint32_t>(size); }

}  // namespace

std::vector<std::string> Keys::Values::list() const {
  std::vector<std::string> values;
  for (const Entry& entry : entries_) values.emplace_back(text(entry));
  return values;
}

// How many entries from `first` on are of the same key: they share its name's place.
std::size_t Keys::run_at(std::size_t first) const {
  std::size_t end = first + 1;
  while (end < entries_.size() && entries_[end].name_at == entries_[first].name_at) ++end;
  return end - first;
}

std::size_t Keys::first_of(std::string_view lower_name, std::uint32_t mark) const {
  for (std::size_t i = 0; i < entries_.size(); ++i)
    if (entries_[i].mark == mark && name_of(entries_[i]) == lower_name) return i;
  return entries_.size();
}

// The name in lower case at the end of the texts, where it stays if it is a new one.
Keys::Entry Keys::keep(std::string_view name) {
  if (entries_.empty()) {
    entries_.reserve(32);
    texts_.reserve(1024);
  }
  const std::size_t at = texts_.size();
  texts_.append(name);
  lower(texts_.data() + at, name.size());
  Entry entry{};
  entry.name_at = narrow(at);
  entry.name_size = narrow(name.size());
  entry.mark = mark_of(name_of(entry));
  return entry;
}

void Keys::keep_value(Entry& entry, std::string_view value) {
  entry.value_at = narrow(texts_.size());
  entry.value_size = narrow(value.size());
  texts_.append(value);
}

// Of a name that is there already its first entry; a new one is added with the value.
std::optional<std::size_t> Keys::known_or_new(Entry& entry, std::string_view name, std::string_view value) {
  entry = keep(name);
  const std::size_t first = first_of(name_of(entry), entry.mark);
  if (first == entries_.size()) {
    keep_value(entry, value);
    entries_.push_back(entry);
    return std::nullopt;
  }
  texts_.resize(entry.name_at);
  entry.name_at = entries_[first].name_at;
  return first;
}

void Keys::add(std::string_view name, std::string_view value) {
  Entry entry{};
  const std::optional<std::size_t> first = known_or_new(entry, name, value);
  if (!first) return;
  keep_value(entry, value);
  entries_.insert(entries_.begin() + static_cast<std::ptrdiff_t>(*first + run_at(*first)), entry);
}

void Keys::set(std::string_view name, std::string_view value) {
  Entry entry{};
  const std::optional<std::size_t> first = known_or_new(entry, name, value);
  if (!first) return;
  const auto from = entries_.begin() + static_cast<std::ptrdiff_t>(*first + 1);
  entries_.erase(from, from + static_cast<std::ptrdiff_t>(run_at(*first) - 1));
  keep_value(entries_[*first], value);
}

Keys::Values Keys::find(std::string_view lower_name) const {
  const std::size_t first = first_of(lower_name, mark_of(lower_name));
  const std::size_t count = first == entries_.size() ? 0 : run_at(first);
  return {texts_.data(), std::span(entries_).subspan(first, count)};
}

void Keys::clear() {
  texts_.clear();
  entries_.clear();
}

}  // namespace brume::policy
