"""Preprocessing layers of Keras 3 and of tf_keras: numbers, words, sentences, each one archive, with what predict() gives; and a classifier.

    python3 make.py        needs tensorflow 2.21, keras 3.15, tf_keras 2.21; writes NAME3.keras, NAME2.keras and their .npz
"""
import io
import os
import sys
import zipfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
import numpy as np
import tensorflow as tf

ANIMALS = ["cat", "dog", "owl", "fox", "bee"]
SENTENCES = ["The cat sat on the mat.", "A dog, a cat & a fox!", "   Owls  fly   at night  ", "", "bee bee BEE unknown words", "Ünïcödé café näive",
             "cat\tdog\nowl", "don't stop-the (music)", "<br />html the <b>cat</b>"]


def numbers(k):
    L = k.layers
    x, c, i = k.Input((4,), name="x"), k.Input((3,), name="c", dtype="int32"), k.Input((4,), name="i", dtype="int64")
    one, w = k.Input((1,), name="one", dtype="int32"), k.Input((3,), name="w")
    bounds = [-.5, 0., .7, 1.5]
    adapted = L.Discretization(num_bins=4, epsilon=.01)
    adapted.adapt(np.random.default_rng(1).standard_normal((200, 4)).astype("float32"))
    v = [12, 36, 1138, 42]
    found = L.IntegerLookup(max_tokens=4)
    found.adapt(np.array([[7], [7], [9], [9], [9], [4]]))
    y = [L.Discretization(bin_boundaries=bounds)(x), L.Discretization(bin_boundaries=bounds, output_mode="multi_hot")(x),
         L.Discretization(bin_boundaries=bounds, output_mode="count")(x), adapted(x),
         L.CategoryEncoding(6, output_mode="multi_hot")(c), L.CategoryEncoding(6, output_mode="one_hot")(one),
         L.CategoryEncoding(6, output_mode="count")(c), L.CategoryEncoding(6, output_mode="count")(c, count_weights=w),
         L.IntegerLookup(vocabulary=v)(i), L.IntegerLookup(vocabulary=v, num_oov_indices=3)(i), L.IntegerLookup(vocabulary=v, mask_token=0)(i),
         L.IntegerLookup(vocabulary=v, output_mode="multi_hot")(i), L.IntegerLookup(vocabulary=v, output_mode="count")(i), found(i),
         L.Hashing(13)(i), L.Hashing(13, salt=[133, 137])(i), L.Hashing(5, mask_value=0)(i)]
    data = dict(x=np.array([[-.5, 0, .69, 1.5], [-3, .7, 99, -.1], [.7, np.inf, -np.inf, np.nan]], "float32"), c=np.array([[0, 1, 1], [5, 2, 0], [3, 3, 3]], "int32"),
                i=np.array([[12, 36, 1138, 42], [7, 99, -1, 0], [9, 4, 12, 10**15]]), one=np.array([[0], [5], [3]], "int32"),
                w=np.array([[.5, 1, 2], [3, 4, 5], [1, 1, -2]], "float32"))
    return k.Model([x, c, i, one, w], y), data


