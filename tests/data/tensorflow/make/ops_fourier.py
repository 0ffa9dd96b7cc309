"""Complex numbers and Fourier transforms, as sound models have them. Results are made real: complex ones are in no graph of tern's."""
import numpy as np

import ops
from ops import chain

rng = np.random.default_rng(7)
tf = ops.tf


def f(*shape):
    return (np.round(rng.standard_normal(shape) * 32) / 32).astype(np.float32)


def parts(z):
    return tf.stack([tf.math.real(z), tf.math.imag(z)], -1)


for n in (8, 15, 64, 100, 126, 512, 13):
    chain(f"rfft of {n}", lambda x: parts(tf.signal.rfft(x)), f(2, n))
chain("rfft, cut", lambda x: parts(tf.signal.rfft(x, [12])), f(2, 16))
chain("rfft, longer", lambda x: parts(tf.signal.rfft(x, [20])), f(3, 16))
chain("|rfft|", lambda x: tf.abs(tf.signal.rfft(x)), f(2, 3, 256))
chain("irfft", lambda x: tf.signal.irfft(tf.signal.rfft(x) * tf.complex(2.0, 0.5)), f(2, 16))
chain("irfft, odd", lambda x: tf.signal.irfft(tf.signal.rfft(x), [15]), f(2, 15))
chain("fft", lambda x, y: parts(tf.signal.fft(tf.complex(x, y))), f(2, 12), f(2, 12))
chain("ifft", lambda x, y: parts(tf.signal.ifft(tf.complex(x, y))), f(2, 12), f(2, 12))
chain("fft2d", lambda x, y: parts(tf.signal.fft2d(tf.complex(x, y))), f(4, 6), f(4, 6))
chain("ifft2d", lambda x, y: parts(tf.signal.ifft2d(tf.complex(x, y))), f(2, 4, 6), f(2, 4, 6))
chain("fft3d", lambda x: parts(tf.signal.fft3d(tf.cast(x, tf.complex64))), f(2, 3, 4))
chain("ifft3d", lambda x: parts(tf.signal.ifft3d(tf.cast(x, tf.complex64))), f(2, 3, 4))
chain("rfft2d", lambda x: parts(tf.signal.rfft2d(x)), f(2, 6, 8))
chain("irfft2d", lambda x: tf.signal.irfft2d(tf.signal.rfft2d(x)), f(2, 6, 8))
chain("stft", lambda x: tf.abs(tf.signal.stft(x, 64, 32)), f(2, 320))
chain("stft with other lengths", lambda x: tf.abs(tf.signal.stft(x, 50, 20, 64)), f(2, 300))
chain("log spectrogram", lambda x: tf.math.log(tf.abs(tf.signal.stft(x, 64, 32)) + 1e-3), f(2, 320))
chain("angle", lambda x, y: tf.math.angle(tf.complex(x, y)), f(3, 4), f(3, 4))
chain("conj", lambda x, y: parts(tf.math.conj(tf.complex(x, y))), f(3, 4), f(3, 4))
for what, op in [("+", tf.add), ("-", tf.subtract), ("*", tf.multiply), ("/", tf.divide)]:
    chain("complex " + what, lambda a, b, c, d: parts(op(tf.complex(a, b), tf.complex(c, d))), f(3, 4), f(3, 4), f(4), f(4))
chain("complex functions", lambda a, b: parts(tf.square(-tf.complex(a, b))), f(3, 4), f(3, 4))
chain("moved", lambda a, b: parts(tf.reverse(tf.tile(tf.transpose(tf.reshape(tf.complex(a, b), [4, 3])), [1, 2]), [0])[1:, ::2]), f(3, 4), f(3, 4))
chain("joined", lambda a, b: parts(tf.concat([tf.complex(a, b), tf.stack(tf.unstack(tf.complex(b, a)))], 0)), f(3, 4), f(3, 4))
chain("split", lambda a, b: parts(tf.split(tf.complex(a, b), 2, 1)[1] + tf.split(tf.complex(a, b), [1, 3], 1)[1][:, :2]), f(3, 4), f(3, 4))
chain("gathered", lambda a, b: parts(tf.gather(tf.expand_dims(tf.pad(tf.complex(a, b), [[0, 0], [1, 0]]), 0), [2, 0], axis=2)), f(3, 4), f(3, 4))
chain("sums", lambda a, b: parts(tf.reduce_sum(tf.complex(a, b), 1) + tf.reduce_mean(tf.complex(b, a), 1)), f(3, 4), f(3, 4))
chain("cast to real", lambda a, b: tf.cast(tf.complex(a, b), tf.float32), f(3, 4), f(3, 4))
chain("shape of a spectrum", lambda a: tf.shape(tf.signal.rfft(a)), f(3, 8))
factors = (f(8) + 1j * f(8)).astype(np.complex64)
chain("a complex constant", lambda x: parts(tf.complex(x, x) * tf.constant(factors)), f(3, 8))
chain("one complex number", lambda x: parts(tf.complex(x, -x) * tf.constant(0.5 - 2j, tf.complex64)), f(3, 8))
chain("complex numbers that are repeated", lambda x: parts(tf.complex(x, -x) * tf.constant(0.5 - 2j, tf.complex64, [8])), f(3, 8))
for kind in (2, 3):
    chain(f"dct {kind}", lambda x, kind=kind: tf.signal.dct(x, kind), f(2, 16))
chain("mfccs", lambda x: tf.signal.mfccs_from_log_mel_spectrograms(x), f(2, 20))
