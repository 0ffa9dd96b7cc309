// How arguments are read, and in which dtype operands meet. See ops.h.
#include <algorithm>

#include "loaders/keras/model/spec.h"
#include "loaders/keras/ops/ops.h"

namespace tern::keras {
namespace {

using Kind = Argument::Kind;

// Elements and dims of nested lists of numbers; false when it is something else or ragged.
bool numbers(const Argument& a, size_t depth, std::vector<double>& elements, std::vector<int64_t>& dims, bool& real) {
  if (a.is_number()) {
    elements.push_back(a.real);
    real |= a.is(Kind::real);
    return depth == dims.size();
  }
  if (!a.is(Kind::list)) return false;
  const auto n = static_cast<int64_t>(a.items.size());
  if (depth == dims.size() && elements.empty()) dims.push_back(n);
  if (depth >= dims.size() || dims[depth] != n) return false;
  return std::all_of(a.items.begin(), a.items.end(), [&](const Argument& item) { return numbers(item, depth + 1, elements, dims, real); });
}

DType dtype_of_number(const Argument& a) { return a.is(Kind::boolean) ? DType::boolean : a.is(Kind::integer) ? DType::i32 : DType::f32; }

}  // namespace

DType promote(DType a, DType b) {
  if (a == b || b == DType::none) return a;
  if (a == DType::none) return b;
  if (a == DType::boolean || b == DType::boolean) return a == DType::boolean ? b : a;
  if (is_float(a) != is_float(b)) return is_float(a) ? a : b;
  if (is_float(a)) return size_of(a) == size_of(b) ? DType::f32 : size_of(a) > size_of(b) ? a : b;
  if (is_signed_int(a) == is_signed_int(b)) return size_of(a) > size_of(b) ? a : b;
  const DType sign = is_signed_int(a) ? a : b, other = is_signed_int(a) ? b : a;
  if (size_of(sign) > size_of(other)) return sign;
  constexpr DType kWider[] = {DType::i16, DType::i32, DType::i64, DType::f32};
  return kWider[size_of(other) == 1 ? 0 : size_of(other) == 2 ? 1 : size_of(other) == 4 ? 2 : 3];
}

Argument Operands::get(size_t place, std::string_view names) const {
  if (place < c.args.positional.size()) return c.args.positional[place];
  const bool function = c.layer.class_name.starts_with("tf.");  // its config says nothing of it: the dtype there is the layer's
  while (!names.empty()) {
    const std::string_view name = names.substr(0, names.find('|'));
    if (const Argument* named = c.args.find(name)) return *named;
    if (!function && c.config.has(name)) return read_value(b, c.config.json(), c.config.at(name));
    names.remove_prefix(std::min(name.size() + 1, names.size()));
  }
  return {};
}

int64_t Operands::integer(std::string_view names, int64_t otherwise, size_t place) const {
  const Argument a = get(place, names);
  if (a.is_none()) return otherwise;
  if (!a.is(Kind::integer) && !a.is(Kind::boolean)) b.fail(invalid("its " + std::string(names.substr(0, names.find('|'))) + " is no integer"));
  return a.integer;
}

double Operands::number(std::string_view names, double otherwise, size_t place) const {
  const Argument a = get(place, names);
  if (a.is_none()) return otherwise;
  if (!a.is_number()) b.fail(unsupported("its " + std::string(names.substr(0, names.find('|'))) + " is no number, which is not supported"));
  return a.real;
}

bool Operands::flag(std::string_view names, bool otherwise) const { return integer(names, otherwise) != 0; }

std::string Operands::text(std::string_view names, std::string_view otherwise) const {
  const Argument a = get(kNamed, names);
  return a.is(Kind::text) ? a.text : std::string(otherwise);
}

DType Operands::dtype(std::string_view names, DType otherwise) const {
  const Argument a = get(kNamed, names);
  if (a.is_none()) return otherwise;
  const DType dtype = dtype_named(a.text);
  if (dtype == DType::none) b.fail(unsupported("dtype " + a.text + " is not supported"));
  return dtype;
}

std::vector<int64_t> Operands::ints(std::string_view names, size_t place) const {
  const Argument a = get(place, names);
  if (a.is_none()) return {};
  std::vector<int64_t> out;
  bool good = a.is(Kind::integer);
  if (good) out.push_back(a.integer);
  if (a.is(Kind::list)) {
    good = std::all_of(a.items.begin(), a.items.end(), [](const Argument& n) { return n.is(Kind::integer); });
    for (const Argument& item : a.items) out.push_back(item.integer);
  }
  if (!good) b.fail(unsupported("its " + std::string(names.substr(0, names.find('|'))) + " is no list of integers, which is not supported"));
  return out;
}

Int Operands::size(const Argument& a) const {
  if (a.is(Kind::integer)) return a.integer;
  if (!a.is(Kind::tensor)) return b.fail(invalid("a size is no integer")), Int(0);
  const ValueId v = b.cast(a.flow.value, DType::i64);
  const auto& known = b.graph.value(v == kNone ? a.flow.value : v).ints;
  if (known && known->size() == 1 && (*known)[0].known()) return (*known)[0];
  return Int::computed(b.rank(v) == 0 ? v : b.emit("Reshape", {v, b.ints(std::vector<int64_t>{})}));
}

std::vector<Int> Operands::sizes(const Argument& a) const {
  std::vector<Int> out;
  if (a.is(Kind::tensor) && b.rank(a.flow.value) == 1) {
    const int64_t n = c.known_size(a.flow.value, 0);
    for (int64_t i = 0; i < n && i < kMaxRank && b.ok(); ++i) {
      out.push_back(size(Flow{b.emit("Gather", {a.flow.value, b.constant(Tensor::scalar(i))})}));
    }
  } else if (a.is(Kind::list)) {
    for (const Argument& item : a.items) out.push_back(size(item));
  } else if (!a.is_none()) {
    out.push_back(size(a));
  }
  return out;
}

std::vector<Int> Operands::sizes(std::string_view names, size_t place) const { return sizes(get(place, names)); }

ValueId Operands::tensor(const Argument& a, DType dtype) const {
  if (!b.ok()) return kNone;
  if (a.is(Kind::tensor)) return dtype == DType::none ? a.flow.value : b.cast(a.flow.value, dtype);
  const auto narrow = [](double v) { return v >= INT32_MIN && v <= INT32_MAX; };
  if (a.is_number()) {
    const DType as = dtype == DType::none ? dtype_of_number(a) : dtype;
    if (as == DType::i32 && narrow(a.real)) return b.constant(Tensor::scalar(static_cast<int32_t>(a.real)));
    return b.scalar(as, a.real);
  }
  if (a.is(Kind::text)) {
    const std::string text[] = {a.text};
    auto tensor = Tensor::strings(Dims{}, text);
    return tensor ? b.constant(std::move(*tensor)) : b.fail(tensor.error());
  }
  std::vector<double> elements;
  std::vector<int64_t> dims;
  bool real = false;
  if (numbers(a, 0, elements, dims, real) && dims.size() <= kMaxRank) {
    const DType as = dtype != DType::none ? dtype : real ? DType::f32 : DType::i32;
    if (as == DType::f32) return b.constant(Tensor::of<float>(Dims(dims), std::vector<float>(elements.begin(), elements.end())));
    if (as == DType::i32 && std::all_of(elements.begin(), elements.end(), narrow))
      return b.constant(Tensor::of<int32_t>(Dims(dims), std::vector<int32_t>(elements.begin(), elements.end())));
    return b.cast(b.constant(Tensor::of<double>(Dims(dims), elements)), as);
  }
  if (a.is(Kind::list) && !a.items.empty()) {  // tensors and numbers: stacked
    const DType as = dtype == DType::none ? common(a.items) : dtype;
    std::vector<ValueId> rows;
    for (const Argument& item : a.items) rows.push_back(unsqueeze(b, tensor(item, as), {0}));
    return concat(b, rows, 0);
  }
  return b.fail(invalid("an argument is no tensor"));
}

std::vector<ValueId> Operands::tensors(size_t place, std::string_view names) const {
  const Argument a = get(place, names);
  if (!a.is(Kind::list)) return {tensor(a)};
  if (a.items.empty()) return {b.fail(invalid("it has an empty list of tensors"))};
  std::vector<ValueId> out;
  for (const Argument& item : a.items) out.push_back(tensor(item));
  return out;
}

DType Operands::common(const std::vector<Argument>& operands) const {
  DType tensors = DType::none, numbers = DType::none;
  for (const Argument& a : operands) {
    const bool tensor = a.is(Kind::tensor);
    const bool list = a.is(Kind::list);
    const DType d = tensor ? b.dtype(a.flow.value) : list ? common(a.items) : a.is_number() ? dtype_of_number(a) : DType::none;
    (tensor ? tensors : numbers) = promote(tensor ? tensors : numbers, d);
  }
  if (tensors == DType::none) return numbers;
  const auto kind = [](DType d) { return d == DType::none ? 0 : d == DType::boolean ? 1 : is_float(d) ? 3 : 2; };
  return kind(numbers) > kind(tensors) ? numbers : tensors;
}

std::pair<ValueId, ValueId> Operands::pair(size_t place, std::string_view first, std::string_view second) const {
  const Argument x = get(place, first), y = get(place + 1, second);
  const DType dtype = common({x, y});
  return {tensor(x, dtype), tensor(y, dtype)};
}

std::vector<ValueId> Operands::promoted(const std::vector<ValueId>& values) const {
  DType dtype = DType::none;
  for (ValueId v : values) dtype = promote(dtype, b.dtype(v));
  std::vector<ValueId> out;
  for (ValueId v : values) out.push_back(b.cast(v, dtype));
  return out;
}

std::vector<int64_t> Operands::axes(std::string_view names, int rank, size_t place) const {
  std::vector<int64_t> out;
  if (get(place, names).is_none()) {
    for (int i = 0; i < rank; ++i) out.push_back(i);
    return out;
  }
  for (int64_t axis : ints(names, place)) {
    const int a = c.axis(axis, rank);
    if (std::find(out.begin(), out.end(), a) == out.end()) out.push_back(a);
  }
  return out;
}

}  // namespace tern::keras
