// Binding: what one operator does in one session, without a single address. It holds the kernel, the bytes of its arguments and tables, the sizes
// of what it needs, and which fields of those bytes are to hold the address of what. BindContext is how an operator's `bind` writes one;
// link_step() puts the addresses in. So a session is measured by adding sizes, and nothing in a kernel's family knows where anything lies.
// Next: op.h.
#pragma once
#include <array>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernels/products.h"
#include "kernels/row.h"
#include "runtime/base/attributes.h"
#include "runtime/base/cpu_features.h"
#include "runtime/base/tensor.h"

namespace tern {

// One step of a plan: run(args). The args live in the session's arena.
struct Step {
  RunFn run = nullptr;
  const void* args = nullptr;
};

// Every row of an operator, for its OpDef: of rows that stand alone, and of arrays of rows.
template <const auto&... kRows>
constexpr auto rows_of = [] {
  std::array<const KernelRow*, (sizeof(kRows) + ... + 0) / sizeof(KernelRow)> all{};
  size_t n = 0;
  auto add = [&]<class T>(const T& rows) {
    if constexpr (std::is_same_v<T, KernelRow>) {
      all[n++] = &rows;
    } else {
      for (const KernelRow& r : rows) all[n++] = &r;
    }
  };
  (add(kRows), ...);
  return all;
}();
// The row of the best ISA not above `cap` for this dtype; null when there is none. With `cuda` as the cap: the device's row, and where there is
// none the portable one, which whoever plans for a device refuses (so that bind need not know who asks).
const KernelRow* pick(std::span<const KernelRow* const> rows, DType dtype, Isa cap);

// What an address is in: number `index` of the inputs, outputs, tables or packed weights of a binding, its workspace, or its fault word.
enum class Space : uint8_t { none, input, output, workspace, table, pack, fault };

// Where something will lie, `offset` bytes into it. A typed one moves by elements; that of something absent stays none.
template <class T = void>
struct Address {
  Space space = Space::none;
  uint32_t index = 0;
  int64_t offset = 0;

  explicit operator bool() const { return space != Space::none; }
  template <class U>
  requires std::is_convertible_v<T*, U*>
  operator Address<U>() const { return {space, index, offset}; }
  Address operator+(int64_t elements) const requires(!std::is_void_v<T>) {
    return {space, index, offset + elements * static_cast<int64_t>(sizeof(T))};
  }
};

template <class T>
Address<const std::byte> bytes_of(Address<T> a) {
  return {a.space, a.index, a.offset};
}

struct Binding {
  struct Block {
    std::unique_ptr<std::byte[]> bytes;
    int64_t size = 0;
  };
  struct Reference {  // the pointer at byte `at` of a block
    uint32_t block;
    uint32_t at;
    Address<> to;
  };
  struct Pack {
    size_t input;  // which input is packed
    std::string tag;
    int64_t bytes;
    std::function<void(std::byte* zeroed)> fill;  // reads the input's contents
  };
  const KernelRow* row = nullptr;  // null: there is nothing to do
  std::vector<Block> blocks;       // the arguments, then the tables
  std::vector<Reference> references;
  std::vector<Pack> packs;
  int64_t workspace_bytes = 0;  // 64-byte aligned, contents undefined at every run
  std::string fault;            // "an index was out of range [-5, 5)"; empty: this kernel cannot report any
  bool keeps_weights = false;   // as Products::weights says
  bool split = false;           // it computes its part alone; if not, part 0 computes all

  int64_t image_bytes() const;                      // of the blocks one after another, each 64-byte aligned
  int64_t image_offset(const Reference& r) const;   // where its pointer is in them
  void mark_read(std::vector<bool>& inputs) const;  // sets those that some reference is to: they are read in place, not packed
};

// Where everything lies that a binding refers to; what it does not refer to may be null.
struct Addresses {
  std::span<const std::byte* const> inputs = {};
  std::span<std::byte* const> outputs = {};
  std::span<const std::byte* const> packs = {};  // as Binding::packs
  std::byte* workspace = nullptr;
  uint32_t* fault = nullptr;
};
// The one place where a binding meets addresses: copies its blocks to `image` (image_bytes() of them, 64-byte aligned) and fills in its references.
// `at` is where that image will lie when it is read: `image` itself, or in a device's memory.
// Precondition: binding.row != nullptr.
void link_image(const Binding& binding, std::byte* image, const std::byte* at, const Addresses& addresses);
// The same, as a step that a CPU runs.
Step link_step(const Binding& binding, std::byte* image, const Addresses& addresses);

// What a binding is made from: a pure function of this gives it. Contents of inputs are read only where the views say `known`.
struct BindRequest {
  AttrReader attrs = {};
  Isa isa = Isa::scalar;  // kernels above it must not be chosen
  Products products = {};
  std::span<const TensorView> inputs = {}, outputs = {};
  uint32_t in_place = 0;             // bit i: output 0 lies on input i
  int part = 0, parts = 1;           // this binding computes part `part` of `parts` (threads); see range()
  int64_t table_budget = kMaxBytes;  // most bytes of arguments and tables
};

// How bind sees one node, and how it answers.
class BindContext : public BindRequest {
 public:
  explicit BindContext(const BindRequest& request, std::span<const KernelRow* const> kernels = {}) : BindRequest(request), kernels_(kernels) {
    binding_.blocks.emplace_back();
  }

