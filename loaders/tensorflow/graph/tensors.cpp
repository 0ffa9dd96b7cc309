// See tensors.h.
#include "loaders/tensorflow/graph/tensors.h"

#include <algorithm>
#include <array>

#include "loaders/tensorflow/graph/types.h"
#include "loaders/weights/piece.h"
#include "tern_tensorflow.pb.h"

namespace tern::tensorflow {
namespace {

// Values one by one; the last stands for all that are missing, zero where there is none.
template <class T, class List>
Result<Tensor> from_list(DType dtype, const Dims& dims, const List& list, Contents& contents) {
  const int64_t count = *checked_count(dims.span()), given = std::min<int64_t>(list.size(), count);
  const auto bytes = storage_bytes(dtype, dims);
  const int64_t repeated = bytes ? *bytes - given * static_cast<int64_t>(sizeof(T)) : INT64_MAX;
  if (repeated > contents.budget) {
    return invalid("it holds " + std::to_string(given) + " values, and repeating them to " + to_string(dims) +
                   " takes more memory than LoadOptions::budget allows");
  }
  contents.budget -= repeated;
  auto tensor = Tensor::allocate(dtype, dims);
  if (!tensor) return tensor;
  T* to = tensor->mutable_data<T>();
  for (int64_t i = 0; i < given; ++i) to[i] = static_cast<T>(list.Get(static_cast<int>(i)));
  std::fill(to + given, to + count, given > 0 ? to[given - 1] : T());
  normalize_elements(dtype, tensor->mutable_raw(), count);
  return tensor;
}

Result<Tensor> from_strings(const Dims& dims, const tensorflow_pb::TensorProto& p, Contents& contents) {
  const int64_t count = *checked_count(dims.span()), given = std::min<int64_t>(p.string_val_size(), count);
  const int64_t each = static_cast<int64_t>(sizeof(std::string) + sizeof(StringRef)) +
                       (given > 0 ? static_cast<int64_t>(p.string_val(static_cast<int>(given) - 1).size()) : 0);
  if ((count - given) > contents.budget / each)
    return invalid("it holds " + std::to_string(given) + " texts, and repeating them to " + to_string(dims) +
                   " takes more memory than LoadOptions::budget allows");
  contents.budget -= (count - given) * each;
  std::vector<std::string> texts(p.string_val().begin(), p.string_val().begin() + given);
  texts.resize(static_cast<size_t>(count), given > 0 ? texts.back() : std::string());
  return Tensor::strings(dims, texts);
}

Result<Tensor> from_values(DType dtype, const Dims& dims, const tensorflow_pb::TensorProto& p, Contents& c) {
  switch (dtype) {
    case DType::f32: return from_list<float>(dtype, dims, p.float_val(), c);
    case DType::f64: return from_list<double>(dtype, dims, p.double_val(), c);
    case DType::i64: return from_list<int64_t>(dtype, dims, p.int64_val(), c);
    case DType::u64: return from_list<uint64_t>(dtype, dims, p.uint64_val(), c);
    case DType::u32: return from_list<uint32_t>(dtype, dims, p.uint32_val(), c);
    case DType::i32: return from_list<int32_t>(dtype, dims, p.int_val(), c);
    case DType::i16: return from_list<int16_t>(dtype, dims, p.int_val(), c);
    case DType::i8: return from_list<int8_t>(dtype, dims, p.int_val(), c);
    case DType::u16: return from_list<uint16_t>(dtype, dims, p.int_val(), c);
    case DType::u8: return from_list<uint8_t>(dtype, dims, p.int_val(), c);
    case DType::f16:
    case DType::bf16: return from_list<uint16_t>(dtype, dims, p.half_val(), c);
    case DType::boolean: return from_list<bool>(dtype, dims, p.bool_val(), c);
    case DType::string: return from_strings(dims, p, c);
    case DType::none: break;
  }
  return invalid("it has no dtype");
}

Status check_rank(int rank) {
  if (rank <= kMaxRank) return {};
  return unsupported("it has " + std::to_string(rank) + " dimensions, at most 8 are supported");
}

}  // namespace

Result<Dims> to_dims(const tensorflow_pb::ShapeProto& p) {
  if (p.unknown_rank()) return invalid("its shape is not known");
  if (Status s = check_rank(p.dim_size()); !s) return s.error();
  Dims dims;
  for (const auto& d : p.dim()) dims.push_back(d.size());
  if (!checked_count(dims.span())) return invalid("its shape " + to_string(dims) + " is negative or too large");
  return dims;
}

Result<Shape> to_shape(const tensorflow_pb::ShapeProto& p, Graph& fresh) {
  if (p.unknown_rank()) return Shape();
  if (Status s = check_rank(p.dim_size()); !s) return s.error();
  std::vector<Dim> dims;
  std::vector<int64_t> known;
  for (const auto& d : p.dim()) {
    if (d.size() < -1) return invalid("dimension " + std::to_string(d.size()) + " is negative");
    dims.push_back(d.size() < 0 ? fresh.fresh_dim() : Dim(d.size()));
    known.push_back(std::max<int64_t>(d.size(), 1));
  }
  const auto count = checked_count(known);
  if (!count || *count > INT64_MAX / 16) return invalid("its shape " + Shape(dims).text() + " is too large");
  return Shape(std::move(dims));
}

Result<std::array<Tensor, 2>> to_complex(const tensorflow_pb::TensorProto& p, Contents& contents) {
  auto dims = to_dims(p.shape());
  if (!dims) return dims.error();
  const int64_t count = *checked_count(dims->span()), given = std::min<int64_t>(p.scomplex_val_size() / 2, count);
  const auto bytes = storage_bytes(DType::f32, *dims);
  if (!bytes || *bytes > contents.budget / 2)
    return invalid("its parts of shape " + to_string(*dims) + " take more memory than LoadOptions::budget allows");
  contents.budget -= 2 * *bytes;
  Tensor pairs;  // real, imaginary, real …
  if (p.content_size() > 0) {
    auto raw = dense_tensor(DType::f32, {2 * count}, contents.source.bytes.subspan(p.content_offset(), p.content_size()), contents.source);
    if (!raw) return raw.error();
    pairs = std::move(*raw);
  }
  std::array<Tensor, 2> parts;
  for (size_t part = 0; part < 2; ++part) {
    auto made = Tensor::allocate(DType::f32, *dims);
    if (!made) return made.error();
    float* to = made->mutable_data<float>();
    for (int64_t i = 0; i < count; ++i) {
      const int64_t from = 2 * (pairs.present() ? i : std::min(i, given - 1)) + static_cast<int64_t>(part);
      to[i] = pairs.present() ? pairs.data<float>()[from] : given > 0 ? p.scomplex_val(static_cast<int>(from)) : 0;
    }
    parts[part] = std::move(*made);
  }
  return parts;
}

Result<Tensor> to_tensor(const tensorflow_pb::TensorProto& p, Contents& contents) {
  auto dtype = dtype_of(p.dtype());
  if (!dtype) return dtype.error();
  auto dims = to_dims(p.shape());
  if (!dims) return dims.error();
  if (p.content_size() == 0) return from_values(*dtype, *dims, p, contents);
  if (*dtype == DType::string) return invalid("strings cannot be raw bytes");
  return dense_tensor(*dtype, *dims, contents.source.bytes.subspan(p.content_offset(), p.content_size()), contents.source);
}

}  // namespace tern::tensorflow
