// Shapes at the edges of what the kernels of a device choose between: the ends of tiles, of rows that registers or shared memory hold, of batches of
// copies. On the CPU the same cases compare its ISAs. Contracts: kernels/{movement,gather,reduce,norm,pool,softmax}/*.h, their launch files.
#include <doctest/doctest.h>

#include <limits>
#include <numeric>

#include "kernels/launch.h"
#include "kernels/op.h"
#include "tests/support/op_test.h"

namespace tern::test::in_device_shapes {
namespace {

const float kNan = std::numeric_limits<float>::quiet_NaN(), kInf = std::numeric_limits<float>::infinity();
constexpr DType kSizes[] = {DType::u8, DType::f16, DType::f32, DType::i64};  // 1, 2, 4, 8 bytes

// 0, 1, 2 … as the dtype counts.
Tensor counted(DType t, Dims dims) {
  std::vector<float> values(static_cast<size_t>(dims.count()));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 251);
  return cast(f32(dims, std::move(values)), t);
}

Tensor indices(Dims dims, int64_t n, uint32_t seed) {
  std::vector<int64_t> at(static_cast<size_t>(dims.count()));
  for (int64_t& i : at) {
    seed = seed * 1664525u + 1013904223u;
    i = static_cast<int64_t>(seed >> 8) % (2 * n) - n;
  }
  return i64(dims, std::move(at));
}

// What a device would launch for operands of these types and shapes, which lie nowhere: the first few may be tensors, whose contents are known.
std::string launched(const char* op_name, const Attributes& attrs, std::vector<TensorView> in, TensorView y) {
  const OpDef& op = *find_op(op_name);
  auto bound = bind_op(op, {.attrs = {op.attrs, attrs}, .isa = Isa::cuda, .inputs = in, .outputs = {&y, 1}});
  REQUIRE(bound.ok());
  std::vector<const std::byte*> from(in.size(), reinterpret_cast<const std::byte*>(uintptr_t(1) << 40));
  std::byte* to = reinterpret_cast<std::byte*>(uintptr_t(1) << 44);
  uint32_t fault = 0;
  std::vector<std::byte> image(static_cast<size_t>(bound->image_bytes()));
  link_image(*bound, image.data(), image.data(), {from, {&to, 1}, {}, to, &fault});
  Launches launches;
  bound->row->launch(image.data(), launches);
  std::string all;
  for (const Launch& l : launches.all())
    all += std::string(all.empty() ? "" : " ") + (l.kernel != nullptr ? l.kernel : "copy") + ":" + std::to_string(l.grid.x);
  return all;
}

TensorView of(DType t, Dims dims) {
  TensorView v;
  v.dtype = t;
  v.dims = dims;
  return v;
}

}  // namespace

TEST_CASE("shapes: what has 2^31 elements or more is numbered with 64 bits") {
  constexpr int64_t kEdge = int64_t(1) << 31;
  const auto f = DType::f32;
  CHECK(launched("Transpose", {}, {of(f, {3, kEdge / 3})}, of(f, {kEdge / 3, 3})) == "copy_4:8388608");
  CHECK(launched("Transpose", {}, {of(f, {3, kEdge / 3 + 1})}, of(f, {kEdge / 3 + 1, 3})) == "copy_wide_4:8388609");
  const Tensor first = i64({1, 1}, {0});
  CHECK(launched("Softmax", {}, {of(f, {kEdge, 3})}, of(f, {kEdge, 3})) == "softmax_short_f32:268435456");
  CHECK(launched("Gather", {}, {of(f, {2, kEdge - 1}), first.view()}, of(f, {1, 1, kEdge - 1})) == "gather_4:8388608");
  CHECK(launched("Gather", {}, {of(f, {2, kEdge + 1}), first.view()}, of(f, {1, 1, kEdge + 1})) == "gather_wide_4:8388609");
  CHECK(launched("Trilu", {}, {of(DType::u8, {kEdge / 2, 3})}, of(DType::u8, {kEdge / 2, 3})) == "trilu_wide_1:12582912");
}

TEST_CASE("shapes: transpositions around a tile, of every element size, alone and with axes around them") {
  for (DType t : kSizes) {
    for (int64_t rows : {7, 8, 31, 32, 33, 65}) {
      for (int64_t cols : {1, 8, 32, 33}) run_op("Transpose", {}, {counted(t, {rows, cols})});
    }
    run_op("Transpose", {{"perm", std::vector<int64_t>{0, 2, 1}}}, {counted(t, {3, 33, 9})});
    run_op("Transpose", {{"perm", std::vector<int64_t>{2, 0, 3, 1}}}, {counted(t, {5, 17, 9, 3})});
    run_op("Transpose", {{"perm", std::vector<int64_t>{1, 0, 2}}}, {counted(t, {9, 10, 2})});
    run_op("Transpose", {{"perm", std::vector<int64_t>{4, 3, 2, 1, 0}}}, {counted(t, {2, 3, 9, 5, 10})});
  }
}

