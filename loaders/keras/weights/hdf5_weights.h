// The weights in an HDF5 file of Keras: a whole model's or weights alone, in the layout of archives or that of .h5. See the tables in
// loaders/README.md. Next: hdf5_weights.cpp.
#pragma once
#include "loaders/hdf5/hdf5.h"
#include "loaders/keras/weights/weights.h"

namespace tern::keras {

// layers/dense/vars/0: by paths.
class TreeWeights : public WeightSource {
 public:
  explicit TreeWeights(hdf5::File file) : file_(std::move(file)) {}
  Result<std::optional<StoredTensor>> find(const WeightPlace& place, std::string_view name, size_t index, const std::vector<int64_t>& dims) override;
  Result<std::optional<std::string>> asset(const WeightPlace&, std::string_view) override { return std::optional<std::string>(); }

 private:
  hdf5::File file_;
};

// Groups of layers with lists of weight names: by names.
class ListedWeights : public WeightSource {
 public:
  // group: model_weights, or the root of a file of weights.
  ListedWeights(hdf5::File file, hdf5::File::Id group) : file_(std::move(file)), group_(group) {}
  Result<std::optional<StoredTensor>> find(const WeightPlace& place, std::string_view name, size_t index, const std::vector<int64_t>& dims) override;
  Result<std::optional<std::string>> asset(const WeightPlace&, std::string_view) override { return std::optional<std::string>(); }

 private:
  struct Entry {
    std::vector<std::string> parts;  // of its name
    hdf5::File::Id id;
    bool used = false;
  };
  struct Group {
    std::vector<Entry> entries;
  };
  Result<Group*> group(const std::string& layer);
  hdf5::File file_;
  hdf5::File::Id group_;
  std::map<std::string, Group> groups_;
};

}  // namespace tern::keras
