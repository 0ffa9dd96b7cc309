// See print.h.
#include "tools/tern/print.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <set>

#include "runtime/base/half.h"
#include "tools/tern/command.h"

namespace tern::command {
namespace {

template <class T>
T read(const Array& a, size_t i) {
  T v;
  std::memcpy(&v, a.bytes.data() + i * sizeof(T), sizeof v);
  return v;
}

std::string number(auto n) {
  char buffer[40];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, n).ptr};
}

constexpr int64_t kWhole = 1000, kEdge = 3;

// Positions along a dimension that are printed; -1 stands for "...".
std::vector<int64_t> shown_places(int64_t n, bool abridge) {
  std::vector<int64_t> out;
  for (int64_t i = 0; i < n; ++i) {
    if (abridge && n > 2 * kEdge && i == kEdge) {
      out.push_back(-1);
      i = n - kEdge;
    }
    out.push_back(i);
  }
  return out;
}

struct Printer {
  const Array& a;
  bool abridge;
  size_t width = 0;
  std::string text;

  void visit(size_t d, size_t base, bool measure) {
    if (d == a.dims.size()) {
      const std::string s = element(a, base).str();
      if (measure) width = std::max(width, s.size());
      else text += std::string(width - std::min(width, s.size()), ' ') + s;
      return;
    }
    size_t stride = 1;
    for (size_t k = d + 1; k < a.dims.size(); ++k) stride *= static_cast<size_t>(a.dims[k]);
    if (!measure) text += '[';
    bool first = true;
    const bool innermost = d + 1 == a.dims.size();
    size_t column = 0;
    for (int64_t i : shown_places(a.dims[d], abridge)) {
      if (!measure && !first) {
        if (innermost && (column += width + 1) + width + d < 110) {
          text += ' ';
        } else {
          text += innermost ? "\n" : std::string(a.dims.size() - d - 1, '\n');
          text.append(d + 1, ' ');
          column = 0;
        }
      }
      first = false;
      if (i < 0) {
        if (!measure) text += "...";
      } else {
        visit(d + 1, base + static_cast<size_t>(i) * stride, measure);
      }
    }
    if (!measure) text += ']';
  }
};

}  // namespace

size_t count(const Array& a) { return a.dtype == DType::string ? a.strings.size() : size_of(a.dtype) == 0 ? 0 : a.bytes.size() / size_of(a.dtype); }

double as_double(const Array& a, size_t i) {
  return visit(a.dtype, [&]<class T>() -> double {
    if constexpr (std::is_same_v<T, f16> || std::is_same_v<T, bf16>) return to_f32(read<T>(a, i));
    else if constexpr (std::is_arithmetic_v<T>) return static_cast<double>(read<T>(a, i));
    else return 0;
  });
}

Text element(const Array& a, size_t i) {
  return visit(a.dtype, [&]<class T>() -> Text {
    if constexpr (std::is_same_v<T, bool>) return read<uint8_t>(a, i) ? Text("True") : Text("False");
    else if constexpr (std::is_same_v<T, f16> || std::is_same_v<T, bf16>) return shown(number(to_f32(read<T>(a, i))));
    else if constexpr (std::is_integral_v<T>) return shown(read<T>(a, i));
    else if constexpr (std::is_floating_point_v<T>) return shown(number(read<T>(a, i)));
    else if constexpr (std::is_same_v<T, StringRef>) {
      return Json().value(a.strings[i]).fragment();
    } else return "";
  });
}

Text abridged(const Array& a) {
  Printer p{a, count(a) > static_cast<size_t>(kWhole), 0, {}};
  if (count(a) == 0) return "[]";
  p.visit(0, 0, true);
  p.visit(0, 0, false);
  return Text::safe(p.text);
}

void write_values(Json& json, const Array& a) {
  json.array();
  for (size_t i = 0; i < count(a); ++i) {
    visit(a.dtype, [&]<class T>() {
      if constexpr (std::is_same_v<T, bool>) json.value(read<uint8_t>(a, i) != 0);
      else if constexpr (std::is_same_v<T, f16> || std::is_same_v<T, bf16>) json.value(to_f32(read<T>(a, i)));
      else if constexpr (std::is_arithmetic_v<T>) json.value(read<T>(a, i));
      else if constexpr (std::is_same_v<T, StringRef>) json.value(a.strings[i]);
    });
  }
  json.end();
}

