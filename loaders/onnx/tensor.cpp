// See tensor.h. Which field holds the elements: external data, then raw_data, then the typed field (the ONNX specification's order).
#include "loaders/onnx/tensor.h"

#include <cstring>

#include "runtime/base/checked.h"

namespace tern::onnx {

DType to_dtype(int data_type) {
  constexpr DType kTypes[] = {DType::none, DType::f32,     DType::u8,  DType::i8,  DType::u16, DType::i16,  DType::i32,  DType::i64, DType::string,
                              DType::boolean, DType::f16, DType::f64, DType::u32, DType::u64, DType::none, DType::none, DType::bf16};
  return data_type >= 0 && data_type < 17 ? kTypes[data_type] : DType::none;
}

std::string data_type_name(int data_type) {
  constexpr const char* kNames[] = {"undefined", "f32", "u8", "i8", "u16", "i16", "i32", "i64", "string", "bool", "f16", "f64", "u32", "u64",
                                    "complex64", "complex128", "bf16", "float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz",
                                    "uint4", "int4", "float4e2m1", "float8e8m0", "uint2", "int2"};
  return data_type >= 0 && data_type < 27 ? kNames[data_type] : "data type " + std::to_string(data_type);
}

namespace {

Result<Dims> to_dims(const google::protobuf::RepeatedField<int64_t>& list, const std::string& label) {
  if (list.size() > kMaxRank) return unsupported(label + " has " + std::to_string(list.size()) + " dimensions; 8 are supported");
  Dims dims;
  for (int64_t d : list) dims.push_back(d);
  if (!checked_count(dims.span())) return invalid(label + " has the impossible shape " + to_string(dims));
  return dims;
}

Error wrong_count(const std::string& label, int64_t has, const char* what, const Dims& dims) {
  return invalid(label + " has " + std::to_string(has) + " " + what + ", its shape " + to_string(dims) + " needs another number");
}

// From a typed field, narrowing each element as its dtype stores it.
template <class T, class Field>
Status copy_field(const Field& field, Tensor& t, const std::string& label) {
  if (field.size() != t.count()) return wrong_count(label, field.size(), "elements", t.dims());
  T* out = t.mutable_data<T>();
  for (int i = 0; i < field.size(); ++i) {
    if constexpr (std::is_same_v<T, f16> || std::is_same_v<T, bf16>) out[i] = {static_cast<uint16_t>(field.Get(i))};
    else out[i] = static_cast<T>(field.Get(i));
  }
  return {};
}

Status copy_typed(const onnx_pb::Tensor& proto, Tensor& t, const std::string& label) {
  switch (t.dtype()) {
    case DType::f32: return copy_field<float>(proto.float_data(), t, label);
    case DType::f64: return copy_field<double>(proto.double_data(), t, label);
    case DType::i64: return copy_field<int64_t>(proto.int64_data(), t, label);
    case DType::u64: return copy_field<uint64_t>(proto.uint64_data(), t, label);
    case DType::u32: return copy_field<uint32_t>(proto.uint64_data(), t, label);
    case DType::i32: return copy_field<int32_t>(proto.int32_data(), t, label);
    case DType::i16: return copy_field<int16_t>(proto.int32_data(), t, label);
    case DType::i8: return copy_field<int8_t>(proto.int32_data(), t, label);
    case DType::u16: return copy_field<uint16_t>(proto.int32_data(), t, label);
    case DType::u8: return copy_field<uint8_t>(proto.int32_data(), t, label);
    case DType::boolean: return copy_field<bool>(proto.int32_data(), t, label);
    case DType::f16: return copy_field<f16>(proto.int32_data(), t, label);
    case DType::bf16: return copy_field<bf16>(proto.int32_data(), t, label);
    default: return invalid(label + " has no elements");
  }
}

int64_t typed_elements(const onnx_pb::Tensor& proto) {
  return std::max({proto.float_data_size(), proto.double_data_size(), proto.int64_data_size(), proto.uint64_data_size(), proto.int32_data_size()});
}

// Bytes as a file holds them: little-endian elements. Bools are made 0 or 1; subnormal weights become zero (the numbers contract).
void settle(Tensor& t) {
  if (t.dtype() == DType::boolean) {
    auto* p = reinterpret_cast<uint8_t*>(t.mutable_raw());
    for (int64_t i = 0; i < t.count(); ++i) p[i] = p[i] != 0;
  }
  flush_subnormals(t.dtype(), t.mutable_raw(), t.count());
}

}  // namespace

Result<Tensor> to_tensor(const onnx_pb::Tensor& proto, ExternalData& external) {
  const std::string label = "tensor " + (proto.name().empty() ? std::string("without a name") : proto.name());
  const DType dtype = to_dtype(proto.data_type());
  if (dtype == DType::none) {
    if (proto.data_type() < 1 || proto.data_type() > 26) return invalid(label + " has the unknown " + data_type_name(proto.data_type()));
    return unsupported(label + " is " + data_type_name(proto.data_type()) + ": this dtype is not supported");
  }
  auto dims = to_dims(proto.dims(), label);
  if (!dims) return dims.error();
  auto bytes = storage_bytes(dtype, *dims);
  if (!bytes) return invalid(label + " has the impossible shape " + to_string(*dims));

  if (dtype == DType::string) {
    if (proto.string_data_size() != dims->count()) return wrong_count(label, proto.string_data_size(), "strings", *dims);
    std::vector<std::string> strings(proto.string_data().begin(), proto.string_data().end());
    return Tensor::strings(*dims, strings);
  }
  if (proto.data_location() == 1) {
    auto t = external.read(proto, dtype, *dims, label);
    if (t) settle(*t);
    return t;
  }
  // The elements must be there before memory is taken for them.
  const bool raw = proto.has_raw_data() && !(proto.raw_data().empty() && typed_elements(proto) > 0);
  if (raw && static_cast<int64_t>(proto.raw_data().size()) != *bytes) {
    return wrong_count(label, static_cast<int64_t>(proto.raw_data().size()), "bytes of raw data", *dims);
  }
  if (!raw && typed_elements(proto) != dims->count()) return wrong_count(label, typed_elements(proto), "elements", *dims);
  auto t = Tensor::allocate(dtype, *dims);
  if (!t) return t;
  if (raw) {
    if (*bytes > 0) std::memcpy(t->mutable_raw(), proto.raw_data().data(), static_cast<size_t>(*bytes));
  } else if (Status s = copy_typed(proto, *t, label); !s) {
    return s.error();
  }
  settle(*t);
  return t;
}

Result<Tensor> to_tensor(const onnx_pb::SparseTensor& proto, ExternalData& external, int64_t& budget) {
  const std::string label = "sparse tensor " + proto.values().name();
  auto values = to_tensor(proto.values(), external);
  if (!values) return values;
  auto indices = to_tensor(proto.indices(), external);
  if (!indices) return indices;
  auto dims = to_dims(proto.dims(), label);
  if (!dims) return dims.error();
  auto bytes = storage_bytes(values->dtype(), *dims);
  if (!bytes || *bytes > budget) return unsupported(label + ": " + to_string(*dims) + " is larger than the load budget allows");
  if (values->dtype() == DType::string || values->dims().rank != 1 || indices->dtype() != DType::i64) return invalid(label + " is malformed");
  const int64_t n = values->count();
  const bool linear = indices->dims() == Dims{n};
  if (!linear && !(indices->dims() == Dims{n, dims->rank})) return invalid(label + ": indices of shape " + to_string(indices->dims()));

  budget -= *bytes;
  auto dense = Tensor::allocate(values->dtype(), *dims);
  if (!dense) return dense;
  std::memset(dense->mutable_raw(), 0, static_cast<size_t>(*bytes));
  const size_t size = size_of(values->dtype());
  int64_t last = -1;
  for (int64_t i = 0; i < n; ++i) {
    int64_t at = linear ? indices->data<int64_t>()[i] : 0;
    for (int d = 0; !linear && d < dims->rank; ++d) {
      const int64_t x = indices->data<int64_t>()[i * dims->rank + d];
      if (x < 0 || x >= (*dims)[d]) return invalid(label + ": an index is outside of " + to_string(*dims));
      at = at * (*dims)[d] + x;
    }
    if (at <= last || at >= dims->count()) return invalid(label + ": indices are not ascending within " + to_string(*dims));
    last = at;
    std::memcpy(dense->mutable_raw() + static_cast<size_t>(at) * size, values->raw() + static_cast<size_t>(i) * size, size);
  }
  return dense;
}

}  // namespace tern::onnx
