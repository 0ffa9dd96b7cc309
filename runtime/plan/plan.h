// Plan: what a session executes: a graph with static shapes as a flat list of steps over one arena. Its Program, made in the stages of program.h,
// is shared by all plans of the same shapes.
// Next: program.h.
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <tuple>

#include "kernels/pack_store.h"
#include "runtime/base/arena.h"
#include "runtime/graph.h"
#include "tern/tern.h"

namespace tern {

// Sharing a step costs about two ways to the other threads and back, on a virtual machine half a microsecond each, and then the next step reads half
// of its input from another CPU's cache. f32 code does some fifty of the operations that work_of() counts in a nanosecond: what takes two microseconds
// alone gains by it.
constexpr int64_t kLeastSplit = 100'000;

struct PlanOptions {
  Isa isa = Isa::scalar;  // cuda: for a device, with one thread
  Products products = {};
  int threads = 1;
  int64_t budget = int64_t(4) << 30;  // bytes of the arena and of packed weights
  int64_t work = int64_t(1) << 35;    // operations (work_of) of one run, beyond kWorkPerByte for each byte of constants and inputs
  int64_t least_split = kLeastSplit;  // operations (work_of) of a node that threads share
  std::optional<Isa> beside = {};     // for a device: nodes without a kernel there run on the CPU, with this ISA; nothing: they are refused
};

constexpr int64_t kWorkPerByte = 4096;
// Tables are filled entry by entry when a session is made, so they may take less of the budget than values, which cost nothing until they are
// written: one part in so many.
constexpr int64_t kTablesOfBudget = 16;

struct PlanPort {
  std::string name;
  DType dtype = DType::none;
  Dims dims;
  std::byte* data = nullptr;
  int64_t bytes = 0;
};

namespace cuda {
struct DevicePlan;  // runtime/cuda/device_plan.h
}

struct Plan {
  Arena arena;                           // values, then workspaces, then the faults, then the args and tables of the steps
  std::vector<std::vector<Step>> steps;  // per thread; with several threads all lists are equally long, run == null: nothing to do
  std::vector<PlanPort> inputs, outputs;
  size_t arena_bytes = 0;                    // on a device: of its own
  std::shared_ptr<cuda::DevicePlan> device;  // the arena is pinned memory there, and of the steps those of the device are empty
  std::span<uint32_t> faults;                // zeroed before a run; not zero after it: an index was out of range, as Program::fault_texts says
};

struct Program;  // program.h

// Errors: shapes that are not static, dtypes without a kernel (unsupported), over budget (unsupported); for a device also nodes without a kernel there,
// all of them named.
Result<std::shared_ptr<Program>> make_program(Graph graph, const PlanOptions& options);
// A plan of a program that is linked (link_steps), whose arena is made so: copying the image and moving its addresses is all that it takes.
// The program must outlive it.
Result<Plan> place(const Program& program, Arena::Options arena);
// The same in memory of the caller, Program::arena_bytes() of it, 64-byte aligned and zeroed, which must outlive the plan.
Plan place_in(const Program& program, std::byte* memory);

// The linked programs that sessions of a model hold now, by what they were made from. Any thread may call it.
class Programs {
 public:
  // Dims, ISA, weights, threads, budget, work, as the caller gave them.
  using Key = std::tuple<std::map<std::string, int64_t>, Isa, WeightForm, int, int64_t, int64_t>;
  std::shared_ptr<const Program> find(const Key& key) const;
  // The one to use: this, or what another thread has made of the same key meanwhile.
  std::shared_ptr<const Program> keep(Key key, std::shared_ptr<const Program> program);

 private:
  mutable std::mutex mutex_;
  std::map<Key, std::weak_ptr<const Program>> programs_;
};

}  // namespace tern
