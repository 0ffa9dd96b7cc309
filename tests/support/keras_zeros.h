// Weights that are zeros of whatever sizes a model's layers ask for: models of JSON alone. At most 64 K elements each.
#pragma once
#include "loaders/keras/weights/weights.h"
#include "runtime/base/checked.h"

namespace tern::test {

class ZeroWeights : public keras::WeightSource {
 public:
  Result<std::optional<StoredTensor>> find(const keras::WeightPlace&, std::string_view, size_t, const std::vector<int64_t>& dims) override {
    const auto count = checked_count(dims);
    if (dims.empty() || dims.size() > kMaxRank || !count || *count > 65536) return std::optional<StoredTensor>();
    StoredTensor t;
    t.dtype = DType::f32;
    t.dtype_name = "f32";
    t.element_size = 4;
    t.sizes = dims;
    t.strides.resize(dims.size(), 1);
    for (size_t i = dims.size(); i-- > 1;) t.strides[i - 1] = t.strides[i] * dims[i];
    auto bytes = std::make_shared<const std::vector<std::byte>>(static_cast<size_t>(*count) * 4);
    t.storage = std::make_shared<const Storage>(Storage{*bytes, bytes, "zeros", 0});
    return std::optional<StoredTensor>(std::move(t));
  }
  Result<std::optional<std::string>> asset(const keras::WeightPlace&, std::string_view) override {
    return std::optional<std::string>("\n[UNK]\na\nb\n");
  }
};

}  // namespace tern::test
