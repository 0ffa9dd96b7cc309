// Tensors as weights files describe them: a view (sizes, strides, offset) of a storage, which is a piece of the file. What every
// weights format (PyTorch's zip, legacy and .pt2, safetensors) is read into. Next: tensors.cpp, then torch/pickle/pickle.h.
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/base/tensor.h"

namespace tern {

// The raw elements that one or more tensors share. Bytes lie in the file's copy (or the mapped file), or in `owned` (inflated, byte-swapped).
struct Storage {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;  // keeps `bytes` alive; null: copy before keeping
  std::string key;                    // as the file names it, for messages
  int64_t readable_after = 0;         // bytes behind `bytes` that may be read too (the rest of the mapping)
};

struct StoredTensor {
  DType dtype = DType::none;                 // none: tern does not compute with it
  std::string dtype_name;                    // "f32"; torch's name ("complex64", "qint8", "float8_e4m3fn") where dtype is none
  int64_t element_size = 0;                  // bytes
  std::vector<int64_t> sizes, strides;       // strides in elements, never negative
  int64_t offset = 0;                        // in elements
  std::shared_ptr<const Storage> storage;    // null: no data (a meta tensor, a lazy parameter, a sparse tensor)
  bool parameter = false;                    // an nn.Parameter
  bool conjugate = false, negative = false;  // torch's lazy bits
  bool normal = false;                       // known: no element is subnormal
  std::string refusal;                       // not empty: why it cannot be used ("a sparse tensor (sparse_coo)")
  DType copied_to = DType::none;             // not none: the dtype of the module's tensor that the elements are copied into; dense() does not

  DType used_as() const { return copied_to == DType::none ? dtype : copied_to; }
};

// Checks a view against its storage: ranks, signs, overflow, the last element inside. Errors: invalid.
Status check_view(const StoredTensor& tensor);
// Elements; nothing on overflow.
std::optional<int64_t> element_count(const StoredTensor& tensor);
// Two names of one tensor: same storage, offset, sizes, strides and dtype.
bool same_view(const StoredTensor& a, const StoredTensor& b);
// The tensor, row-major and dense: an alias of the mapping where that is dense, aligned to its elements, kept alive and free of
// subnormals (which become zero, as the numbers contract says), else a copy, a large one in a sealed file of its own. Errors: refusal, more than kMaxRank dimensions (unsupported);
// more bytes than `budget` for a view that repeats elements (invalid).
Result<Tensor> dense(const StoredTensor& tensor, int64_t budget);
// CRC-32 (that of ZIP files) of the dense row-major little-endian bytes, without making them all at once.
Result<uint32_t> checksum(const StoredTensor& tensor, int64_t budget);

// A state_dict: names to tensors in file order, and what torch's `_metadata` tells of the modules.
struct StateDict {
  struct Entry {
    std::string name;
    StoredTensor tensor;
  };
  std::vector<Entry> entries;
  std::vector<std::pair<std::string, int64_t>> modules;       // every submodule's path with its version, in registration order; may be empty
  std::vector<std::pair<std::string, std::string>> others;    // names and Python's types ("int") of values that are no tensors
  std::vector<std::pair<std::string, std::string>> metadata;  // what the file says of itself (safetensors' __metadata__)
  const StoredTensor* find(std::string_view name) const;
};

}  // namespace tern
