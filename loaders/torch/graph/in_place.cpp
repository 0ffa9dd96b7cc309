// Tensors that are changed in place while a graph is built. A value of the graph never changes, so whoever holds the old one gets the new
// one when it is read, and only then is done what that takes: a view of what changed is made again, a view that changed is put back into
// its whole. Forwards and exported programs both come here. See builder.h.
#include "loaders/torch/graph/builder.h"

namespace tern::torch {
namespace {

constexpr int kMostDepth = 100;                   // of views of views
constexpr int64_t kMostSteps = int64_t(1) << 22;  // a real program has few views of a tensor that it changes

}  // namespace

std::vector<ValueId> Builder::origins(ValueId v) const {
  std::vector<ValueId> chain{v};
  for (auto view = views_.find(v); view != views_.end(); view = views_.find(chain.back())) chain.push_back(view->second.of);
  return chain;
}

void Builder::change(ValueId before, ValueId now) {
  if (!ok() || before == kNone || before == now) return;
  overwritten_[before] = now;
  changed_[origins(before).back()].push_back(before);
}

void Builder::overwrite(ValueId before, ValueId now) {
  if (!ok() || before == kNone || before == now) return;
  const ValueId owner = origins(before).back();
  const std::string& name = graph.value(owner).name;
  if (graph.is_constant(owner) && !name.substr(name.rfind('.') + 1).starts_with("constant")) {  // a name of its own: a weight
    fail(unsupported("an in-place operation on the weight " + name + " is not supported"));
  } else if (is_view_of(now, before)) {
    fail(unsupported("an operation that changes in place how a tensor is looked at is not supported; write it without in-place"));
  }
  change(before, now);
}

// A change that v does not know: from v and from what changed up to where the two ways meet. Nothing when there is none.
std::optional<Builder::Meeting> Builder::meeting(ValueId v) {
  const std::vector<ValueId> mine = origins(v);
  effort.steps += static_cast<int64_t>(mine.size()) / 16;
  const auto found = changed_.find(mine.back());
  if (found == changed_.end()) return std::nullopt;
  for (ValueId before : found->second) {
    const std::vector<ValueId> theirs = origins(before);
    effort.steps += 1 + static_cast<int64_t>(theirs.size()) / 16;
    size_t i = mine.size() - 1, j = theirs.size() - 1;
    while (i > 0 && j > 0 && mine[i - 1] == theirs[j - 1]) --i, --j;
    if (i > 0 && j > 0 && views_.at(mine[i - 1]).call == views_.at(theirs[j - 1]).call) continue;  // pieces that have nothing in common
    return Meeting{i > 0, j > 0 ? theirs[j - 1] : kNone};
  }
  return std::nullopt;
}

ValueId Builder::current(const ValueId asked, int depth) {
  for (ValueId v = asked;;) {
    for (auto it = overwritten_.find(v); it != overwritten_.end(); it = overwritten_.find(v)) v = it->second;
    if (!ok() || v == kNone) return v;
    if (v != asked) overwritten_[asked] = v;  // the way is short next time
    if (depth >= kMostDepth || effort.steps > kMostSteps) {
      fail(unsupported("too many views of tensors that are changed in place"));
      return v;
    }
    const auto met = meeting(v);
    if (!met) return v;
    effort.steps += 16;
    View how = views_.at(met->is_view ? v : met->part);
    ValueId made = kNone;
    if (met->is_view) {
      const ValueId of = current(how.of, depth + 1);
      if (ok() && how.remake) made = how.remake(of);
    } else {
      const ValueId part = current(met->part, depth + 1);
      if (ok() && how.put_back) made = how.put_back(v, part);
      how.of = made;
      views_.erase(made);  // the new whole owns its elements, though a transpose of the part may have made it
      if (made != kNone) views_.insert_or_assign(part, how);
    }
    if (made == kNone) {
      fail(unsupported("this value shares its elements with one that an in-place operation changed (" + how.by +
                       " shows them); write that operation without in-place"));
      return v;
    }
    overwritten_[v] = made;
  }
}

}  // namespace tern::torch
