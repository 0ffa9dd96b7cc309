// Launches: what a step is on a device: kernels of the `.cu` beside it, copies and fills, in order. An operator's device row says which, from
// arguments that hold the device's addresses, once, when a session is made; the driver and tools/ptxsim both execute the list. Host code, and
// free of CUDA: the decision (which kernel, grid, block, shared bytes) stands in one place a family, `<family>/launch.cpp`. How softmax's reaches
// its operator:
//   softmax/softmax.cu    extern "C" __global__ void softmax_rows_f32(const SoftmaxArgs a)         the kernel, which reads its arguments by value
//   softmax/launch.cpp    constinit const KernelRow softmax_f32 = device_row<SoftmaxArgs, launch>("softmax/f32/cuda", DType::f32);
//   softmax/softmax.h     namespace cuda { extern const KernelRow softmax_f32; }
//   softmax/softmax.cpp   .kernels = rows_of<TERN_ON_EACH_ISA(softmax_f32), cuda::softmax_f32, portable::kSoftmax>
// Next: binding.h.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <vector>

#include "kernels/products.h"
#include "kernels/row.h"

namespace tern {

struct Dim3 {
  uint32_t x = 1, y = 1, z = 1;
};

// One node of a device's plan: a kernel, a copy, or zeros.
struct Launch {
  // upload, download: a copy from and to the host's pinned memory. product: by cuBLAS.
  enum class Kind : uint8_t { kernel, copy, zero, upload, download, product };
  Kind kind = Kind::kernel;
  const char* module = nullptr;  // where the kernel stands: the path of its .cu below kernels/, without the ending ("softmax/softmax")
  const char* kernel = nullptr;  // its name there, extern "C"
  Dim3 grid, block;
  uint32_t shared = 0;          // bytes of dynamic shared memory
  std::vector<std::byte> args;  // the kernel's parameter, one struct by value; of a product: a CublasProduct
  std::byte* to = nullptr;      // of copies and zeros
  const std::byte* from = nullptr;
  int64_t bytes = 0;
};

class Launches {
 public:
  // Nothing is added when the grid is empty. Most extents of a grid: 2^31 - 1, 65535, 65535; of a block: 1024 threads together.
  template <class Args>
  void add(const char* module, const char* kernel, Dim3 grid, Dim3 block, uint32_t shared, const Args& args) {
    static_assert(std::is_trivially_copyable_v<Args> && sizeof(Args) <= 4096);
    if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;
    Launch l{Launch::Kind::kernel, module, kernel, grid, block, shared, std::vector<std::byte>(sizeof(Args))};
    std::memcpy(l.args.data(), &args, sizeof(Args));
    all_.push_back(std::move(l));
  }
  void copy(void* to, const void* from, int64_t bytes) { move(Launch::Kind::copy, to, from, bytes); }
  void zero(void* to, int64_t bytes) { move(Launch::Kind::zero, to, nullptr, bytes); }
  void move(Launch::Kind kind, void* to, const void* from, int64_t bytes) {
    if (bytes == 0) return;
    Launch& l = all_.emplace_back();
    l.kind = kind;
    l.to = static_cast<std::byte*>(to);
    l.from = static_cast<const std::byte*>(from);
    l.bytes = bytes;
  }
  void multiply(const CublasProduct& product) {
    Launch& l = all_.emplace_back();
    l.kind = Launch::Kind::product;
    l.args.resize(sizeof product);
    std::memcpy(l.args.data(), &product, sizeof product);
  }
  std::span<const Launch> all() const { return all_; }

 private:
  std::vector<Launch> all_;
};

// As many blocks of `each` as cover `count`; a grid's most, 2^31 - 1, when that is more: kernels walk on by the grid's size where it may be.
constexpr uint32_t blocks_for(int64_t count, int64_t each) {
  const int64_t blocks = (count + each - 1) / each;
  return blocks > INT32_MAX ? static_cast<uint32_t>(INT32_MAX) : static_cast<uint32_t>(blocks);
}

template <class Args, void (*F)(const Args&, Launches&)>
constexpr KernelRow device_row(const char* name, DType dtype) {
  return {name, dtype, Isa::cuda, nullptr, {0, 0}, [](const void* args, Launches& to) { F(*static_cast<const Args*>(args), to); }};
}

}  // namespace tern
