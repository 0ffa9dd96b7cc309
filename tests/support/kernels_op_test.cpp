// See op_test.h.
#include <doctest/doctest.h>
#include <sys/mman.h>

#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "runtime/base/half.h"
#include "tests/support/cheap.h"
#include "tests/support/device.h"
#include "tests/support/op_test.h"

namespace tern::test {

Tensor f32(Dims dims, std::vector<float> values) {
  REQUIRE(dims.count() == static_cast<int64_t>(values.size()));
  return Tensor::of<float>(dims, values);
}
Tensor i64(Dims dims, std::vector<int64_t> values) {
  REQUIRE(dims.count() == static_cast<int64_t>(values.size()));
  return Tensor::of<int64_t>(dims, values);
}
Tensor boolean(Dims dims, std::vector<bool> values) {
  REQUIRE(dims.count() == static_cast<int64_t>(values.size()));
  Tensor t = *Tensor::allocate(DType::boolean, dims);
  std::copy(values.begin(), values.end(), t.mutable_data<bool>());
  return t;
}
Tensor random_f32(Dims dims, uint32_t seed, float low, float high) {
  std::mt19937 engine(seed);
  Tensor t = *Tensor::allocate(DType::f32, dims);
  for (int64_t i = 0; i < t.count(); ++i) {
    t.mutable_data<float>()[i] = low + (high - low) * static_cast<float>(engine() >> 8) / 16777216.0f;
  }
  return t;
}

Tensor cast(const Tensor& from, DType to) {
  Tensor t = *Tensor::allocate(to, from.dims());
  visit(to, [&]<class T>() {
    if constexpr (std::is_same_v<T, f16>) {
      for (int64_t i = 0; i < t.count(); ++i) t.mutable_data<T>()[i] = to_f16(from.data<float>()[i]);
    } else if constexpr (std::is_same_v<T, bf16>) {
      for (int64_t i = 0; i < t.count(); ++i) t.mutable_data<T>()[i] = to_bf16(from.data<float>()[i]);
    } else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
      for (int64_t i = 0; i < t.count(); ++i) t.mutable_data<T>()[i] = static_cast<T>(static_cast<int64_t>(from.data<float>()[i]));  // wraps
    } else if constexpr (std::is_arithmetic_v<T>) {
      for (int64_t i = 0; i < t.count(); ++i) t.mutable_data<T>()[i] = static_cast<T>(from.data<float>()[i]);
    }
  });
  return t;
}

std::vector<Isa> runnable_isas() {
  std::vector<Isa> isas;
  for (Isa isa : kIsas) {
    if (runnable(isa)) isas.push_back(isa);
  }
  return isas;
}

