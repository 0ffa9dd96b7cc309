// The kernel of integer.h.
#include "kernels/quantize/integer.h"

#include <algorithm>
#include <limits>

#include "kernels/choose.h"
#include "kernels/quantize/scale.h"
#include "runtime/base/checked.h"

namespace tern {
namespace {

constexpr int64_t kColumns = 16, kRowsAtOnce = 4;

template <class T>
void pack(const IntegerArgs& a, int16_t* to) {
  for (int64_t matrix = 0; matrix < a.matrices; ++matrix) {
    const T* w = static_cast<const T*>(a.w) + matrix * a.w_matrix;
    for (int64_t first = 0; first < a.n; first += kColumns) {
      const int64_t columns = std::min(kColumns, a.n - first);
      for (int64_t k = 0; k < a.k; ++k, to += columns) {
        for (int64_t j = 0; j < columns; ++j) to[j] = w[k * a.w_k + (first + j) * a.w_column];
      }
    }
  }
}

// Row `row` of the matrix at x, less its zero point. Returns the sum, modulo 2^32.
template <class T>
uint32_t widen_row(const IntegerArgs& a, const T* x, int64_t row, int32_t zero, int16_t* to) {
  uint32_t sum = 0;
  if (!a.conv) {
    for (int64_t k = 0; k < a.k; ++k) to[k] = static_cast<int16_t>(x[row * a.k + k] - zero);
  } else {
    const Window& w = a.window;
    const int64_t pixels = w.out[1] * w.out[2], d = row / pixels, h = row / w.out[2] % w.out[1], v = row % w.out[2];
    const int64_t channels = a.k / w.taps(), plane = w.in[0] * w.in[1] * w.in[2];
    auto inside = [](int64_t i, int64_t n) { return static_cast<uint64_t>(i) < static_cast<uint64_t>(n); };
    const int64_t left = v * w.stride[2] - w.begin[2];
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t i = 0; i < w.kernel[0]; ++i) {
        const int64_t at_d = d * w.stride[0] + i * w.dilation[0] - w.begin[0];
        for (int64_t j = 0; j < w.kernel[1]; ++j, to += w.kernel[2]) {
          const int64_t at_h = h * w.stride[1] + j * w.dilation[1] - w.begin[1];
          const bool has_line = inside(at_d, w.in[0]) && inside(at_h, w.in[1]);
          const T* line = has_line ? x + c * plane + (at_d * w.in[1] + at_h) * w.in[2] : x;
          for (int64_t l = 0; l < w.kernel[2]; ++l) {
            const int64_t at = left + l * w.dilation[2];
            to[l] = has_line && inside(at, w.in[2]) ? static_cast<int16_t>(line[at] - zero) : int16_t(0);
          }
        }
      }
    }
    to -= a.k;
  }
  for (int64_t k = 0; k < a.k; ++k) sum += static_cast<uint32_t>(to[k]);
  return sum;
}

float scale_of(const IntegerArgs& a, const PerIndex& p, int64_t i) { return scale_at(p.data, a.scale_dtype, i * p.step); }

struct Block {
  const IntegerBatch* batch;
  int64_t row, rows;  // of the matrix
  uint32_t sums[kRowsAtOnce];
};

// What becomes of one row's sums of a panel.
void finish(const IntegerArgs& a, const Block& b, int64_t r, int64_t first, int64_t columns, const uint32_t* sum) {
  const int64_t row = b.row + r, at = b.batch->y + row * a.y_row + first * a.y_column;
  uint32_t exact[kColumns];
  for (int64_t j = 0; j < columns; ++j) {
    const int64_t column = b.batch->column + first + j;
    exact[j] = sum[j] - static_cast<uint32_t>(zero_at(a.w_zero, a.w_signed, column)) * b.sums[r];
    if (a.bias != nullptr) exact[j] += static_cast<uint32_t>(a.bias[column]);
  }
  if (a.y_scale == nullptr) {
    for (int64_t j = 0; j < columns; ++j) static_cast<int32_t*>(a.y)[at + j * a.y_column] = static_cast<int32_t>(exact[j]);
    return;
  }
  const float x_scale = scale_of(a, a.x_scale, b.batch->row + row), y_scale = scale_at(a.y_scale, a.scale_dtype, 0);
  const int32_t zero = zero_at({a.y_zero, 0}, a.y_signed, 0);
  for (int64_t j = 0; j < columns; ++j) {
    const float scale = x_scale * scale_of(a, a.w_scale, b.batch->column + first + j) / y_scale;
    const int64_t to = at + j * a.y_column;
    if (a.y_signed) static_cast<int8_t*>(a.y)[to] = requantized<int8_t>(exact[j], scale, zero);
    else static_cast<uint8_t*>(a.y)[to] = requantized<uint8_t>(exact[j], scale, zero);
  }
}

// kColumns columns of kRows rows; w: [k, 16].
template <int kRows>
void wide_panel(const IntegerArgs& a, const int16_t* w, uint32_t (&sum)[kRowsAtOnce][kColumns]) {
  uint32_t s[kRows][kColumns] = {};
  for (int64_t k = 0; k < a.k; ++k, w += kColumns) {
    for (int r = 0; r < kRows; ++r) {
      const int32_t x = a.rows[r * a.k + k];
      for (int j = 0; j < kColumns; ++j) s[r][j] += static_cast<uint32_t>(x * w[j]);
    }
  }
  for (int r = 0; r < kRows; ++r) std::copy_n(s[r], kColumns, sum[r]);
}
void narrow_panel(const IntegerArgs& a, const int16_t* w, int64_t rows, int64_t columns, uint32_t (&sum)[kRowsAtOnce][kColumns]) {
  for (int64_t r = 0; r < rows; ++r) {
    const int16_t *x = a.rows + r * a.k, *p = w;
    for (int64_t k = 0; k < a.k; ++k, p += columns) {
      for (int64_t j = 0; j < columns; ++j) sum[r][j] += static_cast<uint32_t>(x[k] * p[j]);
    }
  }
}

