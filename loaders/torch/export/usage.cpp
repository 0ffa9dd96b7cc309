// See usage.h.
#include "loaders/torch/export/usage.h"

#include <algorithm>
#include <cstdint>

#include "loaders/torch/export/schema.h"
#include "loaders/torch/ops/operator.h"

namespace tern::torch {
namespace {

// "relu" of "aten.relu.default"; empty for other libraries.
std::string_view base_of(std::string_view op) {
  if (!op.starts_with("aten.")) return {};
  op.remove_prefix(5);
  return op.substr(0, op.find('.'));
}

// Calls f(name) for every value that an argument reads.
template <class F>
void for_each_name(const Json& json, Json::Id argument, F f) {
  const Tagged a = tagged(json, argument);
  auto named = [&](Json::Id object) {
    if (json.is(json.get(object, "name"), Json::Kind::string)) f(text_of(json, object, "name"));
    else if (json.is(json.get(object, "as_name"), Json::Kind::string)) f(text_of(json, object, "as_name"));
  };
  if (json.is(a.value, Json::Kind::array)) {
    for (size_t i = 0; i < json.size(a.value); ++i) {
      const Json::Id item = json.item(a.value, i);
      for (size_t k = 0; json.is(item, Json::Kind::array) && k < json.size(item); ++k) named(json.item(item, k));  // as_nested_tensors
      named(item);
      named(tagged(json, item).value);  // as_optional_tensors
    }
  } else if (a.tag != "as_graph") {  // a graph is given what it reads
    named(a.value);
    named(tagged(json, a.value).value);  // as_optional_tensor
  }
}

}  // namespace

std::string functional_form(std::string_view op) {
  const std::string_view base = base_of(op);
  if (base.size() < 2 || !base.ends_with('_') || base.ends_with("__")) return {};
  return "aten." + std::string(base.substr(0, base.size() - 1)) + std::string(op.substr(5 + base.size()));
}

bool is_check(std::string_view op) {
  const std::string_view base = base_of(op);
  return base.starts_with("_assert") || base.starts_with("sym_constrain_range") || base == "_functional_assert_async" || op == "torch._check" ||
         op == "torch.sym_constrain_range" || op == "torch._check_is_size";
}

std::string operator_of(const Json& json, Json::Id node) {
  std::string_view target = text_of(json, node, "target");
  if (target.starts_with("torch.ops.")) target.remove_prefix(10);
  if (target.starts_with("_operator.")) target.remove_prefix(1);
  return std::string(target);
}

uint32_t Usage::intern(std::string_view text, int64_t made) {
  auto [it, fresh] = by_text_.emplace(text, static_cast<uint32_t>(names_.size()));
  if (fresh) {
    const uint32_t id = it->second;
    names_.push_back({text, made, -1, id, id});
  }
  return it->second;
}

void Usage::define(const Json& json, Json::Id node, int64_t index) {
  const std::string op = operator_of(json, node);
  const Operator* row = find_operator(op);
  const Shares shares = row == nullptr ? Shares::nothing : row->shares;
  changes_ |= !functional_form(op).empty();
  const bool same = shares == Shares::same || !functional_form(op).empty(), view = shares == Shares::view || shares == Shares::perhaps;
  std::string_view source;
  const Json::Id inputs = json.get(node, "inputs");
  if ((same || view) && json.size(inputs) > 0) {
    for_each_name(json, json.get(json.item(inputs, 0), "arg"), [&](std::string_view text) { source = text; });
  }
  const Name* of = source.empty() ? nullptr : find(source);
  const uint32_t of_id = of == nullptr ? 0 : by_text_.find(source)->second;
  const Json::Id outputs = json.get(node, "outputs");
  for (size_t i = 0; i < json.size(outputs); ++i) {
    for_each_name(json, json.item(outputs, i), [&](std::string_view text) {
      const size_t before = names_.size();
      const uint32_t id = intern(text, index);
      if (names_.size() == before || find(source) == nullptr) return;  // a name twice: who runs the node says so
      Name& made = names_[id];
      const Name& from = names_[of_id];
      made.elements = from.elements;
      if (same) made.tensor = from.tensor;
    });
  }
}

const Usage::Name* Usage::find(std::string_view text) const {
  auto it = by_text_.find(text);
  return it == by_text_.end() ? nullptr : &names_[it->second];
}

Usage::Usage(const Json& json, Json::Id graph, const std::vector<Json::Id>& outputs) {
  const Json::Id inputs = json.get(graph, "inputs"), nodes = json.get(graph, "nodes");
  const size_t count = json.size(nodes);
  for (size_t i = 0; i < json.size(inputs); ++i) for_each_name(json, json.item(inputs, i), [&](std::string_view text) { intern(text, -1); });
  for (size_t i = 0; i < count; ++i) define(json, json.item(nodes, i), static_cast<int64_t>(i));
  // From the end: what is read later is needed. A change in place is needed when anything that shares the elements is.
  std::vector<bool> read(names_.size(), false);
  needed_.resize(count, false);
  auto note = [&](std::string_view text, int64_t by) {
    auto it = by_text_.find(text);
    if (it == by_text_.end()) return;
    Name& name = names_[it->second];
    name.last_read = std::max(name.last_read, by);
    read[name.elements] = true;
  };
  for (Json::Id output : outputs) for_each_name(json, output, [&](std::string_view text) { note(text, INT64_MAX); });
  for (size_t i = count; i-- > 0;) {
    const Json::Id node = json.item(nodes, i), results = json.get(node, "outputs"), arguments = json.get(node, "inputs");
    const std::string op = operator_of(json, node);
    if (is_check(op)) continue;
    const bool in_place = !functional_form(op).empty();
    for (size_t k = 0; k < json.size(results); ++k) {
      for_each_name(json, json.item(results, k), [&](std::string_view text) {
        const Name* name = find(text);
        if (name->last_read >= 0 || (in_place && read[name->elements])) needed_[i] = true;
      });
    }
    if (!needed_[i]) continue;
    for (size_t k = 0; k < json.size(arguments); ++k) {
      for_each_name(json, json.get(json.item(arguments, k), "arg"), [&](std::string_view text) { note(text, static_cast<int64_t>(i)); });
    }
  }
}

}  // namespace tern::torch
