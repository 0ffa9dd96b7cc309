// How a plan runs an iteration: the body is lowered and bound once, whatever the number of iterations. See iteration.h.
//   carried values   Each has two buffers, A and B: an iteration reads one and writes the other. The steps of the body are linked twice, for even
//                    iterations (A to B) and odd ones (B to A), so nothing is copied: the node that computes a carried value writes it
//                    where the next iteration reads it. A body with a loop inside is linked once (versions would else multiply with
//                    every level), and copies from B to A end each iteration.
//   the rest         The loop's own step counts, copies slices of scan inputs and outputs, and asks the condition: both may be A's, so before that.
#include <cstring>

#include "runtime/base/checked.h"
#include "runtime/control/iteration.h"
#include "runtime/plan/lowering.h"

namespace tern {

struct RolledLoop {
  // Where it lies in Work::places.
  using At = std::optional<size_t>;
  // One slice: `rows` pieces of `bytes`. It begins `start` bytes into one side, and moves there by `step` from iteration to iteration.
  struct Slice {
    size_t from[2], to;  // from: as linked for even and odd iterations
    int64_t rows, bytes, from_row, to_row;
    int64_t start, step;
  };
  int64_t trips = 0;
  At condition, counter, running;
  At next[2];
  std::vector<Slice> in, out;
};

namespace {

bool has_loop(const Graph& graph) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(),
                     [](const Node& n) {
                       const ControlDef* control = find_control(n.op);
                       return control != nullptr && control->bind == bind_iteration;
                     }) ||
         std::any_of(graph.subgraphs.begin(), graph.subgraphs.end(), has_loop);
}

// One loop on its way into a plan.
class Rolling {
 public:
  Rolling(Lowering& l, size_t scope, const Node& node, std::vector<size_t>& list, bool nested, const Iteration& it)
      : l_(l), scope_(scope), node_(node), list_(list), nested_(nested), it_(it), graph_(l.graph(scope)), body_(*it.body) {}

  Status run(int64_t trips, ValueId condition) {
    w_ = l_.control_work(scope_, node_, nested_);
    loop_.trips = w_.control->times = trips;
    l_.hold_inputs(scope_, node_, w_.position);  // until the body is lowered
    if (Status s = place_carried(); !s) return s;
    inner_ = l_.open_scope(body_, scope_, node_);
    if (Status s = place_body_inputs(); !s) return s;
    if (condition != kNone) loop_.condition = at(l_.place(scope_, condition));

    Program::Swap swap;
    const bool swaps = !has_loop(body_);
    for (size_t c = 0; swaps && c < a_.size(); ++c) {
      swap[a_[c].buffer] = b_[c].buffer;
      swap[b_[c].buffer] = a_[c].buffer;
    }
    ControlWork::List body;
    if (Status s = lower_body(body.work, trips, swaps ? l_.add_swap(swap) : kNone); !s) return s;
    const auto swapped = [&](const Place& p) { return p.buffer != kNone && swap.contains(p.buffer) ? Place{swap.at(p.buffer), nullptr} : p; };
    const int32_t end = l_.next_position();
    if (it_.conditions > 0) read_condition(swapped, end);
    if (Status s = place_scan_outputs(swapped, end); !s) return s;
    w_.control->lists.push_back(body);
    if (swaps) w_.control->lists.push_back({std::move(body.work), 1});
    place_results(trips, swaps);
    for (ValueId v : body_.outputs) l_.release(l_.place(inner_, v));
    for (const Place& p : a_) l_.release(p);
    for (const std::vector<Place>* places : {&a_, &b_, &whole_}) {
      for (const Place& p : *places) l_.touch(p, end);
    }
    l_.read_inputs(scope_, node_, end);
    w_.cost = cost(trips);
    w_.control->loop = std::make_shared<const RolledLoop>(std::move(loop_));
    list_.push_back(l_.add(std::move(w_)));
    return {};
  }

 private:
  size_t at(const Place& place) {
    w_.control->places.push_back(place);
    return w_.control->places.size() - 1;
  }

  Result<Place> buffer_for(const Graph& g, ValueId v) {
    auto buffer = l_.new_buffer(g, v);
    if (!buffer) return buffer.error();
    l_.touch({*buffer, nullptr}, w_.position);
    return Place{*buffer, nullptr};
  }

