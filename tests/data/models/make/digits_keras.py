"""digits_keras: the handwritten digits of digits.py in Keras, saved as a .keras archive and exported as a SavedModel.

Input    image[n, 8, 8, 1] = pixel / 255, channels last
Output   probabilities[n, 10]
Needs    tensorflow keras scikit-learn; nothing of common.py, which is PyTorch's. The split is that of digits.py, so its pictures are unseen here too.
"""
import os
import pathlib
import shutil

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "digits_keras"


def data():
    """The digits as 8-bit pixels (0..16 scaled to 0..255) divided by 255: exactly what an image file gives."""
    x, y = load_digits(return_X_y=True)
    pixels = np.rint(x * 255 / 16).astype(np.uint8).reshape(-1, 8, 8, 1)
    return train_test_split(pixels.astype(np.float32) / np.float32(255), y, test_size=0.25, random_state=7, stratify=y)


def network():
    """A strided convolution with SAME padding (asymmetric on 8 rows), a separable one with a skip, and a dense head."""
    image = keras.Input((8, 8, 1), name="image")
    x = layers.Conv2D(16, 3, padding="same", use_bias=False)(image)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Conv2D(32, 3, strides=2, padding="same", use_bias=False)(x)
    x = skip = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.SeparableConv2D(32, 3, padding="same", use_bias=False)(x)
    x = layers.Add()([skip, layers.ReLU()(layers.BatchNormalization()(x))])
    x = layers.MaxPooling2D()(x)
    x = layers.Dropout(0.3)(layers.Flatten()(x))
    x = layers.Dense(32, activation="relu")(x)
    return keras.Model(image, {"probabilities": layers.Dense(10, activation="softmax", name="probabilities")(x)}, name="digits")


def shifted(x, random):
    """Every picture moved by up to one pixel."""
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    rows, columns = random.integers(0, 3, (2, len(x)))
    return np.stack([p[r:r + 8, c:c + 8] for p, r, c in zip(padded, rows, columns)])


def train(model, x, y, epochs=40):
    random = np.random.default_rng(3)
    rate = keras.optimizers.schedules.CosineDecay(4e-3, epochs * ((len(x) + 63) // 64))
    model.compile(keras.optimizers.AdamW(rate, weight_decay=1e-3), {"probabilities": "sparse_categorical_crossentropy"})
    for _ in range(epochs):
        order = random.permutation(len(x))
        for i in np.array_split(order, len(x) // 64):
            model.train_on_batch(shifted(x[i], random), y[i])


def main():
    keras.utils.set_random_seed(5)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    x, tx, y, ty = data()
    trained = network()
    train(trained, x, y)
    weights = trained.get_weights()
    keras.utils.clear_session()  # names of layers begin anew
    model = network()  # the weights alone: no optimizer, no training configuration
    model.set_weights(weights)
    answers = model.predict(tx, verbose=0)["probabilities"]
    accuracy = (answers.argmax(1) == ty).mean()
    print(f"digits_keras: test accuracy {accuracy:.4f}")
    assert accuracy >= 0.97

    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    model.save(FOLDER / "model.keras")
    model.export(FOLDER / "saved_model", verbose=False)
    (FOLDER / "saved_model" / "fingerprint.pb").unlink()
    np.savez_compressed(FOLDER / "data.npz", in_image=tx[:16], out_probabilities=answers[:16])

    served = tf.saved_model.load(str(FOLDER / "saved_model")).signatures["serving_default"]
    np.testing.assert_allclose(served(image=tf.constant(tx))["probabilities"].numpy(), answers, rtol=1e-4, atol=1e-6)
    print(", ".join(f"{p.relative_to(FOLDER)} {p.stat().st_size // 1024} KiB" for p in sorted(FOLDER.rglob("*")) if p.is_file()))


if __name__ == "__main__":
    main()
