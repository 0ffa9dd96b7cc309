// See bench_svg.h.
#include "tools/tern/bench_svg.h"

#include <cmath>
#include <cstdio>
#include <vector>

#include "tools/tern/print.h"

namespace tern::command {
namespace {

constexpr int kWidth = 860, kHeight = 360, kLeft = 60, kRight = 20, kTop = 40, kBottom = 50, kBars = 260;

// XML, which knows no control characters.
std::string escaped(const std::string& s) {
  std::string t;
  for (char c : printable(s)) t += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : c == '"' ? "&quot;" : std::string(1, c);
  return t;
}

}  // namespace

std::string latency_svg(const Histogram& calls, const Histogram& nothing, const Clock& clock, const std::string& title) {
  auto log_ns = [&](uint64_t ticks) { return std::log10(std::max(clock.ns(ticks), 1.0)); };
  const double low = std::floor(std::min(log_ns(calls.min()), log_ns(nothing.min())));
  const double high = std::max(low + 1, std::ceil(std::max(log_ns(calls.max()), log_ns(nothing.max()))));
  auto bars = [&](const Histogram& h) {
    std::vector<double> counts(kBars, 0);
    h.each([&](uint64_t ticks, uint32_t n) {
      const double at = (log_ns(ticks) - low) / (high - low) * (kBars - 1);
      counts[static_cast<size_t>(std::clamp(at, 0.0, kBars - 1.0))] += n;
    });
    return counts;
  };
  const auto a = bars(calls), b = bars(nothing);
  double most = 10;
  for (const auto* v : {&a, &b}) {
    for (double n : *v) most = std::max(most, n);
  }
  const double inner_width = kWidth - kLeft - kRight, inner_height = kHeight - kTop - kBottom;
  auto x = [&](double i) { return kLeft + i / kBars * inner_width; };
  auto y = [&](double n) { return kTop + inner_height * (1 - (n < 1 ? 0 : (std::log10(n) + 0.3) / (std::log10(most) + 0.3))); };
  std::string svg;
  char buffer[300];
  auto put = [&](auto... args) {
    std::snprintf(buffer, sizeof buffer, args...);
    svg += buffer;
  };
  put("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"12\">\n", kWidth, kHeight);
  svg += "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n";
  svg += "<text x=\"60\" y=\"20\" font-size=\"14\">" + escaped(title) + ": time of one call (log), number of calls (log)</text>\n";
  for (double e = low; e <= high; e += 1) {
    const double at = kLeft + (e - low) / (high - low) * inner_width;
    put("<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%.1f\" stroke=\"#ddd\"/>\n", at, at, kTop, kTop + inner_height);
    put("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n", at, kTop + inner_height + 18, duration(std::pow(10, e)).str().c_str());
  }
  for (double n = 1; n <= most; n *= 10) put("<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.0f</text>\n", kLeft - 6, y(n) + 4, n);
  for (int i = 0; i < kBars; ++i) {
    if (a[static_cast<size_t>(i)] > 0) {
      const double top = y(a[static_cast<size_t>(i)]);
      put("<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"#3b6ea5\"/>\n", x(i), top, inner_width / kBars, kTop + inner_height - top);
    }
  }
  svg += "<polyline fill=\"none\" stroke=\"#999\" points=\"";
  for (int i = 0; i < kBars; ++i) put("%.1f,%.1f ", x(i), y(b[static_cast<size_t>(i)]));
  svg += "\"/>\n";
  double mark = kTop + 14;
  for (const auto& [label, share] : {std::pair("p50", 0.5), std::pair("p99", 0.99), std::pair("p99.9", 0.999)}) {
    const uint64_t ticks = calls.percentile(share);
    const double at = kLeft + (log_ns(ticks) - low) / (high - low) * inner_width;
    put("<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%.1f\" stroke=\"#c33\" stroke-dasharray=\"3,3\"/>\n", at, at, kTop, kTop + inner_height);
    put("<text x=\"%.1f\" y=\"%.1f\" fill=\"#c33\">%s %s</text>\n", at + 3, mark, label, duration(clock.ns(ticks)).str().c_str());
    mark += 15;
  }
  put("<text x=\"%d\" y=\"%d\" fill=\"#3b6ea5\">run(), %llu calls</text>\n", kLeft, kHeight - 10, static_cast<unsigned long long>(calls.runs()));
  put("<text x=\"%d\" y=\"%d\" fill=\"#777\">the same loop around nothing, %llu calls</text>\n", kLeft + 200, kHeight - 10,
      static_cast<unsigned long long>(nothing.runs()));
  return svg + "</svg>\n";
}

}  // namespace tern::command
