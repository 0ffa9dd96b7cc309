// Diagonals and bands of matrices, which are the last two axes. See operator.h. Next: gather.cpp.
#include "loaders/tensorflow/ops/common.h"

namespace tern::tensorflow {
namespace {

// Which cell of [rows, columns] lies on which diagonal: column - row, i64.
struct Grid {
  ValueId row = kNone, column = kNone;  // [rows, 1], [1, columns]
  ValueId diagonal(GraphBuilder& b) const { return b.emit("Sub", {column, row}); }
};
Grid grid(GraphBuilder& b, const Int& rows, const Int& columns) {
  return {unsqueeze(b, counted(b, rows), {1}), unsqueeze(b, counted(b, columns), {0})};
}

// Keeps the diagonals from -lower to upper; a negative number: all.
Values band_part(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0), lower = b.cast(c.tensor(1), DType::i64), upper = b.cast(c.tensor(2), DType::i64);
  const int rank = b.rank(x);
  if (b.ok() && rank < 2) return c.fail(invalid("a matrix must have at least two dimensions"));
  const ValueId d = grid(b, b.size(x, rank - 2), b.size(x, rank - 1)).diagonal(b);
  const ValueId below = b.emit("Or", {with(b, "Less", lower, 0), b.emit("LessOrEqual", {b.emit("Neg", {d}), lower})});
  const ValueId above = b.emit("Or", {with(b, "Less", upper, 0), b.emit("LessOrEqual", {d, upper})});
  const ValueId zero = b.dtype(x) == DType::boolean ? b.scalar(DType::boolean, 0) : b.scalar_like(x, 0);
  return {select(b, b.emit("And", {below, above}), x, zero)};
}

// The diagonals k[0] to k[1] as rows of [.., diagonals, length], the highest first. Where row r's cell j comes from; those that are shorter than the
// longest begin or end with padding, as `align` says of those above and below the main one.
struct Diagonals {
  int64_t low = 0, high = 0;
  bool left_above = false, left_below = true;  // RIGHT_LEFT: those above are moved to the right
  bool one() const { return low == high; }
};
Diagonals diagonals_of(Call& c, size_t k, const char* align) {
  const std::vector<int64_t> range = c.known_ints(k);
  const std::string how = c.string("align", align);
  if (range.empty() || range.size() > 2 || (range.size() == 2 && range[0] > range[1])) c.fail(invalid("k must be one diagonal or two, in order"));
  if (how != "RIGHT_LEFT" && how != "LEFT_RIGHT" && how != "LEFT_LEFT" && how != "RIGHT_RIGHT") c.fail(invalid("align is '" + how + "'"));
  if (!c.b.ok()) return {};
  if (std::max(std::abs(range.front()), std::abs(range.back())) > int64_t(1) << 31) c.fail(invalid("k is too large"));
  return {range.front(), range.back(), how.starts_with("LEFT"), how.ends_with("LEFT")};
}

// How far the cells of diagonal d are moved to the right in a row of `length` cells, for matrices [rows, columns].
int64_t shift_of(const Diagonals& k, int64_t d, int64_t rows, int64_t columns, int64_t length) {
  const int64_t own = std::min(rows + std::min(d, int64_t(0)), columns - std::max(d, int64_t(0)));
  return (d >= 0 ? k.left_above : k.left_below) ? 0 : length - own;
}

int64_t length_of(const Diagonals& k, int64_t rows, int64_t columns) {
  return std::min(rows + std::min(k.high, int64_t(0)), columns - std::max(k.low, int64_t(0)));
}

// Rows of diagonals as places in a matrix that was made flat, -1: padding.
std::vector<int64_t> diagonal_places(const Diagonals& k, int64_t rows, int64_t columns) {
  std::vector<int64_t> places;
  const int64_t length = length_of(k, rows, columns);
  for (int64_t d = k.high; d >= k.low; --d) {
    const int64_t shift = shift_of(k, d, rows, columns, length), own = std::min(rows + std::min(d, int64_t(0)), columns - std::max(d, int64_t(0)));
    for (int64_t j = 0; j < length; ++j) {
      const int64_t i = j - shift;
      places.push_back(i < 0 || i >= own ? -1 : (i + std::max(-d, int64_t(0))) * columns + i + std::max(d, int64_t(0)));
    }
  }
  return places;
}

bool fits(Call& c, const Diagonals& k, int64_t rows, int64_t columns) {
  if (!c.b.ok()) return false;
  if (rows < 1 || columns < 1 || k.low <= -rows || k.high >= columns) return c.fail(invalid("a diagonal lies outside of the matrix")), false;
  if (rows > 4096 || columns > 4096) return c.fail(unsupported("diagonals of matrices of more than 4096 rows or columns are not supported")), false;
  return true;
}

ValueId flat_matrices(GraphBuilder& b, ValueId x) {
  std::vector<Int> sizes = sizes_of(b, x);
  sizes.resize(sizes.size() - 2);
  sizes.push_back(-1);
  return b.reshape(x, sizes);
}

// [.., rows, columns] to [.., diagonals, length] or, of one diagonal, [.., length].
ValueId part(Call& c, ValueId x, const Diagonals& k, ValueId padding) {
  GraphBuilder& b = c.b;
  const int rank = b.rank(x);
  if (b.ok() && rank < 2) return b.fail(invalid("a matrix must have at least two dimensions")), kNone;
  const int64_t rows = known_size(b, x, rank - 2, "a diagonal"), columns = known_size(b, x, rank - 1, "a diagonal");
  if (!fits(c, k, rows, columns)) return kNone;
  std::vector<int64_t> places = diagonal_places(k, rows, columns);
  const bool padded = std::find(places.begin(), places.end(), -1) != places.end();
  const int64_t outside = rows * columns;
  std::vector<Int> sizes = sizes_of(b, x);
  sizes.resize(sizes.size() - 2);
  ValueId flat = flat_matrices(b, x);
  if (padded) {  // one cell more, which holds the padding
    std::vector<Int> one = sizes;
    one.emplace_back(1);
    flat = concat(b, {flat, b.emit("Expand", {padding == kNone ? b.scalar_like(x, 0) : padding, b.ints(one)})}, rank - 2);
    for (int64_t& p : places) p = p < 0 ? outside : p;
  }
  const ValueId y = b.emit("Gather", {flat, b.ints(places)}, attributes({{"axis", int64_t(rank - 2)}}));
  if (k.one()) return y;
  sizes.insert(sizes.end(), {Int(k.high - k.low + 1), Int(length_of(k, rows, columns))});
  return b.reshape(y, sizes);
}

// [.., diagonals, length] into matrices: `into` with those cells replaced, or new ones full of `padding`.
ValueId put(Call& c, ValueId diagonal, const Diagonals& k, int64_t rows, int64_t columns, ValueId into, ValueId padding) {
  GraphBuilder& b = c.b;
  if (!fits(c, k, rows, columns)) return kNone;
  const std::vector<int64_t> from = diagonal_places(k, rows, columns);
  std::vector<int64_t> places(static_cast<size_t>(rows * columns),
                              static_cast<int64_t>(from.size()));  // which cell of the diagonals, or the one more
  for (size_t i = 0; i < from.size(); ++i) {
    if (from[i] >= 0) places[static_cast<size_t>(from[i])] = static_cast<int64_t>(i);
  }
  std::vector<Int> outer = sizes_of(b, diagonal);
  if (outer.size() < (k.one() ? 1u : 2u)) return b.fail(invalid("the diagonals have too few dimensions")), kNone;
  outer.resize(outer.size() - (k.one() ? 1 : 2));
  const auto axis = static_cast<int64_t>(outer.size());
  std::vector<Int> wide = outer, one = outer, made = outer;
  wide.emplace_back(static_cast<int64_t>(from.size()));
  one.emplace_back(1);
  made.insert(made.end(), {Int(rows), Int(columns)});
  const ValueId rest = b.emit("Expand", {padding == kNone ? b.scalar_like(diagonal, 0) : padding, b.ints(one)});
  const ValueId cells = concat(b, {b.reshape(diagonal, wide), rest}, static_cast<int>(axis));
  const ValueId y = b.reshape(b.emit("Gather", {cells, b.ints(places)}, attributes({{"axis", axis}})), made);
  if (into == kNone || !b.ok()) return y;
  std::vector<uint8_t> own;
  for (int64_t p : places) own.push_back(p < static_cast<int64_t>(from.size()));
  auto mask = Tensor::allocate(DType::boolean, {rows, columns});
  if (!mask) return b.fail(mask.error()), kNone;
  std::copy(own.begin(), own.end(), mask->mutable_data<uint8_t>());
  return select(b, b.constant(std::move(*mask)), y, into);
}

Values diag_part(Call& c) { return {part(c, c.tensor(0), {}, kNone)}; }
Values diag_part_v2(Call& c) { return {part(c, c.tensor(0), diagonals_of(c, 1, "LEFT_LEFT"), c.tensor(2))}; }
Values diag_part_v3(Call& c) { return {part(c, c.tensor(0), diagonals_of(c, 1, "RIGHT_LEFT"), c.tensor(2))}; }

Values diag(Call& c) {
  const ValueId x = c.tensor(0);
  const int rank = c.b.rank(x);
  if (c.b.ok() && rank < 1) return c.fail(invalid("a diagonal must have a dimension"));
  const int64_t n = known_size(c.b, x, rank - 1, "a diagonal");
  return {put(c, x, {}, n, n, kNone, kNone)};
}

Values diag_of(Call& c, const char* align) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0);
  const int rank = b.rank(x);
  const Diagonals k = diagonals_of(c, 1, align);
  int64_t rows = known_int(c, 2), columns = known_int(c, 3);
  if (!b.ok()) return {};
  if (rank < (k.one() ? 1 : 2)) return c.fail(invalid("the diagonals have too few dimensions"));
  const int64_t length = known_size(b, x, rank - 1, "a diagonal");
  // What is not told is the smallest matrix that has these diagonals.
  const int64_t least_rows = length + std::max(-k.high, int64_t(0)), least_columns = length + std::max(k.low, int64_t(0));
  if (rows == -1 && columns == -1) rows = columns = std::max(least_rows, least_columns);
  if (rows == -1) rows = least_rows;
  if (columns == -1) columns = least_columns;
  return {put(c, x, k, rows, columns, kNone, c.tensor(4))};
}
Values diag_v2(Call& c) { return diag_of(c, "LEFT_LEFT"); }
Values diag_v3(Call& c) { return diag_of(c, "RIGHT_LEFT"); }

