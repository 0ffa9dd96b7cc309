// Gathers and scatters by hand, with both index dtypes. Contract: kernels/gather/gather.h.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <limits>

#include "tests/support/device.h"
#include "tests/support/op_test.h"

namespace tern::test::in_gather {
namespace {

Tensor iota(Dims dims) {
  Tensor t = *Tensor::allocate(DType::f32, dims);
  for (int64_t i = 0; i < t.count(); ++i) t.mutable_data<float>()[i] = static_cast<float>(i);
  return t;
}
Tensor i32(Dims dims, std::vector<float> v) { return cast(f32(dims, std::move(v)), DType::i32); }
// Runs the kernel on indices that inference never saw, as a session does; all of them are out of range.
Tensor gather_outside(const Tensor& x, const Tensor& indices) {
  Attributes attrs;
  const OpDef* op = find_op("Gather");
  Tensor y = *Tensor::allocate(x.dtype(), Dims{indices.count(), x.dims()[1]});
  const TensorView in[] = {x.view(), indices.view()}, out[] = {y.view()};
  auto bound = bind_op(*op, {.attrs = {op->attrs, attrs}, .inputs = in, .outputs = out});
  REQUIRE(bound.ok());
  PackStore packs;
  const Tensor inputs[] = {x, indices};
  const ReadyStep ready = make_ready(*bound, inputs, {&y, 1}, packs);
  ready.step.run(ready.step.args);
  CHECK(*ready.fault != 0);
  CHECK(bound->fault == "an index was out of range [-3, 3)");
  return y;
}

}  // namespace

TEST_CASE("gather: the mean of gathered rows has the bits of Gather, Cast and ReduceMean") {
  for (int64_t row : {2, 15, 16, 64, 130}) {
    for (int64_t count : {1, 2, 7}) {
      std::vector<int64_t> places;
      for (int64_t i = 0; i < 2 * count; ++i) places.push_back(i * 7 % 10 - 5);
      const Tensor index = i64({2, count}, places);
      const Tensor short_index = Tensor::of<int32_t>({2, count}, std::vector<int32_t>(places.begin(), places.end()));
      for (int64_t i = 0; i < 6; ++i) {
        const DType t = std::array{DType::f32, DType::f16, DType::bf16}[static_cast<size_t>(i) % 3];
        const int64_t keep = i / 3;
        const Tensor x = cast(random_f32({5, row}, 1), t), rows = run_op("Cast", {{"to", int64_t(1)}}, {run_op("Gather", {}, {x, index})[0]})[0];
        const Tensor mean = run_op("ReduceMean", {{"keepdims", keep}}, {rows, i64({1}, {1})})[0];
        check_same(run_op("GatherMean", {{"keepdims", keep}}, {x, index})[0], mean);
        check_same(run_op("GatherMean", {{"keepdims", keep}}, {x, short_index})[0], mean);
      }
    }
  }
  CHECK(op_error("GatherMean", {}, {iota({3, 4}), i64({1}, {3})}) == "an index was out of range [-3, 3)");
}

TEST_CASE("gather: the mean of one row of 16 bits has every number that 16 bits hold") {
  std::vector<f16> halves;
  std::vector<bf16> others;
  for (int i = 0; i < 1 << 16; ++i) {
    halves.push_back({static_cast<uint16_t>(i)});
    const bool flushed = on_device() && (i & 0x7f80) == 0;  // a device's Cast flushes subnormals
    others.push_back({static_cast<uint16_t>(flushed ? i & 0x8000 : i)});
  }
  const Tensor index = i64({1, 1}, {0});
  for (const Tensor& x : {Tensor::of<f16>({1, 1 << 16}, halves), Tensor::of<bf16>({1, 1 << 16}, others)}) {
    const Tensor rows = run_op("Cast", {{"to", int64_t(1)}}, {run_op("Gather", {}, {x, index})[0]})[0];
    check_same(run_op("GatherMean", {{"keepdims", int64_t(0)}}, {x, index})[0],
               run_op("ReduceMean", {{"keepdims", int64_t(0)}}, {rows, i64({1}, {1})})[0]);
  }
}

TEST_CASE("gather: rows, columns, negative and scalar indices") {
  const Tensor x = iota({3, 4});
  check_same(run_op("Gather", {}, {x, i64({2, 1}, {2, -3})})[0], f32({2, 1, 4}, {8, 9, 10, 11, 0, 1, 2, 3}));
  check_same(run_op("Gather", {{"axis", int64_t(1)}}, {x, i32({2}, {3, -1})})[0], f32({3, 2}, {3, 3, 7, 7, 11, 11}));
  check_same(run_op("Gather", {{"axis", int64_t(-1)}}, {x, i64({}, {1})})[0], f32({3}, {1, 5, 9}));
  CHECK(run_op("Gather", {}, {x, i64({0}, {})})[0].dims() == Dims{0, 4});
  CHECK(run_op("Gather", {}, {iota({3, 0}), i64({1}, {1})})[0].dims() == Dims{1, 0});
  for (DType t : {DType::i8, DType::f16, DType::f64}) {
    check_same(run_op("Gather", {{"axis", int64_t(1)}}, {cast(x, t), i64({1}, {2})})[0], cast(f32({3, 1}, {2, 6, 10}), t));
  }
}

TEST_CASE("gather: a known index outside is an error, an unknown one is clamped and reported") {
  const Tensor x = iota({3, 2});
  CHECK(op_error("Gather", {}, {x, i64({1}, {3})}) != "");
  CHECK(op_error("Gather", {}, {x, i64({1}, {-4})}) != "");
  CHECK(op_error("Gather", {}, {x, f32({1}, {0})}) != "");
  CHECK(op_error("Gather", {}, {iota({0, 2}), i64({1}, {0})}) != "");
  check_same(gather_outside(x, i64({4}, {3, -4, INT64_MAX, INT64_MIN})), f32({4, 2}, {4, 5, 0, 1, 4, 5, 0, 1}));
}

TEST_CASE("gather and scatter: an index that nobody reads, because the output has no elements, is none that is out of range") {
  const Tensor none = iota({0, 0}), narrow = iota({3, 0});
  CHECK(run_op("Gather", {}, {none, i64({1}, {2})})[0].dims() == Dims{1, 0});
  CHECK(run_op("Gather", {}, {narrow, i64({2}, {9, -9})})[0].dims() == Dims{2, 0});
  CHECK(run_op("GatherND", {}, {narrow, i64({2, 1}, {9, -9})})[0].dims() == Dims{2, 0});
  CHECK(run_op("GatherElements", {}, {none, i64({0, 0}, {})})[0].dims() == Dims{0, 0});
  CHECK(run_op("ScatterND", {}, {narrow, i64({1, 1}, {9}), iota({1, 0})})[0].dims() == Dims{3, 0});
  CHECK(run_op("ScatterElements", {}, {iota({0}), i64({1}, {9}), f32({1}, {1})})[0].dims() == Dims{0});
  CHECK(op_error("Gather", {}, {iota({0, 2}), i64({1}, {0})}) != "");  // here there is something to read
}

TEST_CASE("gather elements: along either axis, from smaller indices") {
  const Tensor x = iota({3, 3});
  check_same(run_op("GatherElements", {}, {x, i64({2, 3}, {1, 2, 0, 2, 0, -3})})[0], f32({2, 3}, {3, 7, 2, 6, 1, 2}));
  check_same(run_op("GatherElements", {{"axis", int64_t(1)}}, {x, i32({2, 2}, {0, 0, -1, 0})})[0], f32({2, 2}, {0, 0, 5, 3}));
  CHECK(op_error("GatherElements", {}, {x, i64({1, 4}, {0, 0, 0, 0})}) != "");
  CHECK(op_error("GatherElements", {}, {x, i64({1, 1}, {3})}) != "");
}

TEST_CASE("gather: elements of long rows along every axis, of every width") {
  const Dims in{5, 6, 700}, out{4, 5, 600};
  for (int64_t axis = 0; axis < 3; ++axis) {
    const Tensor x = random_f32(in, 3, 0, 100);
    Tensor k = *Tensor::allocate(DType::i64, out), narrow = *Tensor::allocate(DType::i32, out), y = *Tensor::allocate(DType::f32, out);
    for (int64_t i = 0; i < k.count(); ++i) {
      const int64_t n = in[static_cast<int>(axis)], index = i * 7919 % n;
      int64_t at[3] = {i / out[2] / out[1], i / out[2] % out[1], i % out[2]};
      at[axis] = index;
      k.mutable_data<int64_t>()[i] = i % 3 == 0 ? index - n : index;
      narrow.mutable_data<int32_t>()[i] = static_cast<int32_t>(k.data<int64_t>()[i]);
      y.mutable_data<float>()[i] = x.data<float>()[(at[0] * in[1] + at[1]) * in[2] + at[2]];
    }
    for (DType t : {DType::f32, DType::f64, DType::f16, DType::u8})
      check_same(run_op("GatherElements", {{"axis", axis}}, {cast(x, t), k})[0], cast(y, t));
    check_same(run_op("GatherElements", {{"axis", axis}}, {x, narrow})[0], y);
  }
}

TEST_CASE("gather nd: whole tuples, rows, batches") {
  const Tensor x = iota({2, 2, 2});
  check_same(run_op("GatherND", {}, {x, i64({2, 3}, {0, 0, 1, 1, -1, 0})})[0], f32({2}, {1, 6}));
  check_same(run_op("GatherND", {}, {x, i64({1, 2}, {0, 1})})[0], f32({1, 2}, {2, 3}));
  check_same(run_op("GatherND", {{"batch_dims", int64_t(1)}}, {x, i64({2, 1}, {1, 0})})[0], f32({2, 2}, {2, 3, 4, 5}));
  check_same(run_op("GatherND", {{"batch_dims", int64_t(1)}}, {x, i64({2, 2, 1}, {1, 0, 0, 0})})[0], f32({2, 2, 2}, {2, 3, 0, 1, 4, 5, 4, 5}));
  CHECK(op_error("GatherND", {}, {x, i64({1, 4}, {0, 0, 0, 0})}) != "");
  CHECK(op_error("GatherND", {}, {x, i64({1, 1}, {2})}) != "");
}

TEST_CASE("scatter elements: the last update wins; reductions see all of them in order") {
  const Tensor x = f32({4}, {1, 2, 3, 4}), k = i64({3}, {1, -3, 3}), u = f32({3}, {10, 20, -5});
  auto scatter = [&](const char* reduction) { return run_op("ScatterElements", {{"reduction", std::string(reduction)}}, {x, k, u})[0]; };
  check_same(scatter("none"), f32({4}, {1, 20, 3, -5}));
  check_same(scatter("add"), f32({4}, {1, 32, 3, -1}));
  check_same(scatter("mul"), f32({4}, {1, 400, 3, -20}));
  check_same(scatter("max"), f32({4}, {1, 20, 3, 4}));
  check_same(scatter("min"), f32({4}, {1, 2, 3, -5}));
  check_same(run_op("ScatterElements", {{"axis", int64_t(1)}}, {iota({2, 3}), i32({2, 1}, {2, 0}), f32({2, 1}, {8, 9})})[0],
             f32({2, 3}, {0, 1, 8, 9, 4, 5}));
  check_same(run_op("ScatterElements", {{"reduction", std::string("add")}}, {cast(x, DType::f16), k, cast(u, DType::f16)})[0],
             cast(f32({4}, {1, 32, 3, -1}), DType::f16));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  check_same(run_op("ScatterElements", {{"reduction", std::string("max")}}, {f32({2}, {nan, 1}), i64({2}, {0, 1}), f32({2}, {2, nan})})[0],
             f32({2}, {nan, nan}));
  CHECK(op_error("ScatterElements", {}, {x, i64({1}, {4}), f32({1}, {0})}) != "");
  CHECK(op_error("ScatterElements", {}, {x, k, f32({2}, {0, 0})}) != "");
  CHECK(op_error("ScatterElements", {{"reduction", std::string("sub")}}, {x, k, u}) != "");
}

TEST_CASE("scatter nd: elements and rows") {
  check_same(run_op("ScatterND", {}, {f32({4}, {1, 2, 3, 4}), i64({2, 1}, {3, -4}), f32({2}, {8, 9})})[0], f32({4}, {9, 2, 3, 8}));
  check_same(run_op("ScatterND", {{"reduction", std::string("add")}}, {iota({2, 2}), i64({2, 1}, {1, 1}), f32({2, 2}, {1, 2, 3, 4})})[0],
             f32({2, 2}, {0, 1, 6, 9}));
  check_same(run_op("ScatterND", {}, {iota({2, 2}), i32({1, 2}, {0, -1}), f32({1}, {7})})[0], f32({2, 2}, {0, 7, 2, 3}));
  CHECK(op_error("ScatterND", {}, {iota({2, 2}), i64({1, 1}, {2}), f32({1, 2}, {0, 0})}) != "");
  CHECK(op_error("ScatterND", {}, {iota({2, 2}), i64({1, 1}, {0}), f32({1, 3}, {0, 0, 0})}) != "");
}

TEST_CASE("scatter: more updates than are placed at a time, along every axis, onto places that repeat") {
  for (int64_t axis : {0, 1, 2}) {
    for (const char* reduction : {"none", "add", "mul", "min", "max"}) {
      const Dims dims{5, 12, 9}, some{4, 11, 8};
      Tensor x = random_f32(dims, 1, -2, 2), u = random_f32(some, 2, -2, 2), k = *Tensor::allocate(DType::i64, some),
             expected = random_f32(dims, 1, -2, 2);
      for (int64_t i = 0; i < k.count(); ++i) {
        k.mutable_data<int64_t>()[i] = i * 7919 % dims[static_cast<int>(axis)] - (i % 3 == 0 ? dims[static_cast<int>(axis)] : 0);
        int64_t at[] = {i / 88, i / 8 % 11, i % 8};
        at[axis] = (k.data<int64_t>()[i] + dims[static_cast<int>(axis)]) % dims[static_cast<int>(axis)];
        float &y = expected.mutable_data<float>()[(at[0] * 12 + at[1]) * 9 + at[2]], v = u.data<float>()[i];
        const std::string r = reduction;
        y = r == "add" ? y + v : r == "mul" ? y * v : r == "min" ? std::min(y, v) : r == "max" ? std::max(y, v) : v;
      }
      check_same(run_op("ScatterElements", {{"axis", axis}, {"reduction", std::string(reduction)}}, {x, k, u})[0], expected);
    }
  }
  std::vector<int64_t> places;
  Tensor x = random_f32({40, 3}, 3), u = random_f32({600, 3}, 4), expected = random_f32({40, 3}, 3);
  for (int64_t i = 0; i < 600; ++i) {
    places.push_back(i * 31 % 40);
    for (int64_t j = 0; j < 3; ++j) expected.mutable_data<float>()[places.back() * 3 + j] += u.data<float>()[i * 3 + j];
  }
  check_same(run_op("ScatterND", {{"reduction", std::string("add")}}, {x, i64({600, 1}, places), u})[0], expected);
}

}  // namespace tern::test::in_gather
