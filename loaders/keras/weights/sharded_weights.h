// Weights in several HDF5 files and the index that names them: {"metadata": …, "weight_map": {"/layers/dense/vars": "model_00000.weights.h5"}}, or a
// list of files for a layer that lies in several. Each file has the layout of archives. Next: sharded_weights.cpp.
#pragma once
#include <functional>

#include "loaders/json/json.h"
#include "loaders/keras/weights/hdf5_weights.h"
#include "loaders/source.h"

namespace tern::keras {

// The files of an index, by their names. `open` gives the one of a name, which lies beside the index or in its archive. Errors: no index, more than
// 1024 files (invalid), and those of `open` and of the files.
Result<std::vector<hdf5::File>> open_shards(std::string_view index, int64_t budget, const std::function<Result<Source>(const std::string&)>& open);

class ShardedWeights : public WeightSource {
 public:
  explicit ShardedWeights(const std::vector<hdf5::File>& files) : files_(files.begin(), files.end()) {}
  Result<std::optional<StoredTensor>> find(const WeightPlace& place, std::string_view name, size_t index, const std::vector<int64_t>& dims) override;
  Result<std::optional<std::string>> asset(const WeightPlace&, std::string_view) override { return std::optional<std::string>(); }

 private:
  std::vector<TreeWeights> files_;
};

}  // namespace tern::keras
