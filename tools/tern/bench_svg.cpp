// The picture of `tern bench --svg`. See bench.h. Texts are placed by estimates of their widths, so that none is cut or meets another.
#include <cmath>
#include <cstdarg>
#include <cstdio>

#include "tools/tern/bench.h"
#include "tools/tern/print.h"

namespace tern::command {
namespace {

constexpr int kWidth = 900, kHeight = 400, kLeft = 60, kRight = 40, kTop = 60, kBottom = 64, kBars = 260;
constexpr double kLetter = 7;  // pixels of a letter, at most, at 12 pixels

// XML, which knows no control characters.
std::string escaped(const std::string& s) {
  std::string t;
  for (char c : printable(s)) t += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : c == '"' ? "&quot;" : std::string(1, c);
  return t;
}

// The end of a long text says more than its beginning. Cut between characters of UTF-8.
std::string shortened(const std::string& s, double pixels, double letter) {
  const auto most = static_cast<size_t>(pixels / letter);
  if (s.size() <= most) return s;
  size_t begin = s.size() - (most - 2);
  while (begin < s.size() && (static_cast<unsigned char>(s[begin]) & 0xc0) == 0x80) ++begin;
  return "…" + s.substr(begin);
}

std::string count_text(double n) {  // powers of ten
  constexpr const char* kUnits[] = {"", "k", "M", "G", "T"};
  const int e = static_cast<int>(std::lround(std::log10(n)));
  return std::string(e % 3 == 0 ? "1" : e % 3 == 1 ? "10" : "100") + kUnits[std::min(e / 3, 4)];
}

class Svg {
 public:
  [[gnu::format(printf, 2, 3)]] void put(const char* format, ...) {
    char line[400];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    text_ += line;
  }
  void label(double x, double y, const char* anchor, const char* colour, const std::string& text, int size = 12) {
    put("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" fill=\"%s\" font-size=\"%d\">", x, y, anchor, colour, size);
    text_ += escaped(text) + "</text>\n";
  }
  void line(double x1, double y1, double x2, double y2, const char* style) {
    put("<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" %s/>\n", x1, y1, x2, y2, style);
  }
  std::string text() const { return text_ + "</svg>\n"; }

 private:
  std::string text_;
};

}  // namespace

std::string latency_svg(const Report& r) {
  const Histogram &calls = r.calls->all, &nothing = r.nothing->all;
  auto log_ns = [&](double ns) { return std::log10(std::max(ns, 1.0)); };
  auto log_ticks = [&](uint64_t ticks) { return log_ns(r.clock->ns(ticks)); };
  const double low = std::floor(std::min(log_ticks(calls.min()), log_ticks(nothing.min())));
  const double high = std::max(low + 1, std::ceil(std::max(log_ticks(calls.max()), log_ticks(nothing.max()))));
  auto bars = [&](const Histogram& h) {
    std::vector<double> counts(kBars, 0);
    h.each([&](uint64_t ticks, uint32_t n) {
      const double at = (log_ticks(ticks) - low) / (high - low) * (kBars - 1);
      counts[static_cast<size_t>(std::clamp(at, 0.0, kBars - 1.0))] += n;
    });
    return counts;
  };
  const auto a = bars(calls), b = bars(nothing);
  double most = 10;
  for (const auto* v : {&a, &b}) {
    for (double n : *v) most = std::max(most, n);
  }
  const double inner_width = kWidth - kLeft - kRight, inner_height = kHeight - kTop - kBottom, bottom = kTop + inner_height;
  auto x = [&](double log) { return kLeft + (log - low) / (high - low) * inner_width; };
  auto y = [&](double n) { return kTop + inner_height * (1 - (n < 1 ? 0 : (std::log10(n) + 0.3) / (std::log10(most) + 0.3))); };
  Svg svg;
  svg.put("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\">\n",
          kWidth, kHeight, kWidth, kHeight);
  svg.put("<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n");
  svg.label(kLeft, 20, "start", "#000", shortened(r.model, inner_width, 9), 15);
  svg.label(kLeft, 40, "start", "#555", shortened(machine_text(r) + (r.verdict.quiet ? ", quiet" : ", disturbed"), inner_width, kLetter));
  for (double e = low; e <= high; e += 1) {
    svg.line(x(e), kTop, x(e), bottom, "stroke=\"#ddd\"");
    svg.label(x(e), bottom + 18, "middle", "#000",
              e < 3 ? duration(std::pow(10, e)).str()
                    : count_text(std::pow(10, e - 3 * std::floor(e / 3))) + (e < 6   ? " us"
                                                                             : e < 9 ? " ms"
                                                                                     : " s"));
  }
  double above = 1e9;  // of the label before
  for (double n = 1; n <= most; n *= 10) {
    if (above - y(n) < 14) continue;
    above = y(n);
    svg.label(kLeft - 6, above + 4, "end", "#000", count_text(n));
  }
  const double bar = inner_width / kBars;
  for (int i = 0; i < kBars; ++i) {
    const double n = a[static_cast<size_t>(i)];
    if (n > 0) svg.put("<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"#3b6ea5\"/>\n", kLeft + i * bar, y(n), bar, bottom - y(n));
  }
  svg.put("<polyline fill=\"none\" stroke=\"#999\" points=\"");
  for (int i = 0; i < kBars; ++i) svg.put("%.1f,%.1f ", kLeft + i * bar, y(b[static_cast<size_t>(i)]));
  svg.put("\"/>\n");
  struct Mark {
    double at;
    std::string text;
  };
  std::vector<Mark> marks;
  for (const auto& [label, share] : {std::pair("p50", 0.5), std::pair("p99", 0.99), std::pair("p99.9", 0.999)}) {
    if (const auto ns = percentile_ns(calls, *r.clock, share)) marks.push_back({x(log_ns(*ns)), std::string(label) + " " + duration(*ns).str()});
  }
  for (const Mark& m : marks) svg.line(m.at, kTop, m.at, bottom, "stroke=\"#c33\" stroke-dasharray=\"3,3\"");
  double line = kTop + 14;  // each on one of its own, over all that is drawn
  for (const Mark& m : marks) {
    const double width = kLetter * static_cast<double>(m.text.size());
    const bool fits = m.at + 4 + width < kWidth;
    svg.put("<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"15\" fill=\"white\" fill-opacity=\"0.85\"/>\n", fits ? m.at + 2 : m.at - 2 - width,
            line - 12, width);
    svg.label(fits ? m.at + 4 : m.at - 4, line, fits ? "start" : "end", "#c33", m.text);
    line += 16;
  }
  svg.label(kLeft, kHeight - 12, "start", "#3b6ea5", "run(), " + grouped(static_cast<int64_t>(calls.runs()) * r.calls->batch).str() + " calls");
  svg.label(kLeft + inner_width / 2, kHeight - 28, "middle", "#555", "time of one call; number of calls");
  svg.label(kWidth - kRight, kHeight - 12, "end", "#777",
            "the same loop around nothing, " + grouped(static_cast<int64_t>(nothing.runs())).str() + " calls");
  return svg.text();
}

}  // namespace tern::command
