// Operators that are known and refused, with what to do instead. See operator.h.
#include "loaders/tensorflow/ops/common.h"

namespace tern::tensorflow {
namespace {

Values random(Call& c) {
  return c.fail(unsupported("draws random numbers, which an inference graph should not: export the model with training=False, without augmentation"));
}

Values files(Call& c) { return c.fail(unsupported("reads encoded files or records: decode them before, and give the model the tensor")); }

Values gradient(Call& c) { return c.fail(unsupported("belongs to training: export a signature for inference")); }

constexpr Operator kRefusedRows[] = {
    {"RandomStandardNormal RandomUniformInt TruncatedNormal ParameterizedTruncatedNormal RandomShuffle RandomGamma RandomPoissonV2 "
     "Multinomial "
     "StatelessRandomUniform StatelessRandomUniformInt StatelessRandomNormal StatelessTruncatedNormal StatelessMultinomial StatelessRandomUniformV2 "
     "StatelessRandomUniformIntV2 StatelessRandomUniformFullIntV2 StatelessRandomNormalV2 StatelessTruncatedNormalV2 StatelessRandomBinomial "
     "StatelessRandomGetKeyCounter StatelessRandomGetKeyCounterAlg StatelessRandomGetAlg StatelessShuffle StatelessRandomGammaV2 "
     "StatelessRandomGammaV3 StatelessRandomPoisson RngReadAndSkip RngSkip StatefulUniformFullInt "
     "StatefulUniform StatefulUniformInt StatefulStandardNormalV2 StatefulTruncatedNormal StatefulRandomBinomial",
     nullptr, random},
    {"DecodeJpeg DecodePng DecodeImage DecodeBmp DecodeGif DecodeCSV ParseSingleExample "
     "ParseSequenceExample ParseTensor ReadFile",
     nullptr, files},
    {"ReluGrad Relu6Grad SigmoidGrad TanhGrad SoftplusGrad SoftsignGrad EluGrad SeluGrad LeakyReluGrad SqrtGrad RsqrtGrad ReciprocalGrad AvgPoolGrad "
     "MaxPoolGrad Conv2DBackpropFilter Conv3DBackpropFilterV2 DepthwiseConv2dNativeBackpropFilter DepthwiseConv2dNativeBackpropInput BiasAddGrad "
     "FusedBatchNormGrad FusedBatchNormGradV2 FusedBatchNormGradV3 LRNGrad ResizeBilinearGrad ResizeNearestNeighborGrad BroadcastGradientArgs",
     nullptr, gradient},
};

}  // namespace

std::span<const Operator> refused_operators() { return kRefusedRows; }

}  // namespace tern::tensorflow
