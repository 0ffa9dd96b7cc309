// Machine: its memory, modules on it, and a launch from check to result.
#include <deque>

#include "runtime/base/printable.h"
#include "tools/ptxsim/decode.h"
#include "tools/ptxsim/text.h"
#include "tools/ptxsim/warp.h"

namespace ptxsim {

constexpr uint64_t kFirstQuantum = 100'000, kTurn = 10'000;  // thread-instructions, for blocks that may wait for each other
constexpr size_t kMostBlocks = 1024;                         // at once
constexpr uint64_t kMostRegisters = uint64_t(1) << 30;
constexpr uint32_t kMostShared = 227 * 1024;

struct Machine::State {
  MemoryMap memory;
  std::unordered_map<const ModuleData*, Module> modules;  // whose variables are here
  uint64_t blocks = 0;                                    // of all launches

  Status load(const Module&);
};

Machine::Machine() : state_(std::make_unique<State>()) {}
Machine::~Machine() = default;
Machine::Machine(Machine&&) noexcept = default;
Machine& Machine::operator=(Machine&&) noexcept = default;

Result<uint64_t> Machine::allocate(size_t bytes) {
  if (bytes == 0) return tern::usage("an allocation of 0 bytes");
  const Region* r = bytes > (size_t(1) << 40) ? nullptr : state_->memory.allocate(bytes, false);
  if (r == nullptr) return tern::unsupported("no memory for " + std::to_string(bytes) + " bytes");
  return r->base;
}

void Machine::free(uint64_t address) { state_->memory.free(address); }

Result<Machine::HostMemory> Machine::allocate_host(size_t bytes) {
  if (bytes == 0) return tern::usage("an allocation of 0 bytes");
  const Region* r = bytes > (size_t(1) << 40) ? nullptr : state_->memory.allocate(bytes, true);
  if (r == nullptr) return tern::unsupported("no memory for " + std::to_string(bytes) + " bytes");
  return HostMemory{r->data, r->base};
}

Status Machine::write(uint64_t to, const void* from, size_t bytes) {
  if (bytes == 0) return {};
  Region* r = state_->memory.find(to);
  if (r == nullptr || r->size - (to - r->base) < bytes)
    return tern::usage("write of " + std::to_string(bytes) + " bytes at " + hex(to) + ": " + state_->memory.nearest(to));
  std::memcpy(r->data + (to - r->base), from, bytes);
  if (!r->written.empty()) {
    if (bytes == r->size) r->written = {};
    else std::memset(r->written.data() + (to - r->base), 1, bytes);
  }
  return {};
}

Status Machine::read(void* to, uint64_t from, size_t bytes) const {
  if (bytes == 0) return {};
  const Region* r = state_->memory.find(from);
  if (r == nullptr || r->size - (from - r->base) < bytes)
    return tern::usage("read of " + std::to_string(bytes) + " bytes at " + hex(from) + ": " + state_->memory.nearest(from));
  std::memcpy(to, r->data + (from - r->base), bytes);
  return {};
}

Status Machine::forget(uint64_t address, size_t bytes) {
  if (bytes == 0) return {};
  Region* r = state_->memory.find(address);
  if (r == nullptr || r->size - (address - r->base) < bytes)
    return tern::usage("forget " + std::to_string(bytes) + " bytes at " + hex(address) + ": " + state_->memory.nearest(address));
  if (r->written.empty()) r->written.assign(r->size, 1);
  std::memset(r->written.data() + (address - r->base), 0, bytes);
  std::memset(r->data + (address - r->base), 0xff, bytes);
  return {};
}

// The module's variables, with their initial values.
Status Machine::State::load(const Module& module) {
  const ModuleData& data = module.data();
  if (modules.contains(&data)) return {};
  for (const auto& [name, v] : data.globals) {
    if (v->space == Space::shared || v->size == 0 || v->is_extern) continue;
    Region* r = memory.map_at(v->address, v->size);
    if (r == nullptr)
      return tern::unsupported("no memory for the variable '" + tern::printable(name, 80) + "' of " + std::to_string(v->size) + " bytes");
    r->constant = v->space == Space::constant;
    std::copy_n(reinterpret_cast<const std::byte*>(v->initial.data()), std::min<size_t>(v->initial.size(), v->size), r->data);
    for (const Variable::Reference& ref : v->references) {
      const auto to = data.globals.find(ref.symbol);
      if (to == data.globals.end()) continue;  // of a function: virtual tables, which no kernel here can call through
      const uint64_t address = to->second->address + ref.add;
      std::memcpy(r->data + ref.at, &address, ref.bytes);
    }
  }
  modules.emplace(&data, module);
  return {};
}

Result<uint64_t> Machine::symbol(const Module& module, std::string_view name) {
  const auto it = module.data().globals.find(name);
  if (it == module.data().globals.end() || it->second->space == Space::shared)
    return tern::usage("no variable '" + tern::printable(name, 80) + "' in " + module.data().name);
  if (Status s = state_->load(module); !s) return s.error();
  return it->second->address;
}

Result<LaunchResult> Machine::launch(const Module& module, std::string_view kernel, Dim3 grid, Dim3 block, uint32_t dynamic_shared,
                                     std::span<const std::byte> params, const Options& options) {
  Result<KernelInfo> info = module.find(kernel);
  if (!info) return info.error();
  const std::string name = tern::printable(kernel, 120);
  if (!info->unsupported.empty()) {
    std::string lines;
    for (size_t i = 0; i < info->unsupported.size() && i < 4; ++i) lines += "\n  " + info->unsupported[i];
    if (info->unsupported.size() > 4) lines += "\n  and " + std::to_string(info->unsupported.size() - 4) + " more";
    return tern::unsupported(name + ": " + std::to_string(info->unsupported.size()) + " instructions that ptxsim cannot run:" + lines);
  }
  const uint64_t threads = block.count();
  const uint32_t limit = info->max_threads != 0 ? std::min(1024u, info->max_threads) : 1024;
  if (threads == 0 || block.x > 1024 || block.y > 1024 || block.z > 64 || threads > limit) {
    return tern::usage(name + ": a block of " + triple(block) + " threads; from 1 to " + std::to_string(limit) + " are possible");
  }
  if (grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.x > 0x7fffffffu || grid.y > 65535 || grid.z > 65535)
    return tern::usage(name + ": a grid of " + triple(grid) + " blocks");
  if (params.size() != info->parameter_bytes) {
    return tern::usage(name + ": " + std::to_string(params.size()) + " bytes of parameters, and the kernel takes " +
                       std::to_string(info->parameter_bytes));
  }
  Launch launch;
  {
    const ModuleData& data = module.data();
    const std::lock_guard<std::mutex> lock(data.mutex);
    launch.code = data.decoded.at(data.by_name.at(kernel)).get();
  }
  const Program& code = *launch.code;
  const uint32_t* required = code.function->required;
  if (required[0] != 0 && (block.x != required[0] || block.y != required[1] || block.z != required[2])) {
    return tern::usage(name + ": a block of " + triple(block) + " threads where the kernel requires " +
                       triple({required[0], required[1], required[2]}));
  }
  if (dynamic_shared > kMostShared)
    return tern::usage(name + ": " + std::to_string(dynamic_shared) + " bytes of dynamic shared memory; no GPU has more than " +
                       std::to_string(kMostShared));
  if (Status s = state_->load(module); !s) return s.error();
  const size_t warps = size_t((threads + kLanes - 1) / kLanes);
  if (warps * code.register_bytes > kMostRegisters) return tern::unsupported(name + ": its registers take more than 1 GiB a block");
  launch.memory = &state_->memory;
  launch.options = options;
  launch.diagnose = options.diagnose;
  launch.grid = grid;
  launch.block_dim = block;
  launch.dynamic_shared = dynamic_shared;
  launch.shared_layout = code.shared;
  if (dynamic_shared != 0) {
    launch.shared_layout.inside.resize(code.dynamic_at, 0);
    launch.shared_layout.inside.resize(code.dynamic_at + dynamic_shared, 1);
  }
  launch.shared_bytes = launch.shared_layout.size();
  launch.params.assign(params.begin(), params.end());
  launch.caches.resize(code.caches);
  launch.executed_lanes.assign(code.instructions.size(), 0);
  launch.executed_warps.assign(code.instructions.size(), 0);
  launch.budget = options.max_instructions;
  const uint64_t blocks = grid.count();
  if (state_->blocks + blocks >= 0x7ffffff0u) {
    state_->memory.forget_blocks();
    state_->blocks = 0;
  }
  if (blocks >= 0x7fffff00u) return tern::usage(name + ": a grid of more blocks than ptxsim counts");
  launch.first_block = uint32_t(state_->blocks);
  state_->blocks += blocks + 1;  // one more number stands for several blocks

  for (const Program::SpecialSlot& s : code.specials) {
    if (s.special != Special::workspace_low) continue;
    const Region* r = state_->memory.allocate(256, true);
    if (r == nullptr) return tern::unsupported(name + ": no memory for the grid's barrier");
    launch.workspace = r->base;
  }

  // One block after the other; blocks that may wait for each other share the time, a new one joining whenever all have had their turn.
  std::deque<std::unique_ptr<Block>> live, spare;
  uint64_t next = 0;
  while (!launch.stop && (next < blocks || !live.empty())) {
    if (next < blocks && live.size() < kMostBlocks) {
      std::unique_ptr<Block> b = spare.empty() ? std::make_unique<Block>() : std::move(spare.back());
      if (!spare.empty()) spare.pop_back();
      start(*b, launch, next++);
      live.push_back(std::move(b));
    }
    const size_t turns = live.size();
    for (size_t i = turns; i-- > 0 && !launch.stop;) {  // the youngest first: when nobody waits, it is the only one
      if (!run(*live[i], i + 1 == turns ? kFirstQuantum : kTurn)) continue;
      spare.push_back(std::move(live[i]));
      live.erase(live.begin() + long(i));
    }
  }
  if (launch.workspace != 0) state_->memory.free(launch.workspace);
  launch.result.completed = !launch.stop;
  finish(launch);
  return std::move(launch.result);
}

}  // namespace ptxsim