TEST_CASE("shapes: copies of more loops than a batch takes, and more copies than one launch") {
  for (DType t : kSizes) {
    run_op("Tile", {}, {counted(t, {2, 3, 2, 3, 2}), i64({5}, {2, 1, 3, 2, 2})});
    run_op("DepthToSpace", {{"blocksize", int64_t(3)}, {"mode", "CRD"}}, {counted(t, {2, 18, 3, 5})});
    for (int64_t count : {1, 2, 16, 17, 40}) {
      std::vector<Tensor> parts;
      for (int64_t i = 0; i < count; ++i) parts.push_back(counted(t, {3, 1 + i % 5}));
      run_op("Concat", {{"axis", int64_t(1)}}, parts);
      for (int64_t i = 0; i < count; ++i) parts[static_cast<size_t>(i)] = counted(t, {1 + i % 7, 4});
      run_op("Concat", {{"axis", int64_t(0)}}, parts);
    }
    run_op("Split", {{"axis", int64_t(1)}, {"num_outputs", int64_t(5)}}, {counted(t, {3, 24})}, 5);
    run_op("Slice", {}, {counted(t, {9, 40}), i64({2}, {8, 39}), i64({2}, {-10, 2}), i64({2}, {0, 1}), i64({2}, {-2, -3})});
    run_op("Expand", {}, {counted(t, {3, 1, 5}), i64({4}, {2, 3, 4, 5})});
    for (const char* mode : {"constant", "reflect", "edge", "wrap"}) {
      run_op("Pad", {{"mode", mode}}, {counted(t, {3, 5, 7}), i64({6}, {1, 0, 6, 2, -2, 3})});
      run_op("Pad", {{"mode", mode}}, {counted(t, {1, 300}), i64({4}, {0, 3, 0, 2})});
      run_op("Pad", {{"mode", mode}}, {counted(t, {2, 1100}), i64({4}, {1, 3, 0, 2})});
    }
    run_op("Trilu", {}, {counted(t, {2, 17, 19}), i64({}, {3})});
    run_op("Trilu", {{"upper", int64_t(0)}}, {counted(t, {2, 19, 17}), i64({}, {-2})});
  }
}

TEST_CASE("shapes: reversed sequences of runs of every size, time first or batch first") {
  for (DType t : kSizes) {
    for (int64_t run : {1, 2, 3, 4, 8, 33}) {
      const Tensor lens = i64({3}, {5, 0, 2});
      run_op("ReverseSequence", {{"time_axis", int64_t(0)}, {"batch_axis", int64_t(1)}}, {counted(t, {5, 3, run}), lens});
      run_op("ReverseSequence", {{"time_axis", int64_t(1)}, {"batch_axis", int64_t(0)}}, {counted(t, {3, 5, run}), lens});
    }
  }
}

TEST_CASE("shapes: gathers and scatters of every element size, runs that end inside a unit, indices from either end") {
  for (DType t : kSizes) {
    for (int64_t run : {1, 3, 4, 16, 100}) run_op("Gather", {}, {counted(t, {7, run}), indices({3, 5}, 7, 1)});
    run_op("Gather", {{"axis", int64_t(1)}}, {counted(t, {3, 11, 4}), indices({300}, 11, 2)});
    run_op("GatherElements", {{"axis", int64_t(1)}}, {counted(t, {4, 9, 3}), indices({4, 20, 2}, 9, 3)});
    run_op("GatherND", {}, {counted(t, {5, 5, 6}), indices({3, 9, 2}, 5, 4)});
    run_op("GatherND", {{"batch_dims", int64_t(1)}}, {counted(t, {3, 5, 4}), indices({3, 9, 1}, 5, 5)});
  }
  for (DType t : {DType::f32, DType::f64, DType::i8, DType::i16, DType::i32, DType::i64, DType::u8, DType::u16, DType::u32, DType::u64}) {
    for (const char* reduction : {"none", "add", "mul", "min", "max"}) {
      for (int64_t axis : {0, 1}) {  // many updates of one place
        run_op("ScatterElements", {{"axis", axis}, {"reduction", reduction}},
               {counted(t, {6, 5}), indices({6, 5}, axis == 0 ? 6 : 5, 6), counted(t, {6, 5})});
      }
      for (int64_t axis : {0, 1, 2}) {  // fewer updates than places, along every axis
        run_op("ScatterElements", {{"axis", axis}, {"reduction", reduction}},
               {counted(t, {5, 6, 7}), indices({4, 3, 5}, 5 + axis, 9), counted(t, {4, 3, 5})});
      }
      run_op("ScatterND", {{"reduction", reduction}}, {counted(t, {4, 3, 5}), indices({20, 2}, 3, 7), counted(t, {20, 5})});
      run_op("ScatterND", {{"reduction", reduction}}, {counted(t, {4, 130}), indices({9, 1}, 4, 8), counted(t, {9, 130})});
    }
  }
}