void write_port(Json& json, const Port& port) {
  json.key("name").value(port.name).key("dtype").value(name(port.dtype)).key("shape");
  write_shape(json, port.shape);
  if (port.kind != ValueKind::tensor) json.key("kind").value(name(port.kind));
}

std::string type_text(const Port& port) {
  return (port.kind == ValueKind::tensor ? std::string() : std::string(name(port.kind)) + " of ") + name(port.dtype) + shape_text(port.shape);
}

void write_shape(Json& json, const std::vector<std::string>& shape) {
  json.array();
  for (const std::string& d : shape) {
    int64_t n = 0;
    auto [end, error] = std::from_chars(d.data(), d.data() + d.size(), n);
    if (error == std::errc() && end == d.data() + d.size() && n >= 0) json.value(n);
    else json.value(d);  // a symbol; its name may be "-1"
  }
  json.end();
}

std::string joined(const std::vector<std::string>& names) {
  constexpr size_t kMost = 20;
  std::string s;
  for (size_t i = 0; i < std::min(names.size(), kMost); ++i) s += (s.empty() ? "" : ", ") + names[i];
  if (names.size() > kMost) s += ", ...";
  return s.empty() ? "nothing" : s;
}

void write_metadata(Json& json, const Metadata& metadata) {
  std::set<std::string_view> keys;
  json.key("metadata").object();
  for (const auto& [key, value] : metadata) {
    if (keys.insert(key).second) json.key(key).value(value);
  }
  json.end();
}

Text metadata_text(const Metadata& metadata) {
  constexpr size_t kMostLines = 20, kMostKey = 60, kMostValue = 100;
  Text text;
  for (size_t i = 0; i < std::min(metadata.size(), kMostLines); ++i) {
    text += "metadata  " + Text::safe(printable(metadata[i].first, kMostKey)) + ": " + Text::safe(printable(metadata[i].second, kMostValue)) + "\n";
  }
  if (metadata.size() > kMostLines) text += "metadata  and " + shown(metadata.size() - kMostLines) + " more (--json tells all)\n";
  return text;
}

std::string shape_text(const std::vector<std::string>& shape) {
  std::string s = "[";
  for (size_t i = 0; i < shape.size(); ++i) s += (i ? "," : "") + shape[i];
  return s + "]";
}

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string s = "[";
  for (size_t i = 0; i < shape.size(); ++i) s += (i ? "," : "") + std::to_string(shape[i]);
  return s + "]";
}

Text table(const std::vector<std::vector<Text>>& rows, unsigned right) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].width());
  }
  const bool bold = colours();
  Text text;
  for (size_t r = 0; r < rows.size(); ++r) {
    std::string line;
    for (size_t c = 0; c < rows[r].size(); ++c) {
      line += (c ? "  " : "") + (right >> c & 1 ? rows[r][c].padded_left(widths[c]) : rows[r][c].padded_right(widths[c])).str();
    }
    line.resize(line.find_last_not_of(' ') + 1);
    text += r == 0 && bold ? "\033[1m" + Text::safe(line) + "\033[0m\n" : Text::safe(line) + "\n";
  }
  return text;
}

Text grouped(int64_t n) {
  std::string s = std::to_string(n);
  for (int i = static_cast<int>(s.size()) - 3; i > (n < 0 ? 1 : 0); i -= 3) s.insert(static_cast<size_t>(i), ",");
  return Text::safe(s);
}

Text duration(double ns) {
  char buffer[40];
  if (ns < 1e3) std::snprintf(buffer, sizeof buffer, "%.0f ns", ns);
  else if (ns < 1e6) std::snprintf(buffer, sizeof buffer, "%.2f us", ns / 1e3);
  else if (ns < 1e9) std::snprintf(buffer, sizeof buffer, "%.2f ms", ns / 1e6);
  else std::snprintf(buffer, sizeof buffer, "%.2f s", ns / 1e9);
  return shown(buffer);
}

}  // namespace tern::command