  // A holds the initial value: the buffer where it is, when nobody else reads it, else a copy.
  Status place_carried() {
    for (size_t c = 0; c < it_.carried; ++c) {
      const ValueId initial = node_.inputs[it_.counters + c];
      const Place from = l_.place(scope_, initial);
      if (l_.read_for_the_last_time(from)) {
        a_.push_back(from);
      } else {
        auto a = buffer_for(graph_, initial);
        if (!a) return a.error();
        a_.push_back(*a);
        list_.push_back(l_.add_copy(scope_, initial, from, *a, nested_));
      }
      l_.hold(a_.back());
      auto b = buffer_for(graph_, initial);
      if (!b) return b.error();
      b_.push_back(*b);
    }
    return {};
  }

  Status place_body_inputs() {
    const std::vector<int32_t> uses = use_counts(body_);
    auto used = [&](size_t k) { return uses[static_cast<size_t>(body_.inputs[k])] > 0; };
    auto own = [&](size_t k) -> Result<size_t> {
      auto place = buffer_for(body_, body_.inputs[k]);
      if (!place) return place.error();
      l_.place(inner_, body_.inputs[k]) = *place;
      return at(*place);
    };
    for (size_t k = 0; k < it_.counters; ++k) {
      if (!used(k)) continue;
      auto place = own(k);
      if (!place) return place.error();
      (k == 0 ? loop_.counter : loop_.running) = *place;
    }
    for (size_t c = 0; c < it_.carried; ++c) l_.place(inner_, body_.inputs[it_.counters + c]) = a_[c];
    for (size_t k = 0; k < it_.in.size(); ++k) {
      if (!used(it_.first_scanned() + k)) continue;
      auto place = own(it_.first_scanned() + k);
      if (!place) return place.error();
      const ValueId whole = node_.inputs[it_.first_scanned() + k];
      const size_t from = at(l_.place(scope_, whole));
      RolledLoop::Slice slice = slice_of(graph_.value(whole).type, it_.in[k]);
      slice.from[0] = slice.from[1] = from;
      slice.to = *place;
      slice.to_row = slice.bytes;
      loop_.in.push_back(slice);
    }
    for (size_t k = it_.first_captured(); k < node_.inputs.size(); ++k) l_.place(inner_, body_.inputs[k]) = l_.place(scope_, node_.inputs[k]);
    return {};
  }

  // Of a whole value along an axis, as bytes; rows of the slice itself follow one another.
  static RolledLoop::Slice slice_of(const TypeInfo& whole, const Iteration::Scanned& scanned) {
    const Dims dims = whole.shape.concrete();
    const int axis = *normalize_axis(scanned.axis, dims.rank);
    RolledLoop::Slice s{};
    s.rows = dims.count(0, axis);
    s.bytes = dims.count(axis + 1, dims.rank) * static_cast<int64_t>(size_of(whole.dtype));
    s.from_row = s.to_row = dims[axis] * s.bytes;
    s.step = scanned.reverse ? -s.bytes : s.bytes;
    s.start = scanned.reverse ? std::max<int64_t>(dims[axis] - 1, 0) * s.bytes : 0;
    return s;
  }

  // Values that nodes of the body compute are put where the next iteration reads them; others are copied there.
  Status lower_body(std::vector<size_t>& steps, int64_t trips, int32_t swap) {
    const std::vector<NodeId> by = producers(body_);
    for (size_t c = 0; c < it_.carried; ++c) {
      const ValueId v = body_.outputs[it_.conditions + c];
      if (by[static_cast<size_t>(v)] != kNone && l_.place(inner_, v).none()) l_.place(inner_, v) = b_[c];
    }
    const int64_t repeats = l_.set_repeats(checked_mul(l_.repeats(), trips).value_or(INT64_MAX));
    const int32_t swap_before = l_.set_swap(swap);
    const bool certain = l_.set_certain(false);
    l_.set_certain(certain && !live());
    Status s = l_.lower_nodes(inner_, steps, true);
    for (size_t c = 0; s && c < it_.carried; ++c) {
      const ValueId v = body_.outputs[it_.conditions + c];
      const Place from = l_.place(inner_, v);
      if (from.buffer != b_[c].buffer) steps.push_back(l_.add_copy(inner_, v, from, b_[c], true));
    }
    for (size_t c = 0; s && swap == kNone && c < it_.carried; ++c) {
      to_a_.push_back(l_.add_copy(inner_, body_.outputs[it_.conditions + c], b_[c], a_[c], true));
    }
    l_.set_repeats(repeats);
    l_.set_swap(swap_before);
    l_.set_certain(certain);
    return s;
  }

