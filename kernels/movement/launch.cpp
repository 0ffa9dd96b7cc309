// Which of movement.cu's kernels runs: by the bytes of a unit, and by whether 31 bits number all units. See launch.h.
#include "kernels/launch.h"

#include <bit>

#include "kernels/movement/movement_device.h"

namespace tern::cuda {
namespace {

constexpr const char* kModule = "movement/movement";

// By log2 of a unit's bytes; below, those for 2^31 units and more.
struct Names {
  const char *fast[5], *wide[5];
};
constexpr Names kPadNames = {{"pad_1", "pad_2", "pad_4", "pad_8"}, {"pad_wide_1", "pad_wide_2", "pad_wide_4", "pad_wide_8"}};
constexpr Names kTriluNames = {{"trilu_1", "trilu_2", "trilu_4", "trilu_8"}, {"trilu_wide_1", "trilu_wide_2", "trilu_wide_4", "trilu_wide_8"}};
constexpr Names kReverseNames = {
    {"reverse_sequence_1", "reverse_sequence_2", "reverse_sequence_4", "reverse_sequence_8", "reverse_sequence_16"},
    {"reverse_sequence_wide_1", "reverse_sequence_wide_2", "reverse_sequence_wide_4", "reverse_sequence_wide_8", "reverse_sequence_wide_16"}};

// Calls fill<Div>(units of Div) for the Div that numbers this many and launches what it returns.
template <class Fill>
void add(const Names& names, int64_t unit_bytes, int64_t units, Launches& to, Fill fill) {
  const int size = std::countr_zero(static_cast<uint64_t>(unit_bytes));
  const Dim3 grid{blocks_for(units, kMoveBlock)}, block{kMoveBlock};
  if (units < kFastDivMost) to.add(kModule, names.fast[size], grid, block, 0, fill.template operator()<FastDiv>());
  else to.add(kModule, names.wide[size], grid, block, 0, fill.template operator()<WideDiv>());
}

}  // namespace

void launch_pad(const PadArgs& a, Launches& to) {
  int64_t units = 1;
  for (int d = 0; d < a.rank; ++d) units *= a.axes[d].n;
  add(kPadNames, a.size, units, to, [&]<class Div>() {
    PadUnits<Div> p{a, {}, static_cast<typename Div::Int>(units)};
    for (int d = 0; d < a.rank; ++d) p.n[d] = Div(a.axes[d].n);
    return p;
  });
}

void launch_trilu(const TriluArgs& a, Launches& to) {
  const int64_t units = a.end * a.cols;  // a device's share is all
  add(kTriluNames, a.size, units, to, [&]<class Div>() {
    return TriluUnits<Div>{a, Div(a.rows), Div(a.cols), static_cast<typename Div::Int>(units)};
  });
}

void launch_reverse(const ReverseArgs& a, Launches& to) {
  const uint64_t all = 16 | static_cast<uint64_t>(a.run) | reinterpret_cast<uintptr_t>(a.x) | reinterpret_cast<uintptr_t>(a.y);
  const int64_t unit = int64_t(1) << std::countr_zero(all), run = a.run / unit, units = a.batch * a.time * run;
  add(kReverseNames, unit, units, to, [&]<class Div>() {
    return ReverseUnits<Div>{a, Div(run), Div(a.time_first ? a.batch : a.time), static_cast<typename Div::Int>(units)};
  });
}

}  // namespace tern::cuda
