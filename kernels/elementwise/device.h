// Elementwise kernels on a device: what they take, and who launches them. A thread computes an element of the output, or four neighbours of f32
// where rows are whole and 16-byte aligned. A broadcast nest is walked in 32 bits, its divisions are products; a tensor of more elements than
// that takes several launches.
//   cuda::kUnary<"elementwise/unary", "abs", Ints>      rows abs/f32/cuda (kernel abs_f32 of elementwise/unary.cu: on lanes), and of the other
//                                                       floats and these types abs/f64/cuda … (kernel abs_any: the dtype is an argument)
//   cuda::kPlainUnary<kModule, "sin", Floats>           all by sin_any
//   cuda::kBinary, kPlainBinary, kComparison            the same of two operands; comparisons give bools
// Never run on a GPU. Next: launch.cpp, device.cuh, unary.cu.
#pragma once
#include "kernels/elementwise/binary.h"
#include "kernels/elementwise/unary.h"
#include "kernels/fast_div.h"
#include "kernels/portable_row.h"

namespace tern::cuda {

constexpr int kElementBlock = 256;  // threads of a block
constexpr int kWide = 4;            // elements of a thread, where it takes several
constexpr int kMaxAxes = 8;

// A RowNest, or a chunk of one, as threads cross it: axes from the innermost, what an item is to a thread.
struct DeviceNest {
  uint32_t items = 0;     // < 2^31
  uint32_t elements = 0;  // of the output: kWide an item, but for the last of a single row; or one
  int32_t axes = 1;
  bool wide = false;  // an item is kWide elements
  FastDiv extent[kMaxAxes];
  uint32_t stride[kMaxOperands][kMaxAxes] = {};  // in elements; of a whole item where it is wide
};
struct UnaryLaunch {
  UnaryArgs of;
  DType dtype;
  bool wide;
};
struct ClipLaunch {
  ClipArgs of;
  DType dtype;
  bool wide;
};
struct BinaryLaunch {
  const void *a, *b;
  void* y;
  DeviceNest nest;
  DType dtype;
};
// What a row launches.
struct Kernel {
  const char *module, *name;
  bool lanes;  // f32, kWide elements a thread where it can
};
void launch_unary(const Kernel& kernel, DType dtype, const UnaryArgs& args, Launches& to);
void launch_binary(const Kernel& kernel, DType dtype, const BinaryArgs& args, Launches& to);
void launch_clip(const Kernel& kernel, DType dtype, const ClipArgs& args, Launches& to);
void launch_comparison(const Kernel& kernel, DType dtype, const BinaryArgs& args, Launches& to);

// ---- rows ----

// The row kName/dtype/cuda: a launch of `kKernel`.
template <class Args, void (*kLaunch)(const Kernel&, DType, const Args&, Launches&), Text kModule, Text kName, Text kKernel, class T,
          bool kLanes = false>
constexpr KernelRow element_row() {
  return {kRowName<kName, dtype_of<T>(), Isa::cuda>.data(), dtype_of<T>(), Isa::cuda, nullptr, {0, 0}, [](const void* args, Launches& to) {
            kLaunch({kModule.s, kKernel.s, kLanes}, dtype_of<T>(), *static_cast<const Args*>(args), to);
          }};
}
template <class Args, void (*kLaunch)(const Kernel&, DType, const Args&, Launches&), Text kModule, Text kName, Text kKernel, class... T>
constexpr std::array<KernelRow, sizeof...(T)> plain_rows(Types<T...>) {
  return {element_row<Args, kLaunch, kModule, kName, kKernel + Text("_any"), T>()...};
}
template <class Args, void (*kLaunch)(const Kernel&, DType, const Args&, Launches&), Text kModule, Text kName, Text kKernel, class... T,
          class... More>
constexpr std::array<KernelRow, 1 + sizeof...(T) + sizeof...(More)> rows(Types<T...>, Types<More...>) {
  return {element_row<Args, kLaunch, kModule, kName, kKernel + Text("_f32"), float, true>(),
          element_row<Args, kLaunch, kModule, kName, kKernel + Text("_any"), T>()...,
          element_row<Args, kLaunch, kModule, kName, kKernel + Text("_any"), More>()...};
}

template <Text kModule, Text kName, class More = Types<>>
constexpr auto kUnary = rows<UnaryArgs, launch_unary, kModule, kName, kName>(OtherFloats(), More());
template <Text kModule, Text kName, class Ts>
constexpr auto kPlainUnary = plain_rows<UnaryArgs, launch_unary, kModule, kName, kName>(Ts());
template <Text kModule, Text kName, class More>
constexpr auto kBinary = rows<BinaryArgs, launch_binary, kModule, kName, kName>(OtherFloats(), More());
template <Text kModule, Text kName, class Ts, Text kKernel = kName>
constexpr auto kPlainBinary = plain_rows<BinaryArgs, launch_binary, kModule, kName, kKernel>(Ts());
template <Text kName, class More, Text kKernel = kName>
constexpr auto kComparison = rows<BinaryArgs, launch_comparison, "elementwise/compare", kName, kKernel>(OtherFloats(), More());
constexpr auto kClip = rows<ClipArgs, launch_clip, "elementwise/activations", "clip", "clip">(OtherFloats(), Ints());

}  // namespace tern::cuda
