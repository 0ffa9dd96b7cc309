// See plan.h: the stages of program.h, one after another, and what sessions share of them.
#include "runtime/plan/plan.h"

#include <cstring>

#include "runtime/plan/program.h"

namespace tern {

Result<std::shared_ptr<Program>> make_program(Graph graph, const PlanOptions& options) {
  auto program = std::make_shared<Program>(std::move(graph), options);
  if (options.isa == Isa::cuda) program->on_device = std::make_unique<Program::OnDevice>();
  if (Status s = lower(*program); !s) return s.error();
  if (Status s = select_kernels(*program); !s) return s.error();
  if (program->on_device) split(*program);
  if (Status s = lay_out(*program); !s) return s.error();
  return program;
}

Result<Plan> place(const Program& p, Arena::Options options) {
  auto arena = Arena::make(p.arena_bytes(), options);
  if (!arena) return arena.error();
  Plan plan = place_in(p, arena->data());
  plan.arena = std::move(*arena);
  plan.arena_bytes = plan.arena.size();
  return plan;
}

Plan place_in(const Program& p, std::byte* memory) {
  Plan plan;
  std::byte* image = memory + p.values_bytes;
  const uintptr_t by = reinterpret_cast<uintptr_t>(image) - reinterpret_cast<uintptr_t>(p.image.bytes.get());
  std::memcpy(image, p.image.bytes.get(), static_cast<size_t>(p.image_bytes));
  for (int64_t at : p.image.addresses) {
    uintptr_t address;
    std::memcpy(&address, image + at, sizeof address);
    address += by;
    std::memcpy(image + at, &address, sizeof address);
  }
  plan.steps = p.image.steps;
  for (std::vector<Step>& steps : plan.steps) {
    for (Step& s : steps) {
      if (s.run != nullptr) s.args = reinterpret_cast<const void*>(reinterpret_cast<uintptr_t>(s.args) + by);
    }
  }
  plan.faults = {reinterpret_cast<uint32_t*>(image), p.fault_texts.size()};
  auto port = [&](const std::string& name, ValueId v, int32_t buffer) {
    const TypeInfo& type = p.graph.value(v).type;
    const Dims dims = type.shape.concrete();
    return PlanPort{name, type.dtype, dims, memory + p.buffer(buffer).offset, *storage_bytes(type.dtype, dims)};
  };
  const Graph& g = p.graph;
  for (size_t i = 0; i < g.inputs.size(); ++i) plan.inputs.push_back(port(g.value(g.inputs[i]).name, g.inputs[i], p.inputs[i]));
  for (size_t o = 0; o < g.outputs.size(); ++o) plan.outputs.push_back(port(g.output_names[o], g.outputs[o], p.outputs[o]));
  return plan;
}

std::shared_ptr<const Program> Programs::find(const Key& key) const {
  std::lock_guard lock(mutex_);
  const auto at = programs_.find(key);
  return at == programs_.end() ? nullptr : at->second.lock();
}

std::shared_ptr<const Program> Programs::keep(Key key, std::shared_ptr<const Program> program) {
  std::lock_guard lock(mutex_);
  std::erase_if(programs_, [](const auto& entry) { return entry.second.expired(); });
  std::weak_ptr<const Program>& known = programs_[std::move(key)];
  if (auto other = known.lock()) return other;
  known = program;
  return program;
}

}  // namespace tern
