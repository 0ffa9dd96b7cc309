// From bytes to messages: what ../wire/wire.h leaves of a file, parsed. Contents of tensors stay in the file. Next: tern_tensorflow.proto.
#pragma once
#include <cstddef>
#include <span>

#include "tern/status.h"
#include "tern_tensorflow.pb.h"

namespace tern::tensorflow {

// Errors (invalid): truncated, malformed, too deep, or so many small parts that objects would take more than `budget` bytes beyond a small multiple of
// the size.
Result<tensorflow_pb::SavedModel> read_saved_model(std::span<const std::byte> bytes, int64_t budget);
Result<tensorflow_pb::GraphDef> read_graph_def(std::span<const std::byte> bytes, int64_t budget);
Result<tensorflow_pb::KerasMetadata> read_keras_metadata(std::span<const std::byte> bytes, int64_t budget);
Result<tensorflow_pb::TrackableObjectGraph> read_object_graph(std::span<const std::byte> bytes, int64_t budget);
// An element of the collection saved_model_assets.
Result<tensorflow_pb::AssetFile> read_asset(std::span<const std::byte> bytes);
// Records of a checkpoint's index.
Result<tensorflow_pb::BundleHeader> read_bundle_header(std::span<const std::byte> bytes);
Result<tensorflow_pb::BundleEntry> read_bundle_entry(std::span<const std::byte> bytes);

}  // namespace tern::tensorflow
