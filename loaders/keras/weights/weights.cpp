// See weights.h.
#include "loaders/keras/weights/weights.h"

namespace tern::keras {
namespace {

std::string text(const std::vector<int64_t>& dims) {
  std::string out;
  for (int64_t n : dims) out += (out.empty() ? "" : ",") + (n == kAnySize ? std::string("?") : std::to_string(n));
  return "[" + out + "]";
}

}  // namespace

bool fits(const std::vector<int64_t>& have, const std::vector<int64_t>& want) {
  return std::equal(have.begin(), have.end(), want.begin(), want.end(), [](int64_t h, int64_t w) { return w == kAnySize || h == w; });
}

Weights Weights::child(std::string_view attribute, std::string_view name) const {
  WeightPlace place = place_;
  place.path += (place.path.empty() ? "" : "/") + std::string(attribute);
  place.names.emplace_back(name);
  return Weights(*shared_, std::move(place));
}

Weights::Shared::Known* Weights::look(std::string_view name, const std::vector<int64_t>& dims) {
  if (!shared_->b.ok()) return nullptr;
  const std::string key = place_.path + "/" + std::string(name);
  if (auto known = shared_->known.find(key); known != shared_->known.end()) return &known->second;
  const size_t index = shared_->next[place_.path];
  auto found = shared_->source.find(place_, name, index, dims);
  for (auto at = shared_->elsewhere.begin(); found && !*found && at != shared_->elsewhere.end(); ++at) {
    const std::string& path = place_.path;
    if (path != at->first && !path.starts_with(at->first + "/")) continue;
    found = shared_->source.find({at->second + path.substr(at->first.size()), place_.names}, name, index, dims);
  }
  if (!found) {
    shared_->b.fail(found.error().within("weight " + std::string(name)));
    return nullptr;
  }
  if (!*found) return nullptr;
  ++shared_->next[place_.path];
  return &shared_->known.emplace(key, Shared::Known{kNone, std::move(**found)}).first->second;
}

ValueId Weights::get(std::string_view name, const std::vector<int64_t>& dims, bool trainable) {
  Shared::Known* known = look(name, dims);
  GraphBuilder& b = shared_->b;
  if (!b.ok()) return kNone;
  const std::string what = "weight " + std::string(name);
  if (known == nullptr) return b.fail(invalid(what + " is not in the file, where " + text(dims) + " is expected"));
  if (!fits(known->stored->sizes, dims))
    return b.fail(invalid(what + " is " + text(known->stored->sizes) + " in the file, and " + text(dims) + " in the model"));
  if (known->value != kNone) return known->value;
  auto tensor = dense(*known->stored, shared_->budget);
  if (!tensor) return b.fail(tensor.error().within(what));
  WeightCounts& counts = shared_->counts[shared_->counted];
  (trainable ? counts.trainable : counts.fixed) += tensor->count();
  return known->value = b.constant(std::move(*tensor), b.scope() + "." + std::string(name));
}

std::optional<std::vector<int64_t>> Weights::dims(std::string_view name) {
  const Shared::Known* known = look(name, {});
  if (known == nullptr) return std::nullopt;
  return known->stored->sizes;
}

DType Weights::dtype(std::string_view name) {
  const Shared::Known* known = look(name, {});
  return known == nullptr ? DType::none : known->stored->dtype;
}

bool Weights::has_asset(std::string_view file) {
  auto found = shared_->source.asset(place_, file);
  return found && *found;
}

std::string Weights::asset(std::string_view file) {
  auto found = shared_->source.asset(place_, file);
  if (!found) return shared_->b.fail(found.error()), std::string();
  if (!*found) return shared_->b.fail(invalid("assets/" + place_.path + "/" + std::string(file) + " is not in the archive")), std::string();
  return std::move(**found);
}

}  // namespace tern::keras
