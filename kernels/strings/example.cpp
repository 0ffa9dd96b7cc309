// ExampleFeature: one feature out of serialised tf.Example messages. See strings.h.
//   Example      1: Features -> 1*: entry -> 1: key, 2: Feature; of entries with one key the last counts
//   Feature      1: list of bytes, 2: of f32, 3: of i64 -> 1*: the elements, numbers packed or one by one
// A message is a row of fields: a varint number*8 + wire type, then a varint (0), 8 bytes (1), a varint length and so many bytes (2), or 4 bytes (5).
#include <cstring>

#include "kernels/strings/strings.h"
#include "kernels/strings/text.h"

namespace tern {
namespace {

struct Field {
  uint64_t number = 0, type = 0;
  uint64_t value = 0;      // of types 0, 1 and 5
  std::string_view bytes;  // of type 2
};

bool read_varint(std::string_view& s, uint64_t& to) {
  to = 0;
  for (int shift = 0; shift < 70 && !s.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(s.front());
    s.remove_prefix(1);
    to |= shift < 64 ? static_cast<uint64_t>(byte & 0x7F) << shift : 0;
    if (byte < 0x80) return true;
  }
  return false;
}

bool read_fixed(std::string_view& s, size_t bytes, uint64_t& to) {  // little-endian
  if (s.size() < bytes) return false;
  to = 0;
  for (size_t i = 0; i < bytes; ++i) to |= static_cast<uint64_t>(static_cast<unsigned char>(s[i])) << 8 * i;
  s.remove_prefix(bytes);
  return true;
}

// Calls f for every field. False: the bytes are no message, or f says so.
template <class F>
bool each_field(std::string_view s, F f) {
  while (!s.empty()) {
    Field field;
    uint64_t tag = 0, length = 0;
    if (!read_varint(s, tag)) return false;
    field.number = tag >> 3;
    field.type = tag & 7;
    bool read = false;
    if (field.type == 0) read = read_varint(s, field.value);
    else if (field.type == 1 || field.type == 5) read = read_fixed(s, field.type == 1 ? 8 : 4, field.value);
    else if (field.type == 2 && read_varint(s, length) && length <= s.size()) {
      field.bytes = s.substr(0, length);
      s.remove_prefix(length);
      read = true;
    }
    if (!read || field.number == 0 || !f(field)) return false;
  }
  return true;
}

// The feature of a key; null data: the example does not have it. False: no message.
bool find_feature(std::string_view example, std::string_view key, std::string_view& feature) {
  return each_field(example, [&](const Field& features) {
    if (features.number != 1 || features.type != 2) return true;
    return each_field(features.bytes, [&](const Field& entry) {
      if (entry.number != 1 || entry.type != 2) return true;
      std::string_view name, value("", 0);
      const bool read = each_field(entry.bytes, [&](const Field& f) {
        if (f.number == 1 && f.type == 2) name = f.bytes;
        if (f.number == 2 && f.type == 2) value = f.bytes;
        return true;
      });
      if (read && name == key) feature = value;
      return read;
    });
  });
}

// What all examples have of it.
struct Found {
  DType dtype;
  TextBuilder text;
  std::vector<float> reals;
  std::vector<int64_t> numbers;