  // May something else than the number of iterations end it?
  bool live() const { return loop_.condition.has_value() || (it_.conditions > 0 && !body_.value(body_.outputs[0]).constant.present()); }

  void read_condition(auto swapped, int32_t end) {
    const Place next = l_.place(inner_, body_.outputs[0]);
    l_.touch(next, end);
    if (next.constant != nullptr) return;  // what it says is in the number of iterations
    loop_.next[0] = at(next);
    loop_.next[1] = at(swapped(next));
  }

  Status place_scan_outputs(auto swapped, int32_t end) {
    for (size_t k = 0; k < it_.out.size(); ++k) {
      const ValueId whole = node_.outputs[it_.carried + k];
      if (whole == kNone) continue;
      const ValueId slice_value = body_.outputs[it_.conditions + it_.carried + k];
      if (!body_.value(slice_value).type.shape.known())
        return unsupported("the shape of " + body_.value(slice_value).name + " is not known before the run");
      if (l_.place(scope_, whole).none()) {
        auto place = buffer_for(graph_, whole);
        if (!place) return place.error();
        l_.place(scope_, whole) = *place;
      }
      l_.add_readers(scope_, whole);
      whole_.push_back(l_.place(scope_, whole));
      l_.touch(whole_.back(), w_.position);
      const Place from = l_.place(inner_, slice_value);
      l_.touch(from, end);
      RolledLoop::Slice slice = slice_of(graph_.value(whole).type, it_.out[k]);
      slice.from_row = slice.bytes;
      slice.from[0] = at(from);
      slice.from[1] = at(swapped(from));
      slice.to = at(whole_.back());
      loop_.out.push_back(slice);
    }
    return {};
  }

  // The last iteration left the results in A or in B; where it is not known which, copies bring them to A.
  void place_results(int64_t trips, bool swaps) {
    for (size_t c = 0; c < it_.carried; ++c) {
      const ValueId result = node_.outputs[c];
      if (result == kNone) continue;
      const bool odd = swaps && trips % 2 != 0;
      if (swaps && live()) to_a_.push_back(l_.add_copy(scope_, result, b_[c], a_[c], true));
      l_.place(scope_, result) = odd && !live() ? b_[c] : a_[c];
      l_.add_readers(scope_, result);
    }
    w_.control->lists.push_back({std::move(to_a_), 0});
  }

  int64_t cost(int64_t trips) const {
    constexpr int64_t kPerIteration = 64;
    int64_t each = kPerIteration;
    for (const auto* slices : {&loop_.in, &loop_.out}) {
      for (const RolledLoop::Slice& s : *slices) each += s.rows * (s.bytes + 8);
    }
    return checked_mul(each, trips).value_or(INT64_MAX);
  }

  Lowering& l_;
  const size_t scope_;
  const Node& node_;
  std::vector<size_t>& list_;
  const bool nested_;
  const Iteration& it_;
  const Graph& graph_;
  const Graph& body_;
  Work w_;
  RolledLoop loop_;
  size_t inner_ = 0;
  std::vector<Place> a_, b_, whole_;
  std::vector<size_t> to_a_;  // copies: after an odd number of iterations, or after each when they do not swap
};

// ---- the step ----

struct Slice {
  const std::byte* from[2];
  std::byte* to;
  int64_t rows, bytes, from_row, to_row, from_step, to_step;
};

void copy_slice(const Slice& s, int version, int64_t i) {
  const std::byte* from = s.from[version] + i * s.from_step;
  std::byte* to = s.to + i * s.to_step;
  for (int64_t r = 0; r < s.rows; ++r) std::memcpy(to + r * s.to_row, from + r * s.from_row, static_cast<size_t>(s.bytes));
}

struct LoopArgs {
  int64_t trips;
  const uint8_t* condition;  // the byte of one bool; null: true
  const uint8_t* next[2];    // the same, after an iteration
  int64_t* counter;          // null: nobody reads it
  uint8_t* running;          // null: nobody reads it
  const Slice* in;
  const Slice* out;
  int64_t ins, outs;
  const Step* steps[2];  // of even and odd iterations
  const Step* to_a;      // copies of carried values from B: after an odd number of iterations, or, when A and B do not swap, after each
  bool swaps;
  int64_t count, to_a_count;
  uint32_t* faults;  // the words of the steps, which each iteration writes, and what they were in any
  uint32_t* any;
  int64_t fault_count;
};

