# One module of every class of torch.nn, with the options that its text shows: FOLDER/modules.pt (a deflated archive: {number: module}) and
# FOLDER/modules.txt, what print() shows of each, with a line `=== number` before it. Usage: modules.py FOLDER
import collections, io, os, sys, warnings, zipfile
import torch
from torch import nn

warnings.filterwarnings("ignore")
torch.manual_seed(0)
modules = [
    nn.Linear(2, 3), nn.Linear(2, 3, bias=False), nn.Bilinear(2, 3, 4), nn.Bilinear(2, 3, 4, bias=False), nn.Identity(), nn.Conv1d(4, 4, 3), nn.Conv2d(4, 8, 3, padding=1, stride=(2, 1), dilation=2, groups=2, bias=False, padding_mode="reflect"),
    nn.Conv2d(1, 2, 3, padding="same"), nn.Conv2d(1, 2, (3, 5), padding="valid"), nn.Conv3d(1, 2, 3), nn.ConvTranspose1d(1, 2, 3, output_padding=1, stride=2), nn.ConvTranspose2d(2, 2, 3, stride=2, padding=1, output_padding=1, groups=2, bias=False), nn.ConvTranspose3d(1, 1, 2),
    nn.BatchNorm1d(3), nn.BatchNorm2d(3, affine=False), nn.BatchNorm3d(3, momentum=None, track_running_stats=False, eps=1e-3), nn.SyncBatchNorm(3), nn.InstanceNorm1d(3), nn.InstanceNorm2d(3, affine=True, track_running_stats=True), nn.InstanceNorm3d(2),
    nn.LayerNorm(4), nn.LayerNorm([3, 4], elementwise_affine=False), nn.LayerNorm(4, bias=False, eps=1e-12), nn.RMSNorm(4), nn.RMSNorm([2, 4], eps=1e-6, elementwise_affine=False), nn.GroupNorm(2, 4), nn.GroupNorm(2, 4, affine=False, eps=1e-3), nn.LocalResponseNorm(3), nn.CrossMapLRN2d(3),
    nn.Embedding(5, 3), nn.Embedding(5, 3, padding_idx=1, max_norm=2.0, norm_type=1.0, scale_grad_by_freq=True, sparse=True), nn.EmbeddingBag(5, 3), nn.EmbeddingBag(5, 3, mode="sum", max_norm=1.0, padding_idx=2, include_last_offset=True),
    nn.ReLU(), nn.ReLU(True), nn.ReLU6(), nn.ReLU6(True), nn.SiLU(), nn.SiLU(True), nn.Mish(), nn.SELU(), nn.SELU(True), nn.Hardswish(), nn.Hardswish(True), nn.Hardsigmoid(), nn.Hardsigmoid(True), nn.Hardtanh(), nn.Hardtanh(-2, 2, inplace=True), nn.LeakyReLU(), nn.LeakyReLU(0.2, True), nn.ELU(), nn.ELU(0.5, True), nn.CELU(), nn.CELU(2., True),
    nn.GELU(), nn.GELU("tanh"), nn.Softplus(), nn.Softplus(2, 10), nn.Threshold(0.1, 20), nn.Threshold(1, 2, True), nn.Hardshrink(), nn.Softshrink(0.3), nn.PReLU(), nn.PReLU(4, 0.1), nn.RReLU(), nn.RReLU(0.1, 0.2, True), nn.GLU(), nn.GLU(1), nn.Softmax(dim=1), nn.Softmax(), nn.LogSoftmax(dim=-1), nn.Softmin(dim=1), nn.Softmax2d(), nn.Sigmoid(), nn.Tanh(), nn.Softsign(), nn.LogSigmoid(), nn.Tanhshrink(),
    nn.Dropout(), nn.Dropout(0.1, True), nn.Dropout1d(), nn.Dropout2d(), nn.Dropout3d(), nn.AlphaDropout(), nn.FeatureAlphaDropout(), nn.Flatten(), nn.Flatten(0, 2), nn.Unflatten(1, (2, 3)),
    nn.MaxPool1d(2), nn.MaxPool2d((2, 3), stride=1, padding=1, dilation=2, ceil_mode=True, return_indices=True), nn.MaxPool3d(2), nn.AvgPool1d(2), nn.AvgPool2d(2, ceil_mode=True, count_include_pad=False), nn.AvgPool3d(2, divisor_override=3), nn.MaxUnpool1d(2), nn.MaxUnpool2d(2), nn.MaxUnpool3d(3), nn.LPPool1d(2, 3), nn.LPPool2d(1.5, 2, stride=1), nn.LPPool3d(2, 2), nn.FractionalMaxPool2d(2, output_size=3), nn.FractionalMaxPool3d(2, output_ratio=0.5),
    nn.AdaptiveAvgPool1d(1), nn.AdaptiveAvgPool2d((1, None)), nn.AdaptiveAvgPool3d(2), nn.AdaptiveMaxPool1d(2), nn.AdaptiveMaxPool2d((2, 2), return_indices=True), nn.AdaptiveMaxPool3d(1),
    nn.Upsample(scale_factor=2), nn.Upsample(size=(4, 4), mode="bilinear", align_corners=True), nn.Upsample(scale_factor=(2., 1.5)), nn.UpsamplingNearest2d(scale_factor=2), nn.UpsamplingBilinear2d(size=3), nn.PixelShuffle(2), nn.PixelUnshuffle(3), nn.ChannelShuffle(2),
    nn.ZeroPad1d(1), nn.ZeroPad2d((1, 2, 3, 4)), nn.ZeroPad3d(1), nn.ConstantPad1d(2, 3.5), nn.ConstantPad2d(1, 0.), nn.ConstantPad3d(1, 2), nn.ReflectionPad1d(1), nn.ReflectionPad2d(2), nn.ReflectionPad3d(1), nn.ReplicationPad1d(1), nn.ReplicationPad2d(1), nn.ReplicationPad3d((1, 1, 2, 2, 3, 3)), nn.CircularPad1d(1), nn.CircularPad2d(1), nn.CircularPad3d(1),
    nn.LSTM(3, 4), nn.LSTM(3, 4, 2, bias=False, batch_first=True, dropout=0.1, bidirectional=True, proj_size=2), nn.GRU(3, 4, num_layers=3), nn.RNN(3, 4, nonlinearity="relu"), nn.LSTMCell(3, 4), nn.GRUCell(3, 4, bias=False), nn.RNNCell(3, 4, nonlinearity="relu"), nn.RNNCell(3, 4),
    nn.MultiheadAttention(4, 2), nn.MultiheadAttention(4, 2, bias=False, add_bias_kv=True, kdim=3, vdim=5), nn.TransformerEncoderLayer(4, 2, 8), nn.TransformerDecoderLayer(4, 2, 8, activation="gelu", norm_first=True), nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), 3, norm=nn.LayerNorm(4)), nn.TransformerDecoder(nn.TransformerDecoderLayer(4, 2, 8), 2), nn.Transformer(4, 2, 2, 2, 8),
    nn.Fold((4, 5), 2), nn.Unfold(3, dilation=2, padding=1, stride=2), nn.CosineSimilarity(), nn.PairwiseDistance(), nn.L1Loss(), nn.MSELoss(), nn.CrossEntropyLoss(), nn.BCELoss(), nn.NLLLoss(), nn.SmoothL1Loss(), nn.HuberLoss(), nn.KLDivLoss(), nn.CTCLoss(), nn.TripletMarginLoss(), nn.AdaptiveLogSoftmaxWithLoss(8, 20, [5, 10]),
    nn.Sequential(), nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.ReLU(), nn.ReLU())), nn.ModuleList(), nn.ModuleList([nn.Linear(2, 2)]*3+[nn.ReLU()]+[nn.Linear(2, 2)]), nn.ModuleList([nn.Sequential(nn.Linear(1, 1), nn.ReLU()) for _ in range(3)]), nn.ModuleDict(dict(a=nn.ReLU(), b=nn.Linear(1, 1))), nn.ModuleDict(),
    nn.ParameterList([nn.Parameter(torch.ones(2, 3)), torch.ones(2).double()]), nn.ParameterDict(dict(x=nn.Parameter(torch.ones(2)), y=nn.Parameter(torch.ones(1, 2, 3)))), nn.ParameterList(), nn.ParameterList([nn.Parameter(torch.tensor(1.))]),
    nn.LazyLinear(3), nn.LazyConv2d(3, 2), nn.Sequential(collections.OrderedDict(c=nn.Conv2d(1, 1, 1), r=nn.ReLU())),
    nn.utils.weight_norm(nn.Linear(2, 2)), nn.utils.spectral_norm(nn.Linear(2, 2)), nn.Module(),
]
buffer = io.BytesIO()
torch.save({str(i): m for i, m in enumerate(modules)}, buffer)
with zipfile.ZipFile(buffer) as source, zipfile.ZipFile(os.path.join(sys.argv[1], "modules.pt"), "w", zipfile.ZIP_DEFLATED) as target:
    for name in source.namelist():
        target.writestr(zipfile.ZipInfo(name), source.read(name), zipfile.ZIP_DEFLATED)
with open(os.path.join(sys.argv[1], "modules.txt"), "w") as f:
    for i, m in enumerate(modules):
        f.write(f"=== {i}\n{m}\n")
