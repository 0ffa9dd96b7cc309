// See baseline.h.
#include "tools/tern/baseline.h"

#include <algorithm>
#include <random>

#include "loaders/json/json.h"
#include "loaders/load.h"
#include "runtime/base/cpu_features.h"
#include "tools/tern/json.h"
#include "tools/tern/print.h"

namespace tern::command {
namespace {

constexpr size_t kFewestBlocks = 5, kSamples = 2000;
constexpr double kShares[] = {0, 0.5, 0.9, 0.99};
static_assert(std::size(kShares) == std::size(Baseline::kKeys));

std::string dims_text(const std::map<std::string, int64_t>& dims) {
  std::string s;
  for (const auto& [name, n] : dims) s += (s.empty() ? "" : " ") + name + "=" + std::to_string(n);
  return s;
}

}  // namespace

Baseline baseline_of(const Report& r) {
  Baseline b{{}, r.model, r.isa, cpu_name(), version(), dims_text(r.dims), r.threads, r.verdict.canary, {}};
  for (const Histogram& block : r.calls->blocks) {
    for (size_t k = 0; block.runs() > 0 && k < std::size(kShares); ++k) {
      const auto ns = k == 0 ? r.clock->ns(block.min()) : percentile_ns(block, *r.clock, kShares[k]);
      if (ns) b.values[k].push_back(*ns);
    }
  }
  return b;
}

Text baseline_json(const Baseline& b) {
  Json j;
  j.object().key("tern_bench").value(1).key("model").value(b.model).key("isa").value(b.isa).key("cpu").value(b.cpu).key("version").value(b.version);
  j.key("dims").value(b.dims).key("threads").value(b.threads).key("canary_gflops").value(b.canary).key("blocks").object();
  for (size_t k = 0; k < std::size(Baseline::kKeys); ++k) {
    j.key(Baseline::kKeys[k]).array();
    for (double ns : b.values[k]) j.value(ns);
    j.end();
  }
  return j.end().end().text();
}

Result<Baseline> read_baseline(const std::string& path) {
  const Error no = invalid(path + ": not a baseline; tern bench --save FILE writes one");
  auto bytes = read_file(path);
  if (!bytes) return bytes.error();
  auto json = tern::Json::parse({reinterpret_cast<const char*>(bytes->data()), bytes->size()});
  if (!json) return no;
  const tern::Json& j = *json;
  using Kind = tern::Json::Kind;
  const auto mark = j.get(j.root(), "tern_bench");
  if (!j.is(mark, Kind::integer)) return no;
  if (j.integer(mark) != 1) return invalid(path + ": a baseline of another version of tern; save it again");
  Baseline b;
  b.file = path;
  auto text = [&](const char* key, std::string& to) {
    const auto id = j.get(j.root(), key);
    if (!j.is(id, Kind::string)) return false;
    to = j.string(id);
    return true;
  };
  const auto threads = j.get(j.root(), "threads"), canary = j.get(j.root(), "canary_gflops");
  auto is_number = [&](tern::Json::Id id) { return j.is(id, Kind::integer) || j.is(id, Kind::real); };
  if (!text("model", b.model) || !text("isa", b.isa) || !text("cpu", b.cpu) || !text("version", b.version) || !text("dims", b.dims) ||
      !j.is(threads, Kind::integer) || !is_number(canary)) {
    return no;
  }
  b.threads = j.integer(threads);
  b.canary = j.number(canary);
  for (size_t k = 0; k < std::size(Baseline::kKeys); ++k) {
    const auto list = j.get(j.get(j.root(), "blocks"), Baseline::kKeys[k]);
    if (!j.is(list, Kind::array)) return no;
    for (size_t i = 0; i < j.size(list); ++i) {
      if (!is_number(j.item(list, i)) || !(j.number(j.item(list, i)) >= 0)) return no;
      b.values[k].push_back(j.number(j.item(list, i)));
    }
  }
  if (b.values[0].empty()) return no;
  return b;
}

std::optional<Ratio> ratio_of(std::vector<double> now, std::vector<double> then) {
  if (now.empty() || then.empty()) return std::nullopt;
  std::vector<double> a = now, b = then;
  const double below = median(b);
  if (!(below > 0)) return std::nullopt;
  Ratio r{median(a) / below, std::nullopt};
  if (now.size() < kFewestBlocks || then.size() < kFewestBlocks) return r;
  std::mt19937_64 random(1);  // the same files give the same interval
  std::vector<double> ratios;
  for (size_t s = 0; s < kSamples; ++s) {
    for (double& x : a) x = now[random() % now.size()];
    for (double& x : b) x = then[random() % then.size()];
    ratios.push_back(median(a) / std::max(median(b), 1e-9));
  }
  std::sort(ratios.begin(), ratios.end());
  r.interval = {ratios[kSamples / 40], ratios[kSamples - 1 - kSamples / 40]};
  return r;
}

BaselineRatios compare(const Baseline& now, Baseline then) {
  BaselineRatios c{std::move(then), {}, {}};
  for (size_t k = 0; k < std::size(Baseline::kKeys); ++k) c.ratios[k] = ratio_of(now.values[k], c.then.values[k]);
  auto differs = [&](const char* what, const std::string& a, const std::string& b) {
    if (a != b) c.differences.push_back(std::string(what) + ": " + a + " now, " + b + " then");
  };
  differs("model", now.model, c.then.model);
  differs("dims", now.dims, c.then.dims);
  differs("isa", now.isa, c.then.isa);
  differs("threads", std::to_string(now.threads), std::to_string(c.then.threads));
  differs("cpu", now.cpu, c.then.cpu);
  if (std::abs(now.canary - c.then.canary) > kCanaryLoss * c.then.canary) {
    char line[80];
    std::snprintf(line, sizeof line, "canary: %.1f GFLOP/s now, %.1f then", now.canary, c.then.canary);
    c.differences.emplace_back(line);
  }
  return c;
}

bool BaselineRatios::slower_than(double limit) const {
  const auto& p50 = ratios[1];
  return p50 && (p50->interval ? p50->interval->first : p50->ratio) > limit;
}

}  // namespace tern::command
