// See seal_weights.h.
#include "runtime/seal_weights.h"

#include <map>
#include <utility>
#include <vector>

#include "runtime/base/mapping.h"

namespace tern {
namespace {

// A mapping of its own is worth this much; a process may have some 65,000.
constexpr size_t kWorth = size_t(256) << 10;

// Null when there is no sealed file to be had.
std::shared_ptr<const std::byte> sealed_copy(const Tensor& t) {
  auto file = SealedFile::make(t.bytes());
  if (!file || !file->write(t.raw(), 0, t.bytes())) return nullptr;
  auto bytes = std::move(*file).seal();
  return bytes && is_mapped(*bytes) ? std::move(*bytes) : nullptr;
}

}  // namespace

void seal_weights(std::span<Graph* const> graphs) {
  std::map<std::pair<const std::byte*, size_t>, std::vector<Tensor*>> weights;  // all that are the same bytes
  std::vector<Graph*> open(graphs.begin(), graphs.end());
  while (!open.empty()) {
    Graph& g = *open.back();
    open.pop_back();
    for (Value& v : g.values) {
      Tensor& t = v.constant;
      if (t.present() && t.dtype() != DType::string && t.bytes() >= kWorth && !is_mapped(t.storage())) weights[{t.raw(), t.bytes()}].push_back(&t);
    }
    for (Graph& inner : g.subgraphs) open.push_back(&inner);
  }
  for (auto& [place, tensors] : weights) {
    auto bytes = sealed_copy(*tensors.front());
    if (bytes == nullptr) continue;
    for (Tensor* t : tensors) *t = Tensor(t->dtype(), t->dims(), bytes);
  }
}

}  // namespace tern
