// Branches, calls (inlined), the kernel's frame; and where registers lie.
#include <cstring>

#include "runtime/base/printable.h"
#include "tools/ptxsim/decode.h"
#include "tools/ptxsim/handlers.h"

namespace ptxsim {
namespace {

constexpr uint32_t kMostCalls = 32;  // nested

}  // namespace

bool Decoder::control(Op& op) {
  const Statement& s = *now_;
  if (op.is("bra")) {
    op.has("uni");
    if (!need(1)) return true;
    emit(nullptr, InstructionClass::control).flow = Flow::branch;
    frame_->fixups.push_back({uint32_t(code_.instructions.size() - 1), kNone, operand(0).name, now_});
  } else if (op.is("brx")) {
    op.has_any({"idx", "uni"});
    if (!need(2)) return true;
    uint32_t index = 0;
    if (!source(operand(0), Type::b32, &index)) return true;
    const std::vector<std::string_view>* targets = nullptr;
    for (int at = s.scope; at >= 0 && targets == nullptr; at = frame_->function->scopes[size_t(at)].parent) {
      const auto& lists = frame_->function->scopes[size_t(at)].branch_targets;
      if (const auto it = lists.find(operand(1).name); it != lists.end()) targets = &it->second;
    }
    if (targets == nullptr) return refuse(s, "there are no .branchtargets of that name"), true;
    Instruction& in = emit(nullptr, InstructionClass::control);
    in.flow = Flow::table;
    in.a = index;
    in.list = uint32_t(code_.pool.size());
    in.imm = targets->size();
    for (const std::string_view t : *targets) {
      frame_->fixups.push_back({uint32_t(code_.instructions.size() - 1), uint32_t(code_.pool.size()), t, now_});
      code_.pool.push_back(0);
    }
  } else if (op.is("ret") || op.is("exit")) {
    op.has("uni");
    if (!need(0)) return true;
    Instruction& in = emit(nullptr, InstructionClass::control);
    in.flow = Flow::exit;
    if (op.is("ret") && frame_->caller != nullptr) {
      in.flow = Flow::branch;
      frame_->returns.push_back(uint32_t(code_.instructions.size() - 1));
    }
  } else if (op.is("trap") || op.is("brkpt")) {
    emit(op.is("trap") ? trap : no_operation, InstructionClass::control);
  } else if (op.is("nanosleep")) {
    uint32_t ignored = 0;
    if (!need(1) || !source(operand(0), Type::u32, &ignored)) return true;
    emit(no_operation, InstructionClass::control).flow = Flow::wait;
  } else if (op.is("griddepcontrol") || op.is("pmevent") || op.is("setmaxnreg") || op.is("createpolicy") || op.is("applypriority") ||
             op.is("discard") || op.is("prefetch") || op.is("prefetchu")) {
    if (op.is("createpolicy")) {
      op.has_any({"fractional", "range", "L2::evict_last", "L2::evict_normal", "L2::evict_first", "L2::evict_unchanged"});
      uint32_t d = 0;
      if (s.operands.empty() || !destination(operand(0), 8, &d)) return true;
    }
    op.has_any({"wait", "launch_dependents", "inc", "dec", "sync", "aligned", "global", "local", "L1", "L2", "L2::evict_normal", "L2::evict_last",
                "L2::128B"});
    emit(no_operation, InstructionClass::control);
  } else {
    return op.is("call") && call(op);
  }
  return true;
}

bool Decoder::call(Op& op) {
  op.has("uni");
  const Statement& s = *now_;
  size_t at = 0;
  const Operand* results = nullptr;
  if (!s.operands.empty() && s.operands[0].kind == Operand::Kind::list) results = &s.operands[at++];
  if (at >= s.operands.size() || s.operands[at].kind != Operand::Kind::name) return refuse(s, "a call of nothing"), true;
  const Binding b = find(s.operands[at].name, s.scope);
  const Operand* arguments = at + 1 < s.operands.size() && s.operands[at + 1].kind == Operand::Kind::list ? &s.operands[at + 1] : nullptr;
  if (b.kind == Binding::Kind::reg) return refuse(s, "an indirect call (a function pointer or a virtual function)"), true;
  if (b.kind != Binding::Kind::function) return refuse(s, "a call of what is no function"), true;
  if (!b.function->defined) {
    if (!builtin(*b.function, results, arguments))
      refuse(s, "a call of '" + tern::printable(b.function->name, 60) + "', which the file does not define");
    return true;
  }
  uint32_t skip = kNone;  // a call under a predicate: the others jump over it
  if (predicate_ != kTrue) {
    Instruction& in = emit(nullptr, InstructionClass::control);
    in.flow = Flow::branch;
    in.flip = ~in.flip;
    skip = uint32_t(code_.instructions.size() - 1);
  } else {
    emit(no_operation, InstructionClass::control);
  }
  inlined(*b.function, results, arguments);
  if (skip != kNone) code_.instructions[skip].target = uint32_t(code_.instructions.size());
  return true;
}

void Decoder::inlined(const Function& f, const Operand* results, const Operand* arguments) {
  const Statement& s = *now_;
  for (const Frame* up = frame_; up != nullptr; up = up->caller) {
    if (up->function == &f) return void(refuse(s, "a recursive call"));
  }
  if (depth_ >= kMostCalls) return void(refuse(s, "calls nested more than 32 deep"));
  Frame inner;
  inner.function = &f;
  inner.caller = frame_;
  const auto bind = [&](const std::vector<Variable*>& formal, const Operand* actual) {
    const size_t count = actual == nullptr ? 0 : actual->items.size();
    if (count != formal.size()) return refuse(s, "a call with another number of arguments than the function has");
    for (size_t i = 0; i < count; ++i) {
      const Binding b = actual->items[i].kind == Operand::Kind::name ? find(actual->items[i].name, s.scope) : Binding();
      uint64_t at = 0;
      Space space = Space::generic;
      if (b.kind != Binding::Kind::variable || !value_of(*b.variable, &at, &space) || space != Space::local)
        return refuse(s, "an argument that is no .param variable");
      if (b.variable->size < formal[i]->size) return refuse(s, "an argument smaller than the parameter");
      inner.local[formal[i]] = uint32_t(at);
    }
    return true;
  };
  if (!bind(f.returns, results) || !bind(f.parameters, arguments)) return;
  Frame* const outer = frame_;
  const bool kept_ok = ok_;
  ++depth_;
  frame_ = &inner;
  body();
  frame_ = outer;
  --depth_;
  now_ = &s;
  ok_ = kept_ok;
  reads_.clear(), writes_.clear();
}

// Functions of CUDA's device runtime that are here without PTX.
bool Decoder::builtin(const Function& f, const Operand* results, const Operand* arguments) {
  const auto offset = [&](const Operand& o, uint32_t* out) {
    const Binding b = o.kind == Operand::Kind::name ? find(o.name, now_->scope) : Binding();
    uint64_t at = 0;
    Space space = Space::generic;
    if (b.kind != Binding::Kind::variable || !value_of(*b.variable, &at, &space) || space != Space::local) return false;
    *out = uint32_t(at);
    return true;
  };
  const size_t count = arguments == nullptr ? 0 : arguments->items.size();
  if (f.name == "vprintf" && count == 2 && results != nullptr && results->items.size() == 1) {
    uint32_t at[3];
    if (!offset(arguments->items[0], &at[0]) || !offset(arguments->items[1], &at[1]) || !offset(results->items[0], &at[2])) return false;
    Instruction& in = emit(print, InstructionClass::control);
    in.a = at[0], in.b = at[1], in.c = at[2];
    return true;
  }
  if ((f.name == "__assertfail" || f.name == "__assert_fail") && count >= 4) {
    uint32_t at[4];
    for (int i = 0; i < 4; ++i) {
      if (!offset(arguments->items[size_t(i)], &at[i])) return false;
    }
    Instruction& in = emit(assertion_failed, InstructionClass::control);
    in.a = at[0], in.b = at[1], in.c = at[2], in.e = at[3];
    return true;
  }
  return false;
}

void Decoder::kernel(const Function& f) {
  KernelInfo& info = code_.info;
  info.name = f.name;
  info.max_threads = f.max_threads;
  for (const Variable* v : f.parameters) {
    const uint32_t at = (info.parameter_bytes + v->align - 1) / v->align * v->align;
    if (at + v->size > 32764) {
      info.unsupported.push_back("line " + std::to_string(f.line) + ": more than 32764 bytes of parameters");
      return;
    }
    kernel_parameters_[v] = at;
    info.parameters.push_back({std::string(v->name), at, uint32_t(v->size), v->align});
    info.parameter_bytes = at + uint32_t(v->size);
  }
  Frame frame;
  frame.function = &f;
  frame_ = &frame;
  body();
  static const Statement end;
  now_ = f.statements.empty() ? &end : &f.statements.back();
  predicate_ = kTrue, flip_ = 0;
  reads_.clear(), writes_.clear();
  emit(nullptr, InstructionClass::control).flow = Flow::exit;
  code_.dynamic_at = code_.shared.size() == 0 ? 0 : (code_.shared.size() + 128 + 127) / 128 * 128;
  info.static_shared = code_.shared.size();
  info.local_bytes = code_.local.size();
  place_registers();
}

void Decoder::place_registers() {
  std::vector<uint32_t> at(width_.size(), kNone);
  uint32_t bytes = 0;
  const auto place = [&](uint32_t id) {
    at[id] = bytes;
    bytes += width_[id] * kLanes;
  };
  const auto fill = [&](uint32_t id, uint64_t bits) {
    place(id);
    code_.constants.resize(bytes);
    for (uint32_t l = 0; l < kLanes; ++l) std::memcpy(code_.constants.data() + at[id] + l * width_[id], &bits, width_[id]);
  };
  for (auto& table : constants_) {
    for (const auto& [bits, id] : table) fill(id & ~kTag, bits);
  }
  for (const Dynamic& d : dynamic_) fill(d.id, code_.dynamic_at + d.add);
  for (const auto& [special, id] : special_) {
    place(id & ~kTag);
    code_.specials.push_back({Special(special), at[id & ~kTag]});
  }
  for (uint32_t id = 0; id < width_.size(); ++id) {
    if (at[id] == kNone) place(id);
  }
  code_.register_bytes = bytes;
  const auto settle = [&](uint32_t& field) {
    if ((field & kTag) != 0) field = at[field & ~kTag];
  };
  for (Instruction& in : code_.instructions) {
    for (uint32_t* field : {&in.d, &in.e, &in.a, &in.b, &in.c}) settle(*field);
  }
  for (uint32_t& entry : code_.pool) settle(entry);
  for (uint32_t& entry : code_.dependence_pool) {
    if ((entry & kTag) != 0 && entry < 0xc0000000u) entry = at[entry & ~kTag] / 64;
  }
}

std::shared_ptr<const Program> decode(const ModuleData& module, const Function& kernel) {
  auto code = std::make_shared<Program>();
  code->module = &module;
  code->function = &kernel;
  Decoder(module, *code).kernel(kernel);
  if (code->info.unsupported.empty()) find_copies(*code);
  return code;
}

Result<KernelInfo> Module::find(std::string_view kernel) const {
  const auto it = data_->by_name.find(kernel);
  if (it == data_->by_name.end() || !it->second->entry || !it->second->defined) {
    std::string names;
    for (const std::string& name : kernels()) {
      if (names.size() < 400) names += (names.empty() ? "" : ", ") + tern::printable(name, 120);
    }
    return tern::usage("no kernel '" + tern::printable(kernel, 120) + "' in " + data_->name + "; it has: " + (names.empty() ? "none" : names));
  }
  const std::lock_guard<std::mutex> lock(data_->mutex);
  std::shared_ptr<const Program>& code = data_->decoded[it->second];
  if (code == nullptr) code = decode(*data_, *it->second);
  return code->info;
}

}  // namespace ptxsim
