// Operators that move elements without computing on them.   y[j] = x[i(j)]
//   Reshape Flatten Squeeze Unsqueeze Identity Dropout(inference)   the same elements under other dims (reshape.cpp)
//   BitCast                   the same bits as elements of another dtype of that width (reshape.cpp)
//   Transpose                 y[i_perm[0], i_perm[1], ...] = x[i0, i1, ...] (transpose.cpp)
//   Concat Split              along one axis (concat.cpp)
//   Slice                     y[i] = x[start + step * i] per axis; negative steps; bounds clamp as NumPy's (slice.cpp)
//   Expand Tile               repetition (expand.cpp)
//   Pad CenterCropPad         constant, reflect, edge, wrap; negative pads crop first (pad.cpp)
//   Trilu                     keeps one triangle of every matrix (trilu.cpp)
//   DepthToSpace SpaceToDepth blocks of channels to and from pixels (depth_space.cpp)
//   Compress NonZero ReverseSequence                                (select.cpp, reverse_sequence.cpp)
//   Unique                    the different elements or slices, where each came first, which is which, how many of each (unique.cpp)
//   Shapes    any rank up to 8, any dtype; symbolic dims come out as linear expressions where they are.
//   Cost      one read and one write an element; contiguous runs are memcpy. See copy.h.
//   Numerics  bytes are copied.
//   Edges     empty tensors give empty tensors; axes may be negative. Lengths of ReverseSequence outside of the sequence are clamped and
//             reported (BindContext::fault). A bool of Compress and NonZero is true when its byte is not zero.
//   Source    the ONNX operators, newest opset.
// On a device: copy.cu, and movement.cu for what no strided copy does (launch.cpp). Next: copy.h, reshape.cpp.
#pragma once

namespace tern {

struct OpDef;
extern const OpDef kBitCast, kReshape, kFlatten, kSqueeze, kUnsqueeze, kIdentity, kDropout, kTranspose, kConcat, kSplit, kSlice, kExpand, kTile;
extern const OpDef kPad, kCenterCropPad, kTrilu, kDepthToSpace, kDepthToSpaceLast, kSpaceToDepth, kCompress, kNonZero, kReverseSequence, kUnique;

}  // namespace tern
