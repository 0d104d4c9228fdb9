#include "planes/time/tool_image.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <cstring>
#include <fstream>
#include <vector>

#include "planes/time/tracee.h"
#include "planes/time/vdso_code.h"
#include "planes/time/vdso_image.h"

namespace brume::time {
namespace {

constexpr unsigned long long kUserCode64 = 0x33;  // the segment of 64-bit code

// Where the auxiliary vector names the vDSO, on the stack of a program that has not begun: behind its arguments and
// environment.
std::uint64_t find_vdso_entry(pid_t thread, std::uint64_t stack) {
  const auto word = [&](std::uint64_t address) {
    std::uint64_t value = 0;
    return read_memory(thread, address, &value, sizeof value) ? value : 0;
  };
  std::uint64_t at = stack + 8 * (word(stack) + 2);
  while (word(at) != 0) at += 8;
  for (at += 8;; at += 16) {
    const std::uint64_t type = word(at);
    if (type == AT_SYSINFO_EHDR) return at + 8;
    if (type == AT_NULL) return 0;
  }
}

// Go's linker leaves a note in every program.
bool is_go_program(pid_t thread) {
  std::ifstream file("/proc/" + std::to_string(thread) + "/exe", std::ios::binary);
  Elf64_Ehdr header{};
  if (!file.read(reinterpret_cast<char*>(&header), sizeof header)) return false;
  for (int i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment{};
    file.seekg(static_cast<std::streamoff>(header.e_phoff) + i * static_cast<std::streamoff>(sizeof segment));
    if (!file.read(reinterpret_cast<char*>(&segment), sizeof segment)) return false;
    if (segment.p_type != PT_NOTE || segment.p_filesz < 16) continue;
    char note[16];
    file.seekg(static_cast<std::streamoff>(segment.p_offset));
    if (file.read(note, sizeof note) && std::memcmp(note + 12, "Go\0", 4) == 0) return true;
  }
  return false;
}

struct Failure {
  std::string what;
};

class Putting {
 public:
  Putting(pid_t thread, const std::string& page_path, RemoteCalls& remote, std::uint64_t stack)
      : thread_(thread), page_path_(page_path), remote_(remote), stack_(stack) {}

  // Returns the address of the copy.
  std::uint64_t put(std::uint64_t kernel_vdso, std::span<const std::byte> vdso) {
    const std::uint64_t vdso_bytes = (vdso.size() + kPage - 1) / kPage * kPage;
    const int file = open_page();
    const std::uint64_t base =
        call(SYS_mmap, {0, vdso_bytes + kTailBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, ~0ULL, 0},
             "no memory in it");
    const std::uint64_t code = base + vdso_bytes;
    call(SYS_mmap, {code + kClockOffset, kPage, PROT_READ, MAP_SHARED | MAP_FIXED, static_cast<std::uint64_t>(file), 0},
         "the clock cannot be mapped in it");
    call(SYS_close, {static_cast<std::uint64_t>(file), 0, 0, 0, 0, 0}, "closing");
    const auto copy = patched_vdso(vdso, kernel_vdso, code);
    if (!copy) throw Failure{"the kernel's vDSO is not understood"};
    const auto functions = vdso_functions(vdso);
    const VdsoConstants constants{kernel_vdso + functions.at("__vdso_clock_gettime"),
                                  kernel_vdso + functions.at("__vdso_gettimeofday")};
    const std::span<const std::byte> bytes = vdso_code().bytes;
    if (!write_memory(thread_, base, copy->data(), copy->size()) ||
        !write_memory(thread_, code, bytes.data(), bytes.size()) ||
        !write_memory(thread_, code + kConstantsOffset, &constants, sizeof constants))
      throw Failure{"its memory cannot be written"};
    call(SYS_mprotect, {base, vdso_bytes + kPage, PROT_READ | PROT_EXEC, 0, 0, 0}, "no executable memory in it");
    call(SYS_mprotect, {code + kConstantsOffset, kPage, PROT_READ, 0, 0, 0}, "no memory in it");
    return base;
  }

 private:
  std::uint64_t call(long number, const std::array<std::uint64_t, 6>& arguments, const char* problem) {
    const auto result = remote_.run({number, arguments});
    if (!result || (*result < 0 && *result > -4096)) throw Failure{problem};
    return static_cast<std::uint64_t>(*result);
  }
  int open_page() {
    // Below the stack's end lies nothing yet.
    const std::uint64_t text = stack_ - 8192;
    if (!write_memory(thread_, text, page_path_.c_str(), page_path_.size() + 1))
      throw Failure{"its memory cannot be written"};
    return static_cast<int>(call(SYS_openat,
                                 {static_cast<std::uint64_t>(AT_FDCWD), text, O_RDONLY | O_CLOEXEC, 0, 0, 0},
                                 "the cloud's clock is out of its sight"));
  }

  pid_t thread_;
  const std::string& page_path_;
  RemoteCalls& remote_;
  std::uint64_t stack_;
};

}  // namespace

PutImage put_image(pid_t thread, const std::string& page_path) {
  PutImage result;
  user_regs_struct registers{};
  if (!read_registers(thread, registers)) return result;
  if (registers.cs != kUserCode64) return {.problem = "a program of another architecture"};
  const std::span<const std::byte> vdso = own_vdso();
  const std::uint64_t entry = find_vdso_entry(thread, registers.rsp);
  std::uint64_t kernel_vdso = 0;
  if (entry != 0) read_memory(thread, entry, &kernel_vdso, sizeof kernel_vdso);
  const std::uint64_t instruction = system_call_in(vdso);
  if (kernel_vdso == 0 || instruction == 0) return {.problem = "the kernel gives it no vDSO"};
  result.image = {.is_go = is_go_program(thread),
                  .kernel_vdso = kernel_vdso,
                  .vdso_size = vdso.size(),
                  .system_call = kernel_vdso + instruction};
  {
    RemoteCalls remote(thread, result.image.system_call);
    try {
      const std::uint64_t base = Putting(thread, page_path, remote, registers.rsp).put(kernel_vdso, vdso);
      const std::uint64_t vdso_bytes = (vdso.size() + kPage - 1) / kPage * kPage;
      result.image.slots = base + vdso_bytes + kSlotsOffset;
      result.image.is_followed = write_memory(thread, entry, &base, sizeof base);
    } catch (const Failure& failure) {
      result.problem = failure.what;
    }
    result.death = remote.death();
  }
  return result;
}

}  // namespace brume::time
