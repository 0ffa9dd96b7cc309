// ptxsim: executes the PTX that nvcc emitted, on a machine without a GPU, and says what is wrong with it.
//   Module   parsed PTX; immutable, shared by threads and Machines.
//   Machine  a device's memory, and launches on it; not thread safe, several may run at once.
// A launch runs blocks one after another (all in turn when blocks wait for each other), each warp's 32 lanes in lockstep. Findings are what a
// kernel does wrong (races, bounds, barriers, ...); an Error is what the caller or the file does wrong. The model and its limits: README.md.
// You are here: the whole interface. Next: module.h (the text as data), decode.h, warp.h.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tern/status.h"

namespace ptxsim {

using tern::Error;
using tern::Result;
using tern::Status;

struct Dim3 {
  uint32_t x = 1, y = 1, z = 1;
  uint64_t count() const { return uint64_t(x) * y * z; }
};

// When cp.async copies: both are legal, and a kernel must be right in both.
enum class AsyncMode : uint8_t { at_issue, at_wait };

struct Options {
  bool diagnose = true;  // races, uninitialised reads, stale copies; bounds, barriers and absent lanes are always checked
  bool taint = false;    // which addresses and branches depend on loaded data
  AsyncMode async = AsyncMode::at_issue;
  enum class WarpOrder : uint8_t { ascending, descending, shuffled } order = WarpOrder::ascending;
  uint64_t seed = 0;                              // of `shuffled`
  int64_t max_instructions = 20'000'000'000;      // thread-instructions of one launch; beyond it the launch ends with a finding (a hang)
  int max_findings = 16;                          // places; repetitions of one place are counted
  std::function<void(std::string_view)> printed;  // what the kernel's printf gives; stdout when empty
};

enum class Kind : uint8_t {
  race,           // two threads of a block, one shared word, no order between them, one writes
  barrier,        // a barrier that threads of the block do not reach, or that a warp reaches in parts
  uninitialised,  // a read of shared, local or freshly allocated global bytes that nobody wrote
  out_of_bounds,
  misaligned,
  stale_async,   // a cp.async destination read, or its source or destination written, before the copy was waited for
  absent_lanes,  // a warp collective that names lanes which are not there
  inter_block,   // two blocks, one global word, no atomics or fences, one writes
  hang,          // more than max_instructions, or nobody can go on
  assertion,     // assert() of the kernel
  trap,
};
const char* name_of(Kind);

struct Finding {
  Kind kind = Kind::race;
  std::string kernel, file;  // the .cu file, from .loc; empty without -lineinfo
  int ptx_line = 0, cu_line = 0;
  Dim3 block{0, 0, 0}, thread{0, 0, 0};
  std::string text;             // what, and what to do
  int64_t times = 1;            // how often this place was met
  std::string to_text() const;  // one line: where, what, what to do
};

enum class InstructionClass : uint8_t { fma, float_other, integer, conversion, move, compare, memory, control, barrier, warp, matrix, count };
const char* name_of(InstructionClass);

struct Counters {
  int64_t instructions = 0;                                // of threads
  int64_t warp_instructions = 0;                           // of warps
  int64_t by_class[size_t(InstructionClass::count)] = {};  // of threads
  int64_t global_loads = 0, global_load_sectors = 0;       // requests of warps, and the 32-byte sectors that they touch
  int64_t global_stores = 0, global_store_sectors = 0;
  int64_t global_load_bytes = 0, global_store_bytes = 0;  // what lanes asked for
  int64_t shared_requests = 0, shared_wavefronts = 0;     // modelled: 32 banks of 4 bytes; 8-byte accesses in half warps, 16-byte in quarters
  int64_t barriers = 0;                                   // of warps
  int64_t branches = 0, divergent_branches = 0;           // of warps
  double fma_share() const { return instructions == 0 ? 0 : double(by_class[size_t(InstructionClass::fma)]) / double(instructions); }
  double active_lane_ratio() const { return warp_instructions == 0 ? 0 : double(instructions) / (32.0 * double(warp_instructions)); }
  std::string to_text() const;
};

// Addresses and decisions that depend on loaded data. A clean run (no findings) with none of them holds for all inputs of the same launch shape
// and parameters: every thread would take the same path through the same addresses.
struct TaintReport {
  struct Place {
    int ptx_line = 0, cu_line = 0;
    std::string file, text;
  };
  bool ran = false;
  std::vector<Place> addresses, decisions;
  bool clean() const { return ran && addresses.empty() && decisions.empty(); }
  std::string to_text() const;
};

struct LaunchResult {
  std::vector<Finding> findings;
  Counters counters;
  TaintReport taint;
  bool completed = false;  // every thread ran to its end
};

struct Parameter {
  std::string name;
  uint32_t offset = 0, size = 0, align = 1;  // of the parameter block
};
struct KernelInfo {
  std::string name;
  std::vector<Parameter> parameters;
  uint32_t parameter_bytes = 0;
  uint32_t static_shared = 0;            // bytes, with the gaps that ptxsim leaves between arrays
  uint32_t local_bytes = 0;              // per thread
  uint32_t max_threads = 0;              // .maxntid or .reqntid; 0: not said
  std::vector<std::string> unsupported;  // one line each: what this simulator cannot run
};

struct ModuleData;
class Module {
 public:
  // Errors name the line. `name`: of the file, for messages.
  static Result<Module> parse(std::string_view text, std::string name);
  std::vector<std::string> kernels() const;
  // Decodes the kernel when first asked for it. An unknown name is an error that lists those there are.
  Result<KernelInfo> find(std::string_view kernel) const;
  const ModuleData& data() const { return *data_; }

 private:
  std::shared_ptr<const ModuleData> data_;
};

class Machine {
 public:
  Machine();
  ~Machine();
  Machine(Machine&&) noexcept;
  Machine& operator=(Machine&&) noexcept;

  // Device memory, 256-byte aligned, contents uninitialised (and tracked). Addresses are never used again, and between two allocations lies a
  // gap, so that no access beyond one lands in another. The end is exact to the byte.
  Result<uint64_t> allocate(size_t bytes);
  void free(uint64_t address);
  Status write(uint64_t to, const void* from, size_t bytes);
  Status read(void* to, uint64_t from, size_t bytes) const;
  // Forgets that these bytes were written: a read before the next write is a finding again.
  Status forget(uint64_t address, size_t bytes);
  // Pinned host memory, mapped for the device: two views of the same bytes. free(device) ends both.
  struct HostMemory {
    void* host = nullptr;
    uint64_t device = 0;
  };
  Result<HostMemory> allocate_host(size_t bytes);
  // The address of a module's .global or .const variable on this machine (cudaGetSymbolAddress). Every machine has variables of its own.
  Result<uint64_t> symbol(const Module&, std::string_view name);

  // `params`: the parameter block in the kernel's layout (KernelInfo::parameters). kUnsupported, with line and text, when the kernel holds an
  // instruction that ptxsim does not know; kUsage when grid, block, shared bytes or params do not fit.
  Result<LaunchResult> launch(const Module&, std::string_view kernel, Dim3 grid, Dim3 block, uint32_t dynamic_shared,
                              std::span<const std::byte> params, const Options&);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ptxsim
