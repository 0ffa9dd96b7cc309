// The machine code that ptxas made of a kernel, counted: which instructions, how wide their loads, registers, shared memory, how many warps fit on
// a multiprocessor. Read from the cubin's ELF sections; nothing of the toolkit is needed.
//   An instruction is 16 bytes. The low 9 bits of the first word are its operation, the next 3 the form of its operands; bits 9 to 11 of the second word
//   are the width of a memory access (4: 32 bits, 5: 64, 6: 128). The same from sm_75 to sm_120: tests/cuda/sass holds a calibration.
// Next: cubin.cpp, census.cpp (the command).
#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tern/status.h"

namespace sass {

struct KernelCode {
  std::string name;
  int registers = 0;                      // of a thread
  int64_t shared_bytes = 0;               // static
  int64_t stack_bytes = 0;                // of a thread, in local memory
  int max_threads = 0;                    // of a block (__launch_bounds__); 0: not said
  int64_t instructions = 0;               // without what pads the end
  std::map<std::string, int64_t> counts;  // "FFMA", "LDG", "LDG.128", "HMMA" …; of what sass.h knows, the rest is "other"
  double ffma_share = 0;                  // of the densest kWindow instructions in a row: the inner loop of a product
  // Of the instructions in counts.
  int64_t count(const std::string& name) const;
};
constexpr int kWindow = 128;

struct Cubin {
  int sm = 0;  // 90
  std::vector<KernelCode> kernels;
};
// Errors (invalid): not a cubin, cut off, an offset beyond the file.
tern::Result<Cubin> read_cubin(std::span<const std::byte> file);

// "FFMA"; nullptr of an operation that the table does not have.
const char* operation(uint64_t first_word);

// The share of a multiprocessor's warps that can be there at once, limited by registers, shared memory and blocks. Nothing known of the card: 0.
double occupancy(int sm, const KernelCode& kernel, int threads, int64_t dynamic_shared);

}  // namespace sass
