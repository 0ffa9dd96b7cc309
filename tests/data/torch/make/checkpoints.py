# Small checkpoints of every kind with what torch finds in them: FOLDER/name.pt and FOLDER/name.txt (name|dtype|shape|bytes|crc).
# Usage: checkpoints.py FOLDER
import collections, io, os, pickle, sys, warnings, zipfile
import numpy as np
import torch
import torch.utils.serialization
from torch import nn
from listing import lines
from strip import strip
from random_checkpoints import ALL, G

warnings.filterwarnings("ignore")
out = sys.argv[1]
os.makedirs(out, exist_ok=True)
torch.manual_seed(7)
config = torch.utils.serialization.config.save


def put(name, obj, **options):
    path = os.path.join(out, name + ".pt")
    torch.save(obj, path, **options)
    strip(path)
    describe(name)


def describe(name, obj=None):
    path = os.path.join(out, name + ".pt")
    open(path[:-3] + ".txt", "w").write(lines(torch.load(path, weights_only=False) if obj is None else obj))


t = torch.arange(24, dtype=torch.float32)
base = torch.randn(6, 8)
views = collections.OrderedDict(whole=t, rows=t.view(4, 6)[1:3], transposed=t.view(4, 6).t(), step=t[1::3], one=t[5], expanded=t[2:4].unsqueeze(0).expand(3, 2),
                                permuted=t.view(2, 3, 4).permute(2, 0, 1), diagonal=base.diagonal(), overlapping=t.as_strided((3, 3), (1, 1), 2),
                                channels_last=torch.randn(2, 3, 2, 2).to(memory_format=torch.channels_last), empty=torch.zeros(0, 3), empty_view=t.view(4, 6)[4:],
                                alone=base[2], scalar=torch.tensor(3, dtype=torch.int16))
tied = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
tied[1].weight = tied[0].weight
for legacy in (False, True):
    form = {"_use_new_zipfile_serialization": not legacy}
    tag = "legacy_" if legacy else ""
    put(tag + "views", views, **form)
    put(tag + "tied", tied.state_dict(), **form)
    net = nn.Sequential(collections.OrderedDict(conv=nn.Conv2d(1, 2, 3), norm=nn.BatchNorm2d(2), act=nn.ReLU(), flat=nn.Flatten(), fc=nn.Linear(8, 2)))
    net.register_buffer("passing", torch.ones(2), persistent=False)
    net.register_buffer("kept", torch.ones(2))
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.randn(2, 1, 4, 4)).sum().backward()
    optimizer.step()
    put(tag + "training", {"epoch": 3, "model_state_dict": net.state_dict(), "optimizer_state_dict": optimizer.state_dict(), "best": np.float64(0.25)}, **form)
    put(tag + "module", net, **form)
    put(tag + "wrapped", {"net": nn.DataParallel(nn.Linear(2, 2)), "lists": [t, (t[1:], {"k": t.half()})], 5: t[:2], (1, "a"): t[:1], None: t[3:4], 1.5: t[4:6]}, **form)
    plain = [d for d in ALL if d.itemsize and not (legacy and str(d) in ("torch.uint16", "torch.uint32", "torch.uint64", "torch.complex32") or legacy and "float8" in str(d))]
    put(tag + "dtypes", {str(d)[6:]: torch.arange(10, dtype=torch.float32).to(d) for d in plain if d != torch.float8_e8m0fnu}, **form)
z = torch.complex(t, t + 1)
put("lazy", {"conj": z.conj(), "half": z[:4].conj(), "neg_imag": (z + 1).conj().imag, "real": (z + 2).real})
put("parameters", {"p": nn.Parameter(t), "b": nn.Buffer(t[1:3]), "frozen": nn.Parameter(t[:2], requires_grad=False)})
attributed = nn.Parameter(torch.ones(2))
attributed.note = "kept"
put("attributed", {"p": attributed})
put("quantised", {"tensor": torch.quantize_per_tensor(t, 0.1, 2, torch.quint8), "channel": torch.quantize_per_channel(t.view(2, 12), torch.tensor([0.1, 0.2]), torch.tensor([0, 1]), 0, torch.qint8),
                  "wide": torch.quantize_per_tensor(t, 0.1, 2, torch.qint32)})
