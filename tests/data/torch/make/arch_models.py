"""Models whose printed trees arch.py records."""
import collections

import torch
import torch.nn as nn
import torchvision.models as tv


class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.lists = nn.ModuleList()
        self.dicts = nn.ModuleDict({"a b": nn.Identity(), "1:2": nn.ReLU(), "(x)": nn.Tanh(), "é": nn.ReLU6()})
        self.blocks = nn.ModuleList(nn.ModuleList(nn.Linear(2, 2) for _ in range(3)) for _ in range(2))
        self.params = nn.ParameterList([nn.Parameter(torch.zeros(3, 4)), nn.Parameter(torch.zeros(()))])
        self.named = nn.ParameterDict({"w": nn.Parameter(torch.zeros(2)), "v": nn.Parameter(torch.zeros(2, 1, 5))})
        self.none = None
        self.ordered = nn.Sequential(collections.OrderedDict(first=nn.Linear(1, 2), second=nn.Sequential()))


class Chatty(nn.Module):
    def __init__(self, text, *children):
        super().__init__()
        self.text = text
        for i, c in enumerate(children):
            self.add_module("c%d" % i, c)

    def extra_repr(self):
        return self.text


def layers():
    """Every layer once, with its defaults and away from them."""
    yield nn.Conv2d(3, 8, 3, 2, "valid", 2, groups=1, bias=False, padding_mode="reflect")
    yield nn.ConvTranspose2d(4, 8, (3, 5), 2, 1, 1, 2, False, 2)
    yield nn.Conv3d(1, 2, 3)
    yield nn.BatchNorm1d(4, momentum=None, affine=False, track_running_stats=False)
    yield nn.GroupNorm(2, 4)
    yield nn.LayerNorm((3, 4), elementwise_affine=False)
    yield nn.InstanceNorm2d(3)
    yield nn.LocalResponseNorm(2)
    yield nn.RMSNorm(4)
    yield nn.MaxPool2d(3, 2, 1, ceil_mode=True)
    yield nn.AvgPool1d(2)
    yield nn.AdaptiveAvgPool2d((None, 7))
    yield nn.AdaptiveMaxPool3d(1)
    yield nn.LPPool2d(2, 3)
    yield nn.FractionalMaxPool2d(3, output_ratio=0.5)
    yield nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
    yield nn.Upsample(size=(3, 4))
    yield nn.ConstantPad2d((1, 2, 3, 4), 0.5)
    yield nn.ReflectionPad1d(2)
    yield nn.PixelShuffle(2)
    yield nn.Flatten()
    yield nn.Unflatten(1, (2, 2))
    yield nn.Fold((4, 5), (2, 2))
    yield nn.Unfold(3, padding=1)
    yield nn.Embedding(10, 3, padding_idx=0, max_norm=2.0)
    yield nn.EmbeddingBag(10, 3, mode="sum")
    yield nn.Bilinear(2, 3, 4)
    yield nn.LSTM(3, 4, 2, batch_first=True, dropout=0.1, bidirectional=True, proj_size=2)
    yield nn.GRU(3, 4)
    yield nn.RNN(3, 4, nonlinearity="relu")
    yield nn.LSTMCell(2, 3)
    yield nn.RNNCell(2, 3, nonlinearity="relu")
    yield nn.MultiheadAttention(8, 2)
    for cls in (nn.ReLU, nn.ReLU6, nn.SELU, nn.CELU, nn.ELU, nn.GELU, nn.SiLU, nn.Mish, nn.Hardswish, nn.Hardsigmoid, nn.Sigmoid, nn.Tanh, nn.Softplus,
                nn.Softsign, nn.LogSigmoid, nn.Tanhshrink, nn.Softmax, nn.LogSoftmax, nn.Softmin, nn.Softmax2d, nn.GLU, nn.LeakyReLU, nn.PReLU, nn.RReLU,
                nn.Hardtanh, nn.Hardshrink, nn.Softshrink, nn.Dropout, nn.Dropout2d, nn.AlphaDropout, nn.Identity, nn.CosineSimilarity, nn.PairwiseDistance):
        yield cls()
    yield nn.ReLU(inplace=True)
    yield nn.GELU("tanh")
    yield nn.Threshold(0.1, -20.0)
    yield nn.Softmax(dim=-1)
    yield nn.Hardtanh(-2, 2.5, inplace=True)
    yield nn.Sequential()
    yield nn.ParameterList()


def printed():
    yield "layers", nn.ModuleList(layers())
    yield "plain", Plain()
    yield "chatty", Chatty("dim=4, (3, 4), [1, 2], act=<function relu at 0x7f00>, rate: 0.5, dtype=torch.float32, <class 'int'>, -inf, 1e-05, a.b=3",
                           Chatty("one=1", nn.Linear(1, 1)), Chatty(""), Chatty("x='a\"b', y=None, z=('p', 'q')"))
    yield "transformer", nn.Transformer(8, 2, 2, 2, 16)
    yield "encoder", nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, activation="gelu"), 3, nn.LayerNorm(8))
    yield "parametrized", nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(3, 4)), nn.utils.parametrizations.spectral_norm(nn.Conv2d(1, 2, 3)))
    yield "parallel", nn.DataParallel(nn.Sequential(nn.Linear(2, 2)))
    for name in ("alexnet", "vgg11_bn", "resnet18", "resnet50", "squeezenet1_1", "mobilenet_v2", "mobilenet_v3_small", "shufflenet_v2_x0_5", "mnasnet0_5",
                 "googlenet", "efficientnet_b0", "regnet_y_400mf", "convnext_tiny", "vit_b_16", "swin_t"):
        yield name, getattr(tv, name)(weights=None, **({"init_weights": False} if name == "googlenet" else {}))
    yield "deeplabv3", tv.segmentation.deeplabv3_mobilenet_v3_large(weights=None, weights_backbone=None)
    yield "lraspp", tv.segmentation.lraspp_mobilenet_v3_large(weights=None, weights_backbone=None)
    yield "r3d", tv.video.r3d_18(weights=None)
