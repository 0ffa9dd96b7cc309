"""Sound: files, spectrograms, coefficients."""
import numpy as np

import ops
from ops import C, case, chain

rng = np.random.default_rng(15)
tf = ops.tf


def wav(samples, rate=16000, before=b"", extra=b""):
    channels = samples.shape[1]
    head = b"".join(int(v).to_bytes(n, "little") for v, n in ((1, 2), (channels, 2), (rate, 4), (rate * channels * 2, 4), (channels * 2, 2), (16, 2)))
    body = samples.astype("<i2").tobytes()
    chunks = b"fmt " + len(head + extra).to_bytes(4, "little") + head + extra + before + b"data" + len(body).to_bytes(4, "little") + body
    return np.array(b"RIFF" + (4 + len(chunks)).to_bytes(4, "little") + b"WAVE" + chunks, object)


mono, stereo = rng.integers(-32768, 32767, (50, 1)), rng.integers(-32768, 32767, (20, 2))
mono[:2, 0] = -32768, 32767
for sound in (mono, stereo, mono[:0]):
    case("DecodeWav", wav(sound))
case("DecodeWav", wav(stereo, 44100), desired_channels=1)
case("DecodeWav", wav(mono, 8000), desired_channels=2)
case("DecodeWav", wav(mono), desired_samples=30)
case("DecodeWav", wav(mono), desired_samples=60, desired_channels=1)
case("DecodeWav", wav(mono, before=b"LIST\x04\0\0\0abcd"))
case("DecodeWav", wav(mono, before=b"LIST\x03\0\0\0abc"))
case("DecodeWav", wav(mono, extra=b"\0\0"))


def f(*shape):
    return (np.round(rng.standard_normal(shape) * 32) / 32).astype(np.float32)


for window, stride, samples, channels in ((16, 8, 100, 1), (30, 10, 100, 2), (33, 40, 200, 1), (16, 3, 16, 1), (16, 3, 12, 1), (64, 32, 700, 1)):
    for squared in (False, True):
        case("AudioSpectrogram", f(samples, channels), window_size=window, stride=stride, magnitude_squared=squared)
power = np.abs(f(2, 4, 129)) * 10
power[0, 0] = 0
case("Mfcc", power, C(16000))
case("Mfcc", power, np.array(8000, np.int32), upper_frequency_limit=3900.0)
case("Mfcc", power, C(22050), lower_frequency_limit=300.0, upper_frequency_limit=8000.0, filterbank_channel_count=20, dct_coefficient_count=7)
case("Mfcc", power[:, :, :65], C(16000), filterbank_channel_count=10, dct_coefficient_count=10)


def coefficients(contents):
    sound = tf.raw_ops.DecodeWav(contents=contents)
    power = tf.raw_ops.AudioSpectrogram(input=sound.audio, window_size=48, stride=16, magnitude_squared=True)
    return tf.raw_ops.Mfcc(spectrogram=power, sample_rate=sound.sample_rate, upper_frequency_limit=7000.0, filterbank_channel_count=8, dct_coefficient_count=5)


chain("a file's coefficients", coefficients, wav(np.repeat(mono, 6, 0)))
