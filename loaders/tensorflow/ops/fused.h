// What convolutions, products and norms have in common: where the channels are, and what Grappler fused behind them. Next: fused.cpp, conv.cpp.
#pragma once
#include "loaders/channels_last/channels_last.h"
#include "loaders/tensorflow/ops/common.h"

namespace tern::tensorflow {

// The attribute data_format: "NHWC", "NDHWC", "NCHW", "NCDHW" … Fails for others (NCHW_VECT_C).
channels_last::Channels channels_of(Call& c);
// x after the operators of the attribute fused_ops: BiasAdd, an activation, FusedBatchNorm, Add. Their arguments are the inputs from `next` on.
ValueId fused(Call& c, ValueId x, size_t next, channels_last::Channels channels);
// The activation of that name ("Relu", "Elu" …); fails for an unknown one.
ValueId activated(Call& c, const std::string& name, ValueId x);

}  // namespace tern::tensorflow
