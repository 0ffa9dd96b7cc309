// Binding a call's arguments to a signature, and reading them. See operator.h.
#include <algorithm>
#include <charconv>

#include "loaders/torch/ops/operator.h"

namespace tern::torch {
namespace {

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
  while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
  return s;
}

// The piece up to the next comma outside of parentheses; moves `s` past it.
std::string_view next_piece(std::string_view& s) {
  int depth = 0;
  size_t i = 0;
  for (; i < s.size(); ++i) {
    depth += (s[i] == '(') - (s[i] == ')');
    if (s[i] == ',' && depth == 0) break;
  }
  const std::string_view piece = trimmed(s.substr(0, i));
  s.remove_prefix(std::min(i + 1, s.size()));
  return piece;
}

// Signatures are ours: None, True, False, numbers, 'texts', tuples of them.
IValue parse_default(std::string_view text) {
  if (text == "None") return {};
  if (text == "True" || text == "False") return text == "True";
  if (text.front() == '\'') return std::string(text.substr(1, text.size() - 2));
  if (text.front() == '(') {
    IValues items;
    for (std::string_view rest = text.substr(1, text.size() - 2); !trimmed(rest).empty();) items.push_back(parse_default(next_piece(rest)));
    return IValue::tuple(std::move(items));
  }
  if (text.find_first_of(".en") == text.npos) {
    int64_t n = 0;
    std::from_chars(text.data(), text.data() + text.size(), n);
    return Int(n);
  }
  double d = 0;
  std::from_chars(text.data(), text.data() + text.size(), d);
  return d;
}


// Is the name one of those that bars separate?
bool among(std::string_view names, std::string_view name) {
  while (!names.empty()) {
    const size_t bar = std::min(names.find('|'), names.size());
    if (names.substr(0, bar) == name) return true;
    names.remove_prefix(std::min(bar + 1, names.size()));
  }
  return false;
}

}  // namespace

Status Arguments::bind(const IValues& positional, const std::vector<std::pair<std::string, IValue>>& named) {
  size_t next = 0;
  bool keywords_only = false;
  std::vector<bool> used(named.size(), false);
  for (std::string_view rest = op_.signature; !trimmed(rest).empty();) {
    std::string_view piece = next_piece(rest);
    if (piece == "*") {
      keywords_only = true;
      continue;
    }
    const bool all = piece.front() == '*';
    if (all) piece.remove_prefix(1);
    const size_t equals = piece.find('=');
    const std::string_view names = piece.substr(0, equals);
    const size_t bar = names.find('|');
    Bound bound{names.substr(0, bar), bar == names.npos ? std::string_view() : names.substr(bar + 1), {}};
    bool given = false;
    if (all) {  // Tensor.view(2, 3) and Tensor.view((2, 3))
      IValues items(positional.begin() + static_cast<std::ptrdiff_t>(std::min(next, positional.size())), positional.end());
      given = !items.empty();
      if (items.size() == 1 && items[0].items() != nullptr) bound.value = items[0];
      else if (given) bound.value = IValue::tuple(std::move(items));
      next = positional.size();
    } else if (!keywords_only && next < positional.size()) {
      bound.value = positional[next++];
      given = true;
    }
    for (size_t n = 0; n < named.size(); ++n) {
      if (named[n].first != bound.name && !among(bound.other, named[n].first)) continue;
      if (given) return invalid("argument " + named[n].first + " is given twice");
      bound.value = named[n].second;
      given = used[n] = true;
    }
    if (!given && equals != piece.npos) bound.value = parse_default(piece.substr(equals + 1));
    else if (!given && !all) return invalid("argument " + std::string(bound.name) + " is missing");
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
  if (const auto* t = value.get<IValue::Tensor>()) return t->id;
  return b_.ok() ? b_.fail(wrong(name, "a tensor", value)) : kNone;
}

ValueId Arguments::tensor_or_none(std::string_view name) const { return has(name) ? tensor(name) : kNone; }

// torch: a Python number takes the tensor's dtype unless its kind is higher (bool < int < float); then the default of its kind.
ValueId Arguments::tensor_like(std::string_view name, ValueId like) const {
  const IValue& value = (*this)[name];
  if (value.is_tensor() || !b_.ok()) return value.id();
  const DType dtype = b_.dtype(like);
  if (const auto* flag = value.get<bool>()) return b_.scalar(dtype, *flag);
  if (const auto* n = value.get<Int>()) {
    const DType to = dtype == DType::boolean ? DType::i64 : dtype;
    return n->known() && to != DType::i64 ? b_.scalar(to, static_cast<double>(n->value())) : b_.cast(b_.scalar(*n), to);
  }
  if (const auto* x = value.get<double>()) return b_.scalar(is_float(dtype) ? dtype : DType::f32, *x);
  return b_.fail(wrong(name, "a tensor or a number", value));
}

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
  return b.ok() ? result : IValue();
}

}  // namespace tern::torch
