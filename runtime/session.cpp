// Session: one plan with its own arena; what happens inside run(). See tern.h. You are here: stop 10 of the tour. Next: bench/ladder/gemm.
#include <algorithm>
#include <chrono>
#include <cstring>
#include <numeric>
#include <set>

#include "runtime/assign_layouts.h"
#include "runtime/base/cpus.h"
#include "runtime/base/guarded.h"
#include "runtime/cuda/device_plan.h"
#include "runtime/fuse/passes.h"
#include "runtime/last_channels.h"
#include "runtime/model.h"
#include "runtime/plan/program.h"
#include "runtime/read_in_place.h"
#include "runtime/round_in_f32.h"
#include "runtime/workers.h"
#include "tern/flush_subnormals.h"

namespace tern {

class SessionState {
 public:
  std::shared_ptr<const ModelState> model;
  std::shared_ptr<const Program> program;  // others may hold it too
  Plan plan;
  std::unique_ptr<Workers> workers;  // declared after the plan: they stop before it goes away
  std::vector<Port> inputs, outputs;
  std::vector<uint32_t> inputs_by_name, outputs_by_name;
  std::vector<std::byte> kept;  // of SessionOptions::warm: room for outputs and fault words while keep_warm() runs
  std::vector<StepInfo> steps;  // written when they are asked for: of a large graph they are a quarter of a session
};

namespace {

Port to_port(const PlanPort& p) {
  Port port{p.name, p.dtype, {}};
  for (int64_t d : p.dims.span()) port.shape.push_back(std::to_string(d));
  return port;
}

// Places in `ports`, in the order of their names.
std::vector<uint32_t> by_name(std::span<const PlanPort> ports) {
  std::vector<uint32_t> order(ports.size());
  std::iota(order.begin(), order.end(), uint32_t(0));
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return ports[a].name < ports[b].name; });
  return order;
}

const PlanPort* find_port(std::span<const PlanPort> ports, std::span<const uint32_t> order, std::string_view name) {
  const auto at = std::lower_bound(order.begin(), order.end(), name, [&](uint32_t i, std::string_view n) { return ports[i].name < n; });
  return at != order.end() && ports[*at].name == name ? &ports[*at] : nullptr;
}
const PlanPort* find_port(const SessionState& s, bool input, std::string_view name) {
  return input ? find_port(s.plan.inputs, s.inputs_by_name, name) : find_port(s.plan.outputs, s.outputs_by_name, name);
}

// Symbols of the inputs that nobody has bound, as "batch, seq".
std::string unbound(const Graph& graph) {
  std::set<std::string> symbols;
  for (ValueId v : graph.inputs) {
    for (const Dim& d : graph.value(v).type.shape.dims()) {
      for (const auto& [symbol, coefficient] : d.terms()) symbols.insert(symbol);
    }
  }
  std::string names;
  for (const std::string& symbol : symbols) names += (names.empty() ? "" : ", ") + symbol;
  return names;
}

// The words in which kernels report indices: all of them are looked at, whatever they hold.
void clear_faults(const Plan& plan) {
  for (uint32_t& word : plan.faults) word = 0;
}
bool no_fault(const Plan& plan) {
  uint32_t any = 0;
  for (uint32_t word : plan.faults) any |= word;
  return any == 0;
}

// The graph that a plan is made of: every dimension bound.
Result<Graph> static_graph(const ModelState& model, const SessionOptions& options) {
  auto graph = specialize(model.optimized, options.dims, model.fold_again);
  if (!graph) return graph;
  if (std::string name = first_no_tensor(*graph); !name.empty())
    return unsupported("value " + name + " is a sequence or an optional: only evaluate() runs it");
  if (std::string names = unbound(*graph); !names.empty())
    return usage("unbound dimensions: " + names + "; give each a value in SessionOptions::dims");
  for (ValueId v : graph->inputs) {
    if (graph->value(v).type.shape.ranked()) continue;
    return unsupported("input " + graph->value(v).name +
                       ": the file gives it no shape, so shapes depend on the contents of an input; run the model with evaluate()");
  }
  if (std::string where = unknown_shape(*graph); !where.empty()) {
    return unsupported(where + ": shapes, or how often it runs, depend on the contents of an input; run the model with evaluate()");
  }
  return graph;
}

