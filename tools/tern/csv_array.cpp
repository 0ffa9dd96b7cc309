// What a table means to an input: heading, columns, rows, and each field as an element. See csv.h.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "runtime/base/checked.h"
#include "runtime/base/half.h"
#include "runtime/base/printable.h"
#include "runtime/base/shape.h"
#include "tools/tern/csv.h"

namespace tern::command {
namespace {

// The whole text as a number, as C spells them, and nan and inf. Values between zero and the smallest are zero.
std::optional<double> number(std::string_view text) {
  if (text.starts_with('+') && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
  double v = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (text.empty() || end != text.data() + text.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) {
    const size_t exponent = text.find_first_of("eE");
    const bool tiny = exponent != text.npos ? text[exponent + 1] == '-' : text.find_first_not_of("-0.") > 300;
    return tiny ? 0.0 : HUGE_VAL;
  }
  return error == std::errc() ? std::optional(v) : std::nullopt;
}
bool says_infinite(std::string_view text) { return text.find_first_of("iI") != text.npos; }

// Each gives an element, or why the field is none.
template <class T>
const char* read_float(std::string_view text, T& to) {
  const auto v = number(text);
  if (!v) return "is no number";
  double back;
  if constexpr (std::is_same_v<T, f16>) to = to_f16(*v), back = to_f32(to);
  else if constexpr (std::is_same_v<T, bf16>) to = to_bf16(*v), back = to_f32(to);
  else to = static_cast<T>(*v), back = to;
  return std::isinf(back) && !says_infinite(text) ? "is too large" : nullptr;
}

template <class T>
const char* read_integer(std::string_view text, T& to) {
  const std::string_view digits = text.starts_with('+') ? text.substr(1) : text;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), to);
  if (end == digits.data() + digits.size() && error == std::errc()) return nullptr;
  // "3.0" and "1e3" are whole numbers too; so large that doubles have gaps they may be others.
  const auto v = number(text);
  if (!v) return "is no number";
  if (std::isnan(*v) || says_infinite(text)) return "is no whole number";
  if (*v != std::trunc(*v)) return "has a fraction";
  constexpr double kExact = 9007199254740992.0;  // 2^53: from here on a double may stand for several
  if (std::fabs(*v) >= kExact && error != std::errc::result_out_of_range) return "is not exact; write all its digits";
  if (*v < static_cast<double>(std::numeric_limits<T>::min()) || *v > static_cast<double>(std::numeric_limits<T>::max()) || std::fabs(*v) >= kExact)
    return "is out of range";
  to = static_cast<T>(*v);
  return nullptr;
}

const char* read_bool(std::string_view text, bool& to) {
  for (const char* yes : {"1", "true", "True", "TRUE"}) {
    if (text == yes) return to = true, nullptr;
  }
  for (const char* no : {"0", "false", "False", "FALSE"}) {
    if (text == no) return to = false, nullptr;
  }
  return "is neither 0, 1, true nor false";
}

template <class T>
const char* read_element(std::string_view text, T& to) {
  if constexpr (std::is_same_v<T, bool>) return read_bool(text, to);
  else if constexpr (std::is_integral_v<T>) return read_integer(text, to);
  else return read_float(text, to);
}

// The number of "x[3]", "x_3", "x.3" or "x3" behind the name of x.
std::optional<int64_t> numbered(std::string_view heading, std::string_view name) {
  if (!heading.starts_with(name) || heading.size() == name.size()) return std::nullopt;
  heading.remove_prefix(name.size());
  if (heading.starts_with('[') && heading.ends_with(']')) heading = heading.substr(1, heading.size() - 2);
  else if (heading.starts_with('_') || heading.starts_with('.')) heading.remove_prefix(1);
  int64_t n = 0;
  auto [end, error] = std::from_chars(heading.data(), heading.data() + heading.size(), n);
  if (heading.empty() || error != std::errc() || end != heading.data() + heading.size() || n < 0) return std::nullopt;
  return n;
}

// The columns of an input's name: those that are called so, or those that are numbered, by their numbers.
std::vector<size_t> columns_named(const Table& table, const std::string& name) {
  std::vector<size_t> same;
  std::vector<std::pair<int64_t, size_t>> numbers;
  for (size_t c = 0; c < table.columns; ++c) {
    if (table.field(0, c) == name) same.push_back(c);
    else if (auto n = numbered(table.field(0, c), name)) numbers.emplace_back(*n, c);
  }
  if (!same.empty() || numbers.empty()) return same;
  std::sort(numbers.begin(), numbers.end());
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i].first != numbers[0].first + static_cast<int64_t>(i) || numbers[0].first > 1) return {};  // other numbers: a name like "x2019"
    same.push_back(numbers[i].second);
  }
  return same;
}

// What begins like a number is meant as one, right or wrong: "1,5", "12:30".
bool begins_as_number(std::string_view text) {
  const size_t at = text.find_first_not_of("+-.");
  return at != text.npos && text[at] >= '0' && text[at] <= '9';
}

// Is the first row words alone? Numbers, truth values and nothing at all are data.
bool has_words(const Table& table) {
  if (!table.heading) return false;
  bool any = false, truth;
  for (size_t c = 0; c < table.columns; ++c) {
    const std::string_view field = table.field(0, c);
    if (number(field) || begins_as_number(field) || read_bool(field, truth) == nullptr) return false;
    any = any || !field.empty();
  }
  return any;
}

