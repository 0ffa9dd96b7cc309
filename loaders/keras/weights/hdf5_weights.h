// The weights in an HDF5 file of Keras: a whole model's or weights alone, in the layout of archives or that of .h5. See the tables in
// loaders/README.md. Next: hdf5_weights.cpp, then sharded_weights.h.
#pragma once
#include "loaders/hdf5/hdf5.h"
#include "loaders/keras/weights/weights.h"

namespace tern::keras {

// A dataset; bfloat16, for which HDF5 has no name, is two opaque bytes, and in Keras 3 an attribute says so. Errors: as File::read gives them, with the dataset's path.
Result<StoredTensor> read_weight(const hdf5::File& file, hdf5::File::Id dataset);

// layers/dense/vars/0: by paths. Other spellings of a path: _layer_checkpoint_dependencies for layers (TensorFlow 2.12 and 2.13), one name with
// backslashes (Windows), private attributes (_query_dense). A layer whose path is not there is found by its name, which newer files note.
class TreeWeights : public WeightSource {
 public:
  explicit TreeWeights(hdf5::File file) : file_(std::move(file)) {}
  static bool recognises(const hdf5::File& file);
  Result<std::optional<StoredTensor>> find(const WeightPlace& place, std::string_view name, size_t index, const std::vector<int64_t>& dims) override;
  Result<std::optional<std::string>> asset(const WeightPlace&, std::string_view) override { return std::optional<std::string>(); }

 private:
  using Id = hdf5::File::Id;
  Result<Id> vars(const WeightPlace& place);
  Result<Id> resolve(Id from, std::string_view path) const;
  Status note_names();

  hdf5::File file_;
  std::map<std::string, Id, std::less<>> vars_;                    // groups of variables by the path that was asked for
  std::optional<std::map<std::string, Id, std::less<>>> by_name_;  // layers by the names that their variables note; kNothing: several have it
};

// Groups of layers with lists of weight names: by names. Where the model's layers are called otherwise, layers are matched in order, as Keras does.
class ListedWeights : public WeightSource {
 public:
  // group: model_weights, or the root of a file of weights.
  ListedWeights(hdf5::File file, hdf5::File::Id group) : file_(std::move(file)), group_(group) {}
  static bool recognises(const hdf5::File& file);  // at the root
  Status begin(const std::vector<std::string>& layers) override;
  bool by_name() const override { return true; }
  Status finish() override;
  Result<std::optional<StoredTensor>> find(const WeightPlace& place, std::string_view name, size_t index, const std::vector<int64_t>& dims) override;
  Result<std::optional<std::string>> asset(const WeightPlace&, std::string_view) override { return std::optional<std::string>(); }

 private:
  struct Entry {
    std::vector<std::string> parts;  // of its name
    hdf5::File::Id id;
    bool used = false;
  };
  using Group = std::vector<Entry>;
  Result<Group*> group(const std::string& layer);

  hdf5::File file_;
  hdf5::File::Id group_;
  std::map<std::string, std::string> matched_;  // the model's layers and the file's, where their names differ
  std::map<std::string, Group> groups_;         // by the file's names
};

}  // namespace tern::keras
