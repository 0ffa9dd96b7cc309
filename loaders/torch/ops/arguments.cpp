// Binding a call's arguments to a signature, and reading them. See operator.h.
#include <algorithm>

#include "loaders/torch/ops/operator.h"
#include "loaders/torch/ops/signature.h"

namespace tern::torch {

Status Arguments::bind(const IValues& positional, const std::vector<std::pair<std::string, IValue>>& named) {
  size_t next = 0;
  std::vector<bool> used(named.size(), false);
  for (const SignatureParameter& p : parse_signature(op_.signature)) {
    if (p.options) {
      for (size_t n = 0; n < named.size(); ++n) used[n] = used[n] || p.answers_to(named[n].first);
      continue;
    }
    Bound bound{p.name, {}};
    bool given = false;
    if (p.rest) {  // Tensor.view(2, 3) and Tensor.view((2, 3))
      IValues items(positional.begin() + static_cast<std::ptrdiff_t>(std::min(next, positional.size())), positional.end());
      given = !items.empty();
      if (items.size() == 1 && items[0].items() != nullptr) bound.value = items[0];
      else if (given) bound.value = IValue::tuple(std::move(items));
      next = positional.size();
    } else if (!p.named_only && next < positional.size()) {
      bound.value = positional[next++];
      given = true;
    }
    for (size_t n = 0; n < named.size(); ++n) {
      if (!p.answers_to(named[n].first)) continue;
      if (given) return invalid("argument " + named[n].first + " is given twice");
      bound.value = named[n].second;
      given = used[n] = true;
    }
    if (!given && p.fallback) bound.value = parse_default(*p.fallback);
    else if (!given && !p.rest) return invalid("argument " + std::string(p.name) + " is missing");
    bound_.push_back(std::move(bound));
  }
  if (next < positional.size()) {
    return invalid("takes at most " + std::to_string(next) + " positional arguments, not " + std::to_string(positional.size()));
  }
  for (size_t n = 0; n < named.size(); ++n) {
    if (!used[n]) return unsupported("argument " + named[n].first + " is not known");
  }
  return {};
}

const IValue& Arguments::operator[](std::string_view name) const {
  static const IValue kNothing;
  for (const Bound& bound : bound_) {
    if (bound.name == name) return bound.value;
  }
  return kNothing;
}

namespace {

Error wrong(std::string_view name, const char* wanted, const IValue& got) {
  return invalid("argument " + std::string(name) + " must be " + wanted + ", not " + got.kind());
}

}  // namespace

ValueId Arguments::tensor(std::string_view name) const {
  const IValue& value = (*this)[name];
  if (const auto* t = value.get<IValue::Tensor>()) return b_.readable(t->id) ? t->id : kNone;
  return b_.ok() ? b_.fail(wrong(name, "a tensor", value)) : kNone;
}

ValueId Arguments::tensor_or_none(std::string_view name) const { return has(name) ? tensor(name) : kNone; }

std::vector<ValueId> Arguments::tensors(std::string_view name) const {
  std::vector<ValueId> out;
  const IValue& value = (*this)[name];
  const IValues* items = value.items();
  if (items == nullptr && b_.ok()) b_.fail(wrong(name, "a list of tensors", value));
  for (size_t i = 0; items != nullptr && i < items->size(); ++i) {
    if (!(*items)[i].is_tensor() && b_.ok()) b_.fail(wrong(name, "a list of tensors", (*items)[i]));
    out.push_back((*items)[i].id());
  }
  return out;
}

bool Arguments::boolean(std::string_view name) const {
  const IValue& value = (*this)[name];
  if (const auto* flag = value.get<bool>()) return *flag;
  if (const auto* n = value.get<Int>(); n != nullptr && n->known()) return n->value() != 0;
  if (b_.ok()) b_.fail(wrong(name, "a bool", value));
  return false;
}

int64_t Arguments::integer(std::string_view name) const {
  const Int n = size(name);
  if (n.known()) return n.value();
  if (b_.ok()) b_.fail(unsupported("argument " + std::string(name) + " must be known when the model is loaded, not computed from a shape"));
  return 0;
}

Int Arguments::size(std::string_view name) const {
  const IValue& value = (*this)[name];
  if (const auto* n = value.get<Int>()) return *n;
  if (const auto* flag = value.get<bool>()) return int64_t(*flag);
  if (b_.ok()) b_.fail(wrong(name, "an int", value));
  return 0;
}

double Arguments::number(std::string_view name) const {
  const IValue& value = (*this)[name];
  if (const auto* x = value.get<double>()) return *x;
  if (value.get<Int>() != nullptr || value.get<bool>() != nullptr) return static_cast<double>(integer(name));
  if (b_.ok()) b_.fail(wrong(name, "a number", value));
  return 0;
}

std::string Arguments::string(std::string_view name) const {
  const IValue& value = (*this)[name];
  if (const auto* text = value.get<std::string>()) return *text;
  if (b_.ok()) b_.fail(wrong(name, "a string", value));
  return {};
}

DType Arguments::dtype(std::string_view name) const {
  const IValue& value = (*this)[name];
  if (const auto* dtype = value.get<DType>()) return *dtype;
  if (!value.is_none() && b_.ok()) b_.fail(wrong(name, "a dtype", value));
  return DType::none;
}

std::vector<Int> Arguments::sizes(std::string_view name) const {
  const IValue& value = (*this)[name];
  const IValues* items = value.items();
  if (items == nullptr) return value.is_none() ? std::vector<Int>() : std::vector<Int>{size(name)};
  std::vector<Int> out;
  for (const IValue& item : *items) {
    if (const auto* n = item.get<Int>()) out.push_back(*n);
    else if (b_.ok()) b_.fail(wrong(name, "a list of ints", item));
  }
  return out;
}

std::vector<int64_t> Arguments::ints(std::string_view name, size_t count) const {
  std::vector<int64_t> out;
  for (const Int& n : sizes(name)) {
    if (!n.known() && b_.ok()) b_.fail(unsupported("argument " + std::string(name) + " must be known when the model is loaded"));
    out.push_back(n.known() ? n.value() : 0);
  }
  if (out.size() == 1 && count > 1) out.resize(count, out[0]);
  if (count > 0 && out.size() != count && b_.ok()) {
    b_.fail(invalid("argument " + std::string(name) + " must have " + std::to_string(count) + " numbers, not " + std::to_string(out.size())));
  }
  if (count > 0) out.resize(count);
  return out;
}

namespace {

// A view has its source's dtype: a cast that is none gives the source itself.
void note_views(Builder& b, const Operator& op, std::string_view spelling, const Arguments& a, const IValue& result) {
  const IValues *sources = a.first().items(), *results = result.items();
  const auto kept = std::make_shared<const Arguments>(a);
  const int64_t number = b.next_call();
  for (size_t i = 0; i < (results != nullptr ? results->size() : 1); ++i) {
    const ValueId view = results != nullptr ? (*results)[i].id() : result.id();
    const ValueId of = sources == nullptr ? a.first().id() : results != nullptr && i < sources->size() ? (*sources)[i].id() : kNone;
    if (view == of && op.shares == Shares::perhaps) b.doubt(view, spelling);
    if (view == kNone || of == kNone || view == of || b.dtype(view) != b.dtype(of)) continue;
    Builder::View how{of, std::string(spelling), number, {}, {}};
    if (op.shares == Shares::view && sources == nullptr) {
      how.remake = [&b, &op, by = how.by, kept, i](ValueId source) {
        Arguments again = *kept;
        again.set_first(IValue::tensor(source));
        const IValue made = op.apply(b, again);
        if (b.ok()) note_views(b, op, by, again, made);
        return made.items() == nullptr ? made.id() : i < made.items()->size() ? (*made.items())[i].id() : kNone;
      };
      if (op.put_back != nullptr) how.put_back = [&b, &op, kept](ValueId whole, ValueId part) { return op.put_back(b, *kept, whole, part); };
    }
    b.note_view(view, std::move(how));
  }
}

}  // namespace

bool Arguments::holds(ValueId v) const {
  return std::any_of(bound_.begin(), bound_.end(), [&](const Bound& bound) {
    const IValues* items = bound.value.items();
    return v != kNone && (bound.value.id() == v || (items != nullptr && items->size() == 1 && (*items)[0].id() == v));
  });
}

IValue call(Builder& b, std::string_view spelling, const IValues& positional, const std::vector<std::pair<std::string, IValue>>& named) {
  if (!b.ok()) return {};
  const Operator* op = find_operator(spelling);
  if (op == nullptr) {
    b.fail(unsupported(std::string(spelling) + " is not supported"));
    return {};
  }
  Arguments arguments(b, *op);
  if (Status s = arguments.bind(positional, named); !s) {
    b.fail(s.error().within(std::string(spelling)));
    return {};
  }
  IValue result = op->apply(b, arguments);
  if (!b.ok()) return {};
  if (op->shares == Shares::view || op->shares == Shares::perhaps) note_views(b, *op, spelling, arguments, result);
  if (b.changes && op->shares == Shares::nothing && arguments.holds(result.id())) result = IValue::tensor(b.emit("Identity", {result.id()}));
  return b.ok() ? result : IValue();
}

}  // namespace tern::torch
