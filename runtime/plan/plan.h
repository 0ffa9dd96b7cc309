// Plan: what a session executes: a graph with static shapes as a flat list of steps over one arena. Made in the stages of program.h.
// Next: program.h.
#pragma once
#include "kernels/pack_store.h"
#include "runtime/base/arena.h"
#include "runtime/graph.h"
#include "tern/tern.h"

namespace tern {

struct PlanOptions {
  Isa isa = Isa::scalar;  // cuda: for a device, with one thread
  int threads = 1;
  int64_t budget = int64_t(4) << 30;  // bytes of the arena and of packed weights
  int64_t work = int64_t(1) << 35;    // operations (work_of) of one run, beyond kWorkPerByte for each byte of constants and inputs
  Arena::Options arena = {};
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
class DeviceWeights;
}  // namespace cuda

struct Plan {
  Arena arena;                           // values, then workspaces, then the faults, then the args and tables of the steps
  std::vector<std::vector<Step>> steps;  // per thread; with several threads all lists are equally long, run == null: nothing to do
  std::vector<PlanPort> inputs, outputs;
  std::span<uint32_t> faults;            // zeroed before a run; not zero after it: an index was out of range, as fault_texts says
  std::vector<std::string> fault_texts;  // "emb (Gather): an index was out of range [-5, 5)"
  std::vector<StepInfo> infos;           // one for each entry of steps[0]
  int64_t macs = 0;
  size_t arena_bytes = 0;
  std::shared_ptr<cuda::DevicePlan> device;  // on a device: it is what runs, no arena and no steps are here, ports and faults lie in pinned memory
};

// The graph must outlive the plan (its constants are read in place). Errors: shapes that are not static, dtypes without a kernel (unsupported),
// over budget (unsupported).
Result<Plan> make_plan(const Graph& graph, PackStore& packs, const PlanOptions& options);
// The same on the device that holds these weights of the model. Errors also: nodes without a kernel for a device, all of them named (unsupported).
Result<Plan> make_plan(const Graph& graph, const std::shared_ptr<cuda::DeviceWeights>& weights, const PlanOptions& options);
// The bytes that the arena of that plan would have; nothing is packed for it. The same errors.
Result<int64_t> measure_plan(const Graph& graph, const PlanOptions& options);
// That plan as text, for people: everything is bound for it, nothing packed, and no arena made. The same errors.
Result<std::string> plan_text(const Graph& graph, const PlanOptions& options);

}  // namespace tern