  bool has(size_t i) const { return i < inputs.size() && inputs[i].present(); }
  bool has_out(size_t o) const { return o < outputs.size() && outputs[o].present(); }
  const TensorView& in(size_t i) const { return inputs[i]; }
  const TensorView& out(size_t o) const { return outputs[o]; }
  // Contents of input i, which OpDef::value_inputs declares as integers, so that they are known. Empty when it is absent.
  std::vector<int64_t> ints(size_t i) const;

  // The share of [0, total) that this part computes. An operator that never asks is computed whole by part 0.
  // Shares begin at multiples of `grain`. With one part: all of it.
  struct Range {
    int64_t begin, end;
  };
  Range range(int64_t total, int64_t grain = 1);

  // Where an input or an output begins; none when it is absent.
  template <class T = const std::byte>
  Address<T> input(size_t i) const {
    return has(i) ? Address<T>{Space::input, static_cast<uint32_t>(i), 0} : Address<T>();
  }
  template <class T = std::byte>
  Address<T> output(size_t o) const {
    return has_out(o) ? Address<T>{Space::output, static_cast<uint32_t>(o), 0} : Address<T>();
  }

  // The arguments of the step, which stay where they are until bind returns. Their pointers are left null, or given with set(). Call it once.
  template <class Args>
  Args& args(const Args& initial = Args()) {
    static_assert(std::is_trivially_copyable_v<Args>);
    std::byte* bytes = args_block(sizeof(Args));
    return *new (bytes) Args(initial);
  }
  // The same, followed by `bytes` zeroed ones, where its launch on a device finds what has no fixed size. Null beyond the budget, which bind_op
  // makes an error.
  template <class Args>
  Args* args_before(size_t bytes) {
    static_assert(std::is_trivially_copyable_v<Args>);
    std::byte* block = args_block(sizeof(Args) + bytes);
    return image_bytes_ > table_budget ? nullptr : new (block) Args();
  }
  // The operator's row of the best ISA for this dtype; null when there is none.
  const KernelRow* pick(DType dtype) const { return tern::pick(kernels_, dtype, isa); }
  // Its weights are packed as Products::weights says.
  void keep_weights() { binding_.keeps_weights = true; }
  // The step: this kernel with args(). At most one call; none means nothing is to be done.
  void run(const KernelRow& row) { binding_.row = &row; }
  // `field`, a pointer in args() or in a table that is being filled, will hold this address; set each once. None leaves it null.
  template <class T, class U>
  requires std::is_convertible_v<U*, T*>
  void set(T*& field, const Address<U>& to) {
    field = nullptr;
    if (to) refer(&field, {to.space, to.index, to.offset});
  }

  // Scratch for this step alone, 64-byte aligned, contents undefined at every run.
  template <class T = std::byte>
  Address<T> workspace(int64_t count) {
    return {Space::workspace, 0, take(binding_.workspace_bytes, count, sizeof(T))};
  }
  // Memory of the session that holds what fill(T* zeroed) writes now, 64-byte aligned, kept from run to run. Beyond the budget fill is not called,
  // and bind_op makes that an error. None when count is 0.
  template <class T, class Fill>
  Address<T> table(int64_t count, Fill fill) {
    std::byte* bytes = new_block(count, sizeof(T));
    if (bytes == nullptr) return {};
    const auto index = static_cast<uint32_t>(binding_.blocks.size() - 1);
    fill(reinterpret_cast<T*>(bytes));
    return {Space::table, index, 0};
  }
  // The word in which the kernel of this binding reports indices that lie outside: it works with the nearest legal ones, so that
  // memory is safe, and assigns a number other than zero when there was any. Every run assigns it; nothing branches on an index.
  // `what` is told to the caller: "an index was out of range [-5, 5)".
  Address<uint32_t> fault(std::string what) {
    binding_.fault = std::move(what);
    return {Space::fault, 0, 0};
  }
  // Input i, whose elements are S, in another order ("packed"), made once per model: fill(const S* contents, T* zeroed) is called, later, when no
  // session has asked for this `tag` before, so it captures by value. The tag must name everything that the packing depends on (kernel, tile, ISA).
  // Precondition: in(i).constant.
  template <class T, class S = T, class Fill>
  Address<const T> packed(size_t i, std::string tag, int64_t count, Fill fill) {
    int64_t bytes = 0;
    take(bytes, count, sizeof(T));
    binding_.packs.push_back({i, std::move(tag), bytes, [fill = std::move(fill), contents = in(i).contents](std::byte* to) {
                                fill(static_cast<const S*>(contents), reinterpret_cast<T*>(to));
                              }});
    return {Space::pack, static_cast<uint32_t>(binding_.packs.size() - 1), 0};
  }

  // What bind has answered: for bind_op, and for what a plan adds of its own.
  Result<Binding> finish() &&;

 private:
  // `count` elements of `size` bytes more; returns where they begin. `sum` stops at INT64_MAX / 2: more than any budget, and two can still be added.
  static int64_t take(int64_t& sum, int64_t count, size_t size);
  std::byte* args_block(size_t size);
  std::byte* new_block(int64_t count, size_t size);  // null: of no bytes, or over budget
  void refer(const void* field, Address<> to);

  std::span<const KernelRow* const> kernels_;
  Binding binding_;
  int64_t image_bytes_ = 0;
  bool astray_ = false;  // set() got a field that is nowhere in the binding
};

}  // namespace tern
