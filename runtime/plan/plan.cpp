// See plan.h: the stages of program.h, one after another.
#include "runtime/plan/plan.h"

#include "runtime/cuda/device_plan.h"
#include "runtime/plan/program.h"

namespace tern {
namespace {

Result<int64_t> prepare(Program& program) {
  if (Status s = lower(program); !s) return s.error();
  if (Status s = select_kernels(program); !s) return s.error();
  return lay_out(program);
}

}  // namespace

Result<Plan> make_plan(const Graph& graph, PackStore& packs, const PlanOptions& options) {
  Program program(graph, options);
  auto bytes = prepare(program);
  if (!bytes) return bytes.error();
  return link_steps(program, *bytes, packs);
}

Result<Plan> make_plan(const Graph& graph, const std::shared_ptr<cuda::DeviceWeights>& weights, const PlanOptions& options) {
  Program program(graph, options);
  auto bytes = prepare(program);
  if (!bytes) return bytes.error();
  return cuda::link_launches(program, *bytes, weights);
}

Result<int64_t> measure_plan(const Graph& graph, const PlanOptions& options) {
  Program program(graph, options);
  auto bytes = prepare(program);
  if (!bytes) return bytes;
  return static_cast<int64_t>(Arena::rounded(static_cast<size_t>(*bytes), options.arena));
}

Result<std::string> plan_text(const Graph& graph, const PlanOptions& options) {
  Program program(graph, options);
  auto bytes = prepare(program);
  if (!bytes) return bytes.error();
  return plan_text(program, *bytes);
}

}  // namespace tern
