// What a hostile file may cost: an error in one line, within seconds of this process alone, within 64 MB beyond the file's size.
//   CHECK(refused_cheaply(size, [&] { return load_bytes(bytes); }).find("overlaps") != npos);
#pragma once
#include <doctest/doctest.h>
#include <sys/resource.h>

#include <ctime>
#include <string>

#include "tern/status.h"

namespace tern::test {

#ifdef TERN_SANITIZED
constexpr bool kSanitized = true;  // shadow memory and slower code: only crashes and reports count
#else
constexpr bool kSanitized = false;
#endif

// How many of a thing make a flood. Under sanitizers, where neither time nor memory is judged, fewer do.
constexpr size_t flood(size_t n) { return kSanitized ? n / 16 : n; }

inline int64_t peak_kb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

// Calls load(), which must stay within the bounds; its result. `size`: the file's bytes.
template <class Load>
auto cheaply(size_t size, Load load, double seconds = 5) {
  const int64_t before = peak_kb();
  const std::clock_t start = std::clock();
  auto result = load();
  const double took = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  if (!kSanitized) {
    CHECK(took < seconds);
    CHECK(peak_kb() - before < 64 * 1024 + static_cast<int64_t>(size / 1024));
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
