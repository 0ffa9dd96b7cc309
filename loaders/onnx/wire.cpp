// The tables of what is read of ONNX's messages. See wire.h; loaders/README.md draws the fields.
#include "loaders/onnx/wire.h"

#include "loaders/wire/wire.h"

namespace tern::onnx {
namespace {

using namespace wire;  // NOLINT: the words of its tables

// What a value of a graph costs there; measured, rounded up.
constexpr int kValue = 400;

extern const Message kOpset, kPair, kTensor, kSparse, kSequence, kOptionalValue, kDimension, kShape, kTensorType, kElementType, kType, kValueInfo,
    kAttribute, kNode, kGraph, kFunction, kModel;

constexpr Field kOpsetFields[] = {text(1), scalar(2)};
constexpr Field kPairFields[] = {text(1), text(2)};
constexpr Field kTensorFields[] = {ints(1), scalar(2), floats(4),  ints(5, 4), text(6, 2 * kText),  ints(7),
                                   text(8), raw(9),    floats(10), ints(11),   part(13, kPair, 48), scalar(14)};
constexpr Field kSparseFields[] = {part(1, kTensor, 600), part(2, kTensor, 600), ints(3)};
constexpr Field kSequenceFields[] = {scalar(2), part(3, kTensor, 700)};
constexpr Field kOptionalFields[] = {scalar(2), part(3, kTensor, 700), part(5, kSequence, 200)};
constexpr Field kDimensionFields[] = {scalar(1), text(2, 2 * kText)};
constexpr Field kShapeFields[] = {part(1, kDimension, 96)};
constexpr Field kTensorTypeFields[] = {scalar(1), part(2, kShape, 64)};
constexpr Field kElementTypeFields[] = {part(1, kType, 80)};
constexpr Field kTypeFields[] = {part(1, kTensorType, 48), part(4, kElementType, 48), flag(5), flag(8), part(9, kElementType, 48)};
constexpr Field kValueInfoFields[] = {text(1), part(2, kType, 80)};
constexpr Field kAttributeFields[] = {text(1),
                                      scalar(2),
                                      scalar(3),
                                      text(4),
                                      part(5, kTensor, 600),
                                      part(6, kGraph, 800),
                                      floats(7),
                                      ints(8),
                                      text(9, 2 * kText),
                                      part(10, kTensor, 600),
                                      part(11, kGraph, 800),
                                      part(14, kType, 80),
                                      scalar(20),
                                      text(21),
                                      part(22, kSparse, 200)};
constexpr Field kNodeFields[] = {text(1), text(2, kValue), text(3), text(4), part(5, kAttribute, 320), text(7), text(8)};
constexpr Field kGraphFields[] = {
    part(1, kNode, 480),   text(2), part(5, kTensor, 700), text(10), part(11, kValueInfo, kValue + 80), part(12, kValueInfo, 200),
    part(15, kSparse, 700)};
constexpr Field kFunctionFields[] = {
    text(1), text(4), text(5), text(6), part(7, kNode, 480), part(9, kOpset, 80), text(10), part(11, kAttribute, 320), text(13)};
constexpr Field kModelFields[] = {scalar(1),
                                  text(2),
                                  text(3),
                                  text(4),
                                  scalar(5),
                                  text(6),
                                  part(7, kGraph, 800),
                                  part(8, kOpset, 80),
                                  part(14, kPair, 48 + 2 * kText),
                                  part(25, kFunction, 400)};

constexpr Message kOpset{kOpsetFields};
constexpr Message kPair{kPairFields};
constexpr Message kTensor{kTensorFields};
constexpr Message kSparse{kSparseFields};
constexpr Message kSequence{kSequenceFields};
constexpr Message kOptionalValue{kOptionalFields};
constexpr Message kDimension{kDimensionFields};
constexpr Message kShape{kShapeFields};
constexpr Message kTensorType{kTensorTypeFields};
constexpr Message kElementType{kElementTypeFields};
constexpr Message kType{kTypeFields};
constexpr Message kValueInfo{kValueInfoFields};
constexpr Message kAttribute{kAttributeFields};
constexpr Message kNode{kNodeFields};
constexpr Message kGraph{kGraphFields};
constexpr Message kFunction{kFunctionFields};
constexpr Message kModel{kModelFields};

constexpr const char* kWhat = "a readable ONNX model";

}  // namespace

Result<std::string> clean_model(std::span<const std::byte> file, int64_t budget) { return wire::clean(file, kModel, budget, kWhat); }
Result<std::string> clean_tensor(std::span<const std::byte> file, int64_t budget) { return wire::clean(file, kTensor, budget, kWhat); }
Result<std::string> clean_sequence(std::span<const std::byte> file, int64_t budget) { return wire::clean(file, kSequence, budget, kWhat); }
Result<std::string> clean_optional(std::span<const std::byte> file, int64_t budget) { return wire::clean(file, kOptionalValue, budget, kWhat); }

}  // namespace tern::onnx
