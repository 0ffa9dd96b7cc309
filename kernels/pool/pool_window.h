// The window of a pool, as a node says it and as kernels take it. Next: pool.cpp, quantize/mapped_pools.cpp.
#pragma once
#include "kernels/conv/window.h"
#include "kernels/pool/portable.h"

namespace tern {

// As read_window(), with the attribute ceil_mode.
Result<Window> pool_window(const AttrReader& attrs, int spatial);
PoolWindow<int64_t> bare(const Window& w);
// Taps of all windows of y, whose spatial axes begin with `first` in x: those in the padding are left out.
int64_t pool_steps(const AttrReader& attrs, const Dims& x, int first, int64_t y);

}  // namespace tern
