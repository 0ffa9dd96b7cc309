// What Python brings itself: len, range, zip, min …; methods of lists and of containers. See interpret.h.
#include <algorithm>
#include <cmath>

#include "loaders/torch/arch/interpret.h"
#include "loaders/torch/module/dtypes.h"
#include "loaders/torch/ops/operator.h"

namespace tern::torch {
namespace {

constexpr int64_t kMostRange = 100000;

constexpr std::string_view kGlobals[] = {"F",    "torch", "nn",    "math",  "operator", "functional", "np",    "numpy",    "len",  "range",     "enumerate", "zip",
                                         "int",  "float", "bool",  "min",   "max",      "abs",        "sum",   "list",     "tuple", "reversed", "isinstance", "getattr",
                                         "hasattr", "round", "all", "any",  "dict",     "slice",      "print", "str",      "Tensor", "Ellipsis", "NotImplemented",
                                         "super", "type", "map", "set"};

std::optional<double> known_number(const IValue& v) {
  if (const auto* flag = v.get<bool>()) return *flag;
  if (const auto* d = v.get<double>()) return *d;
  if (const auto* n = v.get<Int>(); n != nullptr && n->known()) return static_cast<double>(n->value());
  return std::nullopt;
}

IValue limits_of(DType t) {  // torch.finfo, torch.iinfo
  auto of = [](double low, double high, double eps, double tiny) {
    auto items = std::make_shared<std::vector<std::pair<std::string, IValue>>>();
    for (const auto& [name, v] : {std::pair<const char*, double>{"min", low}, {"max", high}, {"eps", eps}, {"tiny", tiny}, {"smallest_normal", tiny}}) items->emplace_back(name, v);
    return IValue(IValue::Dict{items});
  };
  if (t == DType::f64) return of(-1.7976931348623157e308, 1.7976931348623157e308, 2.220446049250313e-16, 2.2250738585072014e-308);
  if (t == DType::f16) return of(-65504, 65504, 0.0009765625, 6.103515625e-05);
  if (t == DType::bf16) return of(-3.3895313892515355e38, 3.3895313892515355e38, 0.0078125, 1.1754943508222875e-38);
  if (t == DType::f32) return of(-3.4028234663852886e38, 3.4028234663852886e38, 1.1920928955078125e-07, 1.1754943508222875e-38);
  if (!is_int(t)) return {};
  auto items = std::make_shared<std::vector<std::pair<std::string, IValue>>>();
  const int bits = static_cast<int>(size_of(t)) * 8;
  const bool with_sign = is_signed_int(t);
  items->emplace_back("min", with_sign ? Int(bits == 64 ? INT64_MIN : -(int64_t(1) << (bits - 1))) : Int(0));
  items->emplace_back("max", with_sign ? Int(bits == 64 ? INT64_MAX : (int64_t(1) << (bits - 1)) - 1) : Int(bits == 64 ? INT64_MAX : (int64_t(1) << bits) - 1));
  return IValue::Dict{items};
}

}  // namespace

bool is_global_name(std::string_view name) { return std::find(std::begin(kGlobals), std::end(kGlobals), name) != std::end(kGlobals); }

bool holds_list(const IValue& v, int depth) {
  if (v.get<IValue::Dict>() != nullptr) return true;
  const auto* s = v.get<IValue::Sequence>();
  if (s == nullptr) return false;
  if (!s->tuple || depth > kDeepest) return true;
  return std::any_of(s->items->begin(), s->items->end(), [&](const IValue& item) { return holds_list(item, depth + 1); });
}

// Is the value an instance of what isinstance is asked for?
std::optional<bool> Interpreter::is_instance(const IValue& v, const IValue& type) const {
  if (const IValues* types = type.items()) {
    bool any = false;
    for (const IValue& t : *types) {
      const auto one = t.items() != nullptr ? std::nullopt : is_instance(v, t);
      if (!one) return std::nullopt;
      any |= *one;
    }
    return any;
  }
  const auto* c = type.get<IValue::Callable>();
  if (c == nullptr || c->module) return std::nullopt;
  const std::string name = c->name.substr(c->name.rfind('.') + 1);
  const auto* s = v.get<IValue::Sequence>();
  if (name == "Tensor" || name == "Parameter") return v.is_tensor();
  if (name == "list") return s != nullptr && !s->tuple;
  if (name == "tuple" || name == "Size") return s != nullptr && s->tuple;
  if (name == "dict") return v.get<IValue::Dict>() != nullptr;
  if (name == "int") return v.get<Int>() != nullptr || v.get<bool>() != nullptr;
  if (name == "bool") return v.get<bool>() != nullptr;
  if (name == "float") return v.get<double>() != nullptr;
  if (name == "str") return v.get<std::string>() != nullptr;
  if (const auto* m = v.get<IValue::Callable>(); m != nullptr && m->module) {
    const std::vector<std::string> classes = program_.ancestors(m->module->cls);
    return name == "Module" || std::find(classes.begin(), classes.end(), name) != classes.end();
  }
  return false;
}

// min, max, sum of numbers.
IValue Interpreter::fold_numbers(const std::string& name, const IValues& items, const Place& place) {
  IValue best = name == "sum" ? IValue(Int(0)) : IValue();
  for (const IValue& item : items) {
    if (name == "sum") best = binary("+", best, item, place);
    else if (best.is_none()) best = item;
    else if (item.is_tensor() || best.is_tensor()) return fail(place, name + " of tensors is not known while the model is loaded; use torch." + name + "imum", Code::kUnsupported);
    else {
      const IValue better = compare(name == "min" ? "<" : ">", item, best, place);
      if (!ok()) return {};
      if (truth(better, place)) best = item;
    }
    if (!ok()) return {};
  }
  return best;
}

IValue Interpreter::range(const IValues& positional, const Place& place) {
  int64_t bounds[3] = {0, 0, 1};
  if (positional.empty() || positional.size() > 3) return fail(place, "range takes one to three numbers");
  for (size_t i = 0; i < positional.size(); ++i) {
    const auto* n = positional[i].get<Int>();
    if (n == nullptr) return fail(place, std::string("range takes integers, not ") + positional[i].kind());
    if (!n->known()) return fail(place, "a loop over a size that the inputs decide is not allowed in a forward", Code::kUnsupported);
    bounds[positional.size() == 1 ? 1 : i] = n->value();
  }
  const auto [begin, end, step] = bounds;
  if (step == 0) return fail(place, "the step of range is zero");
  IValues items;
  for (int64_t i = begin; step > 0 ? i < end : i > end;) {
    if (items.size() >= kMostRange) return fail(place, "a range of more than " + std::to_string(kMostRange) + " numbers", Code::kUnsupported);
    items.push_back(Int(i));
    if (__builtin_add_overflow(i, step, &i)) break;
  }
  spend(place, static_cast<int64_t>(items.size()));
  return IValue::list(std::move(items));
}

IValue Interpreter::to_number(const std::string& name, const IValue& v, const Place& place) {
  if (v.is_tensor()) return fail(place, name + "() of a tensor takes data out of the graph, which is not allowed in a forward", Code::kUnsupported);
  if (name == "bool") return truth(v, place);
  if (const auto* s = v.get<std::string>(); s != nullptr && name == "float") {
    const bool minus = s->starts_with("-");
    const std::string rest = s->substr(minus || s->starts_with("+") ? 1 : 0);
    if (rest == "inf" || rest == "Infinity" || rest == "infinity") return minus ? -double(INFINITY) : double(INFINITY);
    if (rest == "nan") return double(NAN);
  }
  const auto d = known_number(v);
  const auto* n = v.get<Int>();
  if (name == "int" && n != nullptr) return *n;
  if (name == "round" && n != nullptr) return *n;
  if (!d) return fail(place, name + "() of " + v.kind() + (n != nullptr ? " that the inputs decide" : "") + " is not known while the model is loaded", Code::kUnsupported);
  if (name == "float") return *d;
  const double whole = name == "round" ? std::nearbyint(*d) : std::trunc(*d);
  if (!(std::fabs(whole) < 9e18)) return fail(place, "this number does not fit an integer");
  return Int(static_cast<int64_t>(whole));
}

bool Interpreter::builtin(const std::string& name, const IValues& given, const Named& named, const Place& place, IValue& result) {
  const size_t n = given.size();
  if (name == "torch.finfo" || name == "torch.iinfo") {
    const DType* dtype = n == 1 ? given[0].get<DType>() : nullptr;
    result = dtype == nullptr ? IValue() : limits_of(*dtype);
    if (result.is_none()) fail(place, name + " takes a dtype");
    return true;
  }
  if (name == "torch.device") return result = IValue::Callable{nullptr, "torch.device"}, true;
  if (name == "torch.is_tensor" && n == 1) return result = given[0].is_tensor(), true;
  if (name == "torch.Size" && n == 1) return result = IValue::tuple(elements(given[0], place)), true;
  if (name == "torch.jit.is_scripting" || name == "torch.jit.is_tracing" || name == "torch.is_grad_enabled" || name == "torch.onnx.is_in_onnx_export") return result = false, true;
  if (name.find('.') != name.npos || !is_global_name(name)) return false;
  if (!named.empty() && name != "zip" && name != "enumerate" && name != "dict" && name != "max" && name != "min") {
    return fail(place, name + " takes no named arguments here"), true;
  }
  if (name == "len" && n == 1) {
    if (given[0].is_tensor()) return result = b_.size(given[0].id(), 0), true;
    if (const auto* s = given[0].get<std::string>()) return result = Int(static_cast<int64_t>(s->size())), true;
    return result = Int(static_cast<int64_t>(elements(given[0], place).size())), true;
  }
  if (name == "range") return result = range(given, place), true;
  if (name == "int" || name == "float" || name == "bool" || name == "round") {
    if (n != 1) return fail(place, name + " takes one argument here"), true;
    return result = to_number(name, given[0], place), true;
  }
  if (name == "isinstance" && n == 2) {
    const auto yes = is_instance(given[0], given[1]);
    if (!yes) fail(place, "this isinstance is not known here");
    return result = yes.value_or(false), true;
  }
  if ((name == "getattr" || name == "hasattr") && n >= 2) {
    const auto *c = given[0].get<IValue::Callable>();
    const auto* key = given[1].get<std::string>();
    if (c == nullptr || !c->module || key == nullptr) return fail(place, name + " takes a module and a name"), true;
    const bool has = has_attribute(*c, *key);
    if (name == "hasattr") return result = has, true;
    return result = has || n < 3 ? attribute_of_module(*c, *key, place) : given[2], true;
  }
  if (name == "min" || name == "max" || name == "sum") {
    if (!named.empty()) return fail(place, name + " takes no named arguments here"), true;
    IValues items = given;
    if (n == 1 || name == "sum") items = n == 0 ? IValues() : elements(given[0], place);
    if (n == 2 && name == "sum") items.insert(items.begin(), given[1]);
    return result = fold_numbers(name, items, place), true;
  }
  if (name == "abs" && n == 1) {
    const auto d = known_number(given[0]);
    if (!d) return result = call_operator("torch.abs", given, {}, place), true;
    return result = given[0].get<Int>() != nullptr && given[0].get<Int>()->value() < 0 ? b_.sub(0, *given[0].get<Int>()) : given[0].get<Int>() != nullptr ? given[0] : IValue(std::fabs(*d)), true;
  }
  if ((name == "list" || name == "tuple" || name == "reversed" || name == "set") && n <= 1) {
    IValues items = n == 0 ? IValues() : elements(given[0], place);
    if (name == "reversed") std::reverse(items.begin(), items.end());
    return result = name == "tuple" ? IValue::tuple(std::move(items)) : IValue::list(std::move(items)), true;
  }
  if (name == "enumerate" && n >= 1) {
    int64_t i = n > 1 && given[1].get<Int>() != nullptr && given[1].get<Int>()->known() ? given[1].get<Int>()->value() : 0;
    for (const auto& [key, v] : named) i = key == "start" && v.get<Int>() != nullptr && v.get<Int>()->known() ? v.get<Int>()->value() : i;
    IValues items;
    for (const IValue& item : loop_elements(given[0], place)) items.push_back(IValue::tuple({Int(i++), item}));
    return result = IValue::list(std::move(items)), true;
  }
  if (name == "zip" && n >= 1) {
    std::vector<IValues> columns;
    size_t rows = SIZE_MAX;
    for (const IValue& column : given) {
      columns.push_back(loop_elements(column, place));
      rows = std::min(rows, columns.back().size());
    }
    IValues items;
    for (size_t r = 0; r < rows && spend(place, static_cast<int64_t>(n)); ++r) {
      IValues row;
      for (const IValues& column : columns) row.push_back(column[r]);
      items.push_back(IValue::tuple(std::move(row)));
    }
    return result = made(IValue::list(std::move(items)), place), true;
  }
  if ((name == "all" || name == "any") && n == 1) {
    bool all = true, any = false;
    for (const IValue& item : elements(given[0], place)) {
      const bool yes = ok() && truth(item, place);
      all &= yes;
      any |= yes;
    }
    return result = name == "all" ? all : any, true;
  }
  if (name == "dict" && n == 0) return result = IValue::Dict{std::make_shared<std::vector<std::pair<std::string, IValue>>>(named)}, true;
  if (name == "slice" && n >= 1 && n <= 3) {
    IValues parts = given;
    if (n == 1) parts.insert(parts.begin(), IValue());
    parts.resize(3);
    return result = IValue::Slice{std::make_shared<IValues>(std::move(parts))}, true;
  }
  if (name == "print") return true;
  return fail(place, "this call of " + printable(name) + " is not allowed in a forward", Code::kUnsupported), true;
}

// What a for, an enumerate or a zip goes through: anything known, but no tensor.
IValues Interpreter::loop_elements(const IValue& v, const Place& place) {
  if (!v.is_tensor()) return elements(v, place);
  fail(place, "a loop over data is not allowed in a forward", Code::kUnsupported);
  return {};
}

bool Interpreter::has_attribute(const IValue::Callable& c, const std::string& name) const {
  const Module& m = *c.module;
  if (m.child(name) != nullptr || m.arg(name) != nullptr || network_.weights.has(join(c.name, name))) return true;
  return program_.constant(m.cls, name) != nullptr || program_.method(m.cls, name).function != nullptr;
}

bool Interpreter::method_of_sequence(const IValue& object, const std::string& name, const IValues& given, const Place& place, IValue& result) {
  if (const auto* d = object.get<IValue::Dict>()) {
    IValues items;
    for (const auto& [key, item] : *d->items) {
      if (name == "keys") items.push_back(key);
      if (name == "values") items.push_back(item);
      if (name == "items") items.push_back(IValue::tuple({IValue(key), item}));
      if (name == "get" && !given.empty() && given[0].get<std::string>() != nullptr && *given[0].get<std::string>() == key) return result = item, true;
    }
    if (name == "get") return result = given.size() > 1 ? given[1] : IValue(), true;
    if (name != "keys" && name != "values" && name != "items") return false;
    return result = IValue::list(std::move(items)), true;
  }
  const auto* s = object.get<IValue::Sequence>();
  if (s == nullptr) return false;
  IValues& items = *s->items;
  if (name == "numel" && given.empty()) {
    result = Int(1);
    for (const IValue& item : items) result = binary("*", result, item, place);
    return true;
  }
  if (name == "index" || name == "count") return false;
  if (s->tuple) return false;
  if ((name == "append" && given.size() == 1) || (name == "insert" && given.size() == 2) || (name == "extend" && given.size() == 1)) {
    const IValues more = name == "extend" ? elements(given[0], place) : IValues{given.back()};
    for (const IValue& v : more) {
      if (!walkable(v, place)) return true;
      if (holds_list(v)) return fail(place, "a list or a dict cannot be put into another one here; write it as a whole: [a, b]", Code::kUnsupported), true;
    }
    if (!ok() || !spend(place, static_cast<int64_t>(more.size()))) return true;
    size_t where = items.size();
    if (const auto* n = given[0].get<Int>(); name == "insert" && n != nullptr && n->known()) {
      const int64_t i = n->value() < 0 ? n->value() + static_cast<int64_t>(items.size()) : n->value();
      where = static_cast<size_t>(std::clamp<int64_t>(i, 0, static_cast<int64_t>(items.size())));
    }
    items.insert(items.begin() + static_cast<std::ptrdiff_t>(where), more.begin(), more.end());
    if (items.size() > kMostRange) fail(place, "a list of more than " + std::to_string(kMostRange) + " items", Code::kUnsupported);
    return true;
  }
  if (name == "pop" && given.size() <= 1) {
    const IValue at = given.empty() ? IValue(Int(-1)) : given[0];
    result = index_of(object, at, place);
    if (!ok()) return true;
    const int64_t i = at.get<Int>() != nullptr ? at.get<Int>()->value() : 0;
    items.erase(items.begin() + static_cast<std::ptrdiff_t>(i < 0 ? i + static_cast<int64_t>(items.size()) : i));
    return true;
  }
  if (name == "reverse" && given.empty()) return std::reverse(items.begin(), items.end()), true;
  if (name == "copy" && given.empty()) return result = IValue::list(items), true;
  return false;
}

// children, items …, of containers.
bool Interpreter::method_of_module(const IValue::Callable& c, const std::string& name, const IValues& given, const Place&, IValue& result) {
  if (!given.empty()) return false;
  IValues items;
  if (name != "children" && name != "named_children" && name != "items" && name != "keys" && name != "values") return false;
  for (const auto& [key, child] : c.module->children) {
    const IValue module = IValue::Callable{child, join(c.name, key)};
    if (name == "keys") items.push_back(key);
    else if (name == "children" || name == "values") items.push_back(module);
    else items.push_back(IValue::tuple({IValue(key), module}));
  }
  return result = IValue::list(std::move(items)), true;
}

namespace {

std::optional<Literal> as_literal(const IValue& v, int depth = 0) {
  if (v.is_none()) return Literal();
  if (const auto* flag = v.get<bool>()) return Literal{*flag};
  if (const auto* d = v.get<double>()) return Literal{*d};
  if (const auto* s = v.get<std::string>()) return Literal{*s};
  if (const auto* n = v.get<Int>(); n != nullptr && n->known()) return Literal{n->value()};
  if (const auto* s = v.get<IValue::Sequence>(); s != nullptr && depth < kDeepest) {
    Literals items;
    for (const IValue& item : *s->items) {
      auto l = as_literal(item, depth + 1);
      if (!l) return std::nullopt;
      items.push_back(std::move(*l));
    }
    Literal l{std::move(items)};
    l.list = !s->tuple;
    return l;
  }
  return std::nullopt;
}

}  // namespace

// nn.ReLU()(x): a layer that has no weights.
IValue Interpreter::make_module(const std::string& cls, const IValues& positional, const Named& named, const Place& place) {
  auto m = std::make_shared<Module>();
  m->cls = cls;
  m->place = place;
  for (size_t i = 0; i < positional.size() + named.size(); ++i) {
    const bool by_place = i < positional.size();
    auto l = as_literal(by_place ? positional[i] : named[i - positional.size()].second);
    if (!l) return fail(place, "the arguments of " + printable(cls) + " must be constants", Code::kUnsupported);
    m->args.emplace_back(by_place ? std::string() : named[i - positional.size()].first, std::move(*l));
  }
  const Layer* layer = find_layer(*m);
  if (layer == nullptr) return fail(place, printable(cls) + " is no function that is supported, and no layer of torch.nn", Code::kUnsupported);
  std::vector<Expected> expected;
  if (layer->expected != nullptr) {
    if (Status s = layer->expected(*m, "", expected); !s) return fail(place, s.error().message(), s.error().code());
  }
  if (!expected.empty() || layer->complete != nullptr) return fail(place, printable(cls) + " has weights: it must be a module of the tree, self." + printable(cls), Code::kUnsupported);
  return IValue::Callable{std::move(m), cls};
}

}  // namespace tern::torch
