# Writes the seeds of the fuzz targets `pickle` and `zip`. Usage: fuzz_seeds.py TESTS_FUZZ_SEEDS_FOLDER
import collections, io, pickle, sys, warnings, zipfile
import numpy as np, torch
from torch import nn
from strip import strip
warnings.filterwarnings("ignore")
out = sys.argv[1]
torch.manual_seed(0)

def data_pkl(obj, protocol=2):
    b = io.BytesIO()
    torch.save(obj, b, pickle_protocol=protocol)
    with zipfile.ZipFile(b) as z:
        return z.read([n for n in z.namelist() if n.endswith("data.pkl")][0])

def legacy(obj):
    b = io.BytesIO()
    torch.save(obj, b, _use_new_zipfile_serialization=False)
    return b.getvalue()

def put(kind, name, data):
    open(f"{out}/{kind}/{name}", "wb").write(data)
    strip(f"{out}/{kind}/{name}")

t = torch.arange(24, dtype=torch.float32)
views = {"a": t.view(2, 3, 4), "b": t.view(4, 6).t(), "c": t[3:9:2], "e": t[:1].expand(3, 3), "z": torch.zeros(0, 2)}
more = collections.OrderedDict(u8=torch.zeros(96, dtype=torch.uint8)[:4], f16=torch.zeros(48, dtype=torch.float16), b=torch.zeros(96, dtype=torch.bool),
    c=torch.complex(t, -t).conj(), p=nn.Parameter(t), u16=torch.zeros(48, dtype=torch.uint16), meta=torch.empty(2, device="meta"),
    sp=torch.eye(2).to_sparse(), q=torch.quantize_per_tensor(t, 0.1, 2, torch.quint8))
others = {"n": np.arange(6, dtype=np.int32).reshape(2, 3), "s": np.float64(1.5), "big": np.arange(3, dtype=">f4"), "d": torch.float32, "v": torch.device("cpu"), "i": torch.Size([2, 3]),
    "x": 1 << 70, "l": [1, -2, 2.5, None, True, b"bytes", "text"], "set": {1, 2}, "c": 1 + 2j}
small = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.BatchNorm1d(3))
opt = torch.optim.SGD(small.parameters(), lr=0.1, momentum=0.9)
small(torch.ones(4, 2)).sum().backward(); opt.step()
checkpoint = {"model_state_dict": small.state_dict(), "optimizer": opt.state_dict(), "epoch": 3}
for name, obj in dict(views=views, more=more, others=others, checkpoint=checkpoint, module=small).items():
    for protocol in (2, 4):
        put("pickle", f"{name}{protocol}", data_pkl(obj, protocol))
put("pickle", "legacy_views", legacy(views))
put("pickle", "legacy_module", legacy(small))
for protocol in range(6):
    plain = [1, "a", {"k": (1.5, [])}, b"b", np.arange(3), {1, 2}, 1 << 80, None, True]
    put("pickle", f"plain{protocol}", pickle.dumps(plain, protocol))
put("pickle", "tensor", pickle.dumps(torch.ones(3)))
put("pickle", "system", b"cos\nsystem\n(S'true'\ntR.")
put("pickle", "instance", b"(S'true'\nios\nsystem\np0\n(cos\nsystem\nS'x'\nol.")

pkl = data_pkl(views)
torch.utils.serialization.config.save.compute_crc32 = False
for name, obj in dict(views=views, checkpoint=checkpoint).items():
    b = io.BytesIO(); torch.save(obj, b)
    put("zip", "torch_" + name, b.getvalue())
for name, method in dict(stored=zipfile.ZIP_STORED, deflated=zipfile.ZIP_DEFLATED).items():
    b = io.BytesIO()
    with zipfile.ZipFile(b, "w", method) as z:
        z.writestr("a/", b""); z.writestr("a/data.pkl", pkl); z.writestr("a/data/0", bytes(96))
    put("zip", name, b.getvalue())
b = io.BytesIO()
with zipfile.ZipFile(b, "w") as z:
    with z.open("x.npy", "w", force_zip64=True) as f:
        f.write(b"12345")
put("zip", "zip64", b.getvalue())
