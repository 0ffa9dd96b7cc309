// See choose.h.
#include "runtime/transposes/choose.h"

#include <algorithm>
#include <numeric>

namespace tern::transposes {
namespace {

constexpr double kSymbol = 32;
// Of as many elements fewer Transposes are better, and then fewer views. Powers of two, so that sums of them and of elements are exact.
constexpr double kCostOfTranspose = 1.0 / 16, kCostOfView = 1.0 / 1024;
constexpr double kBeforeDepthwise = 1.0 / 4;

bool is_depthwise(const Graph& g, const Node& n) {
  const Shape* w = std::string_view(n.op->name) == "Conv" ? &g.value(n.inputs[1]).type.shape : nullptr;
  return w != nullptr && w->ranked() && w->rank() > 1 && (*w)[1].is(1) && n.read().i("group") > 1;
}

double elements(const Shape& shape) {
  double n = 1;
  for (const Dim& d : shape.dims()) n *= d.known() ? static_cast<double>(d.value()) : kSymbol;
  return n;
}

size_t place_in(const Labels& candidate, Label label) {
  return static_cast<size_t>(std::find(candidate.begin(), candidate.end(), label) - candidate.begin());
}

// Does the candidate have these labels in that order? Those that it lacks do not count, but for `all`.
bool agrees(const Labels& candidate, std::span<const Label> sequence, bool all) {
  size_t least = 0;
  for (Label l : sequence) {
    const size_t at = place_in(candidate, l);
    if (at == candidate.size() && !all) continue;
    if (at < least || at == candidate.size()) return false;
    least = at + 1;
  }
  return true;
}

// Adds what is missing of a sequence that agrees, behind what precedes it there.
void merge(Labels& candidate, std::span<const Label> sequence) {
  size_t next = 0;
  for (Label l : sequence) {
    const size_t at = place_in(candidate, l);
    if (at == candidate.size()) candidate.insert(candidate.begin() + static_cast<int64_t>(next), l);
    else next = at;
    ++next;
  }
}

}  // namespace

Orders::Orders(const Graph& graph, Groups& groups)
    : g_(graph),
      groups_(groups),
      candidates_(groups.members.size()),
      kept_(groups.members.size(), true),
      state_(graph.nodes.size(), 0),
      allowed_(graph.nodes.size(), 0),
      placed_(graph.values.size()) {
  gather_candidates();
  groups.keep(kept_);
  complete_candidates();
  place_values();
  count_readers();
  begin();
  for (int round = 0; round < kRounds; ++round) {
    for (size_t n = g_.nodes.size(); n-- > 0;) improve(n, true);
    for (size_t n = 0; n < g_.nodes.size(); ++n) improve(n, false);
  }
}

ValueId Orders::root(ValueId v) const {
  const auto& from = groups_.sources[static_cast<size_t>(v)];
  return from ? from->root : v;
}

int Orders::candidate(int32_t group, std::span<const Label> sequence) {
  auto& all = candidates_[static_cast<size_t>(group)];
  for (bool whole : {true, false}) {
    for (size_t c = 0; c < all.size(); ++c) {
      if (!agrees(all[c], sequence, whole)) continue;
      merge(all[c], sequence);
      return static_cast<int>(c);
    }
  }
  if (all.size() == kMost) {
    kept_[static_cast<size_t>(group)] = false;
    return 0;
  }
  all.emplace_back(sequence.begin(), sequence.end());
  return static_cast<int>(all.size()) - 1;
}
int Orders::candidate_of(ValueId v) { return candidate(groups_.group(v), groups_.labels(v)); }

void Orders::gather_candidates() {
  auto ask = [&](ValueId v) {
    if (v != kNone && groups_.group(v) != kNone) candidate_of(v);
  };
  for (ValueId v : g_.inputs) ask(v);
  for (size_t n = 0; n < g_.nodes.size(); ++n) {
    const Node& node = g_.nodes[n];
    if (groups_.dissolved[n]) continue;
    if (groups_.moves(static_cast<NodeId>(n))) {
      const Labels own = groups_.labels(node, *groups_.frames[n]);
      state_[n] = static_cast<int8_t>(candidate(groups_.group_of(own[0]), own));
      continue;
    }
    for (ValueId v : node.inputs) ask(v);
    for (ValueId v : node.outputs) ask(v);
  }
  for (ValueId v : g_.outputs) ask(v);
}

// Labels that no value has together with those of a candidate stand there behind what they stand behind in another candidate.
void Orders::complete_candidates() {
  for (size_t i = 0; i < candidates_.size(); ++i) {
    for (Labels& c : candidates_[i]) {
      for (const Labels& other : candidates_[i]) {
        for (size_t l = 0; l < other.size(); ++l) {
          if (place_in(c, other[l]) < c.size()) continue;
          const size_t at = l == 0 ? 0 : place_in(c, other[l - 1]) + 1;
          c.insert(c.begin() + static_cast<int64_t>(at), other[l]);
        }
      }
      for (Label l : groups_.members[i]) {
        if (place_in(c, l) == c.size()) c.push_back(l);
      }
    }
  }
  allow_orders();
}

// Which candidates each node may be computed in.
void Orders::allow_orders() {
  for (size_t n = 0; n < g_.nodes.size(); ++n) {
    if (!groups_.moves(static_cast<NodeId>(n))) continue;
    const Frame& frame = *groups_.frames[n];
    const Rule& rule = *find_rule(*g_.nodes[n].op);
    const int32_t group = groups_.group_of(groups_.labels(g_.nodes[n], frame)[0]);
    const int8_t written = state_[n];
    for (size_t c = 0; c < candidates_[static_cast<size_t>(group)].size(); ++c) {
      state_[n] = static_cast<int8_t>(c);
      if (rule.keeps_bits == nullptr || rule.keeps_bits(g_, g_.nodes[n], frame, order(static_cast<NodeId>(n)))) allowed_[n] |= 1u << c;
    }
    state_[n] = written;
  }
}

void Orders::place_values() {
  for (size_t v = 0; v < g_.values.size(); ++v) {
    const auto id = static_cast<ValueId>(v);
    const int32_t group = groups_.group(id);
    if (group == kNone || root(id) != id) continue;
    const auto& candidates = candidates_[static_cast<size_t>(group)];
    Placed& p = placed_[v];
    p.elements = elements(g_.values[v].type.shape);
    std::vector<Labels> exact, counted;
    for (size_t c = 0; c < candidates.size(); ++c) {
      std::vector<size_t> axes(groups_.labels(id).size());
      std::iota(axes.begin(), axes.end(), 0);
      auto place = [&](size_t axis) { return place_in(candidates[c], groups_.labels(id)[axis]); };
      std::sort(axes.begin(), axes.end(), [&](size_t a, size_t b) { return place(a) < place(b); });
      exact.emplace_back(axes.begin(), axes.end());
      std::erase_if(axes, [&](size_t a) { return is_one(g_, id, static_cast<int>(a)); });
      counted.emplace_back(axes.begin(), axes.end());
      p.exact[c] = static_cast<int8_t>(std::find(exact.begin(), exact.end(), exact.back()) - exact.begin());
      p.counted[c] = static_cast<int8_t>(std::find(counted.begin(), counted.end(), counted.back()) - counted.begin());
    }
    p.lies = p.exact[candidate_of(id)];  // as long as no node that moves says otherwise
  }
}

void Orders::count_readers() {
  auto want = [&](ValueId v, bool by_depthwise) {
    if (v == kNone || groups_.group(v) == kNone) return;
    Placed& p = placed(root(v));
    const int8_t order = p.exact[candidate_of(v)];
    ++p.wanted[order];
    p.by_depthwise[order] += by_depthwise;
  };
  for (size_t n = 0; n < g_.nodes.size(); ++n) {
    const Node& node = g_.nodes[n];
    if (groups_.dissolved[n]) continue;
    if (groups_.moves(static_cast<NodeId>(n))) {
      for (ValueId v : roots(node.outputs, groups_.frames[n]->out)) placed(v).lies = placed(v).exact[state_[n]];
      read(n, 1);
    } else if (std::string_view(node.op->name) != "Shape") {
      for (size_t i = 0; i < node.inputs.size(); ++i) want(node.inputs[i], i == 0 && is_depthwise(g_, node));
    }
  }
  for (ValueId v : g_.outputs) want(v, false);
}

// The values that a node reads or writes as data, each once.
std::vector<ValueId> Orders::roots(const std::vector<ValueId>& operands, const std::vector<Order>& axes) const {
  std::vector<ValueId> all;
  for (size_t i = 0; i < axes.size(); ++i) {
    if (!axes[i].empty() && groups_.group(operands[i]) != kNone) all.push_back(root(operands[i]));
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

void Orders::read(size_t n, int32_t by) {
  for (ValueId v : roots(g_.nodes[n].inputs, groups_.frames[n]->in)) placed(v).wanted[placed(v).exact[state_[n]]] += by;
}

void Orders::move(size_t n, int to) {
  read(n, -1);
  state_[n] = static_cast<int8_t>(to);
  read(n, 1);
  for (ValueId v : roots(g_.nodes[n].outputs, groups_.frames[n]->out)) placed(v).lies = placed(v).exact[to];
}

double Orders::cost_in(const Placed& p, size_t order) {
  if (p.wanted[order] == 0 || static_cast<int8_t>(order) == p.lies) return 0;
  if (p.counted[order] == p.counted[p.lies]) return kCostOfView;
  const bool in_place = p.wanted[order] == 1 && p.by_depthwise[order] == 1;
  return (in_place ? kBeforeDepthwise : 1) * p.elements + kCostOfTranspose;
}

double Orders::cost(const std::vector<ValueId>& values) const {
  double sum = 0;
  for (ValueId v : values) {
    for (size_t c = 0; c < kMost; ++c) sum += cost_in(placed_[static_cast<size_t>(v)], c);
  }
  return sum;
}

// Each group begins where it costs least: as it was written, or with all of its nodes in one candidate, as far as that keeps their bits.
void Orders::begin() {
  const std::vector<int8_t> written = state_;
  std::vector<double> least = costs();
  std::vector<int8_t> best(groups_.members.size(), -1);
  auto move_all = [&](auto candidate) {
    for (size_t n = 0; n < g_.nodes.size(); ++n) {
      if (!groups_.moves(static_cast<NodeId>(n))) continue;
      const int c = candidate(groups_.group_of(groups_.labels(g_.nodes[n], *groups_.frames[n])[0]));
      move(n, c >= 0 && (allowed_[n] >> c & 1) ? c : written[n]);
    }
  };
  for (int c = 0; c < static_cast<int>(kMost); ++c) {
    move_all([&](int32_t) { return c; });
    const std::vector<double> now = costs();
    for (size_t i = 0; i < now.size(); ++i) {
      if (now[i] >= least[i]) continue;
      least[i] = now[i];
      best[i] = static_cast<int8_t>(c);
    }
  }
  move_all([&](int32_t group) { return best[static_cast<size_t>(group)]; });
}

// Of each group.
std::vector<double> Orders::costs() const {
  std::vector<double> of(groups_.members.size(), 0);
  for (size_t v = 0; v < g_.values.size(); ++v) {
    const auto id = static_cast<ValueId>(v);
    if (groups_.group(id) != kNone && root(id) == id) of[static_cast<size_t>(groups_.group(id))] += cost({id});
  }
  return of;
}

// Moves the node to where the sum is least and, of such, its own side is.
void Orders::improve(size_t n, bool towards_readers) {
  if (!groups_.moves(static_cast<NodeId>(n)) || allowed_[n] == 0) return;
  const auto in = roots(g_.nodes[n].inputs, groups_.frames[n]->in), out = roots(g_.nodes[n].outputs, groups_.frames[n]->out);
  auto now = [&] {
    const double before = cost(in), behind = cost(out);
    return std::pair(before + behind, towards_readers ? behind : before);
  };
  int best = state_[n];
  auto least = now();
  for (int c = 0; c < static_cast<int>(kMost); ++c) {
    if (!(allowed_[n] >> c & 1)) continue;
    move(n, c);
    if (const auto is = now(); is < least) {
      least = is;
      best = c;
    }
  }
  move(n, best);
}

Order Orders::order(NodeId n) const {
  const Labels own = groups_.labels(g_.node(n), *groups_.frames[static_cast<size_t>(n)]);
  const Labels& candidate = candidates_[static_cast<size_t>(groups_.group_of(own[0]))][static_cast<size_t>(state_[static_cast<size_t>(n)])];
  Order order(own.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    return place_in(candidate, own[static_cast<size_t>(a)]) < place_in(candidate, own[static_cast<size_t>(b)]);
  });
  return order;
}

}  // namespace tern::transposes
