// What Python brings itself: len, range, zip, min …; methods of lists and of containers. See interpret.h.
#include <algorithm>
#include <cmath>

#include "loaders/torch/arch/interpret.h"
#include "loaders/torch/module/dtypes.h"
#include "loaders/torch/ops/operator.h"

namespace tern::torch {
namespace {

constexpr int64_t kMostRange = 100000;

// Global names that are no functions here: namespaces, types, and what a forward may name and not call.
constexpr std::string_view kGlobals[] = {"F",   "torch",  "nn",       "math",           "operator", "functional", "np", "numpy",
                                         "str", "Tensor", "Ellipsis", "NotImplemented", "super",    "type",       "map"};

std::optional<double> known_number(const IValue& v) {
  if (const auto* flag = v.get<bool>()) return *flag;
  if (const auto* d = v.get<double>()) return *d;
  if (const auto* n = v.get<Int>(); n != nullptr && n->known()) return static_cast<double>(n->value());
  return std::nullopt;
}

IValue limits_of(DType t) {  // torch.finfo, torch.iinfo
  auto of = [](double low, double high, double eps, double tiny) {
    auto items = std::make_shared<std::vector<std::pair<std::string, IValue>>>();
    for (const auto& [name, v] : {std::pair<const char*, double>{"min", low}, {"max", high}, {"eps", eps}, {"tiny", tiny}, {"smallest_normal", tiny}})
      items->emplace_back(name, v);
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
  items->emplace_back(
      "max", with_sign ? Int(bits == 64 ? INT64_MAX : (int64_t(1) << (bits - 1)) - 1) : Int(bits == 64 ? INT64_MAX : (int64_t(1) << bits) - 1));
  return IValue::Dict{items};
}

}  // namespace

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
    else if (item.is_tensor() || best.is_tensor())
      return fail(place, name + " of tensors is not known while the model is loaded; use torch." + name + "imum", Code::kUnsupported);
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
  if (!d)
    return fail(place, name + "() of " + v.kind() + (n != nullptr ? " that the inputs decide" : "") + " is not known while the model is loaded",
                Code::kUnsupported);
  if (name == "float") return *d;
  const double whole = name == "round" ? std::nearbyint(*d) : std::trunc(*d);
  if (!(std::fabs(whole) < 9e18)) return fail(place, "this number does not fit an integer");
  return Int(static_cast<int64_t>(whole));
}

// The functions that a forward may call without a graph, a row each.
struct Interpreter::Builtins {
  struct Call {
    const std::string& name;
    const IValues& given;
    const Named& named;
    const Place& place;
  };
  struct Row {
    std::string_view name;
    size_t least, most;  // arguments without a name
    IValue (*run)(Interpreter& in, const Call& c);
    bool takes_named;
  };

