// The kernel of integer.h.
#include "kernels/quantize/integer.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "kernels/choose.h"
#include "kernels/quantize/scale.h"
#include "runtime/base/checked.h"

namespace tern {
namespace {

// Panels of 16 columns, or one of all the few; what is left of the last panel and of the last pair of k is 0.
template <class T>
void pack(const IntegerArgs& a, int16_t* to) {
  const int64_t taps = a.conv ? a.window.taps() : 1, channels = a.k / taps, width = std::min<int64_t>(a.columns(), kTileColumns);
  for (int64_t matrix = 0; matrix < a.matrices; ++matrix) {
    const T* w = static_cast<const T*>(a.w) + matrix * a.w_matrix;
    for (int64_t first = 0; first < a.n; first += width) {
      const int64_t columns = std::min(width, a.n - first);
      for (int64_t p = 0; p < a.pairs(); ++p, to += 2 * width) {
        for (int64_t i = 0; i < 2; ++i) {
          const int64_t k = 2 * p + i, from = k % channels * taps + k / channels;
          for (int64_t j = 0; j < width; ++j) to[2 * j + i] = k < a.k && j < columns ? w[from * a.w_k + (first + j) * a.w_column] : int16_t(0);
        }
      }
    }
  }
}

bool inside(int64_t i, int64_t n) { return static_cast<uint64_t>(i) < static_cast<uint64_t>(n); }

// x [channels, in] less its zero point, channels last, between zeros.
template <class T>
void widen_image(const IntegerArgs& a, const T* x, int32_t zero) {
  const Window& w = a.window;
  const int64_t channels = a.k / w.taps();
  std::memset(a.image, 0, static_cast<size_t>(a.image_dims[0] * a.image_dims[1] * a.image_dims[2] * channels) * sizeof(int16_t));
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t d = 0; d < w.in[0]; ++d) {
      for (int64_t h = 0; h < w.in[1]; ++h, x += w.in[2]) {
        int16_t* to = a.image + (((d + w.begin[0]) * a.image_dims[1] + h + w.begin[1]) * a.image_dims[2] + w.begin[2]) * channels + c;
        for (int64_t v = 0; v < w.in[2]; ++v) to[v * channels] = static_cast<int16_t>(x[v] - zero);
      }
    }
  }
}
// The window of an output pixel, from that image.
void copy_window(const IntegerArgs& a, int64_t row, int16_t* to) {
  const Window& w = a.window;
  const int64_t channels = a.k / w.taps(), pixels = w.out[1] * w.out[2], d = row / pixels, h = row / w.out[2] % w.out[1], v = row % w.out[2];
  const int64_t run = w.dilation[2] == 1 ? w.kernel[2] * channels : channels;  // neighbouring taps are one run
  for (int64_t i = 0; i < w.kernel[0]; ++i) {
    for (int64_t j = 0; j < w.kernel[1]; ++j) {
      const int64_t line = (d * w.stride[0] + i * w.dilation[0]) * a.image_dims[1] + h * w.stride[1] + j * w.dilation[1];
      const int16_t* from = a.image + (line * a.image_dims[2] + v * w.stride[2]) * channels;
      for (int64_t l = 0; l < w.kernel[2] * channels; l += run, to += run, from += w.dilation[2] * channels)
        std::memcpy(to, from, static_cast<size_t>(run) * sizeof(int16_t));
    }
  }
}
// The same from x itself.
template <class T>
void gather_window(const IntegerArgs& a, const T* x, int64_t row, int32_t zero, int16_t* to) {
  const Window& w = a.window;
  const int64_t pixels = w.out[1] * w.out[2], d = row / pixels, h = row / w.out[2] % w.out[1], v = row % w.out[2];
  const int64_t channels = a.k / w.taps(), plane = w.in[0] * w.in[1] * w.in[2];
  for (int64_t i = 0; i < w.kernel[0]; ++i) {
    for (int64_t j = 0; j < w.kernel[1]; ++j) {
      for (int64_t l = 0; l < w.kernel[2]; ++l, to += channels) {
        const int64_t at_d = d * w.stride[0] + i * w.dilation[0] - w.begin[0], at_h = h * w.stride[1] + j * w.dilation[1] - w.begin[1],
                      at_v = v * w.stride[2] + l * w.dilation[2] - w.begin[2];
        const bool has = inside(at_d, w.in[0]) && inside(at_h, w.in[1]) && inside(at_v, w.in[2]);
        const T* from = has ? x + (at_d * w.in[1] + at_h) * w.in[2] + at_v : x;
        for (int64_t c = 0; c < channels; ++c) to[c] = has ? static_cast<int16_t>(from[c * plane] - zero) : int16_t(0);
      }
    }
  }
}

