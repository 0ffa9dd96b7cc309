// Where: y = condition ? a : b, broadcast, for every dtype; the elements are moved as bits, without a branch. See elementwise.h.
// Next: where.cpp (a CPU's), where.cu and launch_where.cpp (a device's).
#pragma once
#include "kernels/elementwise/device.h"

namespace tern {

struct WhereArgs {
  const bool* condition;
  const void *a, *b;
  void* y;
  RowNest nest;  // operands: condition, a, b
};

struct Pair {
  uint64_t low, high;
};
template <class U>
TERN_HD inline U chosen(uint8_t c, U a, U b) {  // c: the byte of a bool
  const U mask = static_cast<U>(U(0) - U(c != 0));
  return static_cast<U>((a & mask) | (b & static_cast<U>(~mask)));
}
inline Pair chosen(uint8_t c, Pair a, Pair b) { return {chosen(c, a.low, b.low), chosen(c, a.high, b.high)}; }

namespace cuda {

struct WhereLaunch {
  const void *condition, *a, *b;
  void* y;
  DeviceNest nest;
};
void launch_where(const Kernel&, DType dtype, const WhereArgs& args, Launches& to);  // the kernel goes by the size of an element
constexpr auto kWhere = plain_rows<WhereArgs, launch_where, "elementwise/where", "where", "where">(NumbersAndBool());

}  // namespace cuda
}  // namespace tern
