// The kernel's vDSO as an image: its functions, and a copy of it in which they lead elsewhere. Pure functions over
// bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace brume::time {

// The functions' offsets in the image, by name. Empty: not an image that is understood.
std::map<std::string, std::uint64_t> vdso_functions(std::span<const std::byte> image);

// A copy for a tool that has the kernel's own at `own_base` and the code of vdso_code.h at `code_base`: the clocks'
// functions lead to the code, every other one to the kernel's, since the copy lacks the data pages before it. nullopt:
// it has no clock_gettime.
std::optional<std::vector<std::byte>> patched_vdso(std::span<const std::byte> image, std::uint64_t own_base,
                                                   std::uint64_t code_base);

// Where a system call instruction lies in it; 0: nowhere.
std::uint64_t system_call_in(std::span<const std::byte> image);

// This process's own, which every 64-bit process of the machine has alike. Empty: the kernel gives none.
std::span<const std::byte> own_vdso();

}  // namespace brume::time
