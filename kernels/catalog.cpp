// The catalog: every operator of this build, one line each, sorted by name within its family. No static constructors: the array
// is constant-initialised. To add an operator: a line here, and a declaration (in its family's header, of an elementwise one below).
#include <algorithm>
#include <array>

#include "kernels/attention/attention.h"
#include "kernels/attention/general.h"
#include "kernels/audio/audio.h"
#include "kernels/control/control.h"
#include "kernels/conv/conv.h"
#include "kernels/conv/expand_depthwise.h"
#include "kernels/conv/map_blocks.h"
#include "kernels/detection/detection.h"
#include "kernels/einsum/einsum.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/gather/gather.h"
#include "kernels/gather/gather_mean.h"
#include "kernels/gemm/gemm.h"
#include "kernels/linear_algebra/factor.h"
#include "kernels/linear_algebra/linear_algebra.h"
#include "kernels/movement/movement.h"
#include "kernels/norm/norm.h"
#include "kernels/op.h"
#include "kernels/pool/pool.h"
#include "kernels/quantize/integer.h"
#include "kernels/quantize/mapped.h"
#include "kernels/quantize/quantize.h"
#include "kernels/reduce/reduce.h"
#include "kernels/resize/grid_sample.h"
#include "kernels/resize/resize.h"
#include "kernels/rnn/rnn.h"
#include "kernels/rotary/rotary.h"
#include "kernels/sequence/sequence.h"
#include "kernels/shape/shape.h"
#include "kernels/softmax/softmax.h"
#include "kernels/special/special.h"
#include "kernels/strings/strings.h"