def words(k):
    L = k.layers
    x, n, b = k.Input((3,), dtype="string", name="x"), k.Input((2,), dtype="int64", name="n"), k.Input((1,), dtype="string", name="b")
    code = k.Input((1,), dtype="int64", name="code")
    found = L.StringLookup(max_tokens=4)
    found.adapt(tf.constant([["cat"], ["dog"], ["cat"], ["owl"], ["dog"], ["cat"], ["elk"]]))
    y = [L.StringLookup(vocabulary=ANIMALS)(x), L.StringLookup(vocabulary=ANIMALS, num_oov_indices=3)(x),
         L.StringLookup(vocabulary=ANIMALS, mask_token="")(x), L.StringLookup(vocabulary=ANIMALS, output_mode="multi_hot")(x),
         L.StringLookup(vocabulary=ANIMALS, mask_token="", output_mode="count", pad_to_max_tokens=True, max_tokens=9)(x),
         L.StringLookup(vocabulary=ANIMALS, idf_weights=[.5, .4, 1.3, 2., .7], output_mode="tf_idf")(x), found(x),
         L.StringLookup(vocabulary=ANIMALS, output_mode="one_hot")(b), L.StringLookup(vocabulary=ANIMALS, invert=True)(n),
         L.Hashing(13)(x), L.Hashing(13, salt=[133, 137])(x), L.Hashing(13, mask_value="")(x), L.Hashing(7, output_mode="multi_hot")(x),
         L.Hashing(1000, salt=42)(x), L.HashedCrossing(11)([b, code]), L.HashedCrossing(11, output_mode="one_hot")([b, code])]
    data = dict(x=np.array([["cat", "bee", "emu"], ["", "cat", "cat"], ["zebra", "Dog", "yak " * 30]], object), n=np.array([[0, 1], [5, 2], [9, -1]]),
                b=np.array([["owl"], ["emu"], [""]], object), code=np.array([[1], [-7], [2**40]]))
    return k.Model([x, n, b, code], y), data


def sentences(k):
    x = k.Input((1,), dtype="string", name="text")
    y = []
    for options in (dict(output_sequence_length=6), dict(), dict(output_mode="multi_hot", pad_to_max_tokens=True, max_tokens=30),
                    dict(output_mode="count"), dict(output_mode="tf_idf"), dict(ngrams=2, output_sequence_length=8, max_tokens=20),
                    dict(ngrams=(1, 3), output_mode="count", max_tokens=25), dict(split="character", output_sequence_length=10),
                    dict(standardize="lower", output_sequence_length=5), dict(standardize="strip_punctuation", output_sequence_length=5),
                    dict(standardize=None, output_sequence_length=5)):
        t = k.layers.TextVectorization(**options)
        t.adapt(tf.constant(SENTENCES * 2))
        y.append(t(x))
    y.append(k.layers.TextVectorization(standardize="lower", split=None, vocabulary=ANIMALS)(x))
    return k.Model(x, y), dict(text=np.array([[s] for s in SENTENCES + ["Cat", "completely new sentence", "cat cat dog cat dog cat dog cat dog"]], object))


def classifier(k):
    k.utils.set_random_seed(3)
    x = k.Input((1,), dtype="string", name="text")
    t = k.layers.TextVectorization(max_tokens=25, output_sequence_length=8)
    t.adapt(tf.constant(SENTENCES))
    y = k.layers.Dense(3, activation="softmax")(k.layers.Flatten()(k.layers.Embedding(25, 6)(t(x))))
    return k.Model(x, y), dict(text=np.array([[s] for s in SENTENCES], object))


def deflated(data):
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new:
        for member in old.namelist():
            new.writestr(zipfile.ZipInfo(member, (1980, 1, 1, 0, 0, 0)), old.read(member), zipfile.ZIP_DEFLATED)
    return out.getvalue()


version = sys.argv[1] if len(sys.argv) > 1 else None
if version is None:
    for v in "3", "2":
        assert os.system(f"{sys.executable} {sys.argv[0]} {v}") == 0
    sys.exit()
if version == "3":
    import keras as k
else:
    import tf_keras as k
for make in numbers, words, sentences, classifier:
    model, data = make(k)
    name = f"{make.__name__}{version}"
    model.save(name + ".keras")
    raw = open(name + ".keras", "rb").read()
    open(name + ".keras", "wb").write(deflated(raw))
    y = model([tf.constant(data[i.name.split(":")[0]]) for i in model.inputs])
    y = y if isinstance(y, (list, tuple)) else [y]
    text = lambda a: np.char.encode(np.array([[s.decode() if isinstance(s, bytes) else s for s in r] for r in a]), "utf-8") if a.dtype == object else a
    arrays = {"in_" + n: text(a) for n, a in data.items()} | {f"out_{i}": text(a.numpy()) for i, a in enumerate(y)}
    np.savez_compressed(name + ".npz", **arrays)
