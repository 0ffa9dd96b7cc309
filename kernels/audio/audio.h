// Sound: the front of speech models. OpDef::compute makes the results, in the evaluator: a file tells its own length and rate.
//   DecodeWav  the bytes of a WAV file of 16-bit PCM: samples [samples, channels] f32 in [-1, 1), rate [] i32. `channels`, `samples`: how many
//              are wanted, negative: those of the file; missing channels repeat the others, missing samples are zero
//   Mfcc       squared magnitudes [batch.., bins], rate [] i32: coefficients [batch.., coefficients] of the logarithms of `channels` triangles,
//              evenly spaced in mel from `lower` to `upper` hertz
//   Cost      linear in samples; bins + channels * coefficients steps for each frame.
//   Numerics  f64, rounded once.
//   Edges     a band without energy counts as 1e-12; a file that is cut short has fewer samples.
//   Source    Microsoft and IBM, Multimedia Programming Interface and Data Specifications 1.0 (RIFF); HTK's mel scale and cosine transform, as
//             TensorFlow's operators of like names have them. Next: decode_wav.cpp, mfcc.cpp.
#pragma once

namespace tern {

struct OpDef;
extern const OpDef kDecodeWav, kMfcc;

}  // namespace tern