std::string place(const Table& table, size_t row, size_t column) {
  return "line " + std::to_string(table.lines[row]) + ", column " + std::to_string(column + 1) + ": ";
}

}  // namespace

Result<Table> table_of_lines(std::string_view bytes) {
  Table table;
  table.columns = 1;
  table.heading = false;
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    std::string_view line = bytes.substr(0, end);
    if (end != std::string_view::npos && line.ends_with('\r')) line.remove_suffix(1);
    table.text += line;
    table.ends.push_back(table.text.size());
    table.absent.push_back(false);
    table.lines.push_back(static_cast<int64_t>(table.lines.size()) + 1);
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
  }
  if (table.lines.empty()) return invalid("is empty");
  return table;
}

bool heading_names(const Table& table, const std::string& input) { return has_words(table) && !columns_named(table, input).empty(); }

Result<TablePart> part_of_table(const Table& table, const Port& port, const std::vector<Port>& ports) {
  TablePart part;
  const bool words = has_words(table);
  if (words) part.columns = columns_named(table, port.name);
  const bool named = !part.columns.empty();
  for (size_t i = 0; words && !named && i < ports.size(); ++i) {
    if (heading_names(table, ports[i].name)) return invalid("its heading names input " + ports[i].name + ", and not " + port.name);
  }
  part.first_row = words && (named || port.dtype != DType::string) ? 1 : 0;
  if (part.first_row == table.rows()) return invalid("has a heading and no rows");
  for (size_t c = 0; c < table.columns && !named; ++c) part.columns.push_back(c);
  return part;
}

std::vector<int64_t> dims_of_table(const Table& table, const TablePart& part, std::vector<int64_t> known) {
  const auto rows = static_cast<int64_t>(table.rows() - part.first_row), columns = static_cast<int64_t>(part.columns.size());
  if (known.size() == 1) return {columns == 1 ? rows : columns};
  if (known.empty()) return {};
  known[0] = rows;
  int64_t product = 1, open = 0;
  for (size_t i = 1; i < known.size(); ++i) {
    if (known[i] < 0) ++open;
    else product = checked_mul(product, known[i]).value_or(0);
  }
  for (size_t i = 1; i < known.size(); ++i) {
    if (known[i] < 0) known[i] = open == 1 && product > 0 && columns % product == 0 ? columns / product : -1;
  }
  return known;
}

Result<Array> array_of_table(const Table& table, const TablePart& part, DType dtype, const std::vector<int64_t>& dims) {
  const size_t rows = table.rows() - part.first_row, columns = part.columns.size();
  const auto count = checked_count(dims);
  if (!count) return invalid("its shape has no size");
  const auto all = static_cast<size_t>(*count);
  const bool lies = dims.size() == 1 && rows == 1;  // one axis: a column, or a row
  const size_t samples = dims.empty() || lies ? 1 : static_cast<size_t>(dims[0]);
  const size_t width = samples == 0 ? columns : all / samples;
  const std::string takes = "the input takes " + std::to_string(samples) + (samples == 1 ? " row of " : " rows of ") + std::to_string(width);
  if (columns > width) return invalid(place(table, part.first_row, part.columns[width]) + "one too many; " + takes);
  if (columns < width) {
    const char* hint = rows * columns == width ? "; if the whole table is one sample, write it as one row"
                       : table.columns == 1    ? "; separators are comma, semicolon and tab"
                                               : "";
    return invalid(place(table, part.first_row, part.columns.back() + 1) + "missing; " + takes + hint);
  }
  if (rows > samples) return invalid(place(table, part.first_row + samples, 0) + "a row too many; " + takes);
  if (rows < samples) return invalid("line " + std::to_string(table.lines.back() + 1) + ": a row is missing; " + takes);
  Array a{dtype, dims, {}, {}};
  std::string error;
  a.bytes.resize(dtype == DType::string ? 0 : all * size_of(dtype));
  auto each = [&](auto f) {
    for (size_t r = 0, i = 0; r < rows; ++r) {
      for (size_t c : part.columns) {
        const size_t row = part.first_row + r;
        const std::string_view field = table.field(row, c);
        const char* why = table.absent[row * table.columns + c] || (dtype != DType::string && field.empty()) ? "" : f(field, i++);
        if (why == nullptr) continue;
        error = place(table, row, c) + (*why == '\0' ? "empty" : "'" + printable(field, 40) + "' " + why + " for " + name(dtype));
        return;
      }
    }
  };
  visit(dtype, [&]<class T>() {
    if constexpr (std::is_same_v<T, StringRef>) {
      each([&](std::string_view field, size_t) { return a.strings.emplace_back(field), static_cast<const char*>(nullptr); });
    } else if constexpr (!std::is_void_v<T>) {
      each([&](std::string_view field, size_t i) {
        T v{};
        const char* why = read_element(field, v);
        std::memcpy(a.bytes.data() + i * sizeof v, &v, sizeof v);
        return why;
      });
    }
  });
  if (!error.empty()) return invalid(error);
  return a;
}

}  // namespace tern::command
