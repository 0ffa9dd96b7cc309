// An opcode taken apart: "setp.lt.and.f32" is name "setp", modifiers "lt" "and", type f32. What nobody asked for is not supported. Next: op.cpp.
#pragma once
#include <string_view>

#include "tools/ptxsim/program.h"

namespace ptxsim {

// Nothing of it is inline: files compiled for one instruction set must hold no copy that the linker could keep for all.
class Op {
 public:
  explicit Op(std::string_view text);
  std::string_view name;
  bool has(std::string_view modifier);  // and takes it
  bool has_any(std::initializer_list<std::string_view>);
  Type type(uint32_t i = 0) const;
  uint32_t types() const;
  bool is(std::string_view) const;
  std::string_view left_over() const;  // the first modifier that nobody took

 private:
  static constexpr uint32_t kMost = 12;
  std::string_view modifier_[kMost];
  bool taken_[kMost] = {};
  Type type_[4];
  uint32_t modifiers_ = 0, types_ = 0;
  bool too_many_ = false;
};

// How an arithmetic instruction is executed, and the types of its operands: pred is a predicate, none no operand.
struct Form {
  Handler run = nullptr;
  Type d = Type::none;
  Type s[3] = {Type::none, Type::none, Type::none};
  InstructionClass cls = InstructionClass::integer;
  bool pair = false;  // a second predicate may be written: p|q
  uint8_t kind = 0;
  uint64_t imm = 0;
};

// Families of arithmetic, compiled for several instruction sets; they give false for what they do not know.
struct Executors {
  bool (*integer)(Op&, Form&);
  bool (*bits)(Op&, Form&);
  bool (*floating)(Op&, Form&);
  bool (*half)(Op&, Form&);
  bool (*compare)(Op&, Form&);
  bool (*convert)(Op&, Form&);
  Handler (*question)(Op&, Type, uint8_t* combination);  // of `set`: as setp
  Handler (*insert_field)(bool wide);                    // bfi, which has four sources: a b c e
};
const Executors& executors();  // the best of this CPU

}  // namespace ptxsim
