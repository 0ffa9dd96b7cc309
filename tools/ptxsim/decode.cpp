#include "tools/ptxsim/decode.h"

#include <cstring>

#include "runtime/base/half.h"
#include "runtime/base/printable.h"
#include "tools/ptxsim/handlers.h"

namespace ptxsim {
namespace {

constexpr size_t kMostRefusals = 200;
constexpr size_t kMostInstructions = 1'000'000;

struct SpecialRow {
  std::string_view name;
  Special special;
};
constexpr SpecialRow kSpecials[] = {{"%tid.x", Special::tid_x},
                                    {"%envreg1", Special::workspace_high},  // of cooperative groups: a barrier of the grid
                                    {"%envreg2", Special::workspace_low},
                                    {"%tid.y", Special::tid_y},
                                    {"%tid.z", Special::tid_z},
                                    {"%ntid.x", Special::ntid_x},
                                    {"%ntid.y", Special::ntid_y},
                                    {"%ntid.z", Special::ntid_z},
                                    {"%ctaid.x", Special::ctaid_x},
                                    {"%ctaid.y", Special::ctaid_y},
                                    {"%ctaid.z", Special::ctaid_z},
                                    {"%nctaid.x", Special::nctaid_x},
                                    {"%nctaid.y", Special::nctaid_y},
                                    {"%nctaid.z", Special::nctaid_z},
                                    {"%laneid", Special::laneid},
                                    {"%warpid", Special::warpid},
                                    {"%nwarpid", Special::nwarpid},
                                    {"%lanemask_eq", Special::lanemask_eq},
                                    {"%lanemask_lt", Special::lanemask_lt},
                                    {"%lanemask_le", Special::lanemask_le},
                                    {"%lanemask_gt", Special::lanemask_gt},
                                    {"%lanemask_ge", Special::lanemask_ge},
                                    {"%smid", Special::smid},
                                    {"%nsmid", Special::nsmid},
                                    {"%gridid", Special::gridid},
                                    {"%dynamic_smem_size", Special::dynamic_smem_size},
                                    {"%total_smem_size", Special::total_smem_size},
                                    {"%aggr_smem_size", Special::total_smem_size},
                                    {"%clock", Special::clock},
                                    {"%clock_lo", Special::clock},
                                    {"%clock_hi", Special::clock_hi},
                                    {"%clock64", Special::clock64},
                                    {"%globaltimer", Special::globaltimer},
                                    {"%globaltimer_lo", Special::globaltimer_lo},
                                    {"%globaltimer_hi", Special::globaltimer_hi},
                                    // without clusters every block is a cluster of its own
                                    {"%clusterid.x", Special::ctaid_x},
                                    {"%clusterid.y", Special::ctaid_y},
                                    {"%clusterid.z", Special::ctaid_z},
                                    {"%nclusterid.x", Special::nctaid_x},
                                    {"%nclusterid.y", Special::nctaid_y},
                                    {"%nclusterid.z", Special::nctaid_z},
                                    {"%cluster_ctaid.x", Special::zero},
                                    {"%cluster_ctaid.y", Special::zero},
                                    {"%cluster_ctaid.z", Special::zero},
                                    {"%cluster_nctaid.x", Special::one},
                                    {"%cluster_nctaid.y", Special::one},
                                    {"%cluster_nctaid.z", Special::one},
                                    {"%cluster_ctarank", Special::zero},
                                    {"%cluster_nctarank", Special::one}};

// Shared memory that the system keeps for cooperative groups: two arrays like any other.
Variable reserved() {
  Variable v;
  v.space = Space::shared;
  v.size = 512;
  return v;
}
const Variable kReserved[2] = {reserved(), reserved()};

uint32_t width_of_special(Special s) { return s == Special::gridid || s == Special::clock64 || s == Special::globaltimer ? 8 : 4; }

}  // namespace

uint32_t Layout::place(uint64_t bytes, uint32_t align, uint32_t gap) {
  const uint64_t at = inside.empty() ? 0 : (inside.size() + gap + align - 1) / align * align;
  inside.resize(at, 0);
  inside.resize(at + bytes, 1);
  return uint32_t(at);
}

bool Decoder::refuse(const Statement& s, const std::string& why) {
  if (ok_ && code_.info.unsupported.size() < kMostRefusals) {
    std::string text(s.text);
    for (char& c : text) c = c == '\t' || c == '\n' ? ' ' : c;
    code_.info.unsupported.push_back("line " + std::to_string(s.line) + ": " + why + ": " + tern::printable(text, 120));
  }
  return ok_ = false;
}

Decoder::Binding Decoder::find(std::string_view name, int scope) {
  for (int at = scope; at >= 0; at = frame_->function->scopes[size_t(at)].parent) {
    auto& names = frame_->names[size_t(at)];
    if (const auto it = names.find(name); it != names.end()) return it->second;
    const Scope& s = frame_->function->scopes[size_t(at)];
    Binding b;
    const auto bind = [&](Type type) {
      b.type = type;
      b.kind = type == Type::pred ? Binding::Kind::predicate : Binding::Kind::reg;
      b.id = type == Type::pred ? code_.predicates++ : fresh(std::max(2u, size_of(type)));
    };
    if (const auto exact = s.registers.find(name); exact != s.registers.end() && exact->second.count == 0) {
      bind(exact->second.type);
    } else if (const auto v = s.variables.find(name); v != s.variables.end()) {
      b.kind = Binding::Kind::variable;
      b.variable = v->second;
    } else {
      size_t digits = name.size();
      while (digits > 0 && name[digits - 1] >= '0' && name[digits - 1] <= '9') --digits;
      for (size_t stem = digits; stem < name.size(); ++stem) {  // %r1<5> holds %r10: a stem may end with digits
        const auto range = s.registers.find(name.substr(0, stem));
        if (range == s.registers.end() || range->second.count == 0 || name.size() - stem > 9) continue;
        if (std::stoul(std::string(name.substr(stem))) < range->second.count) bind(range->second.type);
        break;
      }
    }
    if (b.kind != Binding::Kind::none) {
      names.emplace(name, b);
      return b;
    }
  }
  Binding b;
  if (name == "%reserved_smem_offset_0" || name == "%reserved_smem_offset_1") {
    b.kind = Binding::Kind::variable;
    b.variable = &kReserved[name.back() - '0'];
    return b;
  }
  const Function& f = *frame_->function;
  for (const auto* list : {&f.parameters, &f.returns}) {
    for (const Variable* v : *list) {
      if (v->name == name) b.kind = Binding::Kind::variable, b.variable = v;
    }
  }
  if (b.kind != Binding::Kind::none) return b;
  for (const SpecialRow& row : kSpecials) {
    if (row.name == name) {
      b.kind = Binding::Kind::special;
      b.special = row.special;
      return b;
    }
  }
  if (const auto v = module_.globals.find(name); v != module_.globals.end()) {
    b.kind = Binding::Kind::variable;
    b.variable = v->second;
  } else if (const auto fn = module_.by_name.find(name); fn != module_.by_name.end()) {
    b.kind = Binding::Kind::function;
    b.function = fn->second;
  }
  return b;
}

uint32_t Decoder::fresh(uint32_t bytes) {
  width_.push_back(uint8_t(bytes));
  return kTag | uint32_t(width_.size() - 1);
}

uint32_t Decoder::constant(uint64_t bits, uint32_t bytes) {
  if (bytes < 8) bits &= (uint64_t(1) << (8 * bytes)) - 1;
  auto [it, is_new] = constants_[bytes].emplace(bits, 0);
  if (is_new) it->second = fresh(bytes);
  return it->second;
}

uint32_t Decoder::special_register(Special s) {
  auto [it, is_new] = special_.emplace(uint32_t(s), 0);
  if (is_new) it->second = fresh(width_of_special(s));
  return it->second;
}

bool Decoder::value_of(const Variable& v, uint64_t* at, Space* space) {
  *space = v.space;
  switch (v.space) {
    case Space::global:
    case Space::constant: *at = v.address; return !(v.is_extern && v.size == 0);
    case Space::shared: {
      if (v.is_extern) {
        *at = uint64_t(1) << 40;  // it begins where static arrays end: see place_registers
        return true;
      }
      auto [it, is_new] = shared_.emplace(&v, 0);
      if (is_new) {
        if (code_.shared.size() + v.size > (64u << 20)) return refuse(*now_, "more than 64 MiB of shared memory");
        it->second = code_.shared.place(v.size, std::max(v.align, 128u), 128);  // a gap of 128 bytes leaves the banks as they are
      }
      *at = it->second;
      return true;
    }
    case Space::param:
      if (const auto k = kernel_parameters_.find(&v); k != kernel_parameters_.end()) {
        *at = k->second;
        return true;
      }
      *space = Space::local;  // of a call: local memory of the frame
      [[fallthrough]];
    case Space::local: {
      auto [it, is_new] = frame_->local.emplace(&v, 0);
      if (is_new) {
        if (code_.local.size() + v.size > (1u << 20)) return refuse(*now_, "more than 1 MiB of local memory a thread");
        it->second = code_.local.place(v.size, std::max(v.align, 8u), 64);
      }
      *at = it->second;
      return true;
    }
    default: return false;
  }
}

bool Decoder::source_any(const Operand& o, uint32_t* out, uint32_t* bytes, Type immediate) {
  const uint32_t width = std::max(2u, size_of(immediate));
  uint64_t bits = o.bits;
  switch (o.kind) {
    case Operand::Kind::real32:
    case Operand::Kind::real64: {
      double value;
      if (o.kind == Operand::Kind::real32) {
        float f;
        const uint32_t b = uint32_t(o.bits);
        std::memcpy(&f, &b, 4);
        value = double(f);
      } else {
        std::memcpy(&value, &o.bits, 8);
      }
      if (immediate == Type::f64 && o.kind == Operand::Kind::real32) {
        std::memcpy(&bits, &value, 8);
      } else if (width == 4 && o.kind == Operand::Kind::real64) {
        const float f = float(value);
        uint32_t b;
        std::memcpy(&b, &f, 4);
        bits = b;
      } else if (width == 2) {
        bits = immediate == Type::bf16 ? tern::to_bf16(value).bits : tern::to_f16(value).bits;
      }
      *out = constant(bits, width);
      *bytes = width;
      return true;
    }
    case Operand::Kind::integer:
      if (immediate == Type::f32 || immediate == Type::f64) {
        const double value = double(int64_t(bits));
        if (immediate == Type::f64) {
          std::memcpy(&bits, &value, 8);
        } else {
          const float f = float(value);
          uint32_t b;
          std::memcpy(&b, &f, 4);
          bits = b;
        }
      }
      *out = constant(bits, width);
      *bytes = width;
      return true;
    case Operand::Kind::name: break;
    default: return refuse(*now_, "an operand of a kind that does not fit");
  }
  const Binding b = find(o.name, now_->scope);
  switch (b.kind) {
    case Binding::Kind::reg:
      if (o.negated) return refuse(*now_, "a negated register");
      *out = b.id;
      *bytes = width_[b.id & ~kTag];
      reads(b.id);
      return true;
    case Binding::Kind::special:
      if (b.special >= Special::clock) return refuse(*now_, "a clock is read by mov alone");
      *out = special_register(b.special);
      *bytes = width_of_special(b.special);
      return true;
    case Binding::Kind::variable: {
      uint64_t at = 0;
      Space space;
      if (!value_of(*b.variable, &at, &space)) return refuse(*now_, "a variable that is not here (extern)");
      *out = constant(at + o.bits, width < 4 ? 4 : width);
      *bytes = width < 4 ? 4 : width;
      if (at >> 40 == 1) {  // dynamic shared memory
        *out = fresh(*bytes);
        dynamic_.push_back({*out & ~kTag, o.bits});
      }
      return true;
    }
    case Binding::Kind::function: return refuse(*now_, "the address of a function");
    case Binding::Kind::predicate: return refuse(*now_, "a predicate where a value belongs");
    case Binding::Kind::none: break;
  }
  if (o.name == "WARP_SZ") {
    *out = constant(kLanes, width);
    *bytes = width;
    return true;
  }
  return refuse(*now_, "'" + tern::printable(o.name, 60) + "' is not declared");
}

bool Decoder::source(const Operand& o, Type type, uint32_t* out) {
  if (type == Type::pred) return predicate_source(o, out);
  uint32_t bytes = 0;
  if (!source_any(o, out, &bytes, type)) return false;
  const uint32_t want = std::max(2u, size_of(type));
  return bytes == want || refuse(*now_, "a register of " + std::to_string(bytes * 8) + " bits where " + std::to_string(want * 8) + " belong");
}

bool Decoder::destination_any(const Operand& o, uint32_t* out, uint32_t* bytes) {
  if (o.kind == Operand::Kind::sink) {
    *out = fresh(8);
    *bytes = 0;
    return true;
  }
  const Binding b = o.kind == Operand::Kind::name ? find(o.name, now_->scope) : Binding();
  if (b.kind != Binding::Kind::reg) return refuse(*now_, "the destination is no register");
  *out = b.id;
  *bytes = width_[b.id & ~kTag];
  writes(b.id);
  return true;
}

bool Decoder::destination(const Operand& o, uint32_t bytes, uint32_t* out) {
  uint32_t have = 0;
  if (!destination_any(o, out, &have)) return false;
  bytes = std::max(2u, bytes);
  return have == 0 || have == bytes ||
         refuse(*now_, "a destination of " + std::to_string(have * 8) + " bits where " + std::to_string(bytes * 8) + " belong");
}

bool Decoder::predicate_source(const Operand& o, uint32_t* out) {
  if (o.kind == Operand::Kind::integer) {
    *out = o.bits != 0 ? kTrue : code_.predicates;  // a fresh one is false, and stays so
    if (o.bits == 0) ++code_.predicates;
    return true;
  }
  const Binding b = o.kind == Operand::Kind::name ? find(o.name, now_->scope) : Binding();
  if (b.kind != Binding::Kind::predicate) return refuse(*now_, "no predicate where one belongs");
  *out = b.id;
  reads(~b.id);
  if (o.negated) {
    const std::vector<uint32_t> kept_reads = std::exchange(reads_, {~b.id}), kept_writes = std::exchange(writes_, {});
    const uint32_t negated = code_.predicates++;
    writes_.push_back(~negated);
    Instruction& in = emit(not_predicate, InstructionClass::compare);
    in.predicate = kTrue, in.flip = 0;
    in.d = negated, in.a = b.id;
    reads_ = kept_reads, writes_ = kept_writes;
    reads(~negated);
    *out = negated;
  }
  return true;
}

bool Decoder::predicate_destination(const Operand& o, uint32_t* out) {
  if (o.kind == Operand::Kind::sink) {
    *out = code_.predicates++;
    return true;
  }
  const Binding b = o.kind == Operand::Kind::name ? find(o.name, now_->scope) : Binding();
  if (b.kind != Binding::Kind::predicate) return refuse(*now_, "the destination is no predicate");
  *out = b.id;
  writes(~b.id);
  return true;
}

// [register + imm], [variable + imm], [imm]: base, base_bytes and imm; the space when a variable says it.
bool Decoder::address(const Operand& o, Instruction& in) {
  if (o.kind != Operand::Kind::address) return refuse(*now_, "no address in brackets");
  if (!o.items.empty()) return refuse(*now_, "an address with coordinates");
  in.imm = o.bits;
  in.base_bytes = 0;
  if (o.name.empty()) return true;
  const Binding b = find(o.name, now_->scope);
  if (b.kind == Binding::Kind::reg) {
    in.a = b.id;
    in.base_bytes = width_[b.id & ~kTag];
    reads(b.id);
    return in.base_bytes >= 4 || refuse(*now_, "an address of 16 bits");
  }
  if (b.kind != Binding::Kind::variable) return refuse(*now_, "'" + tern::printable(o.name, 60) + "' is no register and no variable");
  uint64_t at = 0;
  Space space;
  if (!value_of(*b.variable, &at, &space)) return refuse(*now_, "a variable that is not here (extern)");
  if (at >> 40 == 1) {
    in.a = fresh(8);
    in.base_bytes = 8;
    dynamic_.push_back({in.a & ~kTag, 0});
  } else {
    in.imm += at;
  }
  in.space = space;
  return true;
}

Instruction& Decoder::emit(Handler run, InstructionClass cls) {
  if (code_.instructions.size() >= kMostInstructions) refuse(*now_, "more than a million instructions, with calls inlined");
  Instruction& in = code_.instructions.emplace_back();
  in.run = run;
  in.predicate = predicate_;
  in.flip = flip_;
  code_.statements.push_back(now_);
  code_.classes.push_back(cls);
  if (predicate_ != kTrue) reads_.push_back(~predicate_);
  code_.dependences.push_back({uint32_t(code_.dependence_pool.size()), uint16_t(reads_.size()), uint16_t(writes_.size())});
  code_.dependence_pool.insert(code_.dependence_pool.end(), reads_.begin(), reads_.end());
  code_.dependence_pool.insert(code_.dependence_pool.end(), writes_.begin(), writes_.end());
  if (predicate_ != kTrue) reads_.pop_back();
  return in;
}

bool Decoder::instruction(const Statement& s) {
  now_ = &s;
  ok_ = true;
  reads_.clear();
  writes_.clear();
  predicate_ = kTrue, flip_ = 0;
  if (!s.predicate.empty()) {
    const Binding b = find(s.predicate, s.scope);
    if (b.kind != Binding::Kind::predicate) return refuse(s, "'" + tern::printable(s.predicate, 60) + "' is no predicate");
    predicate_ = b.id;
    flip_ = s.predicate_negated ? kAllLanes : 0;
  }
  Op op(s.op);
  const bool known = control(op) || move(op) || memory(op) || atomics(op) || async(op) || warp(op) || matrix(op) || arithmetic(op);
  if (!known) return refuse(s, "no instruction that ptxsim knows");
  if (ok_ && !op.left_over().empty()) return refuse(s, "'" + tern::printable(op.left_over(), 40) + "' is not supported here");
  return ok_;
}

void Decoder::body() {
  const Function& f = *frame_->function;
  frame_->names.resize(f.scopes.size());
  for (const Statement& s : f.statements) {
    frame_->pc_of.push_back(uint32_t(code_.instructions.size()));
    instruction(s);
    if (code_.info.unsupported.size() >= kMostRefusals || code_.instructions.size() > kMostInstructions) return;
  }
  const uint32_t end = uint32_t(code_.instructions.size());
  frame_->pc_of.push_back(end);
  for (const Fixup& fix : frame_->fixups) {
    uint32_t to = kNone;
    for (int at = fix.statement->scope; at >= 0 && to == kNone; at = f.scopes[size_t(at)].parent) {
      const auto& labels = f.scopes[size_t(at)].labels;
      if (const auto it = labels.find(fix.label); it != labels.end()) to = frame_->pc_of[it->second];
    }
    if (to == kNone) {
      ok_ = true;
      refuse(*fix.statement, "there is no label '" + tern::printable(fix.label, 60) + "'");
      to = end;
    }
    (fix.pool == kNone ? code_.instructions[fix.instruction].target : code_.pool[fix.pool]) = to;
  }
  for (const uint32_t at : frame_->returns) code_.instructions[at].target = end;
}

}  // namespace ptxsim