// What products are computed with. Errors: names that are none (usage).
Result<Products> products_of(const SessionOptions& options) {
  Products p;
  const std::string &precision = options.precision, &gemm = options.gemm;
  if (precision == "tf32") p.precision = Precision::tf32;
  else if (precision == "f16") p.precision = Precision::f16;
  else if (precision == "bf16") p.precision = Precision::bf16;
  else if (!precision.empty() && precision != "f32") return usage("unknown precision '" + precision + "'; known: f32, tf32, f16, bf16");
  if (!gemm.empty() && gemm != "own" && gemm != "cublas") return usage("unknown gemm '" + gemm + "'; known: own, cublas");
  p.cublas = gemm == "cublas";
  if (options.weights == "bf16") p.weights = WeightForm::bf16;
  else if (options.weights == "int8") p.weights = WeightForm::int8;
  else if (!options.weights.empty() && options.weights != "f32") return usage("unknown weights '" + options.weights + "'; known: f32, bf16, int8");
  return p;
}

// Where a session shall run: nothing for the CPU.
bool is_cpu(const std::string& device) { return device.empty() || device == "cpu"; }
// "cuda,cpu": what the device has no kernel for runs on the CPU.
constexpr std::string_view kBeside = ",cpu";
std::string without_cpu(const std::string& device) { return device.ends_with(kBeside) ? device.substr(0, device.size() - kBeside.size()) : device; }
Status check_device(const SessionOptions& options) {
  const std::string& d = options.device;
  const std::string cuda = without_cpu(d);
  const bool numbered =
      cuda.starts_with("cuda:") && cuda.size() > 5 && cuda.size() < 9 && cuda.find_first_not_of("0123456789", 5) == std::string::npos;
  if (!is_cpu(d) && d != "auto" && cuda != "cuda" && !numbered)
    return usage("unknown device '" + d + "'; known: cpu, cuda, cuda:N, auto, and cuda,cpu for both");
  if (!is_cpu(d) && d != "auto" && options.threads != 1) return usage("a session on " + d + " has one thread");
  auto products = products_of(options);
  if (!products) return products.error();
  if ((is_cpu(d) || d == "auto") && (products->precision != Precision::f32 || products->cublas)) {
    return usage((products->cublas ? "gemm " + options.gemm : "precision " + options.precision) +
                 " needs a device that is named, cuda or cuda:N: the CPU computes in f32, with tern's own kernels");
  }
  if (!is_cpu(d) && products->weights != WeightForm::f32)
    return usage("weights " + options.weights + " are for the CPU: on a device, SessionOptions::precision rounds the factors");
  return {};
}

// Threads beyond the CPUs would spin for each other instead of computing.
Status check_threads(const SessionOptions& options) {
  if (options.threads < 1) return usage("threads is " + std::to_string(options.threads) + " and must be at least 1");
  if (options.threads == 1) return {};
  const std::vector<int> cpus = usable_cpus();
  if (static_cast<size_t>(options.threads) > cpus.size()) {
    return usage("threads is " + std::to_string(options.threads) + ", but this process may use " + std::to_string(cpus.size()) +
                 (cpus.size() == 1 ? " CPU" : " CPUs"));
  }
  for (int cpu : options.cpus) {
    if (std::find(cpus.begin(), cpus.end(), cpu) != cpus.end()) continue;
    std::string known;
    for (int c : cpus) known += (known.empty() ? "" : ", ") + std::to_string(c);
    return usage("a worker cannot be pinned to CPU " + std::to_string(cpu) + "; this process may use " + known);
  }
  return {};
}

Result<PlanOptions> plan_options(const SessionOptions& options) {
  if (Status s = check_threads(options); !s) return s.error();
  std::optional<Isa> cap = parse_isa(options.isa);
  if (!options.isa.empty() && !cap) return usage("unknown ISA " + options.isa + "; known: " + isas_of_this_architecture());
  if (cap && !of_this_architecture(*cap)) return usage("ISA " + options.isa + " is not of this machine; known: " + isas_of_this_architecture());
  auto products = products_of(options);
  if (!products) return products.error();
  return PlanOptions{.isa = best_isa(cap), .products = *products, .threads = options.threads, .budget = options.budget, .work = options.work};
}

Arena::Options arena_options(const SessionOptions& options) { return {options.lock_memory, options.huge_pages}; }

