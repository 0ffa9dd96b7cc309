// The picture that `tern bench --svg` draws. Next: bench_svg.cpp.
#pragma once
#include <string>

#include "tools/tern/clock.h"
#include "tools/tern/histogram.h"

namespace tern::command {

// Durations on a logarithmic axis, counts on a logarithmic axis (a single slow call stays visible): run() filled, nothing as a line.
std::string latency_svg(const Histogram& calls, const Histogram& nothing, const Clock& clock, const std::string& title);

}  // namespace tern::command
