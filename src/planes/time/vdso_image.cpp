#include "planes/time/vdso_image.h"

#include <elf.h>
#include <sys/auxv.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "planes/time/vdso_code.h"

namespace brume::time {
namespace {

// Reads within the image only; what lies outside reads as zero.
template <class T>
T at(std::span<const std::byte> image, std::uint64_t offset) {
  T value{};
  if (offset <= image.size() && sizeof(T) <= image.size() - offset)
    std::memcpy(&value, image.data() + offset, sizeof(T));
  return value;
}

std::string text_at(std::span<const std::byte> image, std::uint64_t offset) {
  std::string text;
  for (char c = 0; (c = static_cast<char>(at<std::uint8_t>(image, offset))) != 0 && text.size() < 128; ++offset)
    text += c;
  return text;
}

struct Tables {
  std::uint64_t load = 0;  // addresses in the image less offsets in it
  std::uint64_t symbols = 0, strings = 0, hash = 0, gnu_hash = 0;
};

Tables tables_of(std::span<const std::byte> image) {
  const auto header = at<Elf64_Ehdr>(image, 0);
  Tables tables;
  std::uint64_t dynamic = 0;
  for (std::uint64_t i = 0; i < header.e_phnum; ++i) {
    const auto segment = at<Elf64_Phdr>(image, header.e_phoff + i * sizeof(Elf64_Phdr));
    if (segment.p_type == PT_LOAD) tables.load = segment.p_vaddr - segment.p_offset;
    if (segment.p_type == PT_DYNAMIC) dynamic = segment.p_offset;
  }
  if (dynamic == 0) return {};
  for (;; dynamic += sizeof(Elf64_Dyn)) {
    const auto entry = at<Elf64_Dyn>(image, dynamic);
    const std::uint64_t offset = entry.d_un.d_ptr - tables.load;
    if (entry.d_tag == DT_NULL) return tables;
    if (entry.d_tag == DT_SYMTAB) tables.symbols = offset;
    if (entry.d_tag == DT_STRTAB) tables.strings = offset;
    if (entry.d_tag == DT_HASH) tables.hash = offset;
    if (entry.d_tag == DT_GNU_HASH) tables.gnu_hash = offset;
  }
}

// The GNU table has no count: the last chain's end is it.
std::uint64_t count_by_gnu_hash(std::span<const std::byte> image, std::uint64_t table) {
  const auto buckets = at<std::uint32_t>(image, table), first = at<std::uint32_t>(image, table + 4),
             bloom = at<std::uint32_t>(image, table + 8);
  const std::uint64_t bucket_at = table + 16 + std::uint64_t{bloom} * 8,
                      chain_at = bucket_at + std::uint64_t{buckets} * 4;
  std::uint32_t last = 0;
  for (std::uint32_t i = 0; i < std::min(buckets, 4096U); ++i)
    last = std::max(last, at<std::uint32_t>(image, bucket_at + std::uint64_t{i} * 4));
  if (last < first) return 0;
  while (last < 4096 && (at<std::uint32_t>(image, chain_at + std::uint64_t{last - first} * 4) & 1U) == 0) ++last;
  return last + 1;
}

// mov rax, TARGET; jmp rax
std::vector<std::byte> jump_to(std::uint64_t target) {
  std::vector<std::byte> code{std::byte{0x48}, std::byte{0xb8}};
  for (int i = 0; i < 8; ++i) code.push_back(static_cast<std::byte>(target >> (8 * i) & 0xffU));
  code.push_back(std::byte{0xff});
  code.push_back(std::byte{0xe0});
  return code;
}

}  // namespace

std::map<std::string, std::uint64_t> vdso_functions(std::span<const std::byte> image) {
  std::map<std::string, std::uint64_t> functions;
  if (image.size() < sizeof(Elf64_Ehdr) || std::memcmp(image.data(), ELFMAG, SELFMAG) != 0) return functions;
  const Tables tables = tables_of(image);
  if (tables.symbols == 0 || tables.strings == 0) return functions;
  const std::uint64_t count = tables.hash != 0       ? at<std::uint32_t>(image, tables.hash + 4)
                              : tables.gnu_hash != 0 ? count_by_gnu_hash(image, tables.gnu_hash)
                                                     : 0;
  for (std::uint64_t i = 1; i < std::min<std::uint64_t>(count, 4096); ++i) {
    const auto symbol = at<Elf64_Sym>(image, tables.symbols + i * sizeof(Elf64_Sym));
    if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_shndx == SHN_UNDEF) continue;
    const std::uint64_t offset = symbol.st_value - tables.load;
    if (offset < image.size()) functions[text_at(image, tables.strings + symbol.st_name)] = offset;
  }
  return functions;
}

std::optional<std::vector<std::byte>> patched_vdso(std::span<const std::byte> image, std::uint64_t own_base,
                                                   std::uint64_t code_base) {
  const auto functions = vdso_functions(image);
  if (!functions.contains("__vdso_clock_gettime")) return std::nullopt;
  std::vector<std::byte> copy(image.begin(), image.end());
  const VdsoCode code = vdso_code();
  const std::map<std::string, std::size_t> own{
      {"clock_gettime", code.clock_gettime}, {"gettimeofday", code.gettimeofday}, {"time", code.time}};
  for (const auto& [name, offset] : functions) {
    const std::string plain = name.starts_with("__vdso_") ? name.substr(7) : name;
    const auto found = own.find(plain);
    const std::uint64_t target = found != own.end() ? code_base + found->second : own_base + offset;
    const std::vector<std::byte> jump = jump_to(target);
    if (offset + jump.size() <= copy.size())
      std::copy(jump.begin(), jump.end(), copy.begin() + static_cast<std::ptrdiff_t>(offset));
  }
  return copy;
}

std::uint64_t system_call_in(std::span<const std::byte> image) {
  for (std::size_t i = sizeof(Elf64_Ehdr); i + 1 < image.size(); ++i)
    if (image[i] == std::byte{0x0f} && image[i + 1] == std::byte{0x05}) return i;
  return 0;
}

std::span<const std::byte> own_vdso() {
  const std::uint64_t base = ::getauxval(AT_SYSINFO_EHDR);
  std::ifstream maps("/proc/self/maps");
  for (std::string line; base != 0 && std::getline(maps, line);) {
    std::uint64_t from = 0, to = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx", &from, &to) == 2 && from == base)
      return {reinterpret_cast<const std::byte*>(base), static_cast<std::size_t>(to - from)};
  }
  return {};
}

}  // namespace brume::time
