// tern bench: the time of run() alone, each call measured, and beside it what the machine itself adds. See bench.h.
#include "tools/tern/bench.h"

#include <sched.h>
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "runtime/base/cpus.h"
#include "runtime/model.h"
#include "tools/tern/arrays.h"
#include "tools/tern/baseline.h"
#include "tools/tern/count_allocations.h"
#include "tools/tern/limits.h"
#include "tools/tern/print.h"
#include "tools/tern/save.h"

namespace tern::command {
namespace {

constexpr size_t kBlocks = 32;
constexpr double kPreemptionsOfNote = 10;  // a second and thread; a quiet machine has none to a few

int64_t page_faults() {
  rusage usage;
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_minflt + usage.ru_majflt;
}

void sleep_us(int64_t us) {
  const timespec pause{us / 1000000, us % 1000000 * 1000};
  nanosleep(&pause, nullptr);
}

// The time between two calls: asleep, or awake every `warm_us` for keep_warm().
void idle(int64_t idle_us, int64_t warm_us, Session& session) {
  if (warm_us == 0) return sleep_us(idle_us);
  const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(idle_us);
  while (std::chrono::steady_clock::now() < end) {
    sleep_us(warm_us);
    session.keep_warm();
  }
}

// Calls f for so long, timing each call, or each m.batch of them, after a rest. The loop itself neither allocates nor calls the system.
template <class F, class Rest>
void measure(const Clock& clock, double seconds, Measured& m, F f, Rest rest) {
  const int64_t allocations_before = allocations(), faults_before = page_faults(), preemptions_before = preemptions();
  const uint64_t begin = clock.now(), length = clock.ticks(seconds * 1e9) / m.blocks.size(), batch = static_cast<uint64_t>(m.batch);
  uint64_t after = begin;
  for (size_t b = 0; b < m.blocks.size(); ++b) {
    const uint64_t end = begin + length * (b + 1);
    while (after < end || after == begin) {
      rest();
      const uint64_t before = clock.now();
      for (uint64_t i = 0; i < batch; ++i) f();
      after = clock.now();
      m.blocks[b].add((after - before + batch / 2) / batch);
    }
  }
  m.wall_ns = clock.ns(after - begin);
  m.preemptions = preemptions() - preemptions_before;
  m.page_faults = page_faults() - faults_before;
  m.allocations = allocations() - allocations_before;
  for (const Histogram& h : m.blocks) m.all.add(h);
}

// Of calls that are shorter than a microsecond the clock, which steps by some nanoseconds and costs tens, tells little.
int64_t batch_of(const Measured& warm_up, const Clock& clock) {
  const double ns = clock.ns(warm_up.all.percentile(0.5));
  return ns < kBatchBelow ? static_cast<int64_t>(kBatch / std::max(ns, 1.0)) + 1 : 1;
}

// What reading the clock twice adds to every step that run_timed() times.
double clock_cost_ns() {
  using Steady = std::chrono::steady_clock;
  std::vector<double> costs;
  for (int i = 0; i < 1001; ++i) {
    const auto begin = Steady::now();
    costs.push_back(std::chrono::duration<double, std::nano>(Steady::now() - begin).count());
  }
  return median(costs);
}

// Each step over a share of a second, in turns with whole calls, so that both see the same machine; and a last row for what is between them.
void time_nodes(Session& session, const Clock& clock, Report& r) {
  constexpr size_t kMostSamples = size_t(1) << 22;  // of all steps together
  const size_t steps = session.steps().size(), most = std::max<size_t>(3, std::min<size_t>(100000, kMostSamples / std::max<size_t>(steps, 1)));
  const double cost = clock_cost_ns();
  std::vector<std::vector<double>> samples(steps);
  std::vector<double> one(steps), whole;
  const uint64_t end = clock.now() + clock.ticks(2e8);
  for (size_t runs = 0; runs < 3 || (clock.now() < end && runs < most); ++runs) {
    session.run_timed(one);
    for (size_t i = 0; i < steps; ++i) samples[i].push_back(std::max(one[i] - cost, 0.0));
    const uint64_t before = clock.now();
    session.run();
    whole.push_back(clock.ns(clock.now() - before));
  }
  auto mean = [](const std::vector<double>& v) {
    double sum = 0;
    for (double x : v) sum += x;
    return sum / static_cast<double>(v.size());
  };
  NodeTime rest{{"other", "", "", 0, {}}, median(whole), mean(whole), {}};
  r.nodes_total_ns = rest.median_ns;
  for (size_t i = 0; i < steps; ++i) {
    r.nodes.push_back({session.steps()[i], median(samples[i]), mean(samples[i]), {}});
    rest.median_ns -= r.nodes.back().median_ns;
    rest.mean_ns -= r.nodes.back().mean_ns;
  }
  r.nodes.push_back(rest);
}

// Of the ISA that runs, and of as many bytes as a call touches: what its nodes read and write, at most the arena and all weights.
void measure_limits(const Model& model, const SessionOptions& with, const Clock& clock, Report& r) {
  auto bytes = bytes_of_steps(model, with);
  const auto isa = parse_isa(r.isa);
  if (r.device != "cpu" || !isa || !bytes || bytes->size() + 1 != r.nodes.size()) return;
  for (size_t i = 0; i < bytes->size(); ++i) r.nodes[i].bytes = (*bytes)[i];
  int64_t touched = 0;
  for (int64_t n : *bytes) touched += n;
  touched = std::min(touched, r.weight_bytes + r.arena_bytes);
  r.limits = Limits{peak_gflops(clock, *isa), read_gbytes(clock, touched), touched};
}

Status fill_inputs(const Model& model, Session& session, const Inputs& inputs) {
  const std::vector<Port> ports = model.inputs();
  for (size_t i = 0; i < ports.size(); ++i) {
    auto a = make_array(inputs, i);
    if (!a) return a.error();
    auto to = session.input_bytes(ports[i].name);
    if (a->dims != session.dims(ports[i].name) || a->bytes.size() != to.size()) {
      return invalid("input " + ports[i].name + " has shape " + shape_text(a->dims) + ", the model expects " +
                     shape_text(session.dims(ports[i].name)));
    }
    if (!to.empty()) std::memcpy(to.data(), a->bytes.data(), to.size());
  }
  return {};
}

Status pin(int64_t cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<size_t>(cpu), &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) return invalid("CPU " + std::to_string(cpu) + ": the system does not let this process run there");
  return {};
}

// Workers beside a pinned thread: on the next CPUs that the process may use.
std::vector<int> next_cpus(int64_t cpu, int count) {
  std::vector<int> all = usable_cpus();
  std::rotate(all.begin(), std::upper_bound(all.begin(), all.end(), static_cast<int>(cpu)), all.end());
  std::erase(all, static_cast<int>(cpu));
  all.resize(std::min(all.size(), static_cast<size_t>(count)));
  return all;
}

// Of a model in parts what has a plan, with what the part before it gives as its inputs; others stay as they are.
Status keep_numbers(Model& model, Inputs& inputs, const std::string& isa) {
  auto parts = model.parts();
  if (!parts) return parts.error();
  if (!*parts) return {};
  std::map<std::string, Array> known;
  auto made = [&](const Model& part) -> Result<std::vector<Array>> {  // the inputs of a part
    std::vector<Array> arrays;
    for (const Port& p : part.inputs()) {
      if (auto at = known.find(p.name); at != known.end()) {
        arrays.push_back(at->second);
        continue;
      }
      for (size_t i = 0; i < inputs.ports.size(); ++i) {
        if (inputs.ports[i].name != p.name) continue;
        auto a = make_array(inputs, i);
        if (!a) return a.error();
        arrays.push_back(std::move(*a));
      }
    }
    return arrays;
  };
  double milliseconds = 0;
  if ((*parts)->before) {
    auto in = made(*(*parts)->before);
    if (!in) return in.error();
    const auto begin = std::chrono::steady_clock::now();
    auto out = (*parts)->before->evaluate(*in, isa);
    if (!out) return out.error();
    milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
    const std::vector<Port> names = (*parts)->before->outputs();
    for (size_t o = 0; o < names.size(); ++o) known[names[o].name] = std::move((*out)[o]);
  }
  auto arrays = made((*parts)->rest);
  if (!arrays) return arrays.error();
  model = (*parts)->rest;
  Inputs numbers{model.inputs(), input_shapes(model), {}, {}};
  std::vector<Dims> dims;
  for (Array& a : *arrays) {
    dims.emplace_back(std::span<const int64_t>(a.dims));
    numbers.sources.push_back({"text", std::move(a), {}, {}, {}});
  }
  auto solved = solve_dims(model.state().graph, dims);
  if (!solved) return solved.error();
  numbers.dims = std::move(*solved);
  inputs = std::move(numbers);
  char text[120];
  std::snprintf(text, sizeof text, "timed is the part that has a plan (tern inspect shows it); what comes before it took %.3g ms, once",
                milliseconds);
  note(text);
  return {};
}

struct Wanted {
  SessionOptions session;
  double seconds = 2, slower_than = 0;
  int64_t idle_us = 0, warm_us = 0, cpu = -1;
  std::optional<Baseline> baseline;
};

Result<Wanted> read_options(const Options& options) {
  auto session = session_options(options);
  auto seconds = options.number("--seconds", 2);
  auto idle = options.integer("--idle", 0, 0, 60000000);
  auto warm = options.integer("--keep-warm", 0, 1, 60000000);
  auto cpu = options.integer("--pin", -1, 0, CPU_SETSIZE - 1);
  auto slower = options.number("--slower-than", 0);
  if (!session) return session.error();
  if (!seconds) return seconds.error();
  if (!idle) return idle.error();
  if (!warm) return warm.error();
  if (!cpu) return cpu.error();
  if (!slower) return slower.error();
  if (*seconds > 86400) return usage("--seconds wants at most a day");
  if (*warm > *idle) return usage("--keep-warm is for the time between calls: give --idle a longer one");
  if (options.has("--slower-than") && !options.has("--baseline")) return usage("--slower-than needs --baseline FILE to compare with");
  if (options.has("--per-node") && session->threads > 1) return usage("--per-node needs --threads 1");
  if (const std::vector<int> cpus = usable_cpus(); *cpu >= 0 && std::find(cpus.begin(), cpus.end(), *cpu) == cpus.end()) {
    std::string known;
    for (int c : cpus) known += (known.empty() ? "" : ", ") + std::to_string(c);
    return usage("option --pin: this process may use CPUs " + known + ", not " + std::to_string(*cpu));
  }
  Wanted w{*session, *seconds, *slower, *idle, *warm, *cpu, {}};
  w.session.warm = *warm > 0;
  w.session.huge_pages = options.has("--huge-pages");
  w.session.lock_memory = options.has("--lock");
  return w;
}

void note_preemptions(const Measured& calls, double seconds, int threads) {
  if (threads == 1 || static_cast<double>(calls.preemptions) <= kPreemptionsOfNote * seconds * threads) return;
  note("its threads were preempted " + std::to_string(calls.preemptions) +
       " times: other programs run on these CPUs, and each time all threads wait for one");
}

}  // namespace

