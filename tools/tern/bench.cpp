// tern bench: the time of run() alone, each call measured, and beside it what the machine itself adds. See command.h.
#include <sched.h>
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <cstring>

#include "tools/tern/arrays.h"
#include "tools/tern/bench_svg.h"
#include "tools/tern/clock.h"
#include "tools/tern/count_allocations.h"
#include "tools/tern/histogram.h"
#include "tools/tern/print.h"
#include "tools/tern/save.h"

namespace tern::command {

double canary_gflops(const Clock& clock, double seconds);

namespace {

struct Measured {
  Histogram histogram;
  int64_t allocations = 0, page_faults = 0;
};

int64_t page_faults() {
  rusage usage;
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_minflt + usage.ru_majflt;
}

// Calls f for so long, timing each call. The loop itself neither allocates nor calls the system, unless it is to idle.
template <class F>
void measure(const Clock& clock, double seconds, int64_t idle_us, Measured& m, F f) {
  const timespec pause{idle_us / 1000000, idle_us % 1000000 * 1000};
  const int64_t allocations_before = allocations();
  const int64_t faults_before = page_faults();
  const uint64_t end = clock.now() + clock.ticks(seconds * 1e9);
  uint64_t after;
  do {
    if (idle_us > 0) nanosleep(&pause, nullptr);
    const uint64_t before = clock.now();
    f();
    after = clock.now();
    m.histogram.add(after - before);
  } while (after < end);
  m.page_faults = page_faults() - faults_before;
  m.allocations = allocations() - allocations_before;
}

// Mean nanoseconds of each step, over a share of a second.
std::vector<double> time_nodes(Session& session, const Clock& clock) {
  std::vector<double> sum(session.steps().size()), one(sum.size());
  if (sum.empty()) return sum;
  int runs = 0;
  const uint64_t end = clock.now() + clock.ticks(2e8);
  for (; runs < 3 || (clock.now() < end && runs < 100000); ++runs) {
    session.run_timed(one);
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += one[i];
  }
  for (double& s : sum) s /= runs;
  return sum;
}

Status fill_inputs(const Model& model, Session& session, const Inputs& inputs) {
  const std::vector<Port> ports = model.inputs();
  for (size_t i = 0; i < ports.size(); ++i) {
    auto a = make_array(inputs, i);
    if (!a) return a.error();
    auto to = session.input_bytes(ports[i].name);
    if (a->dims != session.dims(ports[i].name) || a->bytes.size() != to.size()) {
      return invalid("input " + ports[i].name + " has shape " + shape_text(a->dims) + ", the model expects " + shape_text(session.dims(ports[i].name)));
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

struct Report {
  std::string model, isa;
  int threads;
  const Measured *calls, *nothing;
  double canary;
  const Clock* clock;
  int64_t macs, weight_bytes, arena_bytes;
  std::vector<StepInfo> steps;
  std::vector<double> node_ns;
};

void print_json(const Report& r) {
  Json j;
  auto ns = [&](const char* key, double ticks) { j.key(key).value(r.clock->ns(1) * ticks); };
  auto p = [](const Histogram& h, double share) { return static_cast<double>(h.percentile(share)); };
  const Histogram &h = r.calls->histogram, &c = r.nothing->histogram;
  j.object().key("model").value(r.model).key("device").value("cpu").key("isa").value(r.isa).key("threads").value(r.threads).key("runs").value(h.runs());
  ns("min_ns", static_cast<double>(h.min()));
  ns("p50_ns", p(h, 0.5));
  ns("p90_ns", p(h, 0.9));
  ns("p99_ns", p(h, 0.99));
  ns("p999_ns", p(h, 0.999));
  ns("p9999_ns", p(h, 0.9999));
  ns("max_ns", static_cast<double>(h.max()));
  ns("mean_ns", h.mean());
  j.key("macs").value(r.macs).key("weight_bytes").value(r.weight_bytes).key("arena_bytes").value(r.arena_bytes).key("allocations");
  if (allocations() < 0) j.null();
  else j.value(r.calls->allocations);
  j.key("page_faults").value(r.calls->page_faults).key("control").object();
  ns("min_ns", static_cast<double>(c.min()));
  ns("p50_ns", p(c, 0.5));
  ns("p99_ns", p(c, 0.99));
  ns("p999_ns", p(c, 0.999));
  ns("max_ns", static_cast<double>(c.max()));
  j.key("canary_gflops").value(r.canary).end().key("nodes").array();
  for (size_t i = 0; i < r.node_ns.size(); ++i) {
    j.object().key("name").value(r.steps[i].node).key("op").value(r.steps[i].op).key("kernel").value(r.steps[i].kernel);
    j.key("mean_ns").value(r.node_ns[i]).end();
  }
  out(j.end().end().text());
}

void print_text(const Report& r) {
  const Histogram &h = r.calls->histogram, &c = r.nothing->histogram;
  auto time = [&](uint64_t ticks) { return duration(r.clock->ns(ticks)); };
  out(shown(r.model) + " on " + shown(r.isa) + ", " + shown(r.threads) + (r.threads == 1 ? Text(" thread, ") : Text(" threads, ")) + grouped(static_cast<int64_t>(h.runs())) + " calls\n\n");
  std::vector<std::vector<Text>> rows = {{"", "min", "p50", "p90", "p99", "p99.9", "p99.99", "max", "mean"}};
  for (const auto& [label, x] : {std::pair("run()", &h), std::pair("nothing", &c)}) {
    rows.push_back({shown(label), time(x->min()), time(x->percentile(0.5)), time(x->percentile(0.9)), time(x->percentile(0.99)), time(x->percentile(0.999)),
                    time(x->percentile(0.9999)), time(x->max()), duration(x->mean() * r.clock->ns(1))});
  }
  out(table(rows, 0b111111110));
  const double p50 = std::max(r.clock->ns(h.percentile(0.5)), 1e-3);
  char line[300];
  std::snprintf(line, sizeof line, "\n%.2f GMAC/s, weights %.2f GB/s, canary %.1f GFLOP/s, arena %s bytes\n", static_cast<double>(r.macs) / p50,
                static_cast<double>(r.weight_bytes) / p50, r.canary, grouped(r.arena_bytes).str().c_str());
  out(shown_lines(line));
  out((allocations() < 0 ? Text("uncounted") : shown(r.calls->allocations)) + " allocations, " + shown(r.calls->page_faults) +
      " page faults during the measured calls\n");
  if (r.node_ns.empty()) return;
  double total = 0;
  for (double ns : r.node_ns) total += ns;
  std::vector<std::vector<Text>> nodes = {{"node", "operator", "kernel", "time", "share"}};
  for (size_t i = 0; i < r.node_ns.size(); ++i) {
    std::snprintf(line, sizeof line, "%.1f %%", total > 0 ? 100 * r.node_ns[i] / total : 0);
    nodes.push_back({shown(r.steps[i].node), shown(r.steps[i].op), shown(r.steps[i].kernel), duration(r.node_ns[i]), shown(line)});
  }
  out("\n" + table(nodes, 0b11000));
}

}  // namespace

int bench(const Options& options) {
  auto with = session_options(options);
  auto seconds = options.number("--seconds", 2);
  auto idle = options.integer("--idle", 0, 0, 60000000);
  auto cpu = options.integer("--pin", -1, 0, CPU_SETSIZE - 1);
  if (!with) return fail("wrong usage", with.error());
  if (!seconds) return fail("wrong usage", seconds.error());
  if (!idle) return fail("wrong usage", idle.error());
  if (!cpu) return fail("wrong usage", cpu.error());
  if (*seconds > 86400) return fail("wrong usage", usage("--seconds wants at most a day"));
  auto model = load_model(options);
  if (!model) return fail_at("cannot load", model.error());
  auto inputs = read_inputs(*model, options, "random");
  if (!inputs) return fail("cannot use the inputs", inputs.error());
  if (*cpu >= 0) {
    if (Status s = pin(*cpu); !s) return fail_at("cannot pin to", s.error());
  }
  with->dims = inputs->dims;
  auto session = model->session(*with);
  if (!session) return fail("cannot bench " + options.positional[0], session.error());
  if (Status s = fill_inputs(*model, *session, *inputs); !s) return fail("cannot use the inputs", s.error());

  const Clock clock;
  Measured calls, nothing, warm_up;
  progress("measuring ...");
  measure(clock, std::min(0.1, *seconds / 4), 0, warm_up, [&] { session->run(); });
  const double canary_before = canary_gflops(clock, 0.02);
  measure(clock, *seconds, *idle, calls, [&] { session->run(); });
  measure(clock, *seconds / 4, *idle, nothing, [] { asm volatile("" ::: "memory"); });
  const double canary = std::min(canary_before, canary_gflops(clock, 0.02));
  progress("");

  Report r{options.positional[0], session->isa(), with->threads, &calls, &nothing, canary, &clock, session->macs(), model->weight_bytes(),
            static_cast<int64_t>(session->arena_bytes()), {session->steps().begin(), session->steps().end()}, {}};
  if (options.has("--per-node") && with->threads == 1) r.node_ns = time_nodes(*session, clock);
  if (options.has("--per-node") && with->threads > 1) note("--per-node needs --threads 1");
  if (options.has("--svg")) {
    if (Status s = write_file(options.get("--svg"), latency_svg(calls.histogram, nothing.histogram, clock, r.model)); !s) return fail_at("cannot write", s.error());
  }
  if (options.has("--json")) print_json(r);
  else print_text(r);
  return kDone;
}

}  // namespace tern::command
