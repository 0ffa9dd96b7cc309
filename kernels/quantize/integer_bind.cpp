// Binding of the integer products: what they share of it. See integer.h.
#include <algorithm>

#include "kernels/quantize/integer.h"
#include "kernels/quantize/integer_image.h"
#include "kernels/quantize/integer_lines.h"
#include "runtime/base/cpu_vnni.h"

namespace tern {
namespace {

constexpr int64_t kCheapCopy = 16;  // panels: with so many, copying a window costs a sixteenth of its products

// Rows that a tile can read where they are: whole quads of u8.
bool rows_in_place(const IntegerArgs& a) {
  if (a.x_signed || a.k % 4 != 0) return false;
  if (!a.conv) return true;
  const Window& w = a.window;
  return a.channels_last && w.taps() == 1 && w.stride == Extent3{1, 1, 1} && w.in == w.out && w.begin == Extent3{0, 0, 0};
}
// Where windows are read as they lie: one line of taps is one run, and where x itself is the image, runs are quads.
bool reads_windows(const IntegerArgs& a) {
  const bool wide = a.window.out[2] >= kTileRows || a.panels() < kCheapCopy;
  return a.conv && !a.depthwise && a.k > 0 && wide && a.width() == kTileColumns;
}

// What rows are made of: windows where they are read as they lie, if few quads are filled up for it, and else all of k.
void set_run(IntegerArgs& a) {
  a.run = a.k;
  if (!reads_windows(a) || rows_in_place(a) || !set_image(a)) return;
  const int64_t channels = a.k / a.window.taps(), whole = (a.k + 3) / 4;
  a.run = a.window.dilation[2] == 1 && channels == a.channels ? channels * a.window.kernel[2] : channels;
  a.direct = a.quads() * 4 <= whole * 5;
  if (!a.direct) a.run = a.k;
}
// The same of a depthwise convolution, whose tiles read sixteen channels.
bool image_in_place(const IntegerArgs& a) { return a.channels_last && !a.x_signed && a.channels % kTileColumns == 0 && a.image_dims == a.window.in; }

void set_sources(BindContext& c, IntegerArgs& a) {
  constexpr int64_t kBehind = 16;  // IntegerWindows
  const bool image = a.conv && set_image(a);
  const Window& w = a.window;
  if (a.tap_quads != 0) {
    c.set(a.ring, c.workspace<uint8_t>(*ring_bytes(a)));
    a.image_dims = w.in;  // the ring has the padding
    if (a.channels_last) return;
  } else if (a.direct) {
    c.set(a.offsets, c.table<int64_t>(a.lines(), [&](int64_t* to) {
      const int64_t across = w.kernel[2] * (a.k / w.taps()) / a.run;  // runs of a line of taps: one, or as many as taps
      for (int64_t l = 0; l < a.lines(); ++l) {
        const int64_t line = l / across, d = line / w.kernel[1] * w.dilation[0], h = line % w.kernel[1] * w.dilation[1];
        to[l] = ((d * a.image_dims[1] + h) * a.image_dims[2] + l % across * w.dilation[2]) * a.channels;
      }
    }));
    if (a.channels_last && !a.x_signed && a.image_dims == w.in && a.run % 4 == 0) return;
  } else if (a.depthwise) {
    c.set(a.offsets, c.table<int64_t>(a.k, [&](int64_t* to) {
      for (int64_t t = 0; t < a.k; ++t) {
        const int64_t d = t / (w.kernel[1] * w.kernel[2]) * w.dilation[0], h = t / w.kernel[2] % w.kernel[1] * w.dilation[1],
                      v = t % w.kernel[2] * w.dilation[2];
        to[t] = ((d * a.image_dims[1] + h) * a.image_dims[2] + v) * a.channels;
      }
    }));
    if (image_in_place(a)) return;
  } else if (rows_in_place(a)) {
    return;
  }
  if (image) c.set(a.image, c.workspace<uint8_t>(a.image_dims[0] * a.image_dims[1] * a.image_dims[2] * a.channels + kBehind));
  if (!a.depthwise && !a.direct) c.set(a.rows, c.workspace<uint8_t>(kBlockRows * 4 * a.quads() + kBehind));
}

std::string tag(const IntegerArgs& a) {
  return "integer/" + std::to_string(a.n) + "x" + std::to_string(a.k) + "/" + std::to_string(a.w_k) + "," + std::to_string(a.w_column) + "/" +
         std::to_string(a.conv ? a.window.taps() : 1) + "/" + std::to_string(a.run) + "," + std::to_string(a.width()) + (a.ones ? "/ones" : "") +
         (a.depthwise ? "/depthwise/" + std::to_string(a.w_uniform) : "") +
         (a.tap_quads != 0 ? "/lines/" + std::to_string(a.window.kernel[2]) + "," + std::to_string(a.pixels()) : "");
}

}  // namespace

Isa integer_isa(Isa isa, bool vnni) { return isa == Isa::avx512 && !vnni ? Isa::avx2 : isa; }

std::optional<int32_t> uniform_zero(const BindContext& c, size_t zero) {
  if (!c.has(zero)) return 0;
  const TensorView& v = c.in(zero);
  if (!v.constant || !v.known || v.count() == 0) return std::nullopt;
  const PerIndex all{v.contents, 1};
  const int32_t first = zero_at(all, v.dtype == DType::i8, 0);
  for (int64_t i = 1; i < v.count(); ++i) {
    if (zero_at(all, v.dtype == DType::i8, i) != first) return std::nullopt;
  }
  return first;
}

Status bind_integer(BindContext& c, IntegerArgs& a, size_t w, size_t w_zero, int64_t batches) {
  const bool last_channels = a.conv && (a.channels_last || a.y_row != 1);
  if (c.isa == Isa::cuda && !last_channels && a.y_dtype != DType::f32) {  // plain w
    a.end = batches * a.m;
    c.set(a.w, c.input(w));
    c.run(cuda::kIntegerRows[0]);
    return {};
  }
  const auto [begin, end] = c.range(batches * a.m, kTileRows);
  if (begin == end) return {};
  a.begin = begin;
  a.end = end;
  const auto zero = uniform_zero(c, w_zero);
  a.w_uniform = zero.value_or(0);
  const Isa isa = integer_isa(c.isa, has_vnni());
  a.vnni = isa == Isa::avx2 && has_avx_vnni();
  a.tap_quads = zero && isa == Isa::avx512 ? tap_quads(a) : 0;
  if (a.tap_quads != 0 && !ring_bytes(a)) a.tap_quads = 0;
  a.row_sums = !a.depthwise && (!zero || *zero != (a.w_signed ? 0 : 128));
  a.ones = a.row_sums && a.width() == kTileColumns && a.n % kTileColumns != 0;
  set_run(a);
  set_sources(c, a);
  const int64_t columns = a.panels() * kTileColumns;  // whole vectors
  c.set(a.offset, c.workspace<int32_t>(columns));
  if (a.row_sums) c.set(a.zero, c.workspace<int32_t>(columns));
  if (a.y_dtype != DType::i32) c.set(a.multiplier, c.workspace<float>(columns));
  if (a.y_column != 1) c.set(a.block, c.workspace<uint8_t>(kBlockRows * a.n * static_cast<int64_t>(size_of(a.y_dtype))));
  const int64_t bytes = a.matrices * a.panels() * a.panel() + 64;  // the sums of few columns are read as those of a panel
  if (c.in(w).constant) {
    c.set(a.packed, c.packed<int8_t, void>(w, tag(a), bytes, [a](const void* from, int8_t* to) {
      IntegerArgs of = a;
      of.w = from;
      pack_integers(of, to);
    }));
  } else {
    c.set(a.w, c.input(w));
    c.set(a.work, c.workspace<int8_t>(bytes));
  }
  c.run(*tern::pick(kCpuIntegerRows, DType::i8, isa));
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
    if (!is_byte(c.dtype(i))) return bad_dtype(c.dtype(i));
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
