// How elementwise kernels are launched on a device: nests of any size in chunks, wide items only where they fit, any address. Contract:
// kernels/elementwise/device.h.
#include <doctest/doctest.h>

#include <cstring>

#include "kernels/elementwise/device_launch.h"
#include "kernels/elementwise/nest.h"
#include "tests/support/device.h"
#include "tests/support/op_test.h"
#include "tools/ptxsim/device/device.h"

namespace tern::test::in_elementwise_device {
namespace {

// Where operand i of every output element is: what for_rows says.
std::vector<int64_t> places(const RowNest& nest, int i) {
  std::vector<int64_t> all;
  for_rows(nest, [&](int64_t, const int64_t* from, int64_t n) {
    for (int64_t k = 0; k < n; ++k) all.push_back(from[i] + k * nest.step[i]);
  });
  return all;
}
std::vector<int64_t> places_in_chunks(const RowNest& nest, int operand, int64_t most) {
  std::vector<int64_t> all(static_cast<size_t>(nest.end), -1);
  cuda::for_chunks(
      nest,
      [&](const cuda::Chunk& c) {
        int64_t elements = 1;
        for (int axis = 0; axis < c.axes; ++axis) elements *= c.extent[axis];
        CHECK(elements <= most);
        for (int64_t e = 0; e < elements; ++e) {
          int64_t rest = e, from = c.from[operand];
          for (int axis = 0; axis < c.axes; ++axis, rest /= c.extent[axis - 1]) from += rest % c.extent[axis] * c.stride[operand][axis];
          CHECK(all[static_cast<size_t>(c.at + e)] == -1);  // none twice
          all[static_cast<size_t>(c.at + e)] = from;
        }
      },
      most);
  return all;
}
RowNest nest_of(const Dims& a, const Dims& b) {
  const Dims operands[] = {a, b}, out = *broadcast(a, b);
  return make_nest(out, operands, 0, out.count());
}

// What Add of f32 launches for operands at these addresses, which are followed nowhere.
std::vector<cuda::BinaryLaunch> launches_of_add(const RowNest& nest, uintptr_t a, uintptr_t b, uintptr_t y) {
  Launches to;
  cuda::launch_binary({"elementwise/arithmetic", "add_f32", true}, DType::f32,
                      {reinterpret_cast<void*>(a), reinterpret_cast<void*>(b), reinterpret_cast<void*>(y), nest}, to);
  std::vector<cuda::BinaryLaunch> all;
  for (const Launch& l : to.all()) {
    REQUIRE(l.args.size() == sizeof(cuda::BinaryLaunch));
    std::memcpy(&all.emplace_back(), l.args.data(), sizeof(cuda::BinaryLaunch));
    CHECK(int64_t(l.grid.x) * cuda::kElementBlock >= all.back().nest.items);
  }
  return all;
}
bool is_wide(const RowNest& nest, uintptr_t a, uintptr_t b, uintptr_t y) {
  const auto all = launches_of_add(nest, a, b, y);
  REQUIRE(all.size() == 1);
  return all[0].nest.wide;
}

}  // namespace

TEST_CASE("elementwise on a device: chunks of any size cover a nest once, each element with its operands") {
  const std::pair<Dims, Dims> shapes[] = {{{7}, {7}},
                                          {{}, {}},
                                          {{3, 5}, {5}},
                                          {{4, 3, 5}, {3, 1}},
                                          {{2, 1, 4}, {3, 1}},
                                          {{2, 3, 4, 5}, {4, 1}},
                                          {{1, 6, 1}, {5, 1, 2}},
                                          {{3, 1, 2, 1, 3}, {2, 1, 4, 1}}};
  for (const auto& [a, b] : shapes) {
    const RowNest nest = nest_of(a, b);
    const std::string text = to_string(a) + " " + to_string(b);
    CAPTURE(text);
    for (int64_t most : {1, 2, 3, 4, 6, 7, 12, 20, 1000}) {
      CAPTURE(most);
      for (int operand : {0, 1}) CHECK(places_in_chunks(nest, operand, most) == places(nest, operand));
    }
  }
}

TEST_CASE("elementwise on a device: a tensor beyond 32 bits is several launches, which meet") {
  const int64_t n = int64_t(5) << 29;
  const uintptr_t a = 0x100000000, y = 0x900000000;
  int64_t at = 0;
  for (const cuda::BinaryLaunch& l : launches_of_add(nest_of(Dims{n}, Dims{n}), a, a, y)) {
    CHECK(reinterpret_cast<uintptr_t>(l.a) == a + 4 * static_cast<uintptr_t>(at));
    CHECK(reinterpret_cast<uintptr_t>(l.y) == y + 4 * static_cast<uintptr_t>(at));
    CHECK(l.nest.wide);
    at += l.nest.elements;
  }
  CHECK(at == n);
}

TEST_CASE("elementwise on a device: a thread takes four elements where rows are whole and what moves is aligned") {
  const RowNest flat = nest_of({67}, {67}), standing = nest_of({67}, {1}), rows = nest_of({3, 8}, {8}), uneven = nest_of({3, 6}, {6});
  CHECK(is_wide(flat, 0x1000, 0x2000, 0x3000));
  CHECK(!is_wide(flat, 0x1004, 0x2000, 0x3000));
  CHECK(!is_wide(flat, 0x1000, 0x2008, 0x3000));
  CHECK(!is_wide(flat, 0x1000, 0x2000, 0x3004));
  CHECK(is_wide(standing, 0x1000, 0x2004, 0x3000));
  CHECK(is_wide(rows, 0x1000, 0x2000, 0x3000));
  CHECK(!is_wide(uneven, 0x1000, 0x2000, 0x3000));
  CHECK(is_wide(nest_of({3, 8}, {3, 1}), 0x1000, 0x2004, 0x3000));
  CHECK(!is_wide(nest_of({2, 8, 6}, {2, 8, 1}), 0x1000, 0x2000, 0x3000));
}

TEST_CASE("elementwise on a device: subnormal operands of a minimum or a maximum are zeros of their sign, as on a CPU") {
  const Tensor tiny = f32({2, 4}, {1e-40f, -1e-40f, 1e-45f, -1e-45f, 1e-39f, 0, 1e-40f, -1e-40f}),
               zeros = f32({2, 4}, {0, -0.0f, 0, -0.0f, 0, 0, 0, -0.0f});
  const Tensor large = f32({}, {5}), small = f32({}, {-5});
  check_same(run_op("Min", {}, {tiny, large})[0], zeros);
  check_same(run_op("Max", {}, {tiny, small})[0], zeros);
  check_same(run_op("Clip", {}, {tiny, small, large})[0], zeros);
  check_same(run_op("Relu", {}, {f32({3}, {1e-40f, 1e-45f, 1e-39f})})[0], f32({3}, {0, 0, 0}));
}

TEST_CASE("elementwise on a device: every address computes the same") {
  if (!on_device()) return;
  auto device = cuda::simulated_device();
  REQUIRE(device.ok());
  const Tensor x = random_f32({2, 67}, 1, -3, 3), row = random_f32({67}, 2, -3, 3), c = boolean({2, 1}, {true, false});
  const std::pair<const char*, std::vector<Tensor>> cases[] = {{"Exp", {x}},     {"Relu", {row}}, {"Add", {x, x}},       {"Mul", {x, row}},
                                                               {"Less", {x, x}}, {"Clip", {x}},   {"Where", {c, x, row}}};
  for (const auto& [name, inputs] : cases) {
    const OpDef& op = *find_op(name);
    const Tensor expected = run_op(name, {}, inputs)[0];
    Tensor y = *Tensor::allocate(expected.dtype(), expected.dims());
    std::vector<TensorView> in, out = {y.view()};
    for (const Tensor& t : inputs) in.push_back(t.view());
    const Attributes none;
    auto bound = bind_op(op, {.attrs = {op.attrs, none}, .isa = Isa::cuda, .inputs = in, .outputs = out});
    REQUIRE(bound.ok());
    for (size_t offset : {0, 4, 8, 12}) {
      const std::string text = std::string(op.name) + " at " + std::to_string(offset);
      CAPTURE(text);
      std::vector<cuda::Memory> memory;
      auto place = [&](size_t bytes, std::span<const std::byte> contents) {
        memory.push_back(*(*device)->allocate(offset + bytes));
        if (!contents.empty()) REQUIRE((*device)->upload(memory.back().get() + offset, contents));
        return memory.back().get() + offset;
      };
      std::vector<const std::byte*> from;
      for (const Tensor& t : inputs) from.push_back(place(t.bytes(), {t.raw(), t.bytes()}));
      std::byte* const to[] = {place(y.bytes(), {})};
      const auto image = allocate_aligned(static_cast<size_t>(bound->image_bytes()));
      link_image(*bound, image.get(), image.get(), {.inputs = from, .outputs = to});
      Launches launches;
      bound->row->launch(image.get(), launches);
      launches.move(Launch::Kind::download, y.mutable_raw(), to[0], static_cast<int64_t>(y.bytes()));
      auto run = (*device)->prepare(launches.all());
      REQUIRE(run.ok());
      REQUIRE_MESSAGE((*run)->run(), (*run)->status().error().message());
      check_same(y, expected);
    }
  }
}

}  // namespace tern::test::in_elementwise_device