// Up to where every buffer lies.
Result<std::shared_ptr<Program>> planned(const ModelState& model, const SessionOptions& options, bool on_device) {
  auto with = plan_options(options);
  if (!with) return with.error();
  if (on_device) {
    if (options.device.ends_with(kBeside)) with->beside = with->isa;
    with->isa = Isa::cuda;
  }
  auto graph = static_graph(model, options);
  if (!graph) return graph.error();
  if (!on_device) round_in_f32(*graph);
  read_in_place(*graph);
  if (!on_device) {  // channel blocks are for vectors
    fuse_gather_mean(*graph);
    fuse_dynamic_products(*graph);
    fuse_quantized_maps(*graph);
    last_channels(*graph);
    assign_layouts(*graph);
  }
  std::vector<Dims> dims;
  for (ValueId v : graph->inputs) dims.push_back(graph->value(v).type.shape.concrete());
  with->budget = budget_of(model, options.budget, dims);
  return make_program(std::move(*graph), *with);
}

// Of a session on the CPU: another session's, or a new one.
Result<std::shared_ptr<const Program>> shared_program(const ModelState& model, const SessionOptions& options) {
  auto with = plan_options(options);
  if (!with) return with.error();
  Programs::Key key(options.dims, with->isa, with->products.weights, options.threads, options.budget, options.work);
  if (auto shared = model.programs.find(key)) return shared;
  auto program = planned(model, options, false);
  if (!program) return program.error();
  link_steps(**program, model.packs);
  return model.programs.keep(std::move(key), std::move(*program));
}

// The model's weights on a device that is called `key`, which open() gives when no session has it.
template <class Open>
Result<std::shared_ptr<cuda::DeviceWeights>> weights_on(const ModelState& model, const std::string& key, Open open) {
  std::lock_guard lock(model.devices_mutex);
  std::weak_ptr<cuda::DeviceWeights>& slot = model.devices[key];
  if (auto there = slot.lock()) return there;
  auto device = open();
  if (!device) return device.error();
  auto weights = std::make_shared<cuda::DeviceWeights>(std::move(*device));
  slot = weights;
  return weights;
}

// What a session runs, in its program and its own memory.
struct PlacedProgram {
  std::shared_ptr<const Program> program;
  Plan plan;
};
Result<PlacedProgram> place_on_cpu(const ModelState& model, const SessionOptions& options) {
  auto program = shared_program(model, options);
  if (!program) return program.error();
  auto plan = place(**program, arena_options(options));
  if (!plan) return plan.error();
  return PlacedProgram{std::move(*program), std::move(*plan)};
}
Result<PlacedProgram> place_on_device(const ModelState& model, const SessionOptions& options, const std::shared_ptr<cuda::DeviceWeights>& weights) {
  auto program = planned(model, options, true);
  if (!program) return program.error();
  auto plan = cuda::link_launches(**program, weights, model.packs, options.block_on_device);
  if (!plan) return plan.error();
  return PlacedProgram{std::move(*program), std::move(*plan)};
}

// weights null: on the CPU.
Result<std::unique_ptr<SessionState>> make_state(const std::shared_ptr<const ModelState>& model, const SessionOptions& options,
                                                 const std::shared_ptr<cuda::DeviceWeights>& weights) {
  auto placed = weights != nullptr ? place_on_device(*model, options, weights) : place_on_cpu(*model, options);
  if (!placed) return placed.error();
  auto state = std::make_unique<SessionState>();
  state->model = model;
  state->program = std::move(placed->program);
  state->plan = std::move(placed->plan);
  const Graph& graph = state->program->graph;
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    const Tensor& initial = graph.value(graph.inputs[i]).initial;
    if (initial.present() && initial.bytes() > 0) std::memcpy(state->plan.inputs[i].data, initial.raw(), initial.bytes());
  }
  for (const PlanPort& p : state->plan.inputs) state->inputs.push_back(to_port(p));
  for (const PlanPort& p : state->plan.outputs) state->outputs.push_back(to_port(p));
  if (options.warm) {
    size_t bytes = state->plan.faults.size_bytes();
    for (const PlanPort& p : state->plan.outputs) bytes += static_cast<size_t>(p.bytes);
    state->kept.resize(std::max<size_t>(bytes, 1));
  }
  state->inputs_by_name = by_name(state->plan.inputs);
  state->outputs_by_name = by_name(state->plan.outputs);
  if (options.threads > 1) {
    auto workers = Workers::start(state->plan.steps, options.cpus);
    if (!workers) return workers.error();
    state->workers = std::move(*workers);
  }
  return state;
}