int bench(const Options& options) {
  auto wanted = read_options(options);
  if (!wanted) return fail("wrong usage", wanted.error());
  if (options.has("--baseline")) {  // before anything is measured
    auto baseline = read_baseline(options.get("--baseline"));
    if (!baseline) return fail_at("cannot compare with", baseline.error());
    wanted->baseline = std::move(*baseline);
  }
  Sources read;
  auto model = load_model(options, &read);
  if (!model) return fail_at("cannot load", model.error());
  auto inputs = read_inputs(*model, options, "random", std::move(read));
  if (!inputs) return fail("cannot use the inputs", inputs.error());
  if (Status s = keep_numbers(*model, *inputs, wanted->session.isa); !s) return fail("cannot use the inputs", s.error());
  SessionOptions& with = wanted->session;
  with.dims = inputs->dims;
  if (wanted->cpu >= 0 && with.threads > 1) with.cpus = next_cpus(wanted->cpu, with.threads - 1);
  // One thread is pinned before its memory is touched; with more, the session must see all CPUs first.
  const bool pin_first = wanted->cpu >= 0 && with.threads == 1;
  if (Status s = pin_first ? pin(wanted->cpu) : Status(); !s) return fail_at("cannot pin to", s.error());
  auto session = open_session(*model, with);
  if (!session) return fail("cannot bench " + options.positional[0], session.error());
  if (Status s = wanted->cpu >= 0 ? pin(wanted->cpu) : Status(); !s) return fail_at("cannot pin to", s.error());
  if (Status s = fill_inputs(*model, *session, *inputs); !s) return fail("cannot use the inputs", s.error());
  if (!session->run() && retry_with_zeros(*inputs, session->status().error())) {
    if (Status s = fill_inputs(*model, *session, *inputs); !s) return fail("cannot use the inputs", s.error());
  }
  if (!session->run()) return fail("cannot use the inputs", session->status().error());

  const Clock clock;
  Measured calls(kBlocks), nothing(1), warm_up(1);
  Canary canary(clock);
  const double seconds = wanted->seconds;
  progress("measuring ...");
  const auto run = [&] { session->run(); };
  const auto rest = [&] {
    if (wanted->idle_us > 0) idle(wanted->idle_us, wanted->warm_us, *session);
  };
  measure(clock, std::min(0.1, seconds / 4), warm_up, run, [] {});
  canary.sing(20);
  if (wanted->idle_us == 0) calls.batch = batch_of(warm_up, clock);
  measure(clock, seconds, calls, run, rest);
  measure(
      clock, seconds / 4, nothing,
      [] {
        asm volatile("" ::: "memory");
      },
      rest);
  canary.sing(20);
  progress("");
  if (Status s = session->status(); !s) return fail("cannot bench " + options.positional[0], s.error());

  Report r;
  r.model = options.positional[0];
  r.isa = session->isa();
  r.device = device_of(with, *session);
  r.threads = with.threads;
  r.dims = with.dims;
  if (wanted->cpu >= 0) r.pin = wanted->cpu;
  r.idle_us = wanted->idle_us;
  r.warm_us = wanted->warm_us;
  r.weights = with.weights;
  if (with.threads > 1) r.round_trip_ns = round_trip_ns(clock, with.cpus.empty() ? -1 : with.cpus[0]);
  r.huge_pages = with.huge_pages;
  r.lock = with.lock_memory;
  r.memory = memory_of(*session, with.huge_pages, with.lock_memory);
  r.calls = &calls;
  r.nothing = &nothing;
  r.verdict = canary.verdict(nothing);
  r.clock = &clock;
  r.macs = session->macs();
  r.weight_bytes = model->weight_bytes();
  r.arena_bytes = static_cast<int64_t>(session->arena_bytes());
  if (options.has("--per-node")) {
    time_nodes(*session, clock, r);
    measure_limits(*model, with, clock, r);
  }
  std::optional<BaselineRatios> ratios;
  if (wanted->baseline) ratios = compare(baseline_of(r), *wanted->baseline);
  if (ratios) r.against = &*ratios;
  if (options.has("--svg")) {
    if (Status s = write_file(options.get("--svg"), latency_svg(r)); !s) return fail_at("cannot write", s.error());
  }
  if (options.has("--save")) {
    if (Status s = write_file(options.get("--save"), baseline_json(baseline_of(r)).str()); !s) return fail_at("cannot write", s.error());
  }
  note_preemptions(calls, seconds, with.threads);
  out(options.has("--json") ? report_json(r) : report_text(r));
  return ratios && options.has("--slower-than") && ratios->slower_than(wanted->slower_than) ? kDifferent : kDone;
}

}  // namespace tern::command