Values set_of(Call& c, const Diagonals& k) {
  const ValueId x = c.tensor(0);
  const int rank = c.b.rank(x);
  if (c.b.ok() && rank < 2) return c.fail(invalid("a matrix must have at least two dimensions"));
  const int64_t rows = known_size(c.b, x, rank - 2, "a diagonal"), columns = known_size(c.b, x, rank - 1, "a diagonal");
  return {put(c, c.tensor(1), k, rows, columns, x, kNone)};
}
Values set_diag(Call& c) { return set_of(c, {}); }
Values set_diag_v2(Call& c) { return set_of(c, diagonals_of(c, 2, "LEFT_LEFT")); }
Values set_diag_v3(Call& c) { return set_of(c, diagonals_of(c, 2, "RIGHT_LEFT")); }

// Diag, DiagPart: of a tensor with twice as many axes.
Values whole_diag(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0);
  std::vector<Int> sizes = sizes_of(b, x);
  const ValueId flat = b.reshape(x, {Int(-1)});
  const int64_t n = known_size(b, flat, 0, "a diagonal");
  sizes.insert(sizes.end(), sizes.begin(), sizes.end());
  return {b.reshape(put(c, flat, {}, n, n, kNone, kNone), sizes)};
}

Values whole_diag_part(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0);
  std::vector<Int> sizes = sizes_of(b, x);
  if (sizes.size() % 2 != 0 || sizes.empty()) return b.ok() ? c.fail(invalid("the number of dimensions must be even")) : Values();
  sizes.resize(sizes.size() / 2);
  Int n = 1;
  for (const Int& size : sizes) n = b.mul(n, size);
  return {b.reshape(part(c, b.reshape(x, {n, n}), {}, kNone), sizes)};
}

constexpr Operator kMatrixRows[] = {
    {"MatrixBandPart", nullptr, band_part},      {"MatrixDiag", nullptr, diag},          {"MatrixDiagV2", nullptr, diag_v2},
    {"MatrixDiagV3", nullptr, diag_v3},          {"MatrixDiagPart", nullptr, diag_part}, {"MatrixDiagPartV2", nullptr, diag_part_v2},
    {"MatrixDiagPartV3", nullptr, diag_part_v3}, {"MatrixSetDiag", nullptr, set_diag},   {"MatrixSetDiagV2", nullptr, set_diag_v2},
    {"MatrixSetDiagV3", nullptr, set_diag_v3},   {"Diag", nullptr, whole_diag},          {"DiagPart", nullptr, whole_diag_part},
};

}  // namespace

std::span<const Operator> matrix_operators() { return kMatrixRows; }

}  // namespace tern::tensorflow