void run_steps(const Step* steps, int64_t count) {
  for (int64_t s = 0; s < count; ++s) steps[s].run(steps[s].args);
}

void run_loop(const LoopArgs& a) {
  for (int64_t f = 0; f < a.fault_count; ++f) a.any[f] = 0;
  bool more = a.condition == nullptr || *a.condition != 0;
  int64_t i = 0;
  for (; more && i < a.trips; ++i) {
    const int version = i & 1;
    if (a.counter != nullptr) *a.counter = i;
    if (a.running != nullptr) *a.running = 1;
    for (int64_t k = 0; k < a.ins; ++k) copy_slice(a.in[k], version, i);
    run_steps(a.steps[version], a.count);
    for (int64_t k = 0; k < a.outs; ++k) copy_slice(a.out[k], version, i);
    for (int64_t f = 0; f < a.fault_count; ++f) a.any[f] |= a.faults[f];
    more = a.next[version] == nullptr || *a.next[version] != 0;
    if (!a.swaps) run_steps(a.to_a, a.to_a_count);
  }
  if (a.swaps && (i & 1) != 0) run_steps(a.to_a, a.to_a_count);
  for (int64_t f = 0; f < a.fault_count; ++f) a.faults[f] = a.any[f];
}

constinit const KernelRow kLoopRow = row<LoopArgs, run_loop>("loop/any/scalar", DType::none, Isa::scalar);

}  // namespace

Status lower_iteration(Lowering& l, size_t scope, const Node& node, std::vector<size_t>& list, bool nested, const Iteration& it, int64_t trips,
                       ValueId condition) {
  return Rolling(l, scope, node, list, nested, it).run(trips, condition);
}

Result<Binding> bind_iteration(const Program& program, const Work& w) {
  const RolledLoop& loop = *w.control->loop;
  const std::vector<TensorView> places = w.control->place_views();
  BindContext c({.attrs = w.node->read(), .inputs = places, .outputs = places});
  LoopArgs& a = c.args<LoopArgs>();
  a.trips = loop.trips;
  if (loop.condition) c.set(a.condition, c.input<const uint8_t>(*loop.condition));
  for (size_t v = 0; v < 2; ++v) {
    if (loop.next[v]) c.set(a.next[v], c.input<const uint8_t>(*loop.next[v]));
  }
  if (loop.counter) c.set(a.counter, c.output<int64_t>(*loop.counter));
  if (loop.running) c.set(a.running, c.output<uint8_t>(*loop.running));

  auto steps = [&](const ControlWork::List& list) { return c.table<Step>(program.step_count(list.work), [](Step*) {}); };
  const bool swaps = a.swaps = w.control->lists.size() == 3;
  a.count = program.step_count(w.control->lists[0].work);
  const auto even = steps(w.control->lists[0]), odd = swaps ? steps(w.control->lists[1]) : even;
  c.set(a.steps[0], even);
  c.set(a.steps[1], odd);
  a.to_a_count = program.step_count(w.control->lists.back().work);
  c.set(a.to_a, steps(w.control->lists.back()));

  auto slices = [&](const std::vector<RolledLoop::Slice>& list, bool in) {
    return c.table<Slice>(static_cast<int64_t>(list.size()), [&](Slice* table) {
      for (size_t k = 0; k < list.size(); ++k) {
        const RolledLoop::Slice& s = list[k];
        Slice& t = *new (table + k) Slice{{}, nullptr, s.rows, s.bytes, s.from_row, s.to_row, in ? s.step : 0, in ? 0 : s.step};
        for (size_t v = 0; v < 2; ++v) c.set(t.from[v], c.input(s.from[v]) + (in ? s.start : 0));
        c.set(t.to, c.output(s.to) + (in ? 0 : s.start));
      }
    });
  };
  a.ins = static_cast<int64_t>(loop.in.size());
  c.set(a.in, slices(loop.in, true));
  a.outs = static_cast<int64_t>(loop.out.size());
  c.set(a.out, slices(loop.out, false));

  a.fault_count = w.first_fault - program.work[w.control->first_nested].first_fault;
  if (a.fault_count > 0) {
    c.set(a.faults, c.fault(""));  // those of the body, one after another
    c.set(a.any, c.table<uint32_t>(a.fault_count, [](uint32_t*) {}));
  }
  c.run(kLoopRow);
  return std::move(c).finish();
}

}  // namespace tern
