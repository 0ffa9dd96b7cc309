// See piece.h.
#include "loaders/weights/piece.h"

#include "loaders/weights/tensors.h"

namespace tern {

Result<Tensor> dense_tensor(DType dtype, const Dims& dims, std::span<const std::byte> piece, const Source& file, bool normal) {
  const auto needs = storage_bytes(dtype, dims);
  if (!needs || static_cast<uint64_t>(*needs) != piece.size()) {
    return invalid("it holds " + std::to_string(piece.size()) + " bytes and its shape " + to_string(dims) + " of " + name(dtype) + " needs " +
                   (needs ? std::to_string(*needs) : "too many"));
  }
  StoredTensor t;
  t.dtype = dtype;
  t.normal = normal;
  t.element_size = static_cast<int64_t>(size_of(dtype));
  t.sizes.assign(dims.span().begin(), dims.span().end());
  t.strides.resize(t.sizes.size());
  int64_t stride = 1;
  for (size_t i = t.sizes.size(); i-- > 0; stride *= t.sizes[i]) t.strides[i] = stride;
  const std::byte *end = file.bytes.data() + file.bytes.size(), *last = piece.data() + piece.size();
  t.storage = std::make_shared<const Storage>(Storage{piece, file.owner, "", static_cast<int64_t>(end - last)});
  return dense(t, 0);
}

}  // namespace tern