// Row `row` of the matrix at x, less its zero point. Returns the sum, modulo 2^32.
template <class T>
uint32_t widen_row(const IntegerArgs& a, const T* x, int64_t row, int32_t zero, int16_t* to) {
  if (a.conv && a.image != nullptr) {
    copy_window(a, row, to);
  } else if (a.conv) {
    gather_window(a, x, row, zero, to);
  } else {
    for (int64_t k = 0; k < a.k; ++k) to[k] = static_cast<int16_t>(x[row * a.k + k] - zero);
  }
  if (a.k % 2 != 0) to[a.k] = 0;
  uint32_t sum = 0;
  for (int64_t k = 0; k < a.k; ++k) sum += static_cast<uint32_t>(to[k]);
  return sum;
}

float scale_of(const IntegerArgs& a, const PerIndex& p, int64_t i) { return scale_at(p.data, a.scale_dtype, i * p.step); }

struct Block {
  const IntegerBatch* batch;
  int64_t row, rows;  // of the matrix
  uint32_t sums[kTileRows];
};
// What belongs to the columns of a panel.
struct Columns {
  int64_t first, count;
  uint32_t zero[kTileColumns], bias[kTileColumns];
  float scale[kTileColumns];
};
Columns columns_of(const IntegerArgs& a, const Block& b, int64_t first) {
  Columns c{first, std::min<int64_t>(kTileColumns, a.n - first), {}, {}, {}};
  for (int64_t j = 0; j < c.count; ++j) {
    const int64_t column = b.batch->column + first + j;
    c.zero[j] = static_cast<uint32_t>(zero_at(a.w_zero, a.w_signed, column));
    c.bias[j] = a.bias == nullptr ? 0 : static_cast<uint32_t>(a.bias[column]);
    c.scale[j] = a.y_scale == nullptr ? 0 : scale_of(a, a.w_scale, column);
  }
  return c;
}

template <class Q>
void requantize(const IntegerArgs& a, const Columns& c, const uint32_t* exact, float x_scale, Q* y) {
  const float y_scale = scale_at(a.y_scale, a.scale_dtype, 0);
  const int32_t zero = zero_at({a.y_zero, 0}, a.y_signed, 0);
  Q q[kTileColumns];
  for (int64_t j = 0; j < kTileColumns; ++j) q[j] = requantized<Q>(exact[j], x_scale * c.scale[j] / y_scale, zero);
  for (int64_t j = 0; j < c.count; ++j) y[j * a.y_column] = q[j];
}
// What becomes of one row's sums of a panel.
void finish(const IntegerArgs& a, const Block& b, const Columns& c, int64_t r, const uint32_t* sum) {
  const int64_t row = b.row + r, at = b.batch->y + row * a.y_row + c.first * a.y_column;
  uint32_t exact[kTileColumns];
  for (int64_t j = 0; j < kTileColumns; ++j) exact[j] = sum[j] - c.zero[j] * b.sums[r] + c.bias[j];
  if (a.y_scale == nullptr) {
    for (int64_t j = 0; j < c.count; ++j) static_cast<int32_t*>(a.y)[at + j * a.y_column] = static_cast<int32_t>(exact[j]);
    return;
  }
  const float x_scale = scale_of(a, a.x_scale, b.batch->row + row);
  if (a.y_signed) requantize(a, c, exact, x_scale, static_cast<int8_t*>(a.y) + at);
  else requantize(a, c, exact, x_scale, static_cast<uint8_t*>(a.y) + at);
}

void few_columns(const IntegerArgs& a, const Block& b, const int16_t* w, uint32_t* sum) {
  for (int64_t r = 0; r < b.rows; ++r, sum += kTileColumns) {
    const int16_t* x = a.rows + r * 2 * a.pairs();
    std::fill_n(sum, kTileColumns, 0u);
    for (int64_t p = 0; p < a.pairs(); ++p) {
      for (int64_t j = 0; j < a.n; ++j) sum[j] += static_cast<uint32_t>(x[2 * p] * w[(p * a.n + j) * 2] + x[2 * p + 1] * w[(p * a.n + j) * 2 + 1]);
    }
  }
}