void run_steps(std::span<const Step> steps) noexcept {
  for (const Step& step : steps) step.run(step.args);
}
void run_steps_timed(std::span<const Step> steps, std::span<double> ns) noexcept {
  for (size_t i = 0; i < steps.size(); ++i) {
    const auto begin = std::chrono::steady_clock::now();
    steps[i].run(steps[i].args);
    ns[i] = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count();
  }
}

std::span<const Step> steps_of(const Plan& plan, const cuda::DevicePlan::Part& part) {
  return std::span(plan.steps[0]).subspan(part.first, part.last - part.first);
}
bool run_on_device(const Plan& plan) noexcept {
  clear_faults(plan);
  for (const cuda::DevicePlan::Part& part : plan.device->parts) {
    if (part.run != nullptr && !part.run->run()) return false;
    if (part.first == part.last) continue;
    FlushSubnormals flush;  // not around the driver
    run_steps(steps_of(plan, part));
  }
  return no_fault(plan);
}

// Launches are timed one by one; a step's are added up.
bool run_on_device_timed(const Plan& plan, std::span<double> ns) noexcept {
  std::fill(ns.begin(), ns.end(), 0.0);
  clear_faults(plan);
  for (const cuda::DevicePlan::Part& part : plan.device->parts) {
    if (part.run != nullptr && !part.run->run_timed(part.launch_ns)) return false;
    for (size_t i = 0; i < part.step_of.size(); ++i) {
      if (part.step_of[i] < ns.size()) ns[part.step_of[i]] += part.launch_ns[i];
    }
    FlushSubnormals flush;
    run_steps_timed(steps_of(plan, part), ns.subspan(part.first));
  }
  return no_fault(plan);
}

}  // namespace

Result<Session> Model::session(const SessionOptions& options) const {
  return guarded([&]() -> Result<Session> {
    if (Status s = check_device(options); !s) return s.error();
    if (!is_cpu(options.device) && options.threads == 1) {
      std::string device = options.device == "auto" ? "cuda" : without_cpu(options.device);
      if (device == "cuda") device = "cuda:0";  // by either name one device, which holds the weights once
      auto weights = weights_on(*state_, device, [&] { return cuda::open_device(device); });
      auto state = weights ? make_state(state_, options, *weights) : Result<std::unique_ptr<SessionState>>(weights.error());
      if (state) return Session(std::move(*state));
      if (options.device != "auto" || state.error().code() != Code::kUnsupported) return state.error();
    }
    auto state = make_state(state_, options, nullptr);
    if (!state) return state.error();
    return Session(std::move(*state));
  });
}

class SessionAccess {
 public:
  static Session make(std::unique_ptr<SessionState> state) { return Session(std::move(state)); }
};

Result<Session> session_on(const Model& model, const SessionOptions& options, std::shared_ptr<cuda::Device> device) {
  return guarded([&]() -> Result<Session> {
    if (options.threads != 1) return usage("threads are of the CPU: a session on a device has one");
    const std::string key = "device at " + std::to_string(reinterpret_cast<uintptr_t>(device.get()));
    auto weights = weights_on(model.state(), key, [&] { return Result<std::shared_ptr<cuda::Device>>(device); });
    if (!weights) return weights.error();
    auto state = make_state(model.shared_state(), options, *weights);
    if (!state) return state.error();
    return SessionAccess::make(std::move(*state));
  });
}

Result<int64_t> arena_bytes(const Model& model, const SessionOptions& options) {
  auto program = planned(model.state(), options, false);
  if (!program) return program.error();
  return static_cast<int64_t>(Arena::rounded((*program)->arena_bytes(), {}));
}

Result<std::string> session_text(const Model& model, const SessionOptions& options) {
  if (Status s = check_device(options); !s) return s.error();
  const bool on_device = !is_cpu(options.device) && options.device != "auto";
  auto program = planned(model.state(), options, on_device);
  if (!program) return program.error();
  const size_t bytes = on_device ? (*program)->on_device->arena_bytes() : Arena::rounded((*program)->arena_bytes(), arena_options(options));
  return to_text((*program)->graph) + plan_text(**program, bytes);
}

Result<std::vector<int64_t>> bytes_of_steps(const Model& model, const SessionOptions& options) {
  auto program = shared_program(model.state(), options);
  if (!program) return program.error();
  return step_bytes(**program);
}

