// Einsum: schema, inference, binding and the kernel, plain C++. See einsum.h.
#include "kernels/einsum/einsum.h"

#include <algorithm>

#include "kernels/launch.h"
#include "kernels/op.h"
#include "runtime/base/checked.h"

namespace tern {
namespace {

template <class T>
using Sum = EinsumSum<T>;

// The next index of `axes` axes, the last fastest, and where it lies in each operand.
void step(const EinsumArgs& a, int first, int axes, int64_t* index, int64_t* at) {
  const int all = a.out_axes + a.sum_axes;
  for (int i = first + axes; i-- > first;) {
    const bool ends = ++index[i] == a.sizes[i];
    for (int k = 0; k < a.operands; ++k) at[k] += ends ? -(a.sizes[i] - 1) * a.strides[k * all + i] : a.strides[k * all + i];
    if (!ends) return;
    index[i] = 0;
  }
}

template <class T>
void einsum(const EinsumArgs& a) {
  constexpr int kMostAxes = 8 * kMostOperands + 8;
  const int all = a.out_axes + a.sum_axes;
  int64_t index[kMostAxes] = {}, at[kMostOperands] = {}, inner[kMostOperands];
  int64_t rest = a.begin, sums = 1;
  for (int i = a.out_axes; i-- > 0; rest /= a.sizes[i]) {
    index[i] = rest % a.sizes[i];
    for (int k = 0; k < a.operands; ++k) at[k] += index[i] * a.strides[k * all + i];
  }
  for (int i = a.out_axes; i < all; ++i) sums *= a.sizes[i];
  for (int64_t e = a.begin; e < a.end; ++e) {
    std::copy_n(at, a.operands, inner);
    Sum<T> sum = 0;
    for (int64_t s = 0; s < sums; ++s) {
      auto product = static_cast<Sum<T>>(widen(static_cast<const T*>(a.x[0])[inner[0]]));
      for (int k = 1; k < a.operands; ++k)
        product = static_cast<Sum<T>>(product * static_cast<Sum<T>>(widen(static_cast<const T*>(a.x[k])[inner[k]])));
      sum = static_cast<Sum<T>>(sum + product);
      step(a, a.out_axes, a.sum_axes, index, inner);
    }
    if constexpr (kIsFloat<T>) static_cast<T*>(a.y)[e] = narrow<T>(sum);
    else static_cast<T*>(a.y)[e] = static_cast<T>(sum);
    step(a, 0, a.out_axes, index, at);
  }
}

constexpr KernelRow kRows[] = {
    row<EinsumArgs, einsum<float>>("einsum/f32/scalar", DType::f32, Isa::scalar),
    row<EinsumArgs, einsum<double>>("einsum/f64/scalar", DType::f64, Isa::scalar),
    row<EinsumArgs, einsum<f16>>("einsum/f16/scalar", DType::f16, Isa::scalar),
    row<EinsumArgs, einsum<bf16>>("einsum/bf16/scalar", DType::bf16, Isa::scalar),
    row<EinsumArgs, einsum<int32_t>>("einsum/i32/scalar", DType::i32, Isa::scalar),
    row<EinsumArgs, einsum<int64_t>>("einsum/i64/scalar", DType::i64, Isa::scalar),
    row<EinsumArgs, einsum<uint32_t>>("einsum/u32/scalar", DType::u32, Isa::scalar),
    row<EinsumArgs, einsum<uint64_t>>("einsum/u64/scalar", DType::u64, Isa::scalar),
    device_row<EinsumArgs, cuda::launch_einsum<DType::f32>>("einsum/f32/cuda", DType::f32),
    device_row<EinsumArgs, cuda::launch_einsum<DType::f64>>("einsum/f64/cuda", DType::f64),
    device_row<EinsumArgs, cuda::launch_einsum<DType::f16>>("einsum/f16/cuda", DType::f16),
    device_row<EinsumArgs, cuda::launch_einsum<DType::bf16>>("einsum/bf16/cuda", DType::bf16),
    device_row<EinsumArgs, cuda::launch_einsum<DType::i32>>("einsum/i32/cuda", DType::i32),
    device_row<EinsumArgs, cuda::launch_einsum<DType::i64>>("einsum/i64/cuda", DType::i64),
};

constexpr AttrSpec kAttrs[] = {{"equation", AttrKind::s, kRequired}};

Error no_equation(const AttrReader& attrs) {
  return invalid("equation '" + attrs.s("equation").substr(0, 200) + "' does not fit the number of operands or of their dimensions");
}

Error no_diagonal(char letter, size_t operand, const std::string& a, const std::string& b) {
  return invalid("operand " + std::to_string(operand) + " has the letter " + letter + " twice, for axes of " + a + " and " + b);
}

Status infer(InferContext& c) {
  std::vector<int> ranks;
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    if (pick(rows_of<kRows>, c.dtype(i), Isa::scalar) == nullptr) return bad_dtype(c.dtype(i));
    if (c.dtype(i) != c.dtype(0))
      return invalid(std::string("input 0 is ") + name(c.dtype(0)) + " and input " + std::to_string(i) + " is " + name(c.dtype(i)));
    if (c.shape(i).ranked()) ranks.push_back(c.shape(i).rank());
  }
  c.set(0, c.dtype(0), Shape());
  if (c.inputs.size() > kMostOperands) return unsupported("more than " + std::to_string(kMostOperands) + " operands are not supported");
  if (ranks.size() != c.inputs.size()) return {};
  const auto terms = parse_einsum(c.attrs.s("equation"), ranks);
  if (!terms) return no_equation(c.attrs);
  if (terms->out.size() > static_cast<size_t>(kMaxRank)) return unsupported("an output of more than 8 dimensions is not supported");
  std::optional<Dim> sizes[128];
  for (size_t k = 0; k < terms->in.size(); ++k) {
    for (size_t i = 0; i < terms->in[k].size(); ++i) {
      std::optional<Dim>& size = sizes[static_cast<unsigned char>(terms->in[k][i])];
      const Dim& own = c.shape(k)[static_cast<int>(i)];
      if (!size) {
        size = own;
        continue;
      }
      const size_t before = terms->in[k].find(terms->in[k][i]);
      if (before < i) {  // a diagonal is of a square: nothing broadcasts within one operand
        const Dim& other = c.shape(k)[static_cast<int>(before)];
        if (other.known() && own.known() && other.value() != own.value()) return no_diagonal(terms->in[k][i], k, other.text(), own.text());
      }
      auto both = broadcast_shapes(Shape{*size}, Shape{own}, c);
      if (!both) return invalid(std::string("axes of the letter ") + terms->in[k][i] + " are " + size->text() + " and " + own.text());
      size = (*both)[0];
    }
  }
  Shape out{std::vector<Dim>()};
  for (char letter : terms->out) out.push_back(*sizes[static_cast<unsigned char>(letter)]);
  c.set(0, c.dtype(0), std::move(out));
  return {};
}

// Every letter once, those of the output first, with its size; an error when sizes differ.
Result<std::string> letters_of(const EinsumTerms& terms, std::span<const TensorView> in, int64_t (&sizes)[128]) {
  std::string letters = terms.out;
  std::fill(std::begin(sizes), std::end(sizes), -1);
  for (size_t k = 0; k < terms.in.size(); ++k) {
    for (size_t i = 0; i < terms.in[k].size(); ++i) {
      const char letter = terms.in[k][i];
      int64_t& size = sizes[static_cast<unsigned char>(letter)];
      const int64_t own = in[k].dims[static_cast<int>(i)], other = in[k].dims[static_cast<int>(terms.in[k].find(letter))];
      if (own != other) return no_diagonal(letter, k, std::to_string(other), std::to_string(own));
      if (size > 1 && own != 1 && own != size)
        return invalid(std::string("axes of the letter ") + letter + " are " + std::to_string(size) + " and " + std::to_string(own));
      if (size < 0 || size == 1) size = own;
      else if (size == 0 && own > 1) return invalid(std::string("axes of the letter ") + letter + " are 0 and " + std::to_string(own));
      if (letters.find(letter) == letters.npos) letters += letter;
    }
  }
  return letters;
}

std::optional<EinsumTerms> terms_of(const AttrReader& attrs, std::span<const TensorView> in) {
  std::vector<int> ranks;
  for (const TensorView& x : in) ranks.push_back(x.dims.rank);
  return in.size() <= kMostOperands ? parse_einsum(attrs.s("equation"), ranks) : std::nullopt;
}

Status bind(BindContext& c) {
  const auto terms = terms_of(c.attrs, c.inputs);
  const KernelRow* kernel = c.pick(c.in(0).dtype);
  if (!terms) return no_equation(c.attrs);
  if (kernel == nullptr) return bad_dtype(c.in(0).dtype);
  if (c.isa == Isa::cuda && c.inputs.size() > cuda::kEinsumMostOperands) return unsupported("more than three operands");
  int64_t sizes[128];
  auto letters = letters_of(*terms, c.inputs, sizes);
  if (!letters) return letters.error();
  std::vector<int64_t> extents;
  for (char letter : *letters) extents.push_back(sizes[static_cast<unsigned char>(letter)]);
  if (!checked_count(extents) && std::find(extents.begin(), extents.end(), 0) == extents.end())
    return invalid("the sizes of all letters together are too large");
  EinsumArgs& a = c.args<EinsumArgs>();
  a.operands = static_cast<int>(c.inputs.size());
  a.out_axes = static_cast<int>(terms->out.size());
  a.sum_axes = static_cast<int>(letters->size()) - a.out_axes;
  if (!(Dims(std::span(extents).first(terms->out.size())) == c.out(0).dims)) return invalid("the output has another shape than the equation says");
  const auto all = static_cast<int64_t>(letters->size());
  for (int k = 0; k < a.operands; ++k) c.set(a.x[k], c.input(static_cast<size_t>(k)));
  const auto table = c.table<int64_t>(all * (a.operands + 1) + 1, [&](int64_t* to) {
    std::copy(extents.begin(), extents.end(), to);
    int64_t* strides = to + all;
    std::fill_n(strides, all * a.operands, 0);
    for (int k = 0; k < a.operands; ++k) {
      int64_t stride = 1;
      const Dims& dims = c.in(static_cast<size_t>(k)).dims;
      for (int i = dims.rank; i-- > 0; stride *= dims[i]) {
        const size_t letter = letters->find(terms->in[static_cast<size_t>(k)][static_cast<size_t>(i)]);
        if (dims[i] != 1) strides[static_cast<int64_t>(k) * all + static_cast<int64_t>(letter)] += stride;  // twice: the diagonal
      }
    }
  });
  c.set(a.y, c.output(0));
  c.set(a.sizes, table);
  c.set(a.strides, table + all);
  const auto [begin, end] = c.range(c.out(0).count());
  a.begin = begin;
  a.end = end;
  if (begin < end) c.run(*kernel);
  return {};
}

int64_t macs(const AttrReader& attrs, std::span<const TensorView> in, std::span<const TensorView>) {
  int64_t sizes[128];
  const auto terms = terms_of(attrs, in);
  auto letters = terms ? letters_of(*terms, in, sizes) : Result<std::string>(std::string());
  std::optional<int64_t> n = letters ? 1 : 0;
  for (char letter : letters ? *letters : std::string()) n = n ? checked_mul(*n, sizes[static_cast<unsigned char>(letter)]) : n;
  return n.value_or(INT64_MAX);
}

}  // namespace

constinit const OpDef kEinsum = {
    .name = "Einsum", .inputs = {1, -1}, .outputs = {1, 1}, .attrs = kAttrs, .infer = infer, .bind = bind, .kernels = rows_of<kRows>, .macs = macs};

}  // namespace tern
