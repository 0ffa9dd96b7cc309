// What a hostile file may cost: an error in one line, within seconds of this process alone, within 64 MB beyond the file's size.
//   CHECK(refused_cheaply(size, [&] { return load_bytes(bytes); }).find("overlaps") != npos);
#pragma once
#include <doctest/doctest.h>
#include <sys/resource.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>

#include "tern/status.h"

extern "C" {
void __asan_init() __attribute__((weak));
void __tsan_init() __attribute__((weak));
}

namespace tern::test {

// Sanitizers are in the process: shadow memory and slower code, only crashes and reports count. Asked when it runs, because the sanitized build
// takes its tests from the ordinary one.
inline const bool kSanitized = &__asan_init != nullptr || &__tsan_init != nullptr;

// How many of a thing make a flood. Under sanitizers, where neither time nor memory is judged, fewer do.
inline size_t flood(size_t n) { return kSanitized ? n / 16 : n; }
// The step between the places where a file is broken everywhere. Under sanitizers it is wider: there the fuzz targets look between.
inline size_t every(size_t step) { return kSanitized ? step * 7 : step; }

// The most memory that the process had since the last reset_peak(), in KB; where the system cannot reset it, since it began.
inline int64_t peak_kb() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::atoll(line.c_str() + 6);
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}
// What was freed goes back to the system first: else it could be taken again without anybody seeing it. False: the system does not reset peaks.
inline bool reset_peak() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
  return static_cast<bool>(std::ofstream("/proc/self/clear_refs") << "5" << std::flush);
}

// Calls load(), which must stay within the bounds; its result. `size`: the file's bytes.
template <class Load>
auto cheaply(size_t size, Load load, double seconds = 5, int64_t megabytes = 64) {
  reset_peak();
  const int64_t before = peak_kb();
  const std::clock_t start = std::clock();
  auto result = load();
  const double took = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  if (!kSanitized) {
    CHECK(took < seconds);
    CHECK(peak_kb() - before < megabytes * 1024 + static_cast<int64_t>(size / 1024));
  }
  return result;
}

// The same, and it must fail as a bad file does; the message.
template <class Load>
std::string refused_cheaply(size_t size, Load load, double seconds = 5) {
  const auto result = cheaply(size, load, seconds);
  REQUIRE(!result.ok());
  CHECK((result.error().code() == Code::kInvalid || result.error().code() == Code::kUnsupported));
  CHECK(!result.error().message().empty());
  CHECK_MESSAGE(result.error().message().find('\n') == std::string::npos, result.error().message());
  return result.error().message();
}

}  // namespace tern::test
