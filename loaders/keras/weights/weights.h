// The weights of a Keras file, found as layers ask for them: by the layer's place in the model (Keras 3's archives: paths of attributes) or by
// names of layers and weights (.h5). A weight that is not found by its name is found by its order. Next: weights.cpp.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "loaders/weights/tensors.h"
#include "runtime/graph_builder.h"

namespace tern::keras {

constexpr int64_t kAnySize = INT64_MIN;  // of a weight whose size the layer does not know: no config says so

// Has a weight of these sizes a place where those are wanted, any size where kAnySize is?
bool fits(const std::vector<int64_t>& have, const std::vector<int64_t>& want);

// Where a layer stands. Both are told, and each kind of file reads its own.
struct WeightPlace {
  std::string path;                // "layers/bidirectional/forward_layer/cell": attributes and list places, as Keras 3 writes archives
  std::vector<std::string> names;  // "bidirectional", "forward_lstm", "lstm_cell": names of layers, as .h5 files have them
};

// What a file holds. Implementations: of HDF5 files (hdf5_weights.h), and of zeros, for tests.
class WeightSource {
 public:
  virtual ~WeightSource() = default;
  // Before anything is asked for: the layers of the outermost model in the order of its file, without a Sequential's inputs. Errors: they are not
  // those of the weights.
  virtual Status begin(const std::vector<std::string>&) { return {}; }
  // Weight `index` of those that the layer itself has, in Keras' order (trainable ones first), called `name` ("kernel").
  // `dims`: what it should be; to choose among several, the caller checks. Nothing: the file has none. Errors: damaged.
  virtual Result<std::optional<StoredTensor>> find(const WeightPlace& place, std::string_view name, size_t index,
                                                   const std::vector<int64_t>& dims) = 0;
  // Are weights told apart by their names? Then none is there that has no name of its own; else their order tells.
  virtual bool by_name() const { return false; }
  // After everything was asked for. Errors: what is left over says that the others are not all there is (unsupported).
  virtual Status finish() { return {}; }
  // A file in assets/ of an archive, of the layer at that place ("vocabulary.txt"). Nothing: there is none.
  virtual Result<std::optional<std::string>> asset(const WeightPlace& place, std::string_view file) = 0;
};

// Counts of elements, for the summary.
struct WeightCounts {
  int64_t trainable = 0, fixed = 0;
};

// The weights of one layer: a handle. Each is read once, also when a layer is called several times.
class Weights {
 public:
  struct Shared {
    GraphBuilder& b;
    WeightSource& source;
    int64_t budget;
    struct Known {
      ValueId value = kNone;
      std::optional<StoredTensor> stored;
    };
    std::map<std::string, Known, std::less<>> known;          // by path and name
    std::map<std::string, size_t, std::less<>> next;          // by path: how many were asked for
    std::map<std::string, WeightCounts, std::less<>> counts;  // by the path of a layer of the outermost model
    std::map<std::string, std::string> elsewhere;             // paths that may have nothing, and where their weights lie then
    std::string counted;                                      // that layer's
  };
  Weights(Shared& shared, WeightPlace place) : shared_(&shared), place_(std::move(place)) {}

  // Of an object inside of the layer: its attribute in Python, and the name that it has in .h5 files (often that of an inner layer).
  Weights child(std::string_view attribute, std::string_view name) const;
  const WeightPlace& place() const { return place_; }

  // The next weight, in Keras' order (trainable ones first), as a constant of the file's dtype. Fails the builder where there is none or it has
  // other dims. Asked for again by name, it is the same.
  ValueId get(std::string_view name, const std::vector<int64_t>& dims, bool trainable = true);
  // The dims of the next weight, or of one that was asked for; nothing when the file has none.
  std::optional<std::vector<int64_t>> dims(std::string_view name);
  DType dtype(std::string_view name);  // of the same; none when the file has none
  bool has(std::string_view name) { return dims(name).has_value(); }
  // The same of one that comes in no order: false where order alone tells weights apart.
  bool has_by_name(std::string_view name) { return shared_->source.by_name() && has(name); }
  // A text file in the archive's assets; fails the builder when there is none.
  std::string asset(std::string_view file);
  bool has_asset(std::string_view file);

 private:
  Shared::Known* look(std::string_view name, const std::vector<int64_t>& dims);
  Shared* shared_;
  WeightPlace place_;
};

}  // namespace tern::keras
