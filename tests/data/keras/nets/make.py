"""Small convolutional nets of the classes that people use, as Keras 3 saves them, with what predict() gives (in_x and out_y of NAME.npz).
make.py [NAME...]. Written by Keras 3.15 on TensorFlow 2.21."""
import os, sys, zipfile
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
import numpy as np
import keras
from keras.src.applications import convnext, nasnet
L = keras.layers
S = (32, 32, 3)


def conv(x, n, k=3, s=1, act="relu", groups=1, pad="same", norm=True):
    x = L.Conv2D(n, k, s, padding=pad, use_bias=not norm, groups=groups)(x)
    if norm: x = L.BatchNormalization()(x)
    return L.Activation(act)(x) if act else x


def head(x): return L.Dense(5, activation="softmax", name="y")(L.GlobalAveragePooling2D()(x))


def convnext_net(x):
    return convnext.ConvNeXt(depths=[1, 1, 2, 1], projection_dims=[8, 16, 24, 32], weights=None, input_shape=S, classes=5, classifier_activation=None)


def nasnet_net(x):
    x, p = L.Conv2D(16, 3, 2, padding="valid", use_bias=False)(x), None
    x, p = nasnet._reduction_a_cell(x, p, 6, "a")
    x, p = nasnet._reduction_a_cell(x, p, 12, "b")
    x, p = nasnet._normal_a_cell(x, p, 12, "c")
    return head(L.Activation("relu")(x))


def mobilenet_v3(x):
    def squeeze(x):
        s = L.GlobalAveragePooling2D(keepdims=True)(x)
        return L.Multiply()([x, L.Conv2D(x.shape[-1], 1, activation="hard_sigmoid")(L.Conv2D(16, 1, activation="relu")(s))])
    x = conv(x, 16, s=2, act="hard_silu")
    y = conv(x, 48, 1, act="hard_silu")
    y = L.ZeroPadding2D(((0, 1), (0, 1)))(y)
    y = L.BatchNormalization()(L.DepthwiseConv2D(3, 2, padding="valid", use_bias=False)(y))
    y = conv(squeeze(L.Activation("hard_silu")(y)), 24, 1, act=None)
    z = L.Activation("silu")(L.BatchNormalization()(L.DepthwiseConv2D(5, padding="same", use_bias=False)(conv(y, 72, 1, act="silu"))))
    return head(conv(L.Add()([y, conv(z, 24, 1, act=None)]), 64, 1))


def densenet(x):
    x = L.MaxPooling2D(3, 2)(L.ZeroPadding2D(1)(conv(x, 16, 7, 2)))
    for i in range(3):
        y = L.Activation("relu")(L.BatchNormalization()(x))
        y = L.Conv2D(8, 3, padding="same", use_bias=False)(conv(y, 16, 1))
        x = L.Concatenate()([x, y])
    return head(L.AveragePooling2D(2)(L.Conv2D(20, 1, use_bias=False)(L.Activation("relu")(L.BatchNormalization()(x)))))


def inception(x):
    x = conv(x, 20, 3, 2, pad="valid")
    x = L.Concatenate()([conv(x, 16, 1), conv(conv(x, 12, 1), 16, 5), conv(L.AveragePooling2D(3, 1, padding="same")(x), 8, 1),
                         conv(conv(x, 16, (1, 7)), 20, (7, 1))])
    return head(L.Concatenate()([conv(x, 18, 3, 2, pad="valid"), L.MaxPooling2D(3, 2)(x)]))


def unet(x):
    a = conv(conv(x, 16), 16)
    b = conv(L.MaxPooling2D()(a), 24)
    c = conv(L.MaxPooling2D()(b), 32)
    b = conv(L.Concatenate()([L.Conv2DTranspose(24, 2, 2, padding="same")(c), b]), 24)
    a = conv(L.Concatenate()([L.UpSampling2D(2)(b), L.Cropping2D(0)(a)]), 16)
    return L.Conv2D(2, 1, activation="sigmoid", name="y")(L.Add()([a, L.UpSampling2D(2, interpolation="bilinear")(conv(b, 16))]))


def resnext(x):
    x = conv(x, 32, 3, 2)
    for width in (4, 8):
        y = conv(conv(conv(x, 32, 1), 32, 3, groups=32 // width), 32, 1, act=None)
        x = L.Activation("relu")(L.Add()([x, y]))
    return head(x)


NETS = dict(convnext=convnext_net, nasnet=nasnet_net, mobilenet_v3=mobilenet_v3, densenet=densenet, inception=inception, unet=unet, resnext=resnext)
for name in sys.argv[1:] or NETS:
    keras.utils.clear_session()
    keras.utils.set_random_seed(7)
    rng = np.random.default_rng(7)
    x = L.Input(S, name="x")
    y = NETS[name](x)
    model = y if isinstance(y, keras.Model) else keras.Model(x, y)
    for v in model.weights:
        fan = max(1, int(np.prod(v.shape[:-1])))
        w = rng.normal(0, 1.4 / fan ** 0.5, v.shape) if len(v.shape) > 1 else rng.uniform(0.5, 1.5, v.shape) if "gamma" in v.path or "variance" in v.path \
            else rng.normal(0, 0.1, v.shape)
        v.assign((w * 64).round().astype("float32") / 64)  # few bits: the file is small
    model.save("plain.keras")
    with zipfile.ZipFile("plain.keras") as plain, zipfile.ZipFile(name + ".keras", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as small:
        for i in plain.infolist(): small.writestr(zipfile.ZipInfo(i.filename), plain.read(i), zipfile.ZIP_DEFLATED)
    os.remove("plain.keras")
    data = rng.normal(0, 1, (2,) + S).round(1).astype("float32")
    np.savez_compressed(name + ".npz", **{"in_" + model.layers[0].name: data, "out_" + model.output_names[0]: model.predict(data, verbose=0)})
    print(name, os.path.getsize(name + ".keras"), np.load(name + ".npz")["out_" + model.output_names[0]].ravel()[:5])