Session::Session(std::unique_ptr<SessionState> state) : state_(std::move(state)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

// The hot path. Nothing but arithmetic: the steps were bound when the session was made.
bool Session::run() noexcept {
  if (state_->plan.device) return run_on_device(state_->plan);
  FlushSubnormals flush;
  clear_faults(state_->plan);
  if (state_->workers) {
    state_->workers->run();
  } else {
    run_steps(state_->plan.steps[0]);
  }
  return no_fault(state_->plan);
}

// Back and forth between the outputs and fault words of a plan and a copy of them.
template <bool kBack>
static void keep_results(const Plan& plan, std::byte* copy) noexcept {
  const auto move = [&](void* data, size_t bytes) {
    if (bytes > 0) std::memcpy(kBack ? data : copy, kBack ? copy : data, bytes);
    copy += bytes;
  };
  for (const PlanPort& p : plan.outputs) move(p.data, static_cast<size_t>(p.bytes));
  move(plan.faults.data(), plan.faults.size_bytes());
}

bool Session::keep_warm() noexcept {
  if (state_->kept.empty()) return false;
  keep_results<false>(state_->plan, state_->kept.data());
  run();
  keep_results<true>(state_->plan, state_->kept.data());
  return true;
}

Status Session::status() const {
  return guarded([&]() -> Status {
    if (state_->plan.device) {
      for (const cuda::DevicePlan::Part& part : state_->plan.device->parts) {
        if (Status s = part.run == nullptr ? Status() : part.run->status(); !s) return s;
      }
    }
    for (size_t i = 0; i < state_->plan.faults.size(); ++i) {
      if (state_->plan.faults[i] != 0) return invalid(state_->program->fault_texts[i]);
    }
    return {};
  });
}

bool Session::run_timed(std::span<double> ns) noexcept {
  const std::vector<Step>& steps = state_->plan.steps[0];
  if (state_->workers || ns.size() < steps.size()) return run();
  if (state_->plan.device) return run_on_device_timed(state_->plan, ns);
  FlushSubnormals flush;
  clear_faults(state_->plan);
  run_steps_timed(steps, ns);
  return no_fault(state_->plan);
}

std::span<const StepInfo> Session::steps() const {
  return guarded([&]() -> std::span<const StepInfo> {
    if (state_->steps.empty()) state_->steps = step_infos(*state_->program);
    return state_->steps;
  });
}
size_t Session::arena_bytes() const { return state_->plan.arena_bytes; }
int64_t Session::macs() const { return state_->program->macs; }
std::string Session::isa() const {
  return guarded([&] { return isa_text(state_->program->options); });
}
std::string Session::text() const {
  return guarded([&] { return to_text(state_->program->graph) + plan_text(*state_->program, state_->plan.arena_bytes); });
}
std::span<const Port> Session::inputs() const { return state_->inputs; }
std::span<const Port> Session::outputs() const { return state_->outputs; }

std::vector<int64_t> Session::dims(std::string_view name) const {
  const PlanPort* p = find_port(*state_, true, name);
  if (p == nullptr) p = find_port(*state_, false, name);
  if (p == nullptr) return {};
  return guarded([&] { return std::vector<int64_t>(p->dims.span().begin(), p->dims.span().end()); });
}

Session::Block Session::find(std::string_view name, bool input, DType dtype) const {
  const PlanPort* p = find_port(*state_, input, name);
  if (p == nullptr || (dtype != DType::none && p->dtype != dtype)) return {};
  return {p->data, static_cast<size_t>(p->bytes)};
}

Result<Session::Block> Session::check(std::string_view name, bool input, DType dtype) const {
  return guarded([&]() -> Result<Block> {
    const std::string what = input ? "input" : "output";
    const std::vector<PlanPort>& ports = input ? state_->plan.inputs : state_->plan.outputs;
    const PlanPort* p = find_port(*state_, input, name);
    if (p == nullptr) {
      std::string known;
      for (const PlanPort& q : ports) known += (known.empty() ? "" : ", ") + q.name + " (" + tern::name(q.dtype) + ")";
      return usage("there is no " + what + " '" + std::string(name) + "'; the model has " + (known.empty() ? "none" : known));
    }
    if (p->dtype != dtype) return usage(what + " " + p->name + " has elements of " + tern::name(p->dtype) + ", not " + tern::name(dtype));
    return Block{p->data, static_cast<size_t>(p->bytes)};
  });
}

std::span<std::byte> Session::input_bytes(std::string_view name) { return typed<std::byte>(find(name, true, DType::none)); }
std::span<const std::byte> Session::output_bytes(std::string_view name) const { return typed<const std::byte>(find(name, false, DType::none)); }

const char* version() { return TERN_VERSION; }

}  // namespace tern