TEST_CASE("shapes: reductions along rows, down columns and over runs, around blocks of 64, half warps and chunks") {
  for (const char* op : {"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSum",
                         "ReduceLogSumExp"}) {
    const std::string name = op;
    const float low = name == "ReduceProd" ? 0.9f : name == "ReduceLogSum" ? 0.1f : -1;
    const Tensor last = i64({1}, {-1}), first = i64({1}, {0}), ends = i64({2}, {0, 2});
    for (int64_t n : {1, 15, 16, 17, 63, 64, 65, 127, 128, 200}) run_op(op, {}, {random_f32({9, n}, 1, low, 1.1f), last});
    for (int64_t n : {4095, 4096, 4097, 8192 + 70}) run_op(op, {}, {random_f32({2, n}, 2, low, 1.1f), last});
    run_op(op, {}, {random_f32({2, 3, 4160}, 3, low, 1.1f), ends});
    run_op(op, {}, {random_f32({3, 5, 70}, 4, low, 1.1f), ends});
    run_op(op, {}, {random_f32({3, 5, 7}, 5, low, 1.1f), ends});
    run_op(op, {}, {random_f32({5, 3, 129}, 6, low, 1.1f), first});
    run_op(op, {}, {random_f32({5, 3, 6, 20}, 7, low, 1.1f), ends});
    run_op(op, {}, {f32({3, 2}, {kInf, 1, -kInf, -kInf, kNan, 1}), last});
    run_op(op, {}, {f32({2, 0}, {}), last});
    run_op(op, {}, {f32({0, 130}, {}), first});
    run_op(op, {}, {f32({0, 2, 4200}, {}), ends});
  }
  for (DType t : {DType::f64, DType::i32, DType::i64}) {
    for (const char* op : {"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare"}) {
      run_op(op, {}, {counted(t, {3, 5, 70}), i64({2}, {0, 2})});
      run_op(op, {}, {counted(t, {3, 5, 7}), i64({1}, {1})});
    }
  }
  for (DType t : {DType::f64, DType::f16}) {  // folded in lanes
    for (const char* op : {"ReduceSum", "ReduceMean", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSum"})
      run_op(op, {}, {cast(random_f32({2, 3, 1030}, 8, 0.9f, 1.1f), t), i64({2}, {0, 2})});
  }
}

TEST_CASE("shapes: extremes, running folds and the k first of lines along and across, longer than a warp and a tile") {
  for (DType t : {DType::f32, DType::f64, DType::i32, DType::i64}) {
    for (int64_t n : {1, 31, 32, 33, 129, 300}) {
      for (int64_t axis : {0, 1}) {
        const Tensor x = axis == 0 ? counted(t, {n, 5}) : counted(t, {5, n});
        for (int64_t last : {0, 1}) {
          run_op("ArgMax", {{"axis", axis}, {"select_last_index", last}}, {x});
          run_op("ArgMin", {{"axis", axis}, {"select_last_index", last}}, {x});
          run_op("CumSum", {{"reverse", last}, {"exclusive", int64_t(n % 2)}}, {x, i64({}, {axis})});
          run_op("CumProd", {{"reverse", last}}, {x, i64({}, {axis})});
        }
        for (int64_t k : {int64_t(1), (n + 1) / 2, n}) {
          for (int64_t largest : {0, 1}) run_op("TopK", {{"axis", axis}, {"largest", largest}}, {x, i64({1}, {k})}, 2);
        }
      }
    }
    run_op("CumSum", {}, {counted(t, {70, 40}), i64({}, {1})});
  }
  const Tensor equal = f32({1, 140}, std::vector<float>(140, 2));
  for (int64_t k : {2, 139}) run_op("TopK", {}, {equal, i64({1}, {k})}, 2);
  std::vector<float> some(200, -kInf);
  some[3] = some[150] = kNan;
  for (int64_t k : {3, 100}) run_op("TopK", {}, {f32({1, 200}, some), i64({1}, {k})}, 2);
  for (int64_t last : {0, 1}) run_op("ArgMax", {{"axis", int64_t(1)}, {"select_last_index", last}}, {f32({1, 200}, some)});
}

TEST_CASE("shapes: normalised rows at the ends of what registers and shared memory hold") {
  for (int64_t cols : {1, 15, 16, 17, 255, 256, 257, 511, 512, 513, 1025, 4096, 12000, 12001, 16390}) {
    const int64_t rows = cols > 600 ? 2 : 9;
    const Tensor x = random_f32({rows, cols}, 1), scale = random_f32({cols}, 2), bias = random_f32({cols}, 3);
    run_op("LayerNormalization", {}, {x, scale, bias}, 3);
    run_op("RMSNormalization", {}, {x, scale});
    run_op("GroupNormalization", {{"num_groups", int64_t(1)}}, {random_f32({rows, 1, cols}, 4), random_f32({1}, 5), random_f32({1}, 6)});
    run_op("InstanceNormalization", {}, {random_f32({1, 3, cols}, 4), random_f32({3}, 5), random_f32({3}, 6)});
  }
  run_op("GroupNormalization", {{"num_groups", int64_t(2)}}, {random_f32({2, 6, 5, 7}, 4), random_f32({6}, 5), random_f32({6}, 6)});
  run_op("GroupNormalization", {{"num_groups", int64_t(2)}}, {random_f32({2, 6, 50, 7}, 4), random_f32({6}, 5), random_f32({6}, 6)});
  run_op("LayerNormalization", {{"axis", int64_t(1)}}, {random_f32({2, 30, 20}, 7), random_f32({30, 1}, 8), random_f32({20}, 9)});
}

TEST_CASE("shapes: softmax of rows that registers, shared memory and neither hold, and across") {
  for (int64_t cols : {1, 16, 127, 128, 129, 257, 4000, 12000, 12001}) {
    const int64_t rows = cols > 200 ? 2 : 19;
    for (const char* op : {"Softmax", "LogSoftmax"}) {
      run_op(op, {}, {random_f32({rows, cols}, 1, -9, 9)});
      run_op(op, {{"axis", int64_t(0)}}, {random_f32({cols % 300 + 1, rows}, 2, -9, 9)});
    }
  }
}

TEST_CASE("shapes: pools of more outputs than a block, and planes of more rows than a warp") {
  const Tensor x = random_f32({2, 3, 20, 19}, 1);
  for (int64_t stride : {1, 2}) {
    const std::vector<int64_t> kernel = {3, 2}, strides = {stride, 2}, pads = {1, 0, 1, 1}, dilations = {2, 1};
    run_op("MaxPool", {{"kernel_shape", kernel}, {"strides", strides}, {"pads", pads}, {"dilations", dilations}}, {x}, 2);
    run_op("MaxPool", {{"kernel_shape", kernel}, {"strides", strides}, {"pads", pads}, {"storage_order", int64_t(1)}}, {x}, 2);
    for (int64_t include : {0, 1}) {
      run_op("AveragePool", {{"kernel_shape", kernel}, {"strides", strides}, {"pads", pads}, {"count_include_pad", include}}, {x});
    }
    for (int64_t p : {1, 2}) run_op("LpPool", {{"kernel_shape", kernel}, {"strides", strides}, {"pads", pads}, {"p", p}}, {x});
  }
  for (Dims dims : {Dims{2, 3, 1, 1}, Dims{5, 1, 31, 2}, Dims{1, 2, 33, 40}, Dims{1, 7, 70}, Dims{1, 2, 5, 7, 9}}) {
    run_op("GlobalMaxPool", {}, {random_f32(dims, 2)});
    run_op("GlobalAveragePool", {}, {random_f32(dims, 3)});
    for (int64_t p : {1, 2}) run_op("GlobalLpPool", {{"p", p}}, {random_f32(dims, 4)});
  }
}

TEST_CASE("shapes: grids of one to three axes, every way to sample and to pad") {
  for (const char* mode : {"nearest", "linear", "cubic"}) {
    for (const char* padding : {"zeros", "border", "reflection"}) {
      run_op("GridSample", {{"mode", mode}, {"padding_mode", padding}}, {random_f32({2, 3, 9}, 1), random_f32({2, 70, 1}, 2, -1.5f, 1.5f)});
      run_op("GridSample", {{"mode", mode}, {"padding_mode", padding}}, {random_f32({2, 3, 4, 5}, 3), random_f32({2, 5, 7, 2}, 4, -1.5f, 1.5f)});
      run_op("GridSample", {{"mode", mode}, {"padding_mode", padding}, {"align_corners", int64_t(1)}},
             {random_f32({1, 2, 3, 4, 5}, 5), random_f32({1, 2, 3, 5, 3}, 6, -1.5f, 1.5f)});
    }
  }
}

}  // namespace tern::test::in_device_shapes