void multiply(const IntegerArgs& a, const Block& b, const int16_t* w) {
  for (int64_t first = 0; first < a.n; first += kColumns, w += kColumns * a.k) {
    const int64_t columns = std::min(kColumns, a.n - first);
    uint32_t sum[kRowsAtOnce][kColumns] = {};
    if (columns < kColumns) narrow_panel(a, w, b.rows, columns, sum);
    else if (b.rows == kRowsAtOnce) wide_panel<4>(a, w, sum);
    else if (b.rows == 3) wide_panel<3>(a, w, sum);
    else if (b.rows == 2) wide_panel<2>(a, w, sum);
    else wide_panel<1>(a, w, sum);
    for (int64_t r = 0; r < b.rows; ++r) finish(a, b, r, first, columns, sum[r]);
  }
}

}  // namespace

void integer_pack(const IntegerArgs& a, int16_t* to) {
  if (a.w_signed) pack<int8_t>(a, to);
  else pack<uint8_t>(a, to);
}

void integer_product(const IntegerArgs& a) {
  if (a.packed == nullptr) integer_pack(a, a.work);
  const int16_t* packed = a.packed == nullptr ? a.work : a.packed;
  for (int64_t i = a.begin; i < a.end;) {
    Block b{&a.batch[i / a.m], i % a.m, 0, {}};
    b.rows = std::min({kRowsAtOnce, a.m - b.row, a.end - i});
    for (int64_t r = 0; r < b.rows; ++r) {
      const int32_t zero = zero_at(a.x_zero, a.x_signed, b.batch->row + b.row + r);
      int16_t* to = a.rows + r * a.k;
      b.sums[r] = a.x_signed ? widen_row(a, static_cast<const int8_t*>(a.x) + b.batch->x, b.row + r, zero, to)
                             : widen_row(a, static_cast<const uint8_t*>(a.x) + b.batch->x, b.row + r, zero, to);
    }
    multiply(a, b, packed + b.batch->w * a.n * a.k);
    i += b.rows;
  }
}

Status bind_integer(BindContext& c, IntegerArgs& a, size_t w, int64_t batches) {
  if (c.isa == Isa::cuda) {  // plain w
    a.end = batches * a.m;
    c.set(a.w, c.input(w));
    c.run(cuda::kIntegerRows[0]);
    return {};
  }
  const auto [begin, end] = c.range(batches * a.m, kRowsAtOnce);
  if (begin == end) return {};
  a.begin = begin;
  a.end = end;
  c.set(a.rows, c.workspace<int16_t>(kRowsAtOnce * a.k));
  const int64_t count = a.matrices * a.n * a.k;
  if (c.in(w).constant) {
    const std::string tag =
        "integer/" + std::to_string(a.n) + "x" + std::to_string(a.k) + "/" + std::to_string(a.w_k) + "," + std::to_string(a.w_column);
    c.set(a.packed, c.packed<int16_t, void>(w, tag, count, [a](const void* from, int16_t* to) {
      IntegerArgs of = a;
      of.w = from;
      integer_pack(of, to);
    }));
  } else {
    c.set(a.w, c.input(w));
    c.set(a.work, c.workspace<int16_t>(count));
  }
  c.run(kIntegerRows[0]);
  return {};
}

Status set_per_index(BindContext& c, PerIndex& to, size_t input, int64_t count, int64_t total, const char* what) {
  if (!c.has(input)) return {};
  const TensorView& v = c.in(input);
  const bool one = v.count() == 1 && v.dims.rank <= 1;
  if (!one && (v.dims.rank == 1 ? v.count() != count || total != count : v.count() != total)) {
    return invalid(std::string(what) + " is " + to_string(v.dims) + ", expected one element or " + std::to_string(count));
  }
  c.set(to.data, c.input(input));
  to.step = one ? 0 : 1;
  return {};
}

Status check_zero_dtype(const InferContext& c, size_t zero, size_t of) {
  if (!c.has(zero) || c.dtype(zero) == c.dtype(of)) return {};
  return invalid("the zero point of input " + std::to_string(of) + " is " + name(c.dtype(zero)) + ", the input " + name(c.dtype(of)));
}

Status check_integer_dtypes(const InferContext& c, size_t x, size_t w) {
  for (size_t i : {x, w}) {
    if (c.dtype(i) != DType::u8 && c.dtype(i) != DType::i8) return bad_dtype(c.dtype(i));
  }
  return {};
}

Status check_scale_dtypes(const InferContext& c, std::initializer_list<size_t> scales) {
  for (size_t i : scales) {
    const DType t = c.dtype(i);
    if (t != DType::f32 && t != DType::f16 && t != DType::bf16) return unsupported(std::string("scales of ") + name(t) + " are not supported");
    if (t != c.dtype(*scales.begin())) return invalid(std::string("scales are ") + name(c.dtype(*scales.begin())) + " and " + name(t));
  }
  return {};
}

}  // namespace tern