void multiply(const IntegerArgs& a, const Block& b, const int16_t* w, IntegerTileFn tile) {
  alignas(64) uint32_t sum[kTileRows * kTileColumns];
  for (int64_t first = 0; first < a.n; first += kTileColumns, w += kTileColumns * 2 * a.pairs()) {
    if (a.columns() < kTileColumns) few_columns(a, b, w, sum);
    else tile({a.rows, 2 * a.pairs(), b.rows, w, a.pairs(), sum});
    const Columns c = columns_of(a, b, first);
    for (int64_t r = 0; r < b.rows; ++r) finish(a, b, c, r, sum + r * kTileColumns);
  }
}

void integer_pack(const IntegerArgs& a, int16_t* to) {
  if (a.w_signed) pack<int8_t>(a, to);
  else pack<uint8_t>(a, to);
}

template <class T>
void product(const IntegerArgs& a, IntegerTileFn tile) {
  if (a.packed == nullptr) integer_pack(a, a.work);
  const int16_t* packed = a.packed == nullptr ? a.work : a.packed;
  const IntegerBatch* widened = nullptr;
  for (int64_t i = a.begin; i < a.end;) {
    Block b{&a.batch[i / a.m], i % a.m, 0, {}};
    b.rows = std::min({int64_t(kTileRows), a.m - b.row, a.end - i});
    const T* x = static_cast<const T*>(a.x) + b.batch->x;
    if (a.image != nullptr && widened != b.batch) widen_image(a, x, zero_at(a.x_zero, a.x_signed, 0));
    widened = b.batch;
    for (int64_t r = 0; r < b.rows; ++r) {
      const int32_t zero = zero_at(a.x_zero, a.x_signed, b.batch->row + b.row + r);
      b.sums[r] = widen_row(a, x, b.row + r, zero, a.rows + r * 2 * a.pairs());
    }
    multiply(a, b, packed + b.batch->w * a.columns() * 2 * a.pairs(), tile);
    i += b.rows;
  }
}

// An image of which padding is no more than the rest, and which fits in memory as x does.
bool set_image(IntegerArgs& a) {
  const Window& w = a.window;
  int64_t cells = a.k / w.taps(), own = cells;
  for (size_t i = 0; i < 3; ++i) {
    const auto reach = checked_mul(w.out[i] - 1, w.stride[i]), taps = checked_mul(w.kernel[i] - 1, w.dilation[i]);
    const auto seen = reach && taps ? checked_add(*reach, *taps) : std::nullopt;  // the last cell that a window sees
    const auto filled = checked_add(w.begin[i], w.in[i]);
    if (!seen || !filled || *seen == INT64_MAX) return false;
    a.image_dims[i] = std::max(*seen + 1, *filled);
    const auto more = checked_mul(cells, a.image_dims[i]);
    if (!more) return false;
    cells = *more;
    own *= w.in[i];
  }
  return cells / 4 <= own;
}

}  // namespace

void integer_product(const void* args, IntegerTileFn tile) {
  const IntegerArgs& a = *static_cast<const IntegerArgs*>(args);
  if (a.x_signed) product<int8_t>(a, tile);
  else product<uint8_t>(a, tile);
}

Status bind_integer(BindContext& c, IntegerArgs& a, size_t w, int64_t batches) {
  if (c.isa == Isa::cuda) {  // plain w
    a.end = batches * a.m;
    c.set(a.w, c.input(w));
    c.run(cuda::kIntegerRows[0]);
    return {};
  }
  const auto [begin, end] = c.range(batches * a.m, kTileRows);
  if (begin == end) return {};
  a.begin = begin;
  a.end = end;
  c.set(a.rows, c.workspace<int16_t>(kTileRows * 2 * a.pairs()));
  if (a.conv && set_image(a)) {
    c.set(a.image, c.workspace<int16_t>(a.image_dims[0] * a.image_dims[1] * a.image_dims[2] * (a.k / a.window.taps())));
  }
  const int64_t count = a.matrices * a.columns() * 2 * a.pairs();
  if (c.in(w).constant) {
    const std::string tag = "integer/" + std::to_string(a.n) + "x" + std::to_string(a.k) + "/" + std::to_string(a.w_k) + "," +
                            std::to_string(a.w_column) + "/" + std::to_string(a.conv ? a.window.taps() : 1);
    c.set(a.packed, c.packed<int16_t, void>(w, tag, count, [a](const void* from, int16_t* to) {
      IntegerArgs of = a;
      of.w = from;
      integer_pack(of, to);
    }));
  } else {
    c.set(a.w, c.input(w));
    c.set(a.work, c.workspace<int16_t>(count));
  }
  c.run(*c.pick(DType::i8));
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