  int64_t count() const { return dtype == DType::string ? text.count() : static_cast<int64_t>(dtype == DType::f32 ? reals.size() : numbers.size()); }
  void add_number(uint64_t bits) {
    if (dtype == DType::i64) return numbers.push_back(static_cast<int64_t>(bits));
    float v;
    const auto low = static_cast<uint32_t>(bits);
    std::memcpy(&v, &low, sizeof v);
    reals.push_back(v);
  }
  bool add_list(std::string_view list) {
    return each_field(list, [&](const Field& f) {
      if (f.number != 1) return true;
      const uint64_t plain = dtype == DType::string ? 2 : dtype == DType::f32 ? 5 : 0;
      if (f.type == plain) {
        if (dtype == DType::string) text.add(f.bytes);
        else add_number(f.value);
        return true;
      }
      if (f.type != 2) return false;
      for (std::string_view packed = f.bytes; !packed.empty();) {
        uint64_t bits = 0;
        if (!(dtype == DType::f32 ? read_fixed(packed, 4, bits) : read_varint(packed, bits))) return false;
        add_number(bits);
      }
      return true;
    });
  }
  void add(const Tensor& t) {
    for (int64_t i = 0; i < t.count(); ++i) {
      if (dtype == DType::string) text.add(strings_of(t)[static_cast<size_t>(i)].view());
      else if (dtype == DType::f32) reals.push_back(t.data<float>()[i]);
      else numbers.push_back(t.data<int64_t>()[i]);
    }
  }
  Result<Tensor> finish() && {
    if (dtype == DType::string) return std::move(text).finish({count()});
    return dtype == DType::f32 ? Tensor::of<float>({count()}, reals) : Tensor::ints(numbers);
  }
};

constexpr uint64_t kind_of(DType t) { return t == DType::string ? 1 : t == DType::f32 ? 2 : 3; }

Result<DType> dtype_of_values(const AttrReader& attrs) {
  const std::string dtype = attrs.s("dtype");
  for (DType t : {DType::string, DType::f32, DType::i64}) {
    if (dtype == name(t)) return t;
  }
  return unsupported("features of " + quoted(dtype) + " are not supported");
}

Status infer(InferContext& c) {
  auto dtype = dtype_of_values(c.attrs);
  if (!dtype) return dtype.error();
  if (Status s = check_text(c); !s) return s;
  if (c.has(1) && c.dtype(1) != *dtype) return invalid(std::string("the default is ") + name(c.dtype(1)) + ", the feature " + name(*dtype));
  const Shape& x = c.shape(0);
  if (x.ranked() && x.rank() != 1) return invalid("the examples are " + x.text() + ": they must be a list");
  const auto rows = x.ranked() ? add(x[0], Dim(1)) : std::nullopt;
  c.set(0, *dtype, Shape{c.fresh()});
  c.set(1, DType::i64, Shape{rows ? *rows : c.fresh()});
  return {};
}

Result<std::vector<Tensor>> compute(const ComputeRequest& r) {
  const std::string key = r.attrs.s("key");
  const int64_t size = r.attrs.i("size");
  Found found{*dtype_of_values(r.attrs), TextBuilder(r.budget), {}, {}};
  std::vector<int64_t> splits{0};
  for (const StringRef& example : strings_of(r.inputs[0])) {
    const std::string which = "example " + std::to_string(splits.size() - 1) + ": ";
    std::string_view feature, list;
    uint64_t kind = 0;
    const bool read = find_feature(example.view(), key, feature) && each_field(feature, [&](const Field& f) {
                        if (f.type == 2 && f.number >= 1 && f.number <= 3) kind = f.number, list = f.bytes;
                        return true;
                      });
    if (!read) return invalid(which + "it is no tf.Example");
    if (kind != 0 && kind != kind_of(found.dtype)) return invalid(which + "feature " + quoted(key) + " is of another type than " + name(found.dtype));
    if (kind != 0 && !found.add_list(list)) return invalid(which + "feature " + quoted(key) + " is malformed");
    if (kind == 0 && size >= 0) {
      if (!r.has(1) || r.inputs[1].count() != size) return invalid(which + "feature " + quoted(key) + " is required");
      found.add(r.inputs[1]);
    }
    const int64_t here = found.count() - splits.back();
    if (size >= 0 && here != size)
      return invalid(which + "feature " + quoted(key) + " has " + std::to_string(here) + " values, expected " + std::to_string(size));
    if (!found.text.fits() || found.count() > r.budget / 16) return unsupported("the features need more memory than the budget");
    splits.push_back(found.count());
  }
  auto values = std::move(found).finish();
  if (!values) return values.error();
  return std::vector<Tensor>{std::move(*values), Tensor::ints(splits)};
}

constexpr AttrSpec kAttrs[] = {{"dtype", AttrKind::s, kRequired}, {"key", AttrKind::s, kRequired}, {"size", AttrKind::i, -1}};

}  // namespace

constinit const OpDef kExampleFeature = {.name = "ExampleFeature",
                                         .inputs = {1, 2},
                                         .outputs = {2, 2},
                                         .attrs = kAttrs,
                                         .infer = infer,
                                         .compute = compute,
                                         .data_dependent = true,
                                         .tern_only = true};

}  // namespace tern