namespace tern {

// The elementwise operators: what nobody else names is declared here alone.
extern const OpDef kAbs, kAcos, kAcosh, kAnd, kAsin, kAsinh, kAtan, kAtanh, kBitShift, kBitwiseAnd, kBitwiseNot, kBitwiseOr, kBitwiseXor, kCast,
    kCastLike, kCeil, kCelu, kClip, kCos, kCosh, kElu, kEqual, kErf, kExp, kFloor, kGelu, kGreater, kGreaterOrEqual, kHardSigmoid, kHardSwish, kIsInf,
    kIsNaN, kLeakyRelu, kLess, kLessOrEqual, kLog, kMax, kMean, kMin, kMish, kMod, kNeg, kNot, kOr, kPow, kPRelu, kReciprocal, kRelu, kRound,
    kRoundBF16, kRoundF16, kSelu, kShrink, kSigmoid, kSign, kSin, kSinh, kSoftplus, kSoftsign, kSqrt, kSub, kSum, kTan, kTanh, kThresholdedRelu,
    kWhere, kXor;

namespace {

constexpr const OpDef* kOps[] = {
    // attention
    &kAttention,
    &kFusedAttention,
    // audio
    &kDecodeWav,
    &kMfcc,
    // control
    &kIf,
    &kLoop,
    &kScan,
    // conv
    &kConcatBlocks,
    &kConv,
    &kConvTranspose,
    &kFusedConv,
    &kFusedConvTranspose,
    &kFusedExpandDepthwise,
    &kMapBlocks,
    &kReorder,
    // detection
    &kCombinedNonMaxSuppression,
    &kNonMaxSuppression,
    &kSoftNonMaxSuppression,
    // einsum
    &kEinsum,
    // elementwise
    &kAbs,
    &kAcos,
    &kAcosh,
    &kAdd,
    &kAnd,
    &kAsin,
    &kAsinh,
    &kAtan,
    &kAtanh,
    &kBitShift,
    &kBitwiseAnd,
    &kBitwiseNot,
    &kBitwiseOr,
    &kBitwiseXor,
    &kCast,
    &kCastLike,
    &kCeil,
    &kCelu,
    &kClip,
    &kCos,
    &kCosh,
    &kDiv,
    &kElu,
    &kEqual,
    &kErf,
    &kExp,
    &kFloor,
    &kGelu,
    &kGreater,
    &kGreaterOrEqual,
    &kHardSigmoid,
    &kHardSwish,
    &kIsInf,
    &kIsNaN,
    &kLeakyRelu,
    &kLess,
    &kLessOrEqual,
    &kLog,
    &kMax,
    &kMean,
    &kMin,
    &kMish,
    &kMod,
    &kMul,
    &kNeg,
    &kNot,
    &kOr,
    &kPow,
    &kPRelu,
    &kReciprocal,
    &kRelu,
    &kRound,
    &kRoundBF16,
    &kRoundF16,
    &kSelu,
    &kShrink,
    &kSigmoid,
    &kSign,
    &kSin,
    &kSinh,
    &kSoftplus,
    &kSoftsign,
    &kSqrt,
    &kSub,
    &kSum,
    &kSwish,
    &kTan,
    &kTanh,
    &kThresholdedRelu,
    &kWhere,
    &kXor,
    // gather
    &kGather,
    &kGatherElements,
    &kGatherMean,
    &kGatherND,
    &kScatterElements,
    &kScatterND,
    // gemm
    &kGemm,
    &kLinear,
    &kMatMul,
    // linear_algebra
    &kCholesky,
    &kDet,
    &kLogDeterminant,
    &kQr,
    &kSelfAdjointEigen,
    &kSolve,
    &kSvd,
    &kTriangularSolve,
    // movement
    &kBitCast,
    &kCenterCropPad,
    &kCompress,
    &kConcat,
    &kDepthToSpace,
    &kDepthToSpaceLast,
    &kDropout,
    &kExpand,
    &kFlatten,
    &kIdentity,
    &kNonZero,
    &kPad,
    &kReshape,
    &kReverseSequence,
    &kSlice,
    &kSpaceToDepth,
    &kSplit,
    &kSqueeze,
    &kTile,
    &kTranspose,
    &kTrilu,
    &kUnique,
    &kUnsqueeze,
    // norm
    &kBatchNormalization,
    &kGroupNormalization,
    &kInstanceNormalization,
    &kLayerNormalization,
    &kLpNormalization,
    &kLRN,
    &kMeanVarianceNormalization,
    &kRMSNormalization,
    // pool
    &kAveragePool,
    &kGlobalAveragePool,
    &kGlobalLpPool,
    &kGlobalMaxPool,
    &kLpPool,
    &kMaxPool,
    &kMeanBlocks,
    // quantize
    &kConvInteger,
    &kConvIntegerToFloat,
    &kDequantizeLinear,
    &kDynamicQuantizeLinear,
    &kFusedQLinearConv,
    &kFusedQLinearMatMul,
    &kLookup8,
    &kMatMulInteger,
    &kMatMulIntegerToFloat,
    &kMaxPoolLast,
    &kQLinearConv,
    &kQLinearMatMul,
    &kQuantizeLinear,
    &kQuantizedAdd,
    &kQuantizedAveragePool,
    &kQuantizedMean,
    &kQuantizedMul,
    // reduce
    &kArgMax,
    &kArgMin,
    &kCumProd,
    &kCumSum,
    &kReduceL1,
    &kReduceL2,
    &kReduceLogSum,
    &kReduceLogSumExp,
    &kReduceMax,
    &kReduceMean,
    &kReduceMin,
    &kReduceProd,
    &kReduceSum,
    &kReduceSumSquare,
    &kTopK,
    // resize
    &kGridSample,
    &kResize,
    // rnn
    &kGRU,
    &kDynamicQuantizeLSTM,
    &kLSTM,
    &kRNN,
    // rotary
    &kRotaryEmbedding,
    // sequence
    &kConcatFromSequence,
    &kOptional,
    &kOptionalGetElement,
    &kOptionalHasElement,
    &kSequenceAt,
    &kSequenceConstruct,
    &kSequenceEmpty,
    &kSequenceErase,
    &kSequenceInsert,
    &kSequenceLength,
    &kSequenceMap,
    &kSplitToSequence,
    // shape
    &kConstantOfShape,
    &kEyeLike,
    &kOneHot,
    &kRange,
    &kShape,
    &kSize,
    // softmax
    &kHardmax,
    &kLogSoftmax,
    &kSoftmax,
    // special
    &kSpecial,
    // strings
    &kAsString,
    &kBincount,
    &kDecodeBase64,
    &kDecodeRaw,
    &kEncodeBase64,
    &kExampleFeature,
    &kHashCross,
    &kLookup,
    &kRaggedStringSplit,
    &kRaggedToDense,
    &kRegexFullMatch,
    &kRegexReplace,
    &kSparseCross,
    &kStringConcat,
    &kStringHash,
    &kStringJoin,
    &kStringLength,
    &kStringLower,
    &kStringNGrams,
    &kStringNormalizer,
    &kStringReduceJoin,
    &kStringSplit,
    &kStringStrip,
    &kStringToNumber,
    &kStringUpper,
    &kSubstring,
    &kUnicodeDecode,
    &kUnicodeEncode,
    &kUnicodeTranscode,
};

}  // namespace

std::span<const OpDef* const> all_ops() { return kOps; }

namespace {

// Names, most places empty, each in the first one that is free from where its letters say (FNV-1a). A search through all operators took a
// twentieth of a small model's load.
class OpTable {
 public:
  OpTable() {
    static_assert(std::size(kOps) <= kPlaces / 2);
    for (const OpDef* op : kOps) places_[place_of(op->name)] = op;
  }
  const OpDef* find(std::string_view name) const { return places_[place_of(name)]; }

 private:
  static constexpr size_t kPlaces = 1024;
  size_t place_of(std::string_view name) const {
    uint32_t hash = 0x811c9dc5u;
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x01000193u;
    size_t at = hash % kPlaces;
    while (places_[at] != nullptr && name != places_[at]->name) at = (at + 1) % kPlaces;
    return at;
  }
  const OpDef* places_[kPlaces] = {};
};

}  // namespace

const OpDef* find_op(std::string_view name) {
  static const OpTable table;
  return table.find(name);
}

}  // namespace tern