namespace {

// With TERN_RECORD=FILE in the environment, a line a call of run_op: the operator and a hash (FNV-1a) of its outputs, all NaN alike. The
// same tests on another machine write the same file.
void record(const char* op, const std::vector<Tensor>& outputs) {
  static std::FILE* const file = std::getenv("TERN_RECORD") != nullptr ? std::fopen(std::getenv("TERN_RECORD"), "w") : nullptr;
  if (file == nullptr) return;
  uint64_t hash = 14695981039346656037u;
  auto add = [&](const void* bytes, size_t size) {
    for (size_t i = 0; i < size; ++i) hash = (hash ^ static_cast<const unsigned char*>(bytes)[i]) * 1099511628211u;
  };
  for (const Tensor& t : outputs) {
    visit(t.dtype(), [&]<class T>() {
      if constexpr (std::is_same_v<T, StringRef>) {
        for (int64_t i = 0; i < t.count(); ++i) add(t.data<T>()[i].data, static_cast<size_t>(t.data<T>()[i].size));
      } else if constexpr (!std::is_void_v<T>) {
        for (int64_t i = 0; i < t.count(); ++i) {
          const T x = t.data<T>()[i];
          bool nan = false;
          if constexpr (std::is_same_v<T, f16> || std::is_same_v<T, bf16>) nan = std::isnan(to_f32(x));
          if constexpr (std::is_floating_point_v<T>) nan = std::isnan(x);
          nan ? add("NaN", 3) : add(&x, sizeof x);
        }
      }
    });
  }
  std::fprintf(file, "%s %016llx\n", op, static_cast<unsigned long long>(hash));
  std::fflush(file);
}

// The same inputs, each ending where a page begins that cannot be read, aligned as its elements must be: kernels read neither past an input nor as if it
// were aligned to more. Until the next call; those of more than kMost bytes stay.
std::vector<Tensor> before_unreadable_pages(std::span<const Tensor> inputs) {
  constexpr size_t kMost = 1 << 20, kPage = 65536;
  static std::vector<std::byte*> ends;
  std::vector<Tensor> out(inputs.begin(), inputs.end());
  for (size_t i = 0; i < out.size(); ++i) {
    if (i == ends.size()) {
      void* at = mmap(nullptr, kMost + kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      REQUIRE(at != MAP_FAILED);
      ends.push_back(static_cast<std::byte*>(at) + kMost);
      REQUIRE(mprotect(ends[i], kPage, PROT_NONE) == 0);
    }
    const Tensor& t = inputs[i];
    const auto bytes = static_cast<size_t>(t.present() ? t.bytes() : 0);
    if (bytes == 0 || bytes > kMost) continue;
    std::byte* at = ends[i] - bytes;
    std::memcpy(at, t.raw(), bytes);
    out[i] = Tensor(t.dtype(), t.dims(), {std::shared_ptr<const std::byte>(), at});
    out[i].keep(t.pools());
  }
  return out;
}

Attributes attributes(Attrs attrs) {
  Attributes a;
  for (const auto& [name, value] : attrs) a.set(name, value);
  return a;
}

// Memory that is given out is full of 0xa5: an output that a kernel forgot would otherwise often be that of the call before, which was right.
#if defined(__GLIBC__)
[[maybe_unused]] const int kFilled = mallopt(M_PERTURB, 0x5a);
#endif

}  // namespace

std::vector<Tensor> run_op(const char* name_of_op, Attrs attrs, std::vector<Tensor> inputs, size_t output_count) {
  const OpDef* op = find_op(name_of_op);
  REQUIRE_MESSAGE(op != nullptr, "no operator " << name_of_op);
  const Attributes a = attributes(attrs);
  std::vector<Tensor> first;
  static int turn = 0;  // of parts: with sanitizers, which take their time, one a call in turn; where the device is asked, the CPU was asked before
  const std::vector<Isa> isas = on_device() ? std::vector{runnable_isas().back()} : runnable_isas();
  const std::vector<int> every_part = {1, 2, 3}, one_part = {on_device() ? 1 : 1 + turn++ % 3};
  const std::vector<Tensor> at_ends = before_unreadable_pages(inputs);
  for (Isa isa : isas) {
    for (uint32_t constants : {0u, ~0u}) {
      for (int parts : kSanitized || on_device() ? one_part : every_part) {
        auto outputs = evaluate(*op, a, constants == 0 ? at_ends : inputs, output_count, {.isa = isa, .constants = constants, .parts = parts});
        REQUIRE_MESSAGE(outputs.ok(), name_of_op << ": " << (outputs.ok() ? "" : outputs.error().message()));
        if (first.empty()) {
          first = *outputs;
          continue;
        }
        INFO(std::string(name_of_op) << " on " << std::string(name(isa)) << ", constants " << constants << ", parts " << parts);
        for (size_t o = 0; o < first.size(); ++o) check_same((*outputs)[o], first[o]);
      }
    }
  }
  record(name_of_op, first);
  if (on_device()) {
    for (uint32_t constants : {0u, ~0u}) {
      const DeviceResult there = run_on_device(*op, a, inputs, first, constants);
      INFO(std::string(name_of_op) << " on the device, constants " << constants << ": " << there.why);
      CHECK((there.row == nullptr || there.why.empty()));
      for (size_t o = 0; there.row != nullptr && o < first.size(); ++o) {
        if (first[o].present()) check_same(there.outputs[o], first[o]);
      }
    }
  }
  return first;
}

std::string op_error(const char* name_of_op, Attrs attrs, std::vector<Tensor> inputs, size_t output_count) {
  const OpDef* op = find_op(name_of_op);
  REQUIRE_MESSAGE(op != nullptr, "no operator " << name_of_op);
  auto outputs = evaluate(*op, attributes(attrs), inputs, output_count, {});
  return outputs ? std::string() : outputs.error().message();
}

int64_t ulp_distance(float a, float b) {
  if (a != a || b != b) return (a != a && b != b) ? 0 : INT64_MAX;
  auto ordered = [](float f) {
    const int32_t i = std::bit_cast<int32_t>(f);
    return i < 0 ? -static_cast<int64_t>(i & INT32_MAX) : static_cast<int64_t>(i);
  };
  const int64_t d = ordered(a) - ordered(b);
  return d < 0 ? -d : d;
}

void check_close(const Tensor& actual, const Tensor& expected, int64_t ulp, float atol) {
  REQUIRE(actual.dtype() == DType::f32);
  REQUIRE(expected.dtype() == DType::f32);
  REQUIRE(actual.dims() == expected.dims());
  int64_t worst = 0, at = -1;
  for (int64_t i = 0; i < actual.count(); ++i) {
    const float x = actual.data<float>()[i], y = expected.data<float>()[i];
    const int64_t distance = ulp_distance(x, y);
    if (distance > worst && !(std::fabs(x - y) <= atol)) {
      worst = distance;
      at = i;
    }
  }
  CHECK_MESSAGE(worst <= ulp, "element " << at << " is " << (at < 0 ? 0 : actual.data<float>()[at]) << ", expected "
                                         << (at < 0 ? 0 : expected.data<float>()[at]) << ": " << worst << " ULP apart");
}

static bool is_nan(const Tensor& t, int64_t i) {
  return visit(t.dtype(), [&]<class T>() {
    if constexpr (std::is_floating_point_v<T>) return std::isnan(t.data<T>()[i]);
    else if constexpr (std::is_same_v<T, f16> || std::is_same_v<T, bf16>) return std::isnan(to_f32(t.data<T>()[i]));
    else return false;
  });
}

void check_same(const Tensor& actual, const Tensor& expected) {
  REQUIRE(actual.dtype() == expected.dtype());
  REQUIRE(actual.dims() == expected.dims());
  const size_t size = size_of(actual.dtype());
  for (int64_t i = 0; i < actual.count(); ++i) {
    const size_t at = static_cast<size_t>(i) * size;
    if (std::memcmp(actual.raw() + at, expected.raw() + at, size) != 0) {
      if (is_nan(actual, i) && is_nan(expected, i)) continue;
      FAIL("element " << i << " differs (" << std::string(name(actual.dtype())) << to_string(actual.dims()) << ")");
    }
  }
}

}  // namespace tern::test
