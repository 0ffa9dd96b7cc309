#include "tools/ptxsim/op.h"

namespace ptxsim {

Op::Op(std::string_view text) {
  size_t at = text.find('.');
  name = text.substr(0, at);
  while (at != std::string_view::npos) {
    const size_t next = text.find('.', at + 1);
    const std::string_view part = text.substr(at + 1, next == std::string_view::npos ? next : next - at - 1);
    at = next;
    const Type t = type_named(part);
    if (t != Type::none) {
      if (types_ < 4) type_[types_++] = t;
      else too_many_ = true;
    } else if (modifiers_ < kMost) {
      modifier_[modifiers_++] = part;
    } else {
      too_many_ = true;
    }
  }
}

Type Op::type(uint32_t i) const { return i < types_ ? type_[i] : Type::none; }
uint32_t Op::types() const { return types_; }
bool Op::is(std::string_view n) const { return name == n; }

bool Op::has(std::string_view modifier) {
  bool there = false;
  for (uint32_t i = 0; i < modifiers_; ++i) {  // every one: wmma has .row.row
    if (modifier_[i] == modifier) there = taken_[i] = true;
  }
  return there;
}

bool Op::has_any(std::initializer_list<std::string_view> list) {
  bool any = false;
  for (const std::string_view m : list) any |= has(m);
  return any;
}

std::string_view Op::left_over() const {
  for (uint32_t i = 0; i < modifiers_; ++i) {
    if (!taken_[i]) return modifier_[i];
  }
  return too_many_ ? std::string_view("too many modifiers") : std::string_view();
}

}  // namespace ptxsim
