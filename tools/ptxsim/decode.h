// From a function of ModuleData to Code: names become numbers, calls are inlined (recursion is refused), opcodes become handlers.
// decode.cpp: names, operands, registers; decode_control.cpp: branches and calls; the other decode_*.cpp: a family each. Next: decode.cpp.
#pragma once
#include <unordered_map>

#include "tools/ptxsim/op.h"
#include "tools/ptxsim/program.h"

namespace ptxsim {

// Never fails: what cannot be run is listed in Program::info.unsupported.
std::shared_ptr<const Program> decode(const ModuleData&, const Function& kernel);
// Marks the loads and stores of local memory that only move bytes. copies.cpp.
void find_copies(Program&);

class Decoder {
 public:
  Decoder(const ModuleData& module, Program& code) : module_(module), code_(code) {}
  void kernel(const Function&);

 private:
  struct Binding {
    enum class Kind : uint8_t { none, reg, predicate, special, variable, function } kind = Kind::none;
    uint32_t id = 0;  // register or predicate
    Type type = Type::none;
    Special special = Special::none;
    const Variable* variable = nullptr;
    const Function* function = nullptr;
  };
  struct Fixup {
    uint32_t instruction, pool;  // pool: kNone, or the entry of a branch table
    std::string_view label;
    const Statement* statement;
  };
  struct Frame {
    const Function* function = nullptr;
    Frame* caller = nullptr;
    std::vector<std::unordered_map<std::string_view, Binding>> names;  // of each scope
    std::unordered_map<const Variable*, uint32_t> local;               // offsets in local memory
    std::vector<uint32_t> pc_of;                                       // of each statement
    std::vector<Fixup> fixups;
    std::vector<uint32_t> returns;  // branches to the end
  };
  static constexpr uint32_t kNone = 0xffffffffu, kTag = 0x80000000u;  // kTag: a virtual register, until registers are placed

  // decode.cpp
  bool refuse(const Statement&, const std::string& why);  // false
  Binding find(std::string_view name, int scope);
  uint32_t fresh(uint32_t bytes);
  uint32_t constant(uint64_t bits, uint32_t bytes);
  uint32_t special_register(Special);
  bool value_of(const Variable&, uint64_t* address, Space*);                        // of a variable, in its space
  bool source(const Operand&, Type, uint32_t* out);                                 // a register of the type's width, or a constant
  bool source_any(const Operand&, uint32_t* out, uint32_t* bytes, Type immediate);  // of whatever width the register has
  bool destination(const Operand&, uint32_t bytes, uint32_t* out);
  bool destination_any(const Operand&, uint32_t* out, uint32_t* bytes);
  bool predicate_source(const Operand&, uint32_t* out);
  bool predicate_destination(const Operand&, uint32_t* out);
  bool address(const Operand&, Instruction&);
  void reads(uint32_t id) { reads_.push_back(id); }
  void writes(uint32_t id) { writes_.push_back(id); }
  Instruction& emit(Handler, InstructionClass);  // of the statement at hand, with its predicate
  void place_registers();
  bool instruction(const Statement&);
  void body();

  // a family each: true when the name is theirs (and then ok_ says how it went)
  bool control(Op&);
  bool call(Op&);
  bool builtin(const Function&, const Operand* result, const Operand* arguments);
  bool move(Op&);
  bool arithmetic(Op&);
  bool memory(Op&);
  bool atomics(Op&);
  bool async(Op&);
  bool warp(Op&);
  bool matrix(Op&);
  bool multiplies(Op&);
  Instruction& whole_warp(Handler run, InstructionClass cls);  // emits what all 32 lanes do together
  bool mbarriers(Op&);
  bool fragment(const Operand&, bool written, uint32_t bytes, uint32_t most, uint32_t* count);
  bool access(Op&, const Operand& at, Space, Instruction&);
  void inlined(const Function&, const Operand* results, const Operand* arguments);

  bool need(size_t operands) { return now_->operands.size() == operands || refuse(*now_, "another number of operands than expected"); }
  const Operand& operand(size_t i) const { return now_->operands[i]; }

  const ModuleData& module_;
  Program& code_;
  Frame* frame_ = nullptr;
  const Statement* now_ = nullptr;
  bool ok_ = true;
  uint32_t predicate_ = kTrue, flip_ = 0;
  std::vector<uint8_t> width_;                           // of virtual registers
  std::unordered_map<uint64_t, uint32_t> constants_[9];  // by width
  std::unordered_map<uint32_t, uint32_t> special_;
  std::unordered_map<const Variable*, uint32_t> shared_;
  std::unordered_map<const Variable*, uint32_t> kernel_parameters_;
  struct Dynamic {
    uint32_t id;  // of the register that holds an address of dynamic shared memory
    uint64_t add;
  };
  std::vector<Dynamic> dynamic_;
  uint32_t depth_ = 0;
  std::vector<uint32_t> reads_, writes_;
};

}  // namespace ptxsim
