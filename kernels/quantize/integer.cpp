// The kernel of integer.h: blocks of rows, for each of them the panels, for each of these tiles.
#include "kernels/quantize/integer.h"

#include <algorithm>
#include <cstring>

#include "kernels/quantize/integer_image.h"
#include "kernels/quantize/integer_lines.h"
#include "kernels/quantize/scale.h"

namespace tern {
namespace {

// Of x and w as the kernels have them.
int32_t w_zero(const IntegerArgs& a, int64_t column) { return a.depthwise ? 0 : zero_at(a.w_zero, a.w_signed, column) - (a.w_signed ? 0 : 128); }
float scale_of(const IntegerArgs& a, const PerIndex& p, int64_t i) { return scale_at(p.data, a.scale_dtype, i * p.step); }
bool varies_by_row(const IntegerArgs& a) { return a.x_zero.step != 0 || a.x_scale.step != 0; }

struct Block {
  const IntegerBatch* batch;
  int64_t row, rows;  // of the matrix
  const uint8_t* x;   // of rows that are multiplied by panels
  int64_t x_stride;
  const uint8_t* pixels[kBlockRows];  // depthwise: where the windows begin
  int32_t terms[kBlockRows];
};

// What belongs to the columns: for a batch, or for each of its rows.
void set_columns(const IntegerArgs& a, const Block& b, const int8_t* w, const IntegerKernels& k) {
  const int64_t row = b.batch->row + b.row, column = b.batch->column;
  if (a.row_sums) {
    for (int64_t j = 0; j < a.n; ++j) a.zero[j] = w_zero(a, column + j);
  }
  IntegerColumns c{w,        a.panel(), a.n, packed_x_zero(a, row), a.bias == nullptr ? nullptr : a.bias + column, 0, 1, nullptr, a.w_scale.step != 0,
                   a.offset, nullptr};
  if (a.y_dtype != DType::i32) {
    c.multiplier = a.multiplier;
    c.x_scale = scale_of(a, a.x_scale, row);
    if (a.y_dtype != DType::f32) c.y_scale = scale_at(a.y_scale, a.scale_dtype, 0);
    c.w_scale = static_cast<const float*>(a.w_scale.data) + column * a.w_scale.step;
  }
  if (a.y_dtype != DType::i32 && a.scale_dtype != DType::f32) {
    for (int64_t j = 0; j < a.n; ++j) a.multiplier[j] = scale_of(a, a.w_scale, column + j);
    c.w_scale = a.multiplier;
    c.w_scale_varies = true;
  }
  k.columns(c);
}

// Fewer columns than a panel has, unfilled: [1 + quads][columns][4].
void few_columns(const IntegerArgs& a, const uint8_t* x, int64_t x_stride, int64_t rows, const int8_t* w, int32_t* sum) {
  w += 4 * a.n;
  for (int64_t r = 0; r < rows; ++r, x += x_stride, sum += kSumStride) {
    for (int64_t j = 0; j < a.n; ++j) {
      uint32_t s = 0;
      for (int64_t q = 0; q < a.quads(); ++q) {
        for (int64_t i = 0; i < 4; ++i) s += static_cast<uint32_t>(x[4 * q + i] * w[(q * a.n + j) * 4 + i]);
      }
      sum[j] = static_cast<int32_t>(s);
    }
  }
}

// A tile's sums: rows [first, first + rows) of the block, `panels` of them from `panel` on.
void sum_tile(const IntegerArgs& a, const Block& b, int64_t first, int64_t rows, int64_t panel, int64_t panels, const int8_t* w, int32_t* sum,
              const IntegerKernels& k) {
  if (!a.depthwise) {
    const uint8_t* x = a.direct ? b.x + window_begin(a, b.row + first) : b.x + first * b.x_stride;
    if (a.width() < kTileColumns) return few_columns(a, x, b.x_stride, rows, w, sum);
    const int64_t lines = a.lines(), quads = (a.run + 3) / 4;
    return (a.vnni ? k.tile_vnni : k.tile)(
        {x, b.x_stride, lines, quads, a.direct ? a.offsets : nullptr, static_cast<int>(rows), static_cast<int>(panels), w + 64, a.panel(), sum});
  }
  const uint8_t* pixels[kTileRows];
  for (int64_t r = 0; r < rows; ++r) pixels[r] = b.pixels[first + r] + panel * kTileColumns;
  for (int64_t p = 0; p < panels; ++p, w += a.panel()) {
    k.taps({pixels, static_cast<int>(rows), a.offsets, w + 64, a.k, sum + p * kTileColumns});
    for (int64_t r = 0; r < rows; ++r) pixels[r] += kTileColumns;
  }
}

// What the zero point of w is multiplied with for row r of the block, whose sum of x is `sum`.
int32_t row_term(const IntegerArgs& a, const Block& b, int64_t r, uint32_t sum) {
  return static_cast<int32_t>(static_cast<uint32_t>(a.k) * static_cast<uint32_t>(packed_x_zero(a, b.batch->row + b.row + r)) - sum);
}
// The same of a tile's rows, whose sums by the column of ones these are.
void take_terms(const IntegerArgs& a, Block& b, int64_t first, int64_t rows, const int32_t* ones) {
  for (int64_t r = 0; r < rows; ++r) b.terms[first + r] = row_term(a, b, first + r, static_cast<uint32_t>(ones[r * kSumStride]));
}

// How many rows the tile from row `first` of the block on has: those that are left, of the pixel's line where windows are read, in tiles that differ by
// one row at most.
int64_t tile_rows(const IntegerArgs& a, const Block& b, int64_t first) {
  const int64_t width = a.window.out[2], left = b.rows - first, of_line = a.direct ? std::min(left, width - (b.row + first) % width) : left;
  const int64_t tiles = (of_line + kTileRows - 1) / kTileRows;
  return (of_line + tiles - 1) / tiles;
}

// Turned, or where they belong: rows of the block. The last panels come first, as they may have the sums of x.
void multiply(const IntegerArgs& a, Block& b, const int8_t* w, const IntegerKernels& k) {
  alignas(64) int32_t sum[kTileRows * kSumStride];
  const int64_t most = b.rows == 1 ? 4 : 2;
  const int64_t element = static_cast<int64_t>(size_of(a.y_dtype)), stride = a.block != nullptr ? a.n : a.y_row;
  const int64_t at = b.batch->y + b.row * a.y_row;
  uint8_t* y = a.block != nullptr ? a.block : static_cast<uint8_t*>(a.y) + at * element;
  IntegerFinish f{};
  f.sum = sum;
  f.y_zero = zero_at({a.y_zero, 0}, a.y_signed(), 0);
  f.y_signed = a.y_signed();
  f.y_stride = stride;
  f.y_float = a.y_dtype == DType::f32;
  f.low = a.low;
  f.high = a.high;
  for (int64_t end = a.panels(), panels; end > 0; end -= panels) {
    panels = end % most == 0 ? most : 1;
    const int64_t panel = end - panels, column = panel * a.width();
    f.count = std::min(panels * a.width(), a.n - column);
    f.offset = a.offset + column;
    f.zero = a.row_sums ? a.zero + column : nullptr;
    f.multiplier = a.y_dtype == DType::i32 ? nullptr : a.multiplier + column;
    f.bias = a.float_bias == nullptr ? nullptr : a.float_bias + b.batch->column + column;
    for (int64_t first = 0; first < b.rows; first += f.rows) {
      f.rows = tile_rows(a, b, first);
      sum_tile(a, b, first, f.rows, panel, panels, w + panel * a.panel(), sum, k);
      if (a.ones && end == a.panels()) take_terms(a, b, first, f.rows, sum + a.n - column);
      f.term = a.row_sums ? b.terms + first : nullptr;
      f.y = y + (first * stride + column) * element;
      f.residual = a.residual == nullptr ? nullptr : a.residual + at + first * stride + column;
      k.finish(f);
    }
  }
  if (a.block != nullptr) put_turned(a, b.rows, a.n, static_cast<uint8_t*>(a.y) + (b.batch->y + b.row) * element, k);
}

// Where the rows of the block are, and their terms.
void set_rows(const IntegerArgs& a, Block& b, const IntegerKernels& k) {
  const auto* x = static_cast<const uint8_t*>(a.x) + b.batch->x;
  if (a.depthwise) {
    for (int64_t r = 0; r < b.rows; ++r) b.pixels[r] = (a.image != nullptr ? a.image : x) + window_begin(a, b.row + r);
    return;
  }
  if (a.direct) {
    const int64_t group = a.window.taps() == 0 ? 0 : b.batch->column / a.n * (a.k / a.window.taps());
    b.x = (a.image != nullptr ? a.image : static_cast<const uint8_t*>(a.x) + b.batch->x - group) + group;
    b.x_stride = a.window.stride[2] * a.channels;
  } else if (a.rows != nullptr) {
    b.x = a.rows;
    b.x_stride = 4 * a.quads();
    fill_rows(a, *b.batch, b.row, b.rows, k);
  } else {
    b.x_stride = a.conv ? a.channels : a.k;
    b.x = x + b.row * b.x_stride;
  }
  if (!a.row_sums || a.ones) return;
  for (int64_t r = 0; r < b.rows; ++r) {
    const uint8_t* row = a.direct ? b.x + window_begin(a, b.row + r) : b.x + r * b.x_stride;
    uint32_t sum = 0;
    for (int64_t l = 0; l < a.lines(); ++l) sum += static_cast<uint32_t>(k.sum(row + (a.direct ? a.offsets[l] : 0), a.run));
    b.terms[r] = row_term(a, b, r, sum);
  }
}

// Of pixels from `row` on: as many lines as a block has room for, or pieces of one that differ by one pixel at most.
int64_t whole_lines(const IntegerArgs& a, int64_t row) {
  const int64_t width = a.window.out[2], left = width - row % width, pieces = (left + kBlockRows - 1) / kBlockRows;
  return left < width || width > kBlockRows ? (left + pieces - 1) / pieces : kBlockRows / width * width;
}

int8_t packed_element(const IntegerArgs& a, int64_t at) {
  const uint8_t byte = static_cast<const uint8_t*>(a.w)[at];
  return static_cast<int8_t>(a.w_signed ? byte : byte ^ 0x80);
}
void add_to_sum(int8_t* panel, int64_t column, int32_t v) {
  uint32_t sum;
  std::memcpy(&sum, panel + 4 * column, 4);
  sum += static_cast<uint32_t>(v);
  std::memcpy(panel + 4 * column, &sum, 4);
}
// Where element k of column j of a panel is.
int64_t place_in_panel(const IntegerArgs& a, int64_t k, int64_t j) {
  const int64_t line = k / a.run, quad = line * ((a.run + 3) / 4) + k % a.run / 4;
  return 4 * a.width() + (quad * a.width() + j) * 4 + k % a.run % 4;
}
// Column j of the panel at `to`, which is column `column` of matrix w.
void pack_column(const IntegerArgs& a, int64_t w, int64_t column, int8_t* to, int64_t j) {
  const int64_t taps = a.conv && !a.depthwise ? a.window.taps() : 1, channels = a.k / taps;
  for (int64_t k = 0; k < a.k; ++k) {
    const int64_t from = w * a.w_matrix + (k % channels * taps + k / channels) * a.w_k + column * a.w_column;
    if (a.depthwise) {
      const int32_t v = zero_at({a.w, 1}, a.w_signed, from) - a.w_uniform;
      if (a.tap_quads != 0) pack_tap(a, k, v, to, j);
      else std::memcpy(to + 64 + (k * kTileColumns + j) * 4, &v, 4);
      add_to_sum(to, j, v);
    } else {
      const int8_t v = packed_element(a, from);
      to[place_in_panel(a, k, j)] = v;
      add_to_sum(to, j, v);
    }
  }
}

}  // namespace

void pack_integers(const IntegerArgs& a, int8_t* to) {
  for (int64_t matrix = 0; matrix < a.matrices; ++matrix) {
    for (int64_t first = 0; first < a.n; first += a.width(), to += a.panel()) {
      for (int64_t j = 0; j < std::min(a.width(), a.n - first); ++j) pack_column(a, matrix, first + j, to, j);
      for (int64_t k = 0; a.ones && first + a.width() > a.n && k < a.k; ++k) to[place_in_panel(a, k, a.n - first)] = 1;
    }
  }
}

void put_turned(const IntegerArgs& a, int64_t rows, int64_t n, uint8_t* y, const IntegerKernels& k) {
  if (size_of(a.y_dtype) == 1) return k.turn(a.block, n, rows, n, y, a.y_column);
  k.turn_words(reinterpret_cast<const float*>(a.block), n, reinterpret_cast<float*>(y), a.y_column, rows, n);
}

void integer_product(const void* args, const IntegerKernels& k) {
  const IntegerArgs& a = *static_cast<const IntegerArgs*>(args);
  if (a.packed == nullptr) {
    std::memset(a.work, 0, static_cast<size_t>(a.matrices * a.panels() * a.panel()));
    pack_integers(a, a.work);
  }
  const int8_t* packed = a.packed == nullptr ? a.work : a.packed;
  const bool by_row = varies_by_row(a);
  const IntegerBatch* columns_of = nullptr;
  int64_t image = -1;
  for (int64_t i = a.begin; i < a.end;) {
    const int64_t batch = i / a.m;
    if (a.image != nullptr && image != batch / a.matrices) lay_out_image(a, image = batch / a.matrices, k);
    if (a.tap_quads != 0) {
      const int64_t first = i % a.m, count = std::min(a.m - first, a.end - i);
      const Block whole{&a.batch[batch], first, count, nullptr, 0, {}, {}};
      if (columns_of == nullptr) set_columns(a, whole, packed, k);
      columns_of = whole.batch;
      convolve_lines(a, a.batch[batch], first, first + count, packed, k);
      i += count;
      continue;
    }
    Block b{&a.batch[batch], i % a.m, 0, nullptr, 0, {}, {}};
    b.rows = std::min({int64_t(by_row ? 1 : kBlockRows), a.m - b.row, a.end - i});
    if (a.direct) b.rows = std::min(b.rows, whole_lines(a, b.row));
    set_rows(a, b, k);
    const int8_t* w = packed + b.batch->w * a.panels() * a.panel();
    if (by_row || columns_of != b.batch) set_columns(a, b, w, k);
    columns_of = b.batch;
    multiply(a, b, w, k);
    i += b.rows;
  }
}

}  // namespace tern
