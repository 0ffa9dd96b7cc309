// The report of `tern bench`, as text and JSON. See bench.h.
#include <cmath>

#include "runtime/base/cpu_features.h"
#include "tools/tern/baseline.h"
#include "tools/tern/count_allocations.h"
#include "tools/tern/print.h"

namespace tern::command {
namespace {

struct Percentile {
  const char *key, *title;
  double share;
};
constexpr Percentile kPercentiles[] = {
    {"p50_ns", "p50", 0.5}, {"p90_ns", "p90", 0.9}, {"p99_ns", "p99", 0.99}, {"p999_ns", "p99.9", 0.999}, {"p9999_ns", "p99.99", 0.9999}};

Text times(const char* format, double x) {
  char text[60];
  std::snprintf(text, sizeof text, format, x);
  return shown(text);
}

Text optional_bytes(const std::optional<int64_t>& n) { return n ? grouped(*n) + " bytes" : Text("not told by the system"); }

void write_times(Json& j, const Histogram& h, const Clock& clock, bool control) {
  j.key("min_ns").value(clock.ns(h.min()));
  for (const Percentile& p : kPercentiles) {
    if (control && (p.share == 0.9 || p.share == 0.9999)) continue;
    const auto ns = percentile_ns(h, clock, p.share);
    j.key(p.key);
    if (ns) j.value(*ns);
    else j.null();
  }
  j.key("max_ns").value(clock.ns(h.max()));
}

template <class T>
void write_optional(Json& j, const char* key, const std::optional<T>& value) {
  j.key(key);
  if (value) j.value(*value);
  else j.null();
}

}  // namespace

std::optional<double> percentile_ns(const Histogram& histogram, const Clock& clock, double p) {
  const bool enough = p == 0.5 ? histogram.runs() > 0 : static_cast<double>(histogram.runs()) * (1 - p) >= 1 - 1e-9;
  return enough ? std::optional(clock.ns(histogram.percentile(p))) : std::nullopt;
}

std::string machine_text(const Report& r) {
  return cpu_name() + ", " + (r.device == "cpu" ? r.isa : r.device) + ", " + std::to_string(r.threads) + (r.threads == 1 ? " thread" : " threads") +
         (r.weights.empty() || r.weights == "f32" ? "" : ", weights in " + r.weights) + ", tern " + version();
}

Text report_json(const Report& r) {
  Json j;
  const Histogram& h = r.calls->all;
  j.object().key("model").value(r.model).key("device").value(r.device).key("isa").value(r.isa).key("threads").value(r.threads);
  j.key("version").value(version()).key("cpu").value(cpu_name()).key("dims").object();
  for (const auto& [name, n] : r.dims) j.key(name).value(n);
  j.end();
  write_optional(j, "pin", r.pin);
  j.key("idle").value(r.idle_us * 1000).key("keep_warm").value(r.warm_us * 1000).key("weights").value(r.weights.empty() ? "f32" : r.weights);
  j.key("runs").value(static_cast<int64_t>(h.runs()) * r.calls->batch);
  j.key("batch").value(r.calls->batch);
  write_times(j, h, *r.clock, false);
  j.key("mean_ns").value(r.clock->ns(1) * h.mean());
  j.key("macs").value(r.macs).key("weight_bytes").value(r.weight_bytes).key("arena_bytes").value(r.arena_bytes).key("allocations");
  if (allocations() < 0) j.null();
  else j.value(r.calls->allocations);
  j.key("page_faults").value(r.calls->page_faults).key("preemptions").value(r.calls->preemptions);
  write_optional(j, "round_trip_ns", r.round_trip_ns);
  write_optional(j, "huge_page_bytes", r.memory.huge_page_bytes);
  write_optional(j, "locked_bytes", r.memory.locked_bytes);
  j.key("control").object();
  write_times(j, r.nothing->all, *r.clock, true);
  j.key("canary_gflops").value(r.verdict.canary).key("slowest_canary_gflops").value(r.verdict.slowest).key("lost").value(r.verdict.lost).end();
  j.key("machine").value(r.verdict.quiet ? "quiet" : "disturbed").key("nodes").array();
  for (const NodeTime& n : r.nodes) {
    j.object().key("name").value(n.step.node).key("op").value(n.step.op).key("kernel").value(n.step.kernel);
    j.key("median_ns").value(n.median_ns).key("mean_ns").value(n.mean_ns).key("macs").value(n.step.macs);
    write_optional(j, "bytes", n.bytes);
    j.end();
  }
  j.end();
  if (!r.nodes.empty()) j.key("nodes_total_ns").value(r.nodes_total_ns);
  if (r.limits)
    j.key("limits")
        .object()
        .key("gflops")
        .value(r.limits->gflops)
        .key("gbytes")
        .value(r.limits->gbytes)
        .key("touched")
        .value(r.limits->touched)
        .end();
  if (r.against != nullptr) {
    j.key("baseline").object().key("file").value(r.against->then.file);
    for (size_t k = 0; k < std::size(Baseline::kKeys); ++k) {
      j.key(Baseline::kKeys[k]);
      const auto& ratio = r.against->ratios[k];
      if (!ratio) {
        j.null();
        continue;
      }
      const auto& i = ratio->interval;
      j.object().key("ratio").value(ratio->ratio);
      write_optional(j, "low", i ? std::optional(i->first) : std::nullopt);
      write_optional(j, "high", i ? std::optional(i->second) : std::nullopt);
      j.end();
    }
    j.key("differences").array();
    for (const std::string& d : r.against->differences) j.value(d);
    j.end().end();
  }
  return j.end().text();
}

namespace {

// "87 % of FMA": the least time that the machine allows, over the time it took.
Text limit_text(const Report& r, const NodeTime& n) {
  if (!r.limits || !n.bytes || n.median_ns <= 0) return "";
  const Limits::Least least = r.limits->of(n);
  return times(least.by_memory ? "%.0f %% of reads" : "%.0f %% of FMA", 100 * least.ns / n.median_ns);
}

Text nodes_text(const Report& r) {
  std::vector<std::vector<Text>> rows = {{"node", "operator", "kernel", "median", "share", "limit"}};
  auto share = [&](double ns) { return times("%.1f %%", r.nodes_total_ns > 0 ? 100 * ns / r.nodes_total_ns : 0); };
  auto signed_duration = [](double ns) { return ns < 0 ? Text("-") + duration(-ns) : duration(ns); };
  double least = 0;
  for (const NodeTime& n : r.nodes) {
    rows.push_back({shown(n.step.node), shown(n.step.op), shown(n.step.kernel), signed_duration(n.median_ns), share(n.median_ns), limit_text(r, n)});
    if (r.limits && n.bytes) least += r.limits->of(n).ns;
  }
  rows.push_back({"whole call", "", "", duration(r.nodes_total_ns), share(r.nodes_total_ns),
                  r.limits && r.nodes_total_ns > 0 ? times("%.0f %%", 100 * least / r.nodes_total_ns) : Text("")});
  Text s = Text("\n") + table(rows, 0b111000);
  if (!r.limits) return s;
  char line[200];
  std::snprintf(line, sizeof line, "limits: %.1f GFLOP/s of FMA in registers; %.1f GB/s of reading %s bytes, which a call touches, again and again\n",
                r.limits->gflops, r.limits->gbytes, grouped(r.limits->touched).str().c_str());
  return s + shown_lines(line);
}

Text baseline_text(const BaselineRatios& b) {
  Text s = Text("\nagainst ") + shown(b.then.file) + " (tern " + shown(b.then.version) +
           "), this to that; 95 % interval by bootstrap over blocks of time\n";
  constexpr const char* kTitles[] = {"min", "p50", "p90", "p99"};
  std::vector<std::vector<Text>> rows = {{"", "ratio", "from", "to"}};
  for (size_t k = 0; k < std::size(kTitles); ++k) {
    const auto& r = b.ratios[k];
    const bool interval = r && r->interval;
    auto number = [](bool told, double x) { return told ? times("%.3f", x) : Text("n/a"); };
    rows.push_back({shown(kTitles[k]), number(r.has_value(), r ? r->ratio : 0), number(interval, interval ? r->interval->first : 0),
                    number(interval, interval ? r->interval->second : 0)});
  }
  s += table(rows, 0b1110);
  for (const std::string& d : b.differences) s += Text("not the same ") + shown(d) + "\n";
  return s;
}

}  // namespace

Text report_text(const Report& r) {
  const Histogram& h = r.calls->all;
  Text s = shown(r.model) + " on " + shown(machine_text(r)) + ": " + grouped(static_cast<int64_t>(h.runs()) * r.calls->batch) + " calls\n\n";
  std::vector<std::vector<Text>> rows = {{"", "min"}};
  for (const Percentile& p : kPercentiles) rows[0].push_back(shown(p.title));
  rows[0].insert(rows[0].end(), {"max", "mean"});
  for (const auto& [label, x] : {std::pair("run()", &h), std::pair("nothing", &r.nothing->all)}) {
    rows.push_back({shown(label), duration(r.clock->ns(x->min()))});
    for (const Percentile& p : kPercentiles) {
      const auto ns = percentile_ns(*x, *r.clock, p.share);
      rows.back().push_back(ns ? duration(*ns) : Text("n/a"));
    }
    rows.back().push_back(duration(r.clock->ns(x->max())));
    rows.back().push_back(duration(x->mean() * r.clock->ns(1)));
  }
  s += table(rows, 0b111111110);
  if (r.calls->batch > 1) {
    s += Text("\ncalls shorter than a microsecond: timed ") + shown(r.calls->batch) + " at a time, and each number of run() is a mean of so many\n";
  }
  const double p50 = std::max(r.clock->ns(h.percentile(0.5)), 1e-3);
  char line[300];
  std::snprintf(line, sizeof line, "\n%.2f GMAC/s, weights %.2f GB/s, arena %s bytes\n", static_cast<double>(r.macs) / p50,
                static_cast<double>(r.weight_bytes) / p50, grouped(r.arena_bytes).str().c_str());
  s += shown_lines(line);
  s += (allocations() < 0 ? Text("uncounted") : shown(r.calls->allocations)) + " allocations, " + shown(r.calls->page_faults) + " page faults, " +
       shown(r.calls->preemptions) + " preemptions during the measured calls\n";
  if (r.round_trip_ns) s += Text("round trip between two threads: ") + duration(*r.round_trip_ns) + "\n";
  if (r.huge_pages) s += Text("huge pages: ") + optional_bytes(r.memory.huge_page_bytes) + " of the arena\n";
  if (r.lock) s += Text("locked: ") + optional_bytes(r.memory.locked_bytes) + " of the process\n";
  if (!r.nodes.empty()) s += nodes_text(r);
  if (r.against != nullptr) s += baseline_text(*r.against);
  std::snprintf(
      line, sizeof line,
      "\ncanary %.1f GFLOP/s, slowest burst %.1f (quiet: at most %.0f %% less); control lost %.2f %% of its time (quiet: at most %.0f %%)\n",
      r.verdict.canary, r.verdict.slowest, 100 * kCanaryLoss, 100 * r.verdict.lost, 100 * kMostLost);
  return s + shown_lines(line) + "machine: " + (r.verdict.quiet ? Text("quiet\n") : Text("disturbed\n"));
}

}  // namespace tern::command
