// Weights as constants of the graph. See net.h.
#include <algorithm>

#include "kernels/dtype_code.h"
#include "kernels/evaluate.h"
#include "loaders/torch/nn/net.h"
#include "loaders/torch/nn/parametrize.h"

namespace tern::torch {

bool Weights::has(std::string_view name) const {
  return names_.contains(name) || parametrized(name, [&](const std::string& part) { return names_.contains(part); });
}

const StoredTensor* Weights::stored(std::string_view name) const {
  auto it = names_.find(name);
  return it == names_.end() ? nullptr : it->second;
}

namespace {

// parameter.copy_(tensor), of another dtype.
Result<Tensor> copied(Tensor tensor, DType to) {
  Attributes attrs;
  attrs.set("to", int64_t(code_of(to)));
  auto out = evaluate(*find_op("Cast"), attrs, {&tensor, 1}, 1, {.budget = INT64_MAX});
  if (!out) return out.error();
  normalize_elements(to, (*out)[0].mutable_raw(), (*out)[0].count());
  return std::move((*out)[0]);
}

}  // namespace

// A mapped tensor costs nothing. Copies may take every byte of a storage once, and the budget; what another dtype adds is in proportion.
Result<Tensor> Weights::spend(const StoredTensor& stored) {
  auto made = take(stored);
  return made && stored.used_as() != stored.dtype ? copied(std::move(*made), stored.used_as()) : std::move(made);
}

Result<Tensor> Weights::take(const StoredTensor& stored) {
  auto made = dense(stored, budget_);
  if (!made || !stored.storage || made->bytes() == 0) return made;
  const std::span<const std::byte> bytes = stored.storage->bytes;
  if (made->raw() >= bytes.data() && made->raw() < bytes.data() + bytes.size()) return made;
  int64_t& unused = unused_.emplace(bytes.data(), static_cast<int64_t>(bytes.size())).first->second;
  const auto cost = static_cast<int64_t>(made->bytes()), from_storage = std::min(cost, unused);
  if (cost - from_storage > budget_) return invalid("views of one storage repeat its bytes beyond the budget");
  unused -= from_storage;
  budget_ -= cost - from_storage;
  return made;
}

ValueId Weights::get(Builder& b, std::string_view name, int dim, DType beside) {
  if (!b.ok()) return kNone;
  const StoredTensor* t = stored(name);
  std::optional<StoredTensor> as_stored;
  if (t != nullptr && t->copied_to != DType::none && is_float(beside) && t->dtype == beside) {
    as_stored = *t;
    as_stored->copied_to = DType::none;
  } else if (auto known = made_.find(name); known != made_.end()) {
    return known->second;
  }
  const std::string text(name);
  const auto split = parametrized(name, [&](const std::string& part) { return names_.contains(part); });
  if (as_stored && !split) {
    auto tensor = spend(*as_stored);
    return tensor ? b.constant(std::move(*tensor), text) : b.fail(tensor.error().within("weight " + text));
  }
  if (t != nullptr && !split) {  // a hook leaves the weight that it computed last beside its parts
    const std::byte* first = t->storage ? t->storage->bytes.data() + t->offset * t->element_size : nullptr;
    auto [begin, end] = constants_.equal_range(first);
    for (auto it = begin; it != end; ++it) {
      if (same_view(*it->second.first, *t)) return made_[text] = it->second.second;
    }
    auto tensor = spend(*t);
    if (!tensor) return b.fail(tensor.error().within("weight " + text));
    const ValueId v = b.constant(std::move(*tensor), text);
    constants_.emplace(first, std::pair(t, v));
    return made_[text] = v;
  }
  if (!split) return b.fail(invalid("weight " + text + " is missing"));
  std::vector<Tensor> parts;
  for (const std::string& part : split->names) {
    auto tensor = spend(*stored(part));
    if (!tensor) return b.fail(tensor.error().within("weight " + part));
    parts.push_back(std::move(*tensor));
  }
  auto folded = fold(split->kind, parts, dim);
  if (!folded) return b.fail(folded.error().within("weight " + text));
  return made_[text] = b.constant(std::move(*folded), text);
}

}  // namespace tern::torch
