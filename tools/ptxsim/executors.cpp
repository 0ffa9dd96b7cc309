// The arithmetic of this CPU's instruction set. Next: lanes.h.
#include "tools/ptxsim/op.h"

#define PTXSIM_DECLARE(isa)         \
  namespace isa {                   \
  bool integer(Op&, Form&);         \
  bool bits(Op&, Form&);            \
  bool floating(Op&, Form&);        \
  bool half(Op&, Form&);            \
  bool compare(Op&, Form&);         \
  bool convert(Op&, Form&);         \
  Handler ask(Op&, Type, uint8_t*); \
  Handler insert_field(bool wide);  \
  }
#define PTXSIM_EXECUTORS(isa) \
  { isa::integer, isa::bits, isa::floating, isa::half, isa::compare, isa::convert, isa::ask, isa::insert_field }

namespace ptxsim {

PTXSIM_DECLARE(base)
#ifdef PTXSIM_AVX2
PTXSIM_DECLARE(avx2)
#endif

const Executors& executors() {
  static constexpr Executors kBase = PTXSIM_EXECUTORS(base);
#ifdef PTXSIM_AVX2
  static constexpr Executors kAvx2 = PTXSIM_EXECUTORS(avx2);
  static const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (has_avx2) return kAvx2;
#endif
  return kBase;
}

}  // namespace ptxsim
