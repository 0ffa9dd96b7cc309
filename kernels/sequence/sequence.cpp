// See sequence.h: schemas only. What the operators do is in runtime/control.
#include "kernels/sequence/sequence.h"

#include "kernels/op.h"

namespace tern {
namespace {

constexpr AttrSpec kEmptyAttrs[] = {{"dtype", AttrKind::i}};  // absent: f32
constexpr AttrSpec kSplitAttrs[] = {{"axis", AttrKind::i, 0}, {"keepdims", AttrKind::i, 1}};
constexpr AttrSpec kConcatAttrs[] = {{"axis", AttrKind::i, kRequired}, {"new_axis", AttrKind::i, 0}};
constexpr AttrSpec kOptionalAttrs[] = {{"dtype", AttrKind::i, 0}, {"sequence", AttrKind::i, 0}};

}  // namespace

constinit const OpDef kSequenceConstruct = {.name = "SequenceConstruct", .inputs = {1, -1}, .outputs = {1, 1}};
constinit const OpDef kSequenceEmpty = {.name = "SequenceEmpty", .inputs = {0, 0}, .outputs = {1, 1}, .attrs = kEmptyAttrs};
constinit const OpDef kSequenceInsert = {.name = "SequenceInsert", .inputs = {2, 3}, .outputs = {1, 1}};
constinit const OpDef kSequenceErase = {.name = "SequenceErase", .inputs = {1, 2}, .outputs = {1, 1}};
constinit const OpDef kSequenceAt = {.name = "SequenceAt", .inputs = {2, 2}, .outputs = {1, 1}};
constinit const OpDef kSequenceLength = {.name = "SequenceLength", .inputs = {1, 1}, .outputs = {1, 1}};
constinit const OpDef kSplitToSequence = {.name = "SplitToSequence", .inputs = {1, 2}, .outputs = {1, 1}, .attrs = kSplitAttrs};
constinit const OpDef kConcatFromSequence = {.name = "ConcatFromSequence", .inputs = {1, 1}, .outputs = {1, 1}, .attrs = kConcatAttrs};
constinit const OpDef kSequenceMap = {.name = "SequenceMap", .inputs = {1, -1}, .outputs = {1, -1}};
constinit const OpDef kOptional = {.name = "Optional", .inputs = {0, 1}, .outputs = {1, 1}, .attrs = kOptionalAttrs};
constinit const OpDef kOptionalGetElement = {.name = "OptionalGetElement", .inputs = {1, 1}, .outputs = {1, 1}};
constinit const OpDef kOptionalHasElement = {.name = "OptionalHasElement", .inputs = {0, 1}, .outputs = {1, 1}};

}  // namespace tern
