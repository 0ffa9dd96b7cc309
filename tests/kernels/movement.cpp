// The movers against xtensor and by hand, on every dtype size and part count. Contract: kernels/movement/movement.h.
#include <doctest/doctest.h>

#include <numeric>
#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>
#include <xtensor/xmanipulation.hpp>
#include <xtensor/xview.hpp>

#include "tests/support/op_test.h"

namespace tern::test::in_movement {
namespace {

// 0, 1, 2, ... as f32.
Tensor iota(Dims dims) {
  Tensor t = *Tensor::allocate(DType::f32, dims);
  std::iota(t.mutable_data<float>(), t.mutable_data<float>() + t.count(), 0.0f);
  return t;
}
xt::xarray<float> to_xt(const Tensor& t) {
  std::vector<size_t> shape(t.dims().span().begin(), t.dims().span().end());
  return xt::adapt(std::vector<float>(t.span<float>().begin(), t.span<float>().end()), shape);
}
Tensor from_xt(const xt::xarray<float>& a) {
  std::vector<int64_t> dims(a.shape().begin(), a.shape().end());
  return Tensor::of<float>(Dims(dims), std::vector<float>(a.begin(), a.end()));
}
Tensor ints(std::vector<int64_t> v) { return i64({static_cast<int64_t>(v.size())}, v); }
const int64_t kMin = INT64_MIN, kMax = INT64_MAX;

}  // namespace

TEST_CASE("transpose: every permutation of four axes is xtensor's") {
  const Tensor x = iota({3, 5, 2, 17});
  std::vector<int64_t> perm = {0, 1, 2, 3};
  do {
    const xt::xarray<float> y = xt::transpose(to_xt(x), std::vector<size_t>(perm.begin(), perm.end()));
    check_same(run_op("Transpose", {{"perm", perm}}, {x})[0], from_xt(y));
  } while (std::next_permutation(perm.begin(), perm.end()));
}

TEST_CASE("transpose: matrices of every tail size, without perm") {
  for (int64_t m : {1, 2, 15, 16, 17, 33}) {
    for (int64_t n : {1, 3, 16, 31, 32, 47}) {
      const Tensor x = iota({m, n});
      check_same(run_op("Transpose", {}, {x})[0], from_xt(xt::transpose(to_xt(x))));
    }
  }
  CHECK(run_op("Transpose", {}, {iota({3, 0})})[0].dims() == Dims{0, 3});
  CHECK(run_op("Transpose", {}, {iota({})})[0].dims() == Dims{});
}

TEST_CASE("transpose: elements of 1, 2, 8 and 16 bytes move whole") {
  for (DType t : {DType::i8, DType::f16, DType::f64, DType::boolean}) {
    const Tensor x = iota({5, 20});
    check_same(run_op("Transpose", {}, {cast(x, t)})[0], cast(from_xt(xt::transpose(to_xt(x))), t));
  }
  const std::vector<std::string> words = {"a", "bb", "", "dddd", "e", "f"};
  auto y = run_op("Transpose", {}, {*Tensor::strings({2, 3}, words)});
  CHECK(y[0].data<StringRef>()[1].view() == "dddd");
  CHECK(y[0].data<StringRef>()[4].view() == "");
  CHECK(y[0].data<StringRef>()[2].view() == "bb");
}

TEST_CASE("transpose: a bad permutation is refused") {
  CHECK(op_error("Transpose", {{"perm", std::vector<int64_t>{0, 0}}}, {iota({2, 3})}) != "");
  CHECK(op_error("Transpose", {{"perm", std::vector<int64_t>{0, 2}}}, {iota({2, 3})}) != "");
  CHECK(op_error("Transpose", {{"perm", std::vector<int64_t>{0}}}, {iota({2, 3})}) != "");
}

TEST_CASE("reshape: -1, 0 and allowzero") {
  const Tensor x = iota({2, 3, 4});
  CHECK(run_op("Reshape", {}, {x, ints({0, -1})})[0].dims() == Dims{2, 12});
  CHECK(run_op("Reshape", {}, {x, ints({4, 0, 2})})[0].dims() == Dims{4, 3, 2});
  CHECK(run_op("Reshape", {}, {iota({1}), ints({})})[0].dims() == Dims{});
  CHECK(run_op("Reshape", {}, {iota({0, 3}), ints({0, -1})})[0].dims() == Dims{0, 3});
  CHECK(run_op("Reshape", {{"allowzero", int64_t(1)}}, {iota({0, 3}), ints({3, 0})})[0].dims() == Dims{3, 0});
  check_same(run_op("Reshape", {}, {x, ints({24})})[0], iota({24}));
  for (std::vector<int64_t> bad : {std::vector<int64_t>{5, -1}, {-1, -1}, {7}, {-2, 12}, {2, 3, 4, 0}, {kMax, 4, 2}}) {
    CHECK(op_error("Reshape", {}, {x, ints(bad)}) != "");
  }
  CHECK(op_error("Reshape", {{"allowzero", int64_t(1)}}, {iota({0, 3}), ints({0, -1})}) != "");
}

TEST_CASE("flatten, squeeze, unsqueeze: axes from either end") {
  CHECK(run_op("Flatten", {}, {iota({2, 3, 4})})[0].dims() == Dims{2, 12});
  CHECK(run_op("Flatten", {{"axis", int64_t(0)}}, {iota({2, 3, 4})})[0].dims() == Dims{1, 24});
  CHECK(run_op("Flatten", {{"axis", int64_t(3)}}, {iota({2, 3, 4})})[0].dims() == Dims{24, 1});
  CHECK(run_op("Flatten", {{"axis", int64_t(-1)}}, {iota({2, 3, 4})})[0].dims() == Dims{6, 4});
  CHECK(run_op("Squeeze", {}, {iota({1, 3, 1})})[0].dims() == Dims{3});
  CHECK(run_op("Squeeze", {}, {iota({1, 3, 1}), ints({-1})})[0].dims() == Dims{1, 3});
  CHECK(run_op("Unsqueeze", {}, {iota({3}), ints({-1, 0})})[0].dims() == Dims{1, 3, 1});
  CHECK(op_error("Squeeze", {}, {iota({1, 3}), ints({1})}) != "");
  CHECK(op_error("Unsqueeze", {}, {iota({3}), ints({0, 0})}) != "");
  CHECK(op_error("Unsqueeze", {}, {iota({3}), ints({2})}) != "");
}

TEST_CASE("dropout: passes its input on, with a mask of true") {
  auto y = run_op("Dropout", {}, {iota({2, 3}), f32({}, {0.5f}), boolean({}, {false})}, 2);
  check_same(y[0], iota({2, 3}));
  check_same(y[1], boolean({2, 3}, {true, true, true, true, true, true}));
}

TEST_CASE("concat: joins along any axis, empty inputs included") {
  const Tensor a = iota({2, 3, 4}), b = random_f32({2, 5, 4}, 1), none = iota({2, 0, 4});
  const xt::xarray<float> y = xt::concatenate(xt::xtuple(to_xt(a), to_xt(b)), 1);
  check_same(run_op("Concat", {{"axis", int64_t(1)}}, {a, b})[0], from_xt(y));
  check_same(run_op("Concat", {{"axis", int64_t(-2)}}, {a, none, b})[0], from_xt(y));
  check_same(run_op("Concat", {{"axis", int64_t(2)}}, {a, a})[0], from_xt(xt::concatenate(xt::xtuple(to_xt(a), to_xt(a)), 2)));
  CHECK(op_error("Concat", {{"axis", int64_t(0)}}, {a, b}) != "");
  CHECK(op_error("Concat", {{"axis", int64_t(3)}}, {a, a}) != "");
}

TEST_CASE("split: given sizes, even chunks, a shorter last one") {
  const Tensor x = iota({7, 2});
  auto y = run_op("Split", {{"num_outputs", int64_t(3)}}, {x}, 3);
  check_same(y[0], from_xt(xt::view(to_xt(x), xt::range(0, 3))));
  check_same(y[2], from_xt(xt::view(to_xt(x), xt::range(6, 7))));
  y = run_op("Split", {{"axis", int64_t(-2)}}, {x, ints({1, 0, 6})}, 3);
  CHECK(y[1].dims() == Dims{0, 2});
  check_same(y[2], from_xt(xt::view(to_xt(x), xt::range(1, 7))));
  y = run_op("Split", {{"axis", int64_t(1)}}, {iota({3, 4}), ints({1, 3})}, 2);
  check_same(y[1], f32({3, 3}, {1, 2, 3, 5, 6, 7, 9, 10, 11}));
  CHECK(op_error("Split", {}, {x, ints({3, 5})}, 2) != "");
  CHECK(op_error("Split", {}, {x, ints({8, -1})}, 2) != "");
}

TEST_CASE("slice: steps of either sign, bounds outside and at the ends of i64") {
  const Tensor x = iota({10});
  auto slice = [&](int64_t start, int64_t end, int64_t step) {
    return run_op("Slice", {}, {x, ints({start}), ints({end}), ints({0}), ints({step})})[0];
  };
  check_same(slice(2, 7, 2), f32({3}, {2, 4, 6}));
  check_same(slice(2, 8, 2), f32({3}, {2, 4, 6}));
  check_same(slice(-3, kMax, 1), f32({3}, {7, 8, 9}));
  check_same(slice(kMin, kMax, 4), f32({3}, {0, 4, 8}));
  check_same(slice(kMax, kMin, -4), f32({3}, {9, 5, 1}));
  check_same(slice(-1, -11, -9), f32({2}, {9, 0}));
  check_same(slice(8, 2, -3), f32({2}, {8, 5}));
  check_same(slice(5, kMin, kMin), f32({1}, {5}));
  check_same(slice(0, kMax, kMax), f32({1}, {0}));
  check_same(slice(20, -20, -1), slice(9, kMin, -1));
  CHECK(slice(7, 2, 1).dims() == Dims{0});
  CHECK(slice(2, 7, -1).dims() == Dims{0});
  CHECK(op_error("Slice", {}, {x, ints({0}), ints({1}), ints({0}), ints({0})}) != "");
  CHECK(op_error("Slice", {}, {x, ints({0}), ints({1}), ints({1})}) != "");
}

TEST_CASE("slice: several axes at once are xtensor's view") {
  const Tensor x = iota({4, 6, 5});
  check_same(run_op("Slice", {}, {x, ints({1, -1}), ints({4, 1}), ints({0, -2}), ints({2, -2})})[0],
             from_xt(xt::view(to_xt(x), xt::range(1, 4, 2), xt::range(5, 1, -2), xt::all())));
  check_same(run_op("Slice", {}, {x, ints({1, 2}), ints({3, 5})})[0], from_xt(xt::view(to_xt(x), xt::range(1, 3), xt::range(2, 5), xt::all())));
  CHECK(run_op("Slice", {}, {iota({0, 3}), ints({0}), ints({-1}), ints({0}), ints({-1})})[0].dims() == Dims{0, 3});
}

TEST_CASE("expand: broadcasts both ways") {
  check_same(run_op("Expand", {}, {f32({3, 1}, {1, 2, 3}), ints({2, 1, 4})})[0],
             from_xt(xt::broadcast(to_xt(f32({3, 1}, {1, 2, 3})), std::vector<size_t>{2, 3, 4})));
  check_same(run_op("Expand", {}, {iota({2, 3}), ints({1, 1})})[0], iota({2, 3}));
  check_same(run_op("Expand", {}, {iota({4}), ints({2, 4})})[0], f32({2, 4}, {0, 1, 2, 3, 0, 1, 2, 3}));
  CHECK(run_op("Expand", {}, {iota({1}), ints({0})})[0].dims() == Dims{0});
  CHECK(op_error("Expand", {}, {iota({2}), ints({3})}) != "");
}

TEST_CASE("tile: repeats along every axis") {
  const Tensor x = iota({2, 3});
  const xt::xarray<float> a = to_xt(x), wide = xt::concatenate(xt::xtuple(a, a), 1), both = xt::concatenate(xt::xtuple(wide, wide), 0);
  check_same(run_op("Tile", {}, {x, ints({1, 2})})[0], from_xt(wide));
  check_same(run_op("Tile", {}, {x, ints({2, 2})})[0], from_xt(both));
  CHECK(run_op("Tile", {}, {x, ints({0, 2})})[0].dims() == Dims{0, 6});
  CHECK(op_error("Tile", {}, {x, ints({2})}) != "");
  CHECK(op_error("Tile", {}, {x, ints({-1, 1})}) != "");
}

TEST_CASE("tile: every element comes from where it lies in x, of short runs and long ones, repeated and not") {
  for (const Dims& dims : {Dims{2, 3, 4, 5}, Dims{3, 1, 2}, Dims{1, 7}, Dims{2, 2, 2, 2, 2}, Dims{2, 3, 90}, Dims{5}}) {
    for (int64_t turn = 0; turn < 6; ++turn) {
      Dims all = dims;
      std::vector<int64_t> repeats;
      for (int d = 0; d < dims.rank; ++d) {
        repeats.push_back(1 + (turn * 5 + d * 3) % 4);
        all[d] *= repeats.back();
      }
      const Tensor x = iota(dims);
      Tensor expected = *Tensor::allocate(DType::f32, all);
      for (int64_t i = 0; i < expected.count(); ++i) {
        int64_t rest = i, at = 0, stride = 1;
        for (int d = dims.rank - 1; d >= 0; --d) {
          at += rest % all[d] % dims[d] * stride;
          rest /= all[d];
          stride *= dims[d];
        }
        expected.mutable_data<float>()[i] = x.data<float>()[at];
      }
      const Tensor r = i64({dims.rank}, repeats);
      check_same(run_op("Tile", {}, {x, r})[0], expected);
      check_same(run_op("Tile", {}, {cast(x, DType::u8), r})[0], cast(expected, DType::u8));
      check_same(run_op("Tile", {}, {cast(x, DType::f64), r})[0], cast(expected, DType::f64));
    }
  }
}

// Expected values: onnxruntime 1.32.
TEST_CASE("pad: a side that crops does so before the other is filled") {
  auto pad = [](const char* mode, int64_t before, int64_t after) {
    return run_op("Pad", {{"mode", mode}}, {f32({6}, {0, 1, 2, 3, 4, 5}), i64({2}, {before, after})})[0];
  };
  check_same(pad("wrap", -1, 2), f32({7}, {1, 2, 3, 4, 5, 1, 2}));
  check_same(pad("wrap", 2, -1), f32({7}, {3, 4, 0, 1, 2, 3, 4}));
  check_same(pad("reflect", -1, 2), f32({7}, {1, 2, 3, 4, 5, 4, 3}));
  check_same(pad("reflect", 2, -1), f32({7}, {2, 1, 0, 1, 2, 3, 4}));
  check_same(pad("edge", 3, -2), f32({7}, {0, 0, 0, 0, 1, 2, 3}));
  check_same(pad("wrap", -5, 3), f32({4}, {5, 5, 5, 5}));
  CHECK(op_error("Pad", {{"mode", "edge"}}, {f32({2}, {0, 1}), i64({2}, {-2, 3})}) != "");
  CHECK(op_error("Pad", {{"mode", "wrap"}}, {f32({2}, {0, 1}), i64({2}, {-3, 3})}) != "");
}

TEST_CASE("pad: constant, reflect, edge and wrap, with crops and axes") {
  const Tensor x = f32({1, 4}, {1, 2, 3, 4});
  auto pad = [&](const char* mode, int64_t before, int64_t after) {
    return run_op("Pad", {{"mode", std::string(mode)}}, {x, ints({before, after}), f32({}, {9}), ints({-1})})[0];
  };
  check_same(pad("constant", 2, 1), f32({1, 7}, {9, 9, 1, 2, 3, 4, 9}));
  check_same(pad("constant", -1, 2), f32({1, 5}, {2, 3, 4, 9, 9}));
  check_same(pad("constant", -5, 3), f32({1, 2}, {9, 9}));
  check_same(pad("reflect", 5, 3), f32({1, 12}, {2, 3, 4, 3, 2, 1, 2, 3, 4, 3, 2, 1}));
  check_same(pad("edge", 2, 3), f32({1, 9}, {1, 1, 1, 2, 3, 4, 4, 4, 4}));
  check_same(pad("wrap", 5, 2), f32({1, 11}, {4, 1, 2, 3, 4, 1, 2, 3, 4, 1, 2}));
  check_same(pad("edge", -1, -1), f32({1, 2}, {2, 3}));
  check_same(run_op("Pad", {}, {x, ints({1, 0, 0, 1})})[0], f32({2, 5}, {0, 0, 0, 0, 0, 1, 2, 3, 4, 0}));
  check_same(run_op("Pad", {}, {iota({2, 0}), ints({0, 1, 0, 1})})[0], f32({2, 2}, {0, 0, 0, 0}));
  CHECK(op_error("Pad", {}, {x, ints({0, -3, 0, -2})}) != "");
  CHECK(op_error("Pad", {{"mode", std::string("mirror")}}, {x, ints({0, 0, 0, 0})}) != "");
}

TEST_CASE("pad: a constant on every side of rows of every length, each element once or all before") {
  for (int64_t n : {1, 7, 60, 70, 257, 1030}) {
    for (const std::vector<int64_t>& pads : std::vector<std::vector<int64_t>>{{1, 0, 6, 2, -2, 3},
                                                                              {0, 0, 1, 0, 0, 1},
                                                                              {0, 2, 0, 1, 0, 0},
                                                                              {2, 1, 5, 0, 3, 0},
                                                                              {-1, 4, 0, 0, -1, 1},
                                                                              {0, 0, 0, 0, 0, 0},
                                                                              {-3, 1, 1, 4, 1, 1},
                                                                              {-5, 1, 1, 6, 1, 1},
                                                                              {4, 1, 1, -5, 1, 1}}) {
      const Tensor x = random_f32({3, 5, n}, 1);
      const Dims dims{3 + pads[0] + pads[3], 5 + pads[1] + pads[4], n + pads[2] + pads[5]};
      std::vector<float> expected;
      for (int64_t i = 0; i < dims.count(); ++i) {
        const int64_t at[] = {i / (dims[1] * dims[2]) - pads[0], i / dims[2] % dims[1] - pads[1], i % dims[2] - pads[2]};
        const bool inside = at[0] >= 0 && at[0] < 3 && at[1] >= 0 && at[1] < 5 && at[2] >= 0 && at[2] < n;
        expected.push_back(inside ? x.data<float>()[(at[0] * 5 + at[1]) * n + at[2]] : 9);
      }
      for (DType t : {DType::f32, DType::f64, DType::f16})
        check_same(run_op("Pad", {}, {cast(x, t), i64({6}, pads), cast(f32({}, {9}), t)})[0], cast(f32(dims, expected), t));
    }
  }
}

TEST_CASE("trilu: both triangles, diagonals inside and far outside") {
  const Tensor x = f32({2, 3}, {1, 2, 3, 4, 5, 6});
  auto trilu = [&](int64_t upper, int64_t k) { return run_op("Trilu", {{"upper", upper}}, {x, i64({}, {k})})[0]; };
  check_same(trilu(1, 0), f32({2, 3}, {1, 2, 3, 0, 5, 6}));
  check_same(trilu(0, 0), f32({2, 3}, {1, 0, 0, 4, 5, 0}));
  check_same(trilu(1, 1), f32({2, 3}, {0, 2, 3, 0, 0, 6}));
  check_same(trilu(0, -1), f32({2, 3}, {0, 0, 0, 4, 0, 0}));
  check_same(trilu(1, kMin), x);
  check_same(trilu(0, kMax), x);
  check_same(trilu(1, kMax), f32({2, 3}, {0, 0, 0, 0, 0, 0}));
  const Tensor two = iota({2, 2, 2});
  check_same(run_op("Trilu", {}, {two})[0], f32({2, 2, 2}, {0, 1, 0, 3, 4, 5, 0, 7}));
}

TEST_CASE("depth to space and back: DCR and CRD") {
  const Tensor x = iota({1, 8, 1, 2});
  check_same(run_op("DepthToSpace", {{"blocksize", int64_t(2)}}, {x})[0], f32({1, 2, 2, 4}, {0, 4, 1, 5, 8, 12, 9, 13, 2, 6, 3, 7, 10, 14, 11, 15}));
  check_same(run_op("DepthToSpace", {{"blocksize", int64_t(2)}, {"mode", std::string("CRD")}}, {x})[0],
             f32({1, 2, 2, 4}, {0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15}));
  const Tensor r = random_f32({2, 12, 3, 5}, 3);
  check_same(run_op("SpaceToDepth", {{"blocksize", int64_t(2)}}, {run_op("DepthToSpace", {{"blocksize", int64_t(2)}}, {r})[0]})[0], r);
  auto deep = [&](const char* mode) {
    return run_op("SpaceToDepth", {{"blocksize", int64_t(2)}, {"mode", std::string(mode)}}, {iota({1, 2, 2, 2})})[0];
  };
  check_same(deep("DCR"), f32({1, 8, 1, 1}, {0, 4, 1, 5, 2, 6, 3, 7}));  // as onnx.reference 1.23
  check_same(deep("CRD"), f32({1, 8, 1, 1}, {0, 1, 2, 3, 4, 5, 6, 7}));
  CHECK(op_error("SpaceToDepth", {{"blocksize", int64_t(2)}, {"mode", std::string("DRC")}}, {r}) != "");
  CHECK(op_error("DepthToSpace", {{"blocksize", int64_t(3)}}, {x}) != "");
  CHECK(op_error("DepthToSpace", {{"blocksize", int64_t(0)}}, {x}) != "");
}

TEST_CASE("range, fills and eyes") {
  auto range = [](int64_t a, int64_t b, int64_t d) { return run_op("Range", {}, {i64({}, {a}), i64({}, {b}), i64({}, {d})})[0]; };
  check_same(range(3, 9, 3), ints({3, 6}));
  check_same(range(3, 10, 3), ints({3, 6, 9}));
  check_same(range(10, 4, -2), ints({10, 8, 6}));
  CHECK(range(4, 3, 1).count() == 0);
  check_same(run_op("Range", {}, {f32({}, {1}), f32({}, {2}), f32({}, {0.25f})})[0], f32({4}, {1, 1.25f, 1.5f, 1.75f}));
  CHECK(op_error("Range", {}, {i64({}, {0}), i64({}, {1}), i64({}, {0})}) != "");
  CHECK(op_error("Range", {}, {i64({}, {kMin}), i64({}, {kMax}), i64({}, {1})}) != "");
  check_same(run_op("ConstantOfShape", {}, {ints({2, 2})})[0], f32({2, 2}, {0, 0, 0, 0}));
  check_same(run_op("ConstantOfShape", {{"value", ints({7})}}, {ints({3})})[0], ints({7, 7, 7}));
  CHECK(run_op("ConstantOfShape", {}, {ints({})})[0].dims() == Dims{});
  CHECK(op_error("ConstantOfShape", {}, {ints({-1})}) != "");
  check_same(run_op("EyeLike", {{"k", int64_t(1)}}, {iota({2, 3})})[0], f32({2, 3}, {0, 1, 0, 0, 0, 1}));
  check_same(run_op("EyeLike", {{"k", int64_t(-1)}}, {iota({3, 2})})[0], f32({3, 2}, {0, 0, 1, 0, 0, 1}));
  check_same(run_op("EyeLike", {{"k", int64_t(9)}, {"dtype", int64_t(7)}}, {iota({1, 2})})[0], i64({1, 2}, {0, 0}));
}

TEST_CASE("shape and size: windows from either end") {
  const Tensor x = iota({2, 3, 4});
  check_same(run_op("Shape", {}, {x})[0], ints({2, 3, 4}));
  check_same(run_op("Shape", {{"start", int64_t(-2)}}, {x})[0], ints({3, 4}));
  check_same(run_op("Shape", {{"start", int64_t(1)}, {"end", int64_t(-1)}}, {x})[0], ints({3}));
  check_same(run_op("Shape", {{"start", int64_t(2)}, {"end", int64_t(1)}}, {x})[0], ints({}));
  check_same(run_op("Shape", {{"start", int64_t(-9)}, {"end", int64_t(9)}}, {x})[0], ints({2, 3, 4}));
  check_same(run_op("Size", {}, {x})[0], i64({}, {24}));
  check_same(run_op("Size", {}, {iota({0, 2})})[0], i64({}, {0}));
}

}  // namespace tern::test::in_movement
