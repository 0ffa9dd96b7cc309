// The tables of what is read of TensorFlow's messages. See wire.h; loaders/README.md draws the fields.
#include "loaders/tensorflow/wire.h"

#include "loaders/wire/wire.h"

namespace tern::tensorflow {
namespace {

using namespace wire;  // NOLINT: the words of its tables

extern const Message kAttr;

// ---- tensors

constexpr Field kDimFields[] = {scalar(1)};
constexpr Message kDim{kDimFields};
constexpr Field kShapeFields[] = {part(2, kDim, 48), scalar(3)};
constexpr Message kShape{kShapeFields};
constexpr Field kTensorFields[] = {scalar(1),  part(2, kShape, 64), raw(4),    floats(5), floats(6),
                                   ints(7, 4), text(8, 2 * kText),  floats(9), ints(10),  ints(11),
                                   floats(12), ints(13, 4),         ints(16),  ints(17)};
constexpr Message kTensor{kTensorFields};

// ---- graphs

constexpr Field kFunctionFields[] = {text(1), part(2, kAttr, 64)};
constexpr Message kFunction{kFunctionFields};
constexpr Field kListFields[] = {
    text(2), ints(3), floats(4), ints(5, 1), ints(6, 4), part(7, kShape, 64), part(8, kTensor, 600), part(9, kFunction, 120)};
constexpr Message kList{kListFields};
constexpr Field kValueFields[] = {
    part(1, kList, 240),     text(2), scalar(3), scalar(4), scalar(5), scalar(6), part(7, kShape, 64), part(8, kTensor, 600), text(9),
    part(10, kFunction, 120)};
constexpr Message kValue{kValueFields};
constexpr Field kAttrFields[] = {text(1), part(2, kValue, 120)};
constexpr Message kAttr{kAttrFields};
constexpr Field kNodeFields[] = {text(1), text(2), text(3, 2 * kText), part(5, kAttr, 64)};
constexpr Message kNode{kNodeFields};
constexpr Field kArgFields[] = {text(1), scalar(3), text(4), text(5), text(6)};
constexpr Message kArg{kArgFields};
constexpr Field kOpFields[] = {text(1), part(2, kArg, 160), part(3, kArg, 160)};
constexpr Message kOp{kOpFields};
constexpr Field kRetFields[] = {text(1), text(2)};
constexpr Message kRet{kRetFields};
constexpr Field kFunctionDefFields[] = {part(1, kOp, 160), part(3, kNode, 480), part(4, kRet, 96), part(5, kAttr, 64)};
constexpr Message kFunctionDef{kFunctionDefFields};
constexpr Field kLibraryFields[] = {part(1, kFunctionDef, 400)};
constexpr Message kLibrary{kLibraryFields};
constexpr Field kVersionsFields[] = {scalar(1), scalar(2)};
constexpr Message kVersions{kVersionsFields};
constexpr Field kGraphFields[] = {part(1, kNode, 480), part(2, kLibrary, 64), part(4, kVersions, 64)};
constexpr Message kGraph{kGraphFields};

// ---- SavedModel

constexpr Field kTensorInfoFields[] = {text(1), scalar(2), part(3, kShape, 64), flag(4), flag(5)};
constexpr Message kTensorInfo{kTensorInfoFields};
constexpr Field kNamedTensorFields[] = {text(1), part(2, kTensorInfo, 480)};
constexpr Message kNamedTensor{kNamedTensorFields};
constexpr Field kNamedDefaultFields[] = {text(1), part(2, kTensor, 600)};
constexpr Message kNamedDefault{kNamedDefaultFields};
constexpr Field kSignatureFields[] = {part(1, kNamedTensor, 96), part(2, kNamedTensor, 96), text(3), part(4, kNamedDefault, 96)};
constexpr Message kSignature{kSignatureFields};
constexpr Field kNamedSignatureFields[] = {text(1), part(2, kSignature, 200)};
constexpr Message kNamedSignature{kNamedSignatureFields};
constexpr Field kMetaInfoFields[] = {text(4), text(5)};
constexpr Message kMetaInfo{kMetaInfoFields};
constexpr Field kSaverFields[] = {text(1), text(3)};
constexpr Message kSaver{kSaverFields};
constexpr Field kNodeListFields[] = {text(1)};
constexpr Message kNodeList{kNodeListFields};
constexpr Field kAnyFields[] = {text(2)};
constexpr Message kAny{kAnyFields};
constexpr Field kAnyListFields[] = {part(1, kAny, 64)};
constexpr Message kAnyList{kAnyListFields};
constexpr Field kCollectionFields[] = {part(1, kNodeList, 64), part(5, kAnyList, 64)};
constexpr Message kCollection{kCollectionFields};
constexpr Field kNamedCollectionFields[] = {text(1), part(2, kCollection, 64)};
constexpr Message kNamedCollection{kNamedCollectionFields};
constexpr Field kAssetFields[] = {part(1, kTensorInfo, 200), text(2)};
constexpr Message kAsset{kAssetFields};
constexpr Field kChildFields[] = {scalar(1), text(2)};
constexpr Message kChild{kChildFields};
constexpr Field kUserFields[] = {text(1), text(3)};
constexpr Message kUser{kUserFields};
constexpr Field kSavedAssetFields[] = {scalar(1)};
constexpr Message kSavedAsset{kSavedAssetFields};
constexpr Field kVariableFields[] = {scalar(1), part(2, kShape, 64), text(6)};
constexpr Message kVariable{kVariableFields};
constexpr Field kConstantFields[] = {text(1)};
constexpr Message kConstant{kConstantFields};
constexpr Field kSavedFunctionFields[] = {text(1)};
constexpr Message kSavedFunction{kSavedFunctionFields};
constexpr Field kObjectFields[] = {part(1, kChild, 64),         part(4, kUser, 96),     part(5, kSavedAsset, 48),
                                   part(6, kSavedFunction, 64), part(7, kVariable, 96), part(9, kConstant, 64)};
constexpr Message kObject{kObjectFields};
// Of what a function returns: tensors, also in a list or a tuple, whose own lists nobody asks for.
constexpr Field kTensorSpecFields[] = {part(2, kShape, 64)};
constexpr Message kTensorSpec{kTensorSpecFields};
constexpr Field kStructuredItemFields[] = {part(33, kTensorSpec, 48)};
constexpr Message kStructuredItem{kStructuredItemFields};
constexpr Field kStructuredListFields[] = {part(1, kStructuredItem, 64)};
constexpr Message kStructuredList{kStructuredListFields};
constexpr Field kStructuredFields[] = {part(33, kTensorSpec, 48), part(51, kStructuredList, 48), part(52, kStructuredList, 48)};
constexpr Message kStructured{kStructuredFields};
// Of what it takes: the arguments that are told by position, of which only the class of those that are no tensors is asked for.
constexpr Field kTypeSpecFields[] = {scalar(1)};
constexpr Message kTypeSpec{kTypeSpecFields};
constexpr Field kArgumentSpecFields[] = {part(34, kTypeSpec, 48)};
constexpr Message kArgumentSpec{kArgumentSpecFields};
constexpr Field kArgumentSpecsFields[] = {part(1, kArgumentSpec, 64)};
constexpr Message kArgumentSpecs{kArgumentSpecsFields};
constexpr Field kArgumentsFields[] = {part(52, kArgumentSpecs, 48)};
constexpr Message kArguments{kArgumentsFields};
constexpr Field kAllArgumentsFields[] = {part(1, kArguments, 64)};
constexpr Message kAllArguments{kAllArgumentsFields};
constexpr Field kInputSignatureFields[] = {part(52, kAllArguments, 48)};
constexpr Message kInputSignature{kInputSignatureFields};
constexpr Field kConcreteFields[] = {ints(2), part(3, kInputSignature, 48), part(4, kStructured, 64)};
constexpr Message kConcrete{kConcreteFields};
constexpr Field kNamedConcreteFields[] = {text(1), part(2, kConcrete, 64)};
constexpr Message kNamedConcrete{kNamedConcreteFields};
constexpr Field kObjectGraphFields[] = {part(1, kObject, 160), part(2, kNamedConcrete, 96)};
constexpr Message kObjectGraph{kObjectGraphFields};
constexpr Field kMetaGraphFields[] = {part(1, kMetaInfo, 120),      part(2, kGraph, 160), part(3, kSaver, 64),       part(4, kNamedCollection, 96),
                                      part(5, kNamedSignature, 96), part(6, kAsset, 96),  part(7, kObjectGraph, 120)};
constexpr Message kMetaGraph{kMetaGraphFields};
constexpr Field kSavedModelFields[] = {scalar(1), part(2, kMetaGraph, 240)};
constexpr Message kSavedModel{kSavedModelFields};

constexpr Field kKerasObjectFields[] = {scalar(2), text(5)};
constexpr Message kKerasObject{kKerasObjectFields};
constexpr Field kKerasMetadataFields[] = {part(1, kKerasObject, 64)};
constexpr Message kKerasMetadata{kKerasMetadataFields};

// ---- checkpoints

constexpr Field kAttributeFields[] = {text(1), text(2), text(3)};
constexpr Message kAttribute{kAttributeFields};
constexpr Field kTrackableFields[] = {part(1, kChild, 64), part(2, kAttribute, 64)};
constexpr Message kTrackable{kTrackableFields};
constexpr Field kTrackableGraphFields[] = {part(1, kTrackable, 96)};
constexpr Message kTrackableGraph{kTrackableGraphFields};
constexpr Field kHeaderFields[] = {scalar(1), scalar(2), part(3, kVersions, 64)};
constexpr Message kHeader{kHeaderFields};
constexpr Field kExtentFields[] = {scalar(1), scalar(2)};
constexpr Message kExtent{kExtentFields};
constexpr Field kSliceFields[] = {part(1, kExtent, 64)};
constexpr Message kSlice{kSliceFields};
constexpr Field kEntryFields[] = {scalar(1), part(2, kShape, 64), scalar(3), scalar(4), scalar(5), scalar(6), part(7, kSlice, 64)};
constexpr Message kEntry{kEntryFields};

constexpr int64_t kRecordBudget = int64_t{1} << 20;

template <class Proto>
Result<Proto> read(std::span<const std::byte> bytes, const Message& whole, int64_t budget, const char* what) {
  auto message = clean(bytes, whole, budget, what);
  if (!message) return message.error();
  constexpr size_t kMostBytes = (size_t{1} << 31) - 1;  // of one protobuf message
  Proto proto;
  if (message->size() > kMostBytes || !proto.ParseFromArray(message->data(), static_cast<int>(message->size()))) {
    return invalid("not " + std::string(what) + ": its fields are malformed");
  }
  return proto;
}

}  // namespace

Result<tensorflow_pb::SavedModel> read_saved_model(std::span<const std::byte> bytes, int64_t budget) {
  return read<tensorflow_pb::SavedModel>(bytes, kSavedModel, budget, "a readable SavedModel");
}
Result<tensorflow_pb::GraphDef> read_graph_def(std::span<const std::byte> bytes, int64_t budget) {
  return read<tensorflow_pb::GraphDef>(bytes, kGraph, budget, "a readable GraphDef");
}
Result<tensorflow_pb::KerasMetadata> read_keras_metadata(std::span<const std::byte> bytes, int64_t budget) {
  return read<tensorflow_pb::KerasMetadata>(bytes, kKerasMetadata, budget, "readable metadata of Keras");
}
Result<tensorflow_pb::TrackableObjectGraph> read_object_graph(std::span<const std::byte> bytes, int64_t budget) {
  return read<tensorflow_pb::TrackableObjectGraph>(bytes, kTrackableGraph, budget, "a readable graph of objects");
}
Result<tensorflow_pb::AssetFile> read_asset(std::span<const std::byte> bytes) {
  return read<tensorflow_pb::AssetFile>(bytes, kAsset, kRecordBudget, "a readable asset");
}
Result<tensorflow_pb::BundleHeader> read_bundle_header(std::span<const std::byte> bytes) {
  return read<tensorflow_pb::BundleHeader>(bytes, kHeader, kRecordBudget, "a readable header of a checkpoint");
}
Result<tensorflow_pb::BundleEntry> read_bundle_entry(std::span<const std::byte> bytes) {
  return read<tensorflow_pb::BundleEntry>(bytes, kEntry, kRecordBudget, "a readable entry of a checkpoint");
}

}  // namespace tern::tensorflow
