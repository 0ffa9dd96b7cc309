// See seal_weights.h.
#include "runtime/seal_weights.h"

#include <map>
#include <utility>
#include <vector>

#include "runtime/base/sealed.h"

namespace tern {

void seal_weights(std::span<Graph* const> graphs) {
  std::map<std::pair<const std::byte*, size_t>, std::vector<Tensor*>> weights;  // all that are the same bytes
  std::vector<Graph*> open(graphs.begin(), graphs.end());
  while (!open.empty()) {
    Graph& g = *open.back();
    open.pop_back();
    for (Value& v : g.values) {
      Tensor& t = v.constant;
      if (t.present() && t.dtype() != DType::string && t.bytes() >= kWorthMapping && !is_mapped(t.storage())) {
        weights[{t.raw(), t.bytes()}].push_back(&t);
      }
    }
    for (Graph& inner : g.subgraphs) open.push_back(&inner);
  }
  for (auto& [place, tensors] : weights) {
    const Tensor moved = sealed(*tensors.front());
    for (Tensor* t : tensors) *t = Tensor(t->dtype(), t->dims(), moved.storage());
  }
}

}  // namespace tern