for protocol in (3, 4, 5):
    put(f"protocol{protocol}", {"state_dict": views, "array": np.arange(3), "more": [b"x", {1, 2}, 1 << 70, 2 + 1j, slice(1, 2), torch.float16, torch.device("cuda:0"), torch.Size([1])]}, pickle_protocol=protocol)
for protocol in (1, 5):  # torch cannot read its own persistent ids of protocol 0
    put(f"legacy_protocol{protocol}", {"a": t, "b": t[3:5]}, pickle_protocol=protocol, _use_new_zipfile_serialization=False)
config.compute_crc32 = False
put("no_crc", {"a": t, "b": base})
config.compute_crc32 = True
config.storage_alignment = 4096
put("aligned", {"a": t, "b": base})
config.storage_alignment = 64

# The same archive by other writers: deflated, with entries for folders, without the folder, with a stranger beside it.
with zipfile.ZipFile(os.path.join(out, "views.pt")) as source:
    members = [(n.split("/", 1)[1], source.read(n)) for n in source.namelist()]
for name, method, prefix in (("deflated", zipfile.ZIP_DEFLATED, "views/"), ("folders", zipfile.ZIP_STORED, "some folder/"), ("bare", zipfile.ZIP_STORED, "")):
    with zipfile.ZipFile(os.path.join(out, name + ".pt"), "w", method) as target:
        if name == "folders":
            target.writestr("readme.txt", "hello")
            target.writestr(prefix, b"")
            target.writestr(prefix + "data/", b"")
        for member, data in reversed(members) if name == "folders" else members:
            target.writestr(prefix + member, data)
    describe(name, views)

# Big-endian: the scalars of every storage turned around.
members = {"byteorder": b"big", "version": b"3\n"}
values = {"f32": t, "f16": t.half(), "i64": t.long(), "u8": t.byte(), "c": torch.complex(t, -t)}
buffer = io.BytesIO()
torch.save(values, buffer)
with zipfile.ZipFile(buffer) as source:
    members["data.pkl"] = source.read("archive/data.pkl")
    for key, v in enumerate(values.values()):
        data, size = source.read(f"archive/data/{key}"), v.element_size() // (2 if v.is_complex() else 1)
        members[f"data/{key}"] = np.frombuffer(data, np.uint8).reshape(-1, size)[:, ::-1].tobytes()
with zipfile.ZipFile(os.path.join(out, "big_endian.pt"), "w") as target:
    for member in ("data.pkl", "byteorder", *[f"data/{k}" for k in range(len(values))], "version"):
        target.writestr("big/" + member, members[member])
describe("big_endian", values)

# A pickle that torch did not write: tensors carry a whole legacy file each; arrays where there are no tensors.
for protocol in (2, 4):
    name = f"pickled{protocol}"
    with open(os.path.join(out, name + ".pt"), "wb") as f:
        pickle.dump({"a": t, "b": [base.t()]}, f, protocol)
    describe(name, {"a": t, "b": [base.t()]})
    arrays = {"f": np.arange(6, dtype=np.float32).reshape(2, 3), "order": np.asfortranarray(np.arange(6.0).reshape(2, 3)), "big": np.arange(3, dtype=">f4"), "u2": np.arange(3, dtype=np.uint16),
              "c16": np.array([1 + 2j]), "nothing": np.zeros((0, 2), np.int8), "zero_d": np.array(7, np.int32), "b": np.array([True, False]), "big8": np.arange(2, dtype=">i8")}
    with open(os.path.join(out, f"arrays{protocol}.pt"), "wb") as f:
        pickle.dump(arrays, f, protocol if protocol == 2 else 5)
    describe(f"arrays{protocol}", {k: torch.from_numpy(np.ascontiguousarray(v.astype(v.dtype.newbyteorder("="))).reshape(v.shape)) for k, v in arrays.items()})

for seed in (3, 11, 12, 17, 25, 31):
    path = os.path.join(out, f"random{seed}.pt")
    G(seed).save(path)
    describe(f"random{seed}")
