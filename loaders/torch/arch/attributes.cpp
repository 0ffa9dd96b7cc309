// Attributes and indices: self.conv, self.layers[0], x.shape, x[:, 1]. See interpret.h. Next: calls.cpp.
#include <cmath>

#include "loaders/torch/arch/interpret.h"
#include "loaders/torch/module/dtypes.h"

namespace tern::torch {
namespace {

// math.pi, torch.float32, torch.newaxis …
std::optional<IValue> constant_named(const std::string& dotted) {
  const size_t dot = dotted.rfind('.');
  const std::string space = dotted.substr(0, dot), name = dotted.substr(dot + 1);
  if (space != "torch" && space != "math" && space != "np" && space != "numpy") return std::nullopt;
  if (name == "pi") return IValue(3.141592653589793);
  if (name == "e") return IValue(2.718281828459045);
  if (name == "tau") return IValue(6.283185307179586);
  if (name == "inf") return IValue(double(INFINITY));
  if (name == "nan") return IValue(double(NAN));
  if (name == "newaxis") return IValue();
  if (space == "math") return std::nullopt;
  if (name == "contiguous_format" || name == "channels_last" || name == "channels_last_3d" || name == "preserve_format" || name == "strided")
    return IValue(name);
  if (auto dtype = dtype_named("torch." + name)) return IValue(*dtype);
  return std::nullopt;
}

}  // namespace

IValue Interpreter::weight(const std::string& path, const Place& place) {
  const Builder::Position before = b_.exchange_position({function_->source.get(), place});
  const ValueId v = network_.weights.get(b_, path);
  b_.exchange_position(before);
  return IValue::tensor(v);
}

IValue Interpreter::attribute(const Expression& e) {
  const IValue object = value(*e.parts[0]);
  if (!ok()) return {};
  if (object.is_tensor()) return attribute_of_tensor(object, e.text, e.place);
  if (const auto* c = object.get<IValue::Callable>()) {
    if (c->module) return attribute_of_module(*c, e.text, e.place);
    const std::string dotted = c->name + "." + e.text;
    if (auto constant = constant_named(dotted)) return *constant;
    if (c->name == "torch.device" && e.text == "type") return std::string("cpu");
    return IValue::Callable{nullptr, dotted};
  }
  if (const auto* d = object.get<IValue::Dict>()) {  // torch.finfo(x.dtype).min
    for (const auto& [key, item] : *d->items) {
      if (key == e.text) return item;
    }
  }
  if (const auto* dtype = object.get<DType>(); dtype != nullptr && e.text == "is_floating_point") return is_float(*dtype);
  return fail(e.place, std::string("the attribute ") + printable(e.text) + " of " + object.kind() + " is not known");
}

// In this order: a child; an attribute that the tree has as a literal; a weight of that path; a constant of the class; a method.
IValue Interpreter::attribute_of_module(const IValue::Callable& c, const std::string& name, const Place& place) {
  const Module& m = *c.module;
  const std::string path = join(c.name, name);
  if (!spend(place, static_cast<int64_t>(m.children.size()))) return {};
  for (const auto& [key, child] : m.children) {
    if (key == name) return IValue::Callable{child, path};
  }
  if (network_.weights.has(path)) return weight(path, place);
  const Layer* layer = find_layer(m);
  if (layer != nullptr && (name == "weight" || name == "bias")) return {};  // it has none
  if (layer != nullptr && has_parameter(layer->signature, name)) {
    const IValues nothing;
    const Named no_names;
    return LayerCall(network_, m, c.name, nothing, no_names).option(name);
  }
  if (const Literal* literal = m.arg(name)) return from_literal(*literal);
  for (const Module::Own& own : m.tensors) {
    if (own.name == name && !own.tensor) return {};  // registered as None
    if (own.name == name) return weight(path, place);
  }
  if (name == "training") return false;
  if (const IValue* constant = program_.constant(m.cls, name)) return *constant;
  if (auto known = program_.children.find(m.cls); known != program_.children.end() && known->second.contains(name)) return {};
  if (m.cls == "ParameterList" || m.cls == "ParameterDict") return fail(place, "there is no weight " + printable(path));
  return fail(place, "self." + printable(name) + ": " + m.cls + (c.name.empty() ? std::string() : " (" + printable(c.name) + ")") +
                         " has no module, weight or attribute of that name; a number can be given in its class: def __init__(self): self." +
                         printable(name) + " = …");
}

IValue Interpreter::attribute_of_tensor(const IValue& x, const std::string& name, const Place& place) {
  if (name == "shape") {
    IValues sizes;
    const int rank = b_.rank(x.id());
    for (int axis = 0; axis < rank; ++axis) sizes.push_back(b_.size(x.id(), axis));
    return IValue::tuple(std::move(sizes));
  }
  if (name == "ndim") return Int(b_.rank(x.id()));
  if (name == "dtype") return b_.dtype(x.id());
  if (name == "device") return IValue::Callable{nullptr, "torch.device"};
  if (name == "data") return x;
  if (name == "is_cuda" || name == "requires_grad" || name == "is_sparse" || name == "is_quantized") return false;
  if (name == "T" || name == "mT" || name == "H" || name == "mH" || name == "real") return call_operator("Tensor." + name, {x}, {}, place);
  return fail(place, "the attribute " + printable(name) + " of a tensor is not supported", Code::kUnsupported);
}

IValue Interpreter::index(const Expression& e) {
  const IValue object = value(*e.parts[0]), at = ok() ? value(*e.parts[1]) : IValue();
  return ok() ? index_of(object, at, e.place) : IValue();
}

namespace {

// The bounds of a slice of `n` items, clamped as Python's.
bool range_of(const IValues& parts, int64_t n, std::vector<int64_t>& out) {
  int64_t bounds[3] = {0, n, 1};
  for (size_t i = 0; i < 3; ++i) {
    if (parts[i].is_none()) continue;
    const auto* known = parts[i].get<Int>();
    if (known == nullptr || !known->known()) return false;
    bounds[i] = known->value();
  }
  const int64_t step = bounds[2];
  if (step == 0 || step == INT64_MIN) return false;
  if (step < 0 && parts[0].is_none()) bounds[0] = n - 1;
  auto clamp = [&](int64_t i) { return std::min(std::max(i < 0 ? i + n : i, step < 0 ? int64_t(-1) : int64_t(0)), step < 0 ? n - 1 : n); };
  const int64_t first = clamp(bounds[0]), last = step < 0 && parts[1].is_none() ? -1 : clamp(bounds[1]);
  for (int64_t i = first; step > 0 ? i < last : i > last; i += step) {
    out.push_back(i);
    if (step > n || step < -n) break;
  }
  return true;
}

}  // namespace

IValue Interpreter::index_of(const IValue& object, const IValue& at, const Place& place) {
  if (object.is_tensor()) return call_operator("operator.getitem", {object, at}, {}, place);
  const auto* n = at.get<Int>();
  if (const auto* d = object.get<IValue::Dict>()) {
    if (const auto* key = at.get<std::string>()) {
      if (!spend(place, static_cast<int64_t>(d->items->size()))) return {};
      for (const auto& [name, item] : *d->items) {
        if (name == *key) return item;
      }
      return fail(place, "the dict has no key '" + printable(*key) + "'");
    }
    return fail(place, std::string("a dict is indexed by strings, not by ") + at.kind());
  }
  const auto* c = object.get<IValue::Callable>();
  const bool module = c != nullptr && c->module;
  if (!module && object.items() == nullptr) return fail(place, std::string(object.kind()) + " cannot be indexed");
  if (module && at.get<std::string>() != nullptr) {
    const std::string& key = *at.get<std::string>();
    const std::string path = join(c->name, key);
    for (const auto& [name, child] : c->module->children) {
      if (name == key) return IValue::Callable{child, path};
    }
    if (network_.weights.has(path)) return weight(path, place);
    return fail(place, c->module->cls + " has no module '" + printable(key) + "'");
  }
  IValues of_module;
  if (module) of_module = elements(object, place);
  const IValues& items = module ? of_module : *object.items();
  if (!ok()) return {};
  const auto count = static_cast<int64_t>(items.size());
  if (n != nullptr) {
    if (!n->known()) return fail(place, "this index must be known while the model is loaded", Code::kUnsupported);
    const int64_t i = n->value() < 0 ? n->value() + count : n->value();
    if (i < 0 || i >= count) return fail(place, "index " + std::to_string(n->value()) + " is outside of " + std::to_string(count) + " items");
    return items[static_cast<size_t>(i)];
  }
  if (const auto* slice = at.get<IValue::Slice>()) {
    std::vector<int64_t> which;
    if (!range_of(*slice->parts, count, which)) return fail(place, "the bounds of this slice must be known integers, and its step not zero");
    IValues some;
    for (int64_t i : which) some.push_back(items[static_cast<size_t>(i)]);
    const auto* s = object.get<IValue::Sequence>();
    if (module && (c->module->cls == "Sequential" || c->module->extends == "Sequential")) return sequential(*c, which);
    return s != nullptr && s->tuple ? IValue::tuple(std::move(some)) : IValue::list(std::move(some));
  }
  return fail(place, std::string("an index must be an int or a slice, not ") + at.kind());
}

// self.layers[2:]: a Sequential of these children, which keep their names and so their weights.
IValue Interpreter::sequential(const IValue::Callable& c, const std::vector<int64_t>& which) {
  auto part = std::make_shared<Module>();
  part->cls = "Sequential";
  part->pickled = c.module->pickled;
  part->place = c.module->place;
  for (int64_t i : which) part->children.push_back(c.module->children[static_cast<size_t>(i)]);
  return IValue::Callable{std::move(part), c.name};
}

void Interpreter::put(const IValue& object, const IValue& at, const IValue& v, const Place& place) {
  if (object.is_tensor()) {
    fail(place, "an assignment to a part of a tensor (x[…] = …) is not supported; torch.cat or torch.where make a new one", Code::kUnsupported);
    return;
  }
  if (!walkable(v, place)) return;
  const auto* dict = v.get<IValue::Dict>();
  const bool empty = (v.items() != nullptr && v.items()->empty()) || (dict != nullptr && dict->items->empty());
  if (!empty && holds_list(v)) {
    fail(place, "a list or a dict cannot be put into another one here; write it as a whole: [a, b]", Code::kUnsupported);
    return;
  }
  if (const auto* d = object.get<IValue::Dict>(); d != nullptr && at.get<std::string>() != nullptr) {
    if (!spend(place, static_cast<int64_t>(d->items->size()))) return;
    for (auto& [key, item] : *d->items) {
      if (key == *at.get<std::string>()) return void(item = v);
    }
    d->items->emplace_back(*at.get<std::string>(), v);
    return;
  }
  const auto* s = object.get<IValue::Sequence>();
  const auto* n = at.get<Int>();
  if (s != nullptr && !s->tuple && n != nullptr && n->known()) {
    const auto count = static_cast<int64_t>(s->items->size());
    const int64_t i = n->value() < 0 ? n->value() + count : n->value();
    if (i < 0 || i >= count) return void(fail(place, "index " + std::to_string(n->value()) + " is outside of " + std::to_string(count) + " items"));
    (*s->items)[static_cast<size_t>(i)] = v;
    return;
  }
  fail(place, std::string("an item of ") + object.kind() + " cannot be assigned by " + at.kind());
}

}  // namespace tern::torch
