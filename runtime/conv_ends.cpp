// See conv_ends.h.
#include "runtime/conv_ends.h"

#include <algorithm>
#include <numeric>

#include "kernels/movement/movement.h"
#include "runtime/layout_query.h"

namespace tern {
namespace {

bool moves_channel(const Node& n, bool from_end, bool to_end) {
  if (n.op != &kTranspose) return false;
  std::vector<int64_t> perm = n.read().ints("perm"), moved(perm.size());
  if (perm.size() < 3) return false;
  std::iota(moved.begin(), moved.end(), 0);
  const int64_t channel = from_end ? moved.back() : moved[1];
  moved.erase(std::find(moved.begin(), moved.end(), channel));
  moved.insert(to_end ? moved.end() : moved.begin() + 1, channel);
  return perm == moved;
}

class Absorber {
 public:
  explicit Absorber(Graph& graph) : g_(graph), by_(producers(graph)), uses_(use_counts(graph)), readers_(graph.values.size()) {
    for (size_t n = 0; n < g_.nodes.size(); ++n) {
      for (ValueId v : g_.nodes[n].inputs) {
        if (v != kNone) readers_[static_cast<size_t>(v)].push_back(n);
      }
    }
  }
  void run() {
    for (Node& n : g_.nodes) absorb_last(n);
    for (Node& n : g_.nodes) absorb_first(n);
    uses_ = use_counts(g_);
    std::erase_if(g_.nodes,
                  [&](const Node& n) { return n.op == nullptr || (puts_channels_first(n) && uses_[static_cast<size_t>(n.outputs[0])] == 0); });
  }

 private:
  // What n is with its channels last on this side, too; nothing when it cannot be, or is so.
  std::optional<LastForm> turned(const Node& n, int64_t side) const {
    if (n.op == nullptr || n.op->channels_last == nullptr || n.outputs.size() != 1 || n.outputs[0] == kNone) return std::nullopt;
    const auto form = n.op->channels_last(layout_query(g_, n));
    return form && form->apart && (n.attrs.i("channels_last") & side) == 0 ? form : std::nullopt;
  }
  static void set_last(Node& n, LastForm form, int64_t side) {
    n.op = form.op;
    form.attrs.set("channels_last", form.attrs.i("channels_last") + side);
    n.attrs = std::move(form.attrs);
  }

  // What the Transpose behind convolution n gives, n gives itself.
  void absorb_last(Node& n) {
    auto form = turned(n, kLastY);
    if (!form) return;
    const ValueId v = n.outputs[0];
    const std::vector<size_t>& readers = readers_[static_cast<size_t>(v)];
    if (static_cast<size_t>(uses_[static_cast<size_t>(v)]) != readers.size() || readers.size() > 2) return;  // others are outputs and subgraphs
    const auto at = std::find_if(readers.begin(), readers.end(), [&](size_t r) { return puts_channels_last(g_.nodes[r]); });
    if (at == readers.end()) return;
    Node& transpose = g_.nodes[*at];
    for (size_t r : readers) {
      if (r == *at) continue;
      Node& other = g_.nodes[r];
      auto too = turned(other, kLastX);
      if (!too || std::count(other.inputs.begin(), other.inputs.end(), v) != 1 || other.inputs[0] != v) return;
      other.inputs[0] = transpose.outputs[0];
      set_last(other, std::move(*too), kLastX);
    }
    n.outputs[0] = transpose.outputs[0];
    set_last(n, std::move(*form), kLastY);
    transpose.op = nullptr;
  }

  // What the Transpose before convolution n reads, n reads itself.
  void absorb_first(Node& n) {
    auto form = turned(n, kLastX);
    if (!form) return;
    const ValueId v = n.inputs[0];
    const NodeId by = by_[static_cast<size_t>(v)];
    if (by == kNone || g_.nodes[static_cast<size_t>(by)].op == nullptr || !puts_channels_first(g_.nodes[static_cast<size_t>(by)])) return;
    if (form->copies && uses_[static_cast<size_t>(v)] != 1) return;
    n.inputs[0] = g_.nodes[static_cast<size_t>(by)].inputs[0];
    set_last(n, std::move(*form), kLastX);
  }

  Graph& g_;
  std::vector<NodeId> by_;
  std::vector<int32_t> uses_;
  std::vector<std::vector<size_t>> readers_;  // nodes, once an input
};

}  // namespace

bool puts_channels_first(const Node& n) { return moves_channel(n, true, false); }
bool puts_channels_last(const Node& n) { return moves_channel(n, false, true); }

void absorb_transposes(Graph& graph) { Absorber(graph).run(); }

}  // namespace tern
