// Bundle: a checkpoint, which is an index (PREFIX.index) and the shards that hold the tensors (PREFIX.data-00000-of-00001). Every tensor is checked by
// its CRC when it is read. Next: bundle.cpp, slices.h.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "loaders/file_parts.h"
#include "loaders/tensorflow/bundle/table.h"
#include "runtime/base/tensor.h"

namespace tern::tensorflow_pb {
class BundleEntry;
}

namespace tern::tensorflow {

class Bundle {
 public:
  // prefix: "variables/variables", beneath the folder. Files open there only, and through no link (open_file.h). Errors: missing, damaged, big-endian,
  // of a later version.
  static Result<Bundle> open(const std::string& folder, const std::string& prefix, const FileOptions& how);

  bool has(std::string_view key) const { return table_.contains(key); }
  std::vector<std::string> keys() const;
  // A tensor, which aliases what was copied of its shard. Errors: no such key, a shard that is missing or too short, damaged, a dtype that tern
  // lacks.
  Result<Tensor> read(const std::string& key);
  // A part of a partitioned variable, as it was saved: "4 6 0,2:-" is rows 0 and 1 of [4,6]. Errors: also when that is no such text.
  Result<Tensor> read_part(const std::string& key, const std::string& part);
  // A text that is one tensor.
  Result<std::string> text(const std::string& key);

 private:
  Result<FileParts*> shard(int32_t number);
  Result<FileParts*> shard_of(const tensorflow_pb::BundleEntry& entry);
  Result<FileParts::Part> bytes_of(const tensorflow_pb::BundleEntry& entry, const FileParts::Visit& visit = nullptr);
  Result<Tensor> numbers(const tensorflow_pb::BundleEntry& entry, const Dims& dims);
  Result<std::vector<std::string>> texts(const tensorflow_pb::BundleEntry& entry, int64_t count);
  Result<Tensor> joined(const std::string& key, const tensorflow_pb::BundleEntry& entry, const Dims& dims);

  std::string folder_, prefix_;
  FileOptions how_;
  Table table_;
  int32_t shards_ = 0;
  std::map<int32_t, FileParts> open_;
};

}  // namespace tern::tensorflow
