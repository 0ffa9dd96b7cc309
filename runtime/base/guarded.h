// Where exceptions end and tern's floating-point mode begins: every function of the API calls its body through guarded(). Inside tern only
// memory that runs short throws (containers, allocate_aligned, threads that do not start). What is folded, fused and packed while loading
// has the same bits whatever rounding mode the caller is in. Next: mapping.h.
#pragma once
#include <exception>
#include <type_traits>

#include "tern/flush_subnormals.h"
#include "tern/status.h"

namespace tern {

// So short that the string holds it in itself: an error about missing memory asks for none.
inline Error out_of_memory() { return unsupported("out of memory"); }

// f(), or when it throws: the error for a Result or a Status, an empty value for anything else.
template <class F>
auto guarded(F f) noexcept -> decltype(f()) {
  using R = decltype(f());
  FlushSubnormals mode;
  try {
    return f();
  } catch (const std::exception&) {
    if constexpr (std::is_constructible_v<R, Error>) {
      return out_of_memory();
    } else {
      return R();
    }
  }
}

}  // namespace tern
