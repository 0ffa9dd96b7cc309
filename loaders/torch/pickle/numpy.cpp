// NumPy's arrays and scalars as pickles hold them, and the bytes that they are made of. See checkpoint.h.
//   protocols 0 to 4   _reconstruct(ndarray, (0,), b'b'), then BUILD(version, shape, dtype, fortran order, bytes)
//   protocol 5         _frombuffer(bytes, dtype, shape, 'C' or 'F')
//   a dtype            dtype('f4', False, True), then BUILD(3, '<' or '>' or '|', …);   a scalar: scalar(dtype, bytes)
#include <bit>
#include <cstring>

#include "loaders/npy/numpy_types.h"
#include "loaders/torch/module/dtypes.h"
#include "loaders/torch/pickle/checkpoint.h"

namespace tern::torch {
namespace {

using Kind = Pickle::Kind;

bool is_numpy(std::string_view module) { return module == "numpy" || module.starts_with("numpy."); }

// A call of a function of NumPy, whose module differs among versions.
bool calls(const Pickle& p, ObjectId id, std::string_view name) {
  return p.is(id, Kind::call) && p.is(p.callable(id), Kind::global) && is_numpy(p.module(p.callable(id))) && p.name(p.callable(id)) == name;
}

struct ArrayType {
  const ElementType* element;
  bool big_endian = false;
};

Result<ArrayType> array_type(const Pickle& p, ObjectId dtype) {
  const auto arguments = calls(p, dtype, "dtype") ? p.items(p.arguments(dtype)) : std::span<const ObjectId>();
  if (arguments.empty() || !p.is(arguments[0], Kind::text)) return invalid("the dtype of a NumPy array makes no sense");
  std::string_view code = p.text(arguments[0]);
  ArrayType type{nullptr};
  if (code.starts_with('<') || code.starts_with('>') || code.starts_with('|')) {
    type.big_endian = code[0] == '>';
    code.remove_prefix(1);
  }
  const auto state = p.is(p.state(dtype), Kind::tuple) ? p.items(p.state(dtype)) : std::span<const ObjectId>();
  if (state.size() > 1 && p.is(state[1], Kind::text)) type.big_endian = p.text(state[1]) == ">";
  if (const NumpyType* known = numpy_type(code)) type.element = element_named(known->name);  // torch's names are NumPy's
  if (type.element == nullptr) return unsupported("a NumPy array of dtype " + std::string(code) + " is not supported");
  return type;
}

}  // namespace

// In place where they lie in the file. Protocol 2 spells them as the text that Latin-1 would encode, Python 2 as a text.
Result<std::shared_ptr<const Storage>> Checkpoint::bytes_of(ObjectId id) const {
  const Pickle& p = *pickle_;
  bool encoded = false;
  if ((p.is_call_of(id, "builtins.bytes") || p.is_call_of(id, "builtins.bytearray")) && p.items(p.arguments(id)).empty()) {
    return std::make_shared<const Storage>();  // b'' in protocol 2
  }
  for (std::string_view wrapper : {"builtins.bytearray", "_codecs.encode"}) {  // bytearray(text, 'latin-1') is one too
    if (!p.is_call_of(id, wrapper) || p.items(p.arguments(id)).empty()) continue;
    encoded = p.items(p.arguments(id)).size() > 1;
    id = p.items(p.arguments(id))[0];
  }
  if (!p.is(id, Kind::bytes) && !p.is(id, Kind::text)) return invalid("is no bytes");
  const std::string_view text = p.text(id);
  auto made = std::make_shared<Storage>();
  made->key = "of a NumPy array";
  if (!encoded || p.is(id, Kind::bytes)) {
    made->bytes = std::as_bytes(std::span(text.data(), text.size()));
    const auto* begin = reinterpret_cast<const char*>(source_.bytes.data());
    if (std::less_equal<>()(begin, text.data()) && std::less<>()(text.data(), begin + source_.bytes.size())) made->owner = source_.owner;
    else made->owner = std::make_shared<std::pair<decltype(pickle_), decltype(inflated_)>>(pickle_, inflated_);
    return std::shared_ptr<const Storage>(made);
  }
  auto& kept = storages_["encoded " + std::to_string(id)];
  if (kept) return kept;
  auto out = std::make_shared<std::vector<std::byte>>();
  out->reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0xc4) return invalid("has a letter that is no byte");  // beyond U+00FF
    out->push_back(std::byte(c < 0x80 ? c : (c & 3) << 6 | (static_cast<unsigned char>(text[++i]) & 0x3f)));
  }
  made->bytes = *out;
  made->owner = out;
  return kept = made;
}

bool Checkpoint::is_array(ObjectId id) const {
  const Pickle& p = *pickle_;
  return (calls(p, id, "_reconstruct") && p.is(p.state(id), Kind::tuple)) || calls(p, id, "_frombuffer");
}

Result<StoredTensor> Checkpoint::from_numpy(ObjectId array) const {
  const Pickle& p = *pickle_;
  if (!is_array(array)) return invalid("a NumPy array makes no sense");
  const bool buffer = calls(p, array, "_frombuffer");
  const auto parts = buffer ? p.items(p.arguments(array)) : p.items(p.state(array));
  if (parts.size() != (buffer ? 4 : 5)) return invalid("a NumPy array makes no sense");
  const ObjectId shape = parts[buffer ? 2 : 1], dtype = parts[buffer ? 1 : 2], order = parts[3], data = parts[buffer ? 0 : 4];
  StoredTensor t;
  if (!read_ints(shape, t.sizes)) return invalid("the shape of a NumPy array makes no sense");
  auto type = array_type(p, dtype);
  if (!type) return type.error();
  set_type(t, *type->element);
  auto bytes = bytes_of(data);
  if (!bytes) return bytes.error().within("a NumPy array's data");
  t.storage = *bytes;
  const bool fortran = buffer ? p.is(order, Kind::text) && p.text(order) == "F" : p.is(order, Kind::boolean) && p.integer(order) != 0;
  t.strides = dense_strides(t.sizes, fortran);
  if (type->big_endian) swap_bytes(t);
  if (Status s = check_view(t); !s) return s.error();
  return t;
}

std::optional<Literal> Checkpoint::numpy_scalar(ObjectId id) const {
  const Pickle& p = *pickle_;
  const auto arguments = calls(p, id, "scalar") ? p.items(p.arguments(id)) : std::span<const ObjectId>();
  if (arguments.size() != 2) return std::nullopt;
  auto type = array_type(p, arguments[0]);
  auto bytes = type ? bytes_of(arguments[1]) : type.error();
  if (!bytes) return std::nullopt;
  StoredTensor t;
  set_type(t, *type->element);
  t.storage = *bytes;
  if (type->big_endian) swap_bytes(t);
  auto value = check_view(t).ok() ? dense(t, 0) : Result<Tensor>(invalid(""));
  if (!value) return std::nullopt;
  Literal out;
  visit(t.dtype, [&]<class T>() {
    if constexpr (std::is_same_v<T, bool>) out.value = *value->data<T>();
    else if constexpr (std::is_integral_v<T>) out.value = static_cast<int64_t>(*value->data<T>());
    else if constexpr (std::is_floating_point_v<T>) out.value = static_cast<double>(*value->data<T>());
  });
  return out.is_none() ? std::nullopt : std::optional(std::move(out));
}

}  // namespace tern::torch