  static IValue limits(Interpreter& in, const Call& c) {
    const DType* dtype = c.given.size() == 1 ? c.given[0].get<DType>() : nullptr;
    const IValue limits = dtype == nullptr ? IValue() : limits_of(*dtype);
    return limits.is_none() ? in.fail(c.place, c.name + " takes a dtype") : limits;
  }
  static IValue device(Interpreter&, const Call&) { return IValue::Callable{nullptr, "torch.device"}; }
  static IValue is_tensor(Interpreter&, const Call& c) { return c.given[0].is_tensor(); }
  static IValue size(Interpreter& in, const Call& c) { return IValue::tuple(in.elements(c.given[0], c.place)); }
  static IValue no(Interpreter&, const Call&) { return false; }
  static IValue nothing(Interpreter&, const Call&) { return {}; }
  static IValue len(Interpreter& in, const Call& c) {
    if (c.given[0].is_tensor()) return in.b_.size(c.given[0].id(), 0);
    if (const auto* s = c.given[0].get<std::string>()) return Int(static_cast<int64_t>(s->size()));
    return Int(static_cast<int64_t>(in.elements(c.given[0], c.place).size()));
  }
  static IValue range(Interpreter& in, const Call& c) { return in.range(c.given, c.place); }
  static IValue number(Interpreter& in, const Call& c) {
    if (c.given.size() != 1) return in.fail(c.place, c.name + " takes one argument here");
    return in.to_number(c.name, c.given[0], c.place);
  }
  static IValue is_instance(Interpreter& in, const Call& c) {
    const auto yes = in.is_instance(c.given[0], c.given[1]);
    if (!yes) in.fail(c.place, "this isinstance is not known here");
    return yes.value_or(false);
  }
  static IValue attribute(Interpreter& in, const Call& c) {
    const auto* m = c.given[0].get<IValue::Callable>();
    const auto* key = c.given[1].get<std::string>();
    if (m == nullptr || !m->module || key == nullptr) return in.fail(c.place, c.name + " takes a module and a name");
    const bool has = in.has_attribute(*m, *key);
    if (c.name == "hasattr") return has;
    return has || c.given.size() < 3 ? in.attribute_of_module(*m, *key, c.place) : c.given[2];
  }
  static IValue fold(Interpreter& in, const Call& c) {
    const size_t n = c.given.size();
    IValues items = c.given;
    if (n == 1 || c.name == "sum") items = n == 0 ? IValues() : in.elements(c.given[0], c.place);
    if (n == 2 && c.name == "sum") items.insert(items.begin(), c.given[1]);
    return in.fold_numbers(c.name, items, c.place);
  }
  static IValue abs(Interpreter& in, const Call& c) {
    const auto d = known_number(c.given[0]);
    if (!d) return in.call_operator("torch.abs", c.given, {}, c.place);
    const auto* n = c.given[0].get<Int>();
    if (n == nullptr) return std::fabs(*d);
    return n->value() < 0 ? in.b_.sub(0, *n) : *n;
  }
  static IValue sequence(Interpreter& in, const Call& c) {
    IValues items = c.given.empty() ? IValues() : in.elements(c.given[0], c.place);
    if (c.name == "reversed") std::reverse(items.begin(), items.end());
    return c.name == "tuple" ? IValue::tuple(std::move(items)) : IValue::list(std::move(items));
  }
  static IValue enumerate(Interpreter& in, const Call& c) {
    auto known = [](const IValue& v, int64_t otherwise) {
      return v.get<Int>() != nullptr && v.get<Int>()->known() ? v.get<Int>()->value() : otherwise;
    };
    int64_t i = c.given.size() > 1 ? known(c.given[1], 0) : 0;
    for (const auto& [key, v] : c.named) i = key == "start" ? known(v, i) : i;
    IValues items;
    for (const IValue& item : in.loop_elements(c.given[0], c.place)) items.push_back(IValue::tuple({Int(i++), item}));
    return IValue::list(std::move(items));
  }
  static IValue zip(Interpreter& in, const Call& c) {
    std::vector<IValues> columns;
    size_t rows = SIZE_MAX;
    for (const IValue& column : c.given) {
      columns.push_back(in.loop_elements(column, c.place));
      rows = std::min(rows, columns.back().size());
    }
    IValues items;
    for (size_t r = 0; r < rows && in.spend(c.place, static_cast<int64_t>(c.given.size())); ++r) {
      IValues row;
      for (const IValues& column : columns) row.push_back(column[r]);
      items.push_back(IValue::tuple(std::move(row)));
    }
    return in.made(IValue::list(std::move(items)), c.place);
  }
  static IValue quantifier(Interpreter& in, const Call& c) {
    bool all = true, any = false;
    for (const IValue& item : in.elements(c.given[0], c.place)) {
      const bool yes = in.ok() && in.truth(item, c.place);
      all &= yes;
      any |= yes;
    }
    return c.name == "all" ? all : any;
  }
  static IValue dict(Interpreter&, const Call& c) { return IValue::Dict{std::make_shared<std::vector<std::pair<std::string, IValue>>>(c.named)}; }
  static IValue slice(Interpreter&, const Call& c) {
    IValues parts = c.given;
    if (parts.size() == 1) parts.insert(parts.begin(), IValue());
    parts.resize(3);
    return IValue::Slice{std::make_shared<IValues>(std::move(parts))};
  }

