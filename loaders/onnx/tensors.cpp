// Every storage form of a tensor. See tensors.h.
#include "loaders/onnx/tensors.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "kernels/dtype_code.h"
#include "loaders/onnx/text.h"
#include "loaders/weights/piece.h"
#include "runtime/base/checked.h"
#include "runtime/base/mapping.h"
#include "runtime/base/subnormals.h"

namespace tern::onnx {
namespace {

template <class List>
Result<Dims> to_dims(const List& list) {
  if (list.size() > kMaxRank) return unsupported("it has " + std::to_string(list.size()) + " dimensions, at most 8 are supported");
  Dims dims;
  for (int64_t n : list) dims.push_back(n);
  if (!checked_count(dims.span())) return invalid("its shape " + to_string(dims) + " is negative or too large");
  return dims;
}

Error wrong_count(size_t has, const Dims& dims) {
  return invalid("it holds " + std::to_string(has) + " elements and its shape " + to_string(dims) + " needs " +
                 std::to_string(*checked_count(dims.span())));
}

Result<Tensor> from_raw(DType dtype, const Dims& dims, std::span<const std::byte> raw, const Sources& sources, bool normal) {
  Source file{sources.file, nullptr, {}, {}};
  if (reinterpret_cast<uintptr_t>(raw.data()) % size_of(dtype) == 0) file.owner = sources.owner;
  return dense_tensor(dtype, dims, raw, file, normal);
}

// Elements of a typed field, each converted to its dtype (16-bit floats are stored as their bits).
template <class T, class List>
Result<Tensor> from_list(DType dtype, const Dims& dims, const List& list) {
  if (static_cast<int64_t>(list.size()) != *checked_count(dims.span())) return wrong_count(static_cast<size_t>(list.size()), dims);
  auto tensor = Tensor::allocate(dtype, dims);
  if (!tensor) return tensor;
  T* to = tensor->mutable_data<T>();
  for (auto v : list) *to++ = static_cast<T>(v);
  return tensor;
}

Result<Tensor> from_fields(DType dtype, const Dims& dims, const onnx_pb::Tensor& p) {
  switch (dtype) {
    case DType::f32: return from_list<float>(dtype, dims, p.float_data());
    case DType::f64: return from_list<double>(dtype, dims, p.double_data());
    case DType::i64: return from_list<int64_t>(dtype, dims, p.int64_data());
    case DType::u64: return from_list<uint64_t>(dtype, dims, p.uint64_data());
    case DType::u32: return from_list<uint32_t>(dtype, dims, p.uint64_data());
    case DType::i32: return from_list<int32_t>(dtype, dims, p.int32_data());
    case DType::i16: return from_list<int16_t>(dtype, dims, p.int32_data());
    case DType::i8: return from_list<int8_t>(dtype, dims, p.int32_data());
    case DType::u16: return from_list<uint16_t>(dtype, dims, p.int32_data());
    case DType::u8: return from_list<uint8_t>(dtype, dims, p.int32_data());
    case DType::f16:
    case DType::bf16: return from_list<uint16_t>(dtype, dims, p.int32_data());
    case DType::boolean: return from_list<bool>(dtype, dims, p.int32_data());
    case DType::string: {
      if (p.string_data_size() != *checked_count(dims.span())) return wrong_count(static_cast<size_t>(p.string_data_size()), dims);
      return Tensor::strings(dims, std::vector<std::string>(p.string_data().begin(), p.string_data().end()));
    }
    case DType::none: break;
  }
  return invalid("it has no dtype");
}

Result<Tensor> from_external(DType dtype, const Dims& dims, const onnx_pb::Tensor& p, Sources& sources) {
  std::string location;
  int64_t offset = 0, length = -1;
  auto number = [](const std::string& text) -> std::optional<int64_t> {
    int64_t n = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    return error == std::errc() && end == text.data() + text.size() && n >= 0 ? std::optional(n) : std::nullopt;
  };
  for (const auto& entry : p.external_data()) {
    if (entry.key() == "location") location = entry.value();
    if (entry.key() != "offset" && entry.key() != "length") continue;
    auto n = number(entry.value());
    if (!n) return invalid("external data: its " + entry.key() + " " + quoted(entry.value()) + " is not a number of bytes");
    (entry.key() == "offset" ? offset : length) = *n;
  }
  if (dtype == DType::string) return invalid("strings cannot be external data");
  return sources.external.read(location, offset, length, dtype, dims, sources.budget);
}

}  // namespace

void clean(Tensor& t) { normalize_elements(t.dtype(), t.mutable_raw(), t.count()); }

Result<DType> dtype_of(int64_t n) {
  if (n < 0 || n >= static_cast<int64_t>(std::size(kDTypeCodes))) return unsupported("dtype " + std::to_string(n) + " is not known");
  const DTypeCode& entry = kDTypeCodes[n];
  if (n == 0) return invalid("it has no dtype");
  if (entry.dtype == DType::none) return unsupported("dtype " + std::string(entry.name) + " is not supported");
  return entry.dtype;
}

int64_t data_type_number(std::string_view name) {
  for (size_t n = 1; n < std::size(kDTypeCodes); ++n) {
    if (name == kDTypeCodes[n].name) return static_cast<int64_t>(n);
  }
  return 0;
}

Result<Tensor> to_tensor(const onnx_pb::Tensor& p, Sources& sources, bool normal) {
  auto dtype = dtype_of(p.data_type());
  if (!dtype) return dtype.error();
  auto dims = to_dims(p.dims());
  if (!dims) return dims.error();
  Result<Tensor> tensor = Error();
  if (p.data_location() == 1) {
    return from_external(*dtype, *dims, p, sources);
  } else if (p.has_raw_offset()) {
    if (*dtype == DType::string) return invalid("strings cannot be raw data");
    return from_raw(*dtype, *dims, sources.file.subspan(p.raw_offset(), p.raw_size()), sources, normal);
  } else {
    tensor = from_fields(*dtype, *dims, p);
  }
  if (!tensor) return tensor;
  clean(*tensor);
  return tensor;
}

namespace {

// See take_tensor(). True: the elements lie where a tensor may, and none is subnormal.
bool put_right(onnx_pb::Tensor& p, Sources& sources) {
  constexpr uint64_t kLeast = uint64_t(16) << 10;  // from there on a length takes three bytes; and a smaller tensor is copied anyway (dense())
  constexpr size_t kPiece = size_t(256) << 10;     // stays in the second cache
  if (!p.has_raw_offset() || p.raw_size() < kLeast || p.data_type() != data_type_number("FLOAT") || p.data_location() == 1) return false;
  if (p.raw_size() % sizeof(float) != 0 || !unprotect_whole(sources.owner)) return false;
  auto* from = const_cast<std::byte*>(sources.file.data() + p.raw_offset());
  const size_t by = reinterpret_cast<uintptr_t>(from) % sizeof(float);
  for (size_t at = 0; at < p.raw_size(); at += kPiece) {
    const std::span<std::byte> piece(from - by + at, std::min<size_t>(kPiece, p.raw_size() - at));
    if (by != 0) std::memmove(piece.data(), from + at, piece.size());
    if (any_subnormal(DType::f32, piece)) normalize_elements(DType::f32, piece.data(), static_cast<int64_t>(piece.size() / sizeof(float)));
  }
  p.set_raw_offset(p.raw_offset() - by);
  return true;
}

void release(const onnx_pb::Tensor& p, const Tensor& made, const Sources& sources) {
  constexpr size_t kWorthReleasing = size_t(16) << 20;  // of a smaller file the two copies may be there for a moment
  if (!p.has_raw_offset() || sources.file.size() < kWorthReleasing || !is_mapped(sources.owner)) return;
  const auto raw = sources.file.subspan(p.raw_offset(), p.raw_size());
  if (made.raw() != raw.data()) release_pages(raw);
}

}  // namespace

Result<Tensor> take_tensor(onnx_pb::Tensor& p, Sources& sources) {
  auto tensor = to_tensor(p, sources, put_right(p, sources));
  if (tensor) release(p, *tensor, sources);
  return tensor;
}

Result<Tensor> to_dense(const onnx_pb::SparseTensor& p, Sources& sources) {
  auto dims = to_dims(p.dims());
  if (!dims) return dims.error();
  auto values = to_tensor(p.values(), sources);
  if (!values) return values.error().within("values");
  auto indices = to_tensor(p.indices(), sources);
  if (!indices) return indices.error().within("indices");
  const Dims& at = indices->dims();
  const int64_t n = values->count();
  const bool linear = at.rank == 1;
  if (values->dims().rank != 1 || indices->dtype() != DType::i64 || !(linear || (at.rank == 2 && at[1] == dims->rank)) || at[0] != n) {
    return invalid("its indices " + to_string(at) + " do not fit its values " + to_string(values->dims()) + " and shape " + to_string(*dims));
  }
  if (values->dtype() == DType::string) return unsupported("sparse strings are not supported");
  const auto bytes = storage_bytes(values->dtype(), *dims);
  if (!bytes || *bytes > sources.budget) {
    return unsupported("made dense, " + to_string(*dims) + " takes more memory than LoadOptions::budget allows");
  }
  sources.budget -= *bytes;
  auto dense = Tensor::allocate(values->dtype(), *dims);
  if (!dense) return dense;
  if (*bytes > 0) std::memset(dense->mutable_raw(), 0, static_cast<size_t>(*bytes));
  const size_t size = size_of(values->dtype());
  const int64_t* index = indices->data<int64_t>();
  const int64_t count = dense->count();
  int64_t previous = -1;
  for (int64_t i = 0; i < n; ++i) {
    int64_t position = 0;
    if (linear) {
      position = index[i];
    } else {
      for (int d = 0; d < dims->rank; ++d) {
        const int64_t c = index[i * dims->rank + d];
        if (c < 0 || c >= (*dims)[d]) return invalid("an index lies outside its shape " + to_string(*dims));
        position = position * (*dims)[d] + c;
      }
    }
    if (position < 0 || position >= count) return invalid("an index lies outside its shape " + to_string(*dims));
    if (position <= previous) return invalid("its indices are not in ascending order");
    previous = position;
    std::memcpy(dense->mutable_raw() + static_cast<size_t>(position) * size, values->raw() + static_cast<size_t>(i) * size, size);
  }
  return dense;
}

}  // namespace tern::onnx