  static const Row* find(std::string_view name) {
    constexpr size_t kAny = SIZE_MAX;
    static constexpr Row kRows[] = {
        {"torch.finfo", 0, kAny, limits, true},
        {"torch.iinfo", 0, kAny, limits, true},
        {"torch.device", 0, kAny, device, true},
        {"torch.is_tensor", 1, 1, is_tensor, true},
        {"torch.Size", 1, 1, size, true},
        {"torch.jit.is_scripting", 0, kAny, no, true},
        {"torch.jit.is_tracing", 0, kAny, no, true},
        {"torch.is_grad_enabled", 0, kAny, no, true},
        {"torch.onnx.is_in_onnx_export", 0, kAny, no, true},
        {"len", 1, 1, len, false},
        {"range", 0, kAny, range, false},
        {"int", 0, kAny, number, false},
        {"float", 0, kAny, number, false},
        {"bool", 0, kAny, number, false},
        {"round", 0, kAny, number, false},
        {"isinstance", 2, 2, is_instance, false},
        {"getattr", 2, kAny, attribute, false},
        {"hasattr", 2, kAny, attribute, false},
        {"min", 0, kAny, fold, false},
        {"max", 0, kAny, fold, false},
        {"sum", 0, kAny, fold, false},
        {"abs", 1, 1, abs, false},
        {"list", 0, 1, sequence, false},
        {"tuple", 0, 1, sequence, false},
        {"reversed", 0, 1, sequence, false},
        {"set", 0, 1, sequence, false},
        {"enumerate", 1, kAny, enumerate, true},
        {"zip", 1, kAny, zip, true},
        {"all", 1, 1, quantifier, false},
        {"any", 1, 1, quantifier, false},
        {"dict", 0, 0, dict, true},
        {"slice", 1, 3, slice, false},
        {"print", 0, kAny, nothing, false},
    };
    const auto* row = std::find_if(std::begin(kRows), std::end(kRows), [&](const Row& r) { return r.name == name; });
    return row == std::end(kRows) ? nullptr : row;
  }
};

bool is_global_name(std::string_view name) {
  if (std::find(std::begin(kGlobals), std::end(kGlobals), name) != std::end(kGlobals)) return true;
  return name.find('.') == name.npos && Interpreter::is_builtin(name);
}

bool Interpreter::is_builtin(std::string_view name) { return Builtins::find(name) != nullptr; }

bool Interpreter::builtin(const std::string& name, const IValues& given, const Named& named, const Place& place, IValue& result) {
  const Builtins::Row* row = Builtins::find(name);
  const bool fits = row != nullptr && given.size() >= row->least && given.size() <= row->most;
  if (!fits && (name.find('.') != name.npos || !is_global_name(name))) return false;
  if (!named.empty() && (row == nullptr || !row->takes_named)) {
    fail(place, name + " takes no named arguments here");
  } else if (!fits) {
    fail(place, "this call of " + printable(name) + " is not allowed in a forward", Code::kUnsupported);
  } else {
    result = row->run(*this, {name, given, named, place});
  }
  return true;
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
      if (name == "get" && !given.empty() && given[0].get<std::string>() != nullptr && *given[0].get<std::string>() == key)
        return result = item, true;
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
      if (holds_list(v))
        return fail(place, "a list or a dict cannot be put into another one here; write it as a whole: [a, b]", Code::kUnsupported), true;
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
  if (!expected.empty() || layer->complete != nullptr)
    return fail(place, printable(cls) + " has weights: it must be a module of the tree, self." + printable(cls), Code::kUnsupported);
  return IValue::Callable{std::move(m), cls};
}

}  // namespace tern::torch
