#!/usr/bin/env python3
"""Writes the HDF5 files of this folder with h5py (3.14, libhdf5 1.14), and expected.txt: what h5py reads from them again.

  data FILE PATH DTYPE SIZES CRC     a dataset: dtype as tern calls it, sizes with commas (- for none), CRC-32 of its little-endian bytes
  strings FILE PATH TEXT...          a dataset of texts; fields are separated by tabs, texts as Python's repr
  texts FILE PATH NAME TEXT...       an attribute, a text or a list of them
  links FILE PATH COUNT FIRST LAST   a group: how many names, the first and the last
  number FILE PATH NAME VALUE        an attribute, a number or a truth value
"""
import os
import sys
import zlib

import h5py
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
DTYPES = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]
rng = np.random.default_rng(1)


def values(shape, dtype="f4"):
    if np.dtype(dtype).kind == "f":
        return rng.standard_normal(shape).astype(dtype)
    return rng.integers(0, 100, shape).astype(dtype)


def chunked(f, name, data, chunks, maxshape=None, early=False, **filters):
    """A chunked dataset; early: space for all chunks at once, which together with no filters means the implicit index in new files."""
    if not early:
        return f.create_dataset(name, data=data, chunks=chunks, maxshape=maxshape, **filters)
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk(chunks)
    plist.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    space = h5py.h5s.create_simple(data.shape, maxshape)
    ds = h5py.h5d.create(f.id, name.encode(), h5py.h5t.py_create(data.dtype), space, plist)
    ds.write(h5py.h5s.ALL, h5py.h5s.ALL, np.ascontiguousarray(data))


def elements(f):
    """Every dtype in both byte orders, every layout without chunks."""
    for d in DTYPES:
        f["types/" + d] = values((3, 2), d)
        f["types/big_" + d] = values((3, 2), ">" + d)
    f["types/bool"] = np.array([True, False, True])
    f["scalar"] = np.float32(2.5)
    f["empty"] = np.zeros((0, 4), "f4")
    f["group/of/groups/deep"] = values((4,))
    f.create_dataset("unwritten", (5,), "f4")
    f.create_dataset("unwritten_fill", (5,), ">i2", fillvalue=-7)
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_layout(h5py.h5d.COMPACT)
    data = values((2, 3))
    ds = h5py.h5d.create(f.id, b"compact", h5py.h5t.py_create(data.dtype), h5py.h5s.create_simple(data.shape), plist)
    ds.write(h5py.h5s.ALL, h5py.h5s.ALL, data)
    f["other_name"] = f["compact"]  # a hard link
    f["named_type"] = np.dtype("f4")
    f.create_dataset("of_named_type", data=values((3,)), dtype=f["named_type"])


def chunks(f):
    """All filters, chunks that reach beyond the dataset, chunks that were never written."""
    f = f.create_group("chunks")
    chunked(f, "plain", values((7, 5)), (3, 2))
    chunked(f, "deflate", values((7, 5)), (3, 2), compression="gzip")
    chunked(f, "shuffle", values((7, 5), "f8"), (4, 5), compression="gzip", shuffle=True)
    chunked(f, "shuffle_alone", values((7, 5), "i2"), (3, 2), shuffle=True)
    chunked(f, "fletcher32", values((7, 5)), (3, 2), fletcher32=True)
    chunked(f, "fletcher32_odd", values((7,), "u1"), (3,), fletcher32=True)
    chunked(f, "all", values((7, 5, 3), ">f4"), (3, 2, 2), compression="gzip", shuffle=True, fletcher32=True)
    chunked(f, "many", values((150,), "i4"), (2,), maxshape=(None,))
    ds = f.create_dataset("holes", (9, 9), "f4", chunks=(2, 2), fillvalue=1.5)
    ds[4:6, 4:6] = 3
    f.create_dataset("no_chunk", (9, 9), "i8", chunks=(2, 2))
    f.create_dataset("larger_than_data", (3,), "f4", chunks=(100,), maxshape=(None,), compression="gzip")[...] = 1
    ds = f.create_dataset("skipped_filter", (8,), "u1", chunks=(4,), compression="gzip")
    ds.id.write_direct_chunk((0,), b"\1\2\3\4", filter_mask=1)
    ds.id.write_direct_chunk((4,), zlib.compress(b"\5\6\7\x08"))


def indices(f):
    """The chunk indices of new files. That all are there is checked in main() by their signatures."""
    f = f.create_group("indices")
    chunked(f, "single", values((5, 6)), (5, 6))
    chunked(f, "single_filtered", values((5, 6)), (5, 6), compression="gzip")
    chunked(f, "implicit", values((5, 7)), (2, 3), early=True)
    chunked(f, "implicit_room", values((5, 7)), (2, 3), (9, 10), early=True)
    chunked(f, "fixed", values((5, 7)), (2, 3))
    chunked(f, "fixed_filtered", values((5, 7)), (2, 3), compression="gzip")
    chunked(f, "fixed_room", values((5, 7)), (2, 3), maxshape=(9, 10))
    ds = f.create_dataset("fixed_pages", (2100,), "u1", chunks=(1,))  # pages have 1024 elements; the middle one is not written
    ds[5:9], ds[2060:2063] = 1, 2
    chunked(f, "extensible", values((37, 3)), (1, 2), maxshape=(None, 3))
    chunked(f, "extensible_second", values((3, 37)), (2, 1), maxshape=(5, None))
    chunked(f, "extensible_filtered", values((40,), "i8"), (1,), maxshape=(None,), compression="gzip")
    ds = f.create_dataset("extensible_pages", (150_000,), "u1", chunks=(1,), maxshape=(None,))
    ds[3], ds[141_024] = 1, 2  # the latter in the second page of a data block, whose first one is not written
    chunked(f, "tree", values((6, 7)), (2, 3), maxshape=(None, None))
    chunked(f, "tree_filtered", values((6, 7)), (2, 3), maxshape=(None, None), compression="gzip", shuffle=True)
    chunked(f, "tree_deep", values((20, 20), "u1"), (1, 1), maxshape=(None, None))


def names(f):
    """Groups with few and many links and attributes, kept in all ways."""
    f["one"] = np.int8(1)
    for count in (1, 8, 9, 300) + ((1300,) if f.libver[0] == "latest" else ()):
        group = f.create_group(f"links/{count}")
        for i in range(count):
            group[f"link {i}"] = f["one"]
    ordered = f.create_group("links/ordered", track_order=True)
    for i in range(20):
        ordered[str(i)] = np.float32(i)
    f["links/ümlaut \\ and 日本"] = np.float32(1)
    for count in (3, 30):
        group = f.create_group(f"attributes/{count}")
        for i in range(count):
            group.attrs[f"a{i}"] = f"text {i}"
    a = f["attributes"].attrs
    a["variable"] = "grüße"
    a["variable_list"] = ["one", "", "three"]
    a["fixed"] = np.bytes_("fixed")
    a["fixed_list"] = np.array([b"a", b"bcd", b""], "S5")
    a["empty_list"] = []
    a["null"] = h5py.Empty("f4")
    a["int"], a["float"], a["half"], a["bool"], a["big"] = 12, 0.25, np.float16(1.5), np.True_, np.array(-5, ">i8")
    a["list_of_one"] = np.array([7])
    a["layer_names0"], a["layer_names1"] = np.array([b"dense", b"lstm"]), np.array([b"dense_1"])
    space_padded = h5py.h5t.C_S1.copy()
    space_padded.set_size(8)
    space_padded.set_strpad(h5py.h5t.STR_SPACEPAD)
    attribute = h5py.h5a.create(f["attributes"].id, b"spaces", space_padded, h5py.h5s.create(h5py.h5s.SCALAR))
    attribute.write(np.array(b"padded  ", "S8"), mtype=space_padded)
    f["strings/fixed"] = np.array([b"x", b"yz"], "S4")
    f["strings/variable"] = np.array(["one", "", "drei ü"], dtype=h5py.string_dtype())
    f.create_dataset("strings/chunked", data=np.array([f"text {i}" for i in range(20)], dtype=h5py.string_dtype()), chunks=(7,), compression="gzip")
    f.create_dataset("strings/unwritten", (2,), h5py.string_dtype())


def few(f):
    """One of each, in a small file: what hostile files and fuzzing begin with."""
    f["group/contiguous"] = values((2, 3))
    f["bool"] = np.array([True, False])
    f["half"] = values((3,), ">f2")
    chunked(f, "tree", values((5, 4)), (3, 2), compression="gzip", shuffle=True, fletcher32=True)
    chunked(f, "growing", values((3, 4), "i2"), (1, 4), maxshape=(None, 4))
    chunked(f, "fixed", values((5,), "u1"), (2,), compression="gzip")
    chunked(f, "growing_twice", values((3, 3), "u1"), (2, 2), maxshape=(None, None))
    f.create_dataset("unwritten", (3,), "i4", fillvalue=7)
    f["texts"] = np.array(["one", "two"], dtype=h5py.string_dtype())
    f.attrs["text"] = "grüße"
    f.attrs["names"] = np.array([b"a", b"bc"])
    for i in range(9):
        f["group"].attrs[f"{i}"] = i
        f[f"links/{i}"] = f["half"]


def refused(f):
    """What is read by name only."""
    f["soft"] = h5py.SoftLink("/there")
    f["there"] = values((2,))
    f["external_link"] = h5py.ExternalLink("other.h5", "/x")
    f.create_dataset("external", (4,), "u1", external=[("/etc/passwd", 0, 4)])
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", (4,))
    f.create_virtual_dataset("virtual", layout)
    f.create_dataset("lzf", data=values((40,), "i4"), chunks=(20,), compression="lzf")
    f.create_dataset("scaleoffset", data=values((40,), "i4"), chunks=(20,), scaleoffset=8)
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((4,))
    plist.set_filter(5, 0, (9, 0, 4, 4, 1, 4, 0, 32, 0))  # nbit
    h5py.h5d.create(f.id, b"nbit", h5py.h5t.NATIVE_INT32, h5py.h5s.create_simple((4,)), plist)
    f["opaque"] = np.array([b"\1\2", b"\3\4"], "V2")
    f["compound"] = np.zeros((2,), [("a", "f4"), ("b", "i4")])
    f["complex"] = np.zeros((2,), "c8")
    f.create_dataset("array", (2,), np.dtype("(3,)f4"))
    f.create_dataset("ragged", (2,), h5py.vlen_dtype("i4"))
    f.create_dataset("reference", (2,), h5py.ref_dtype)
    f["enumeration"] = np.zeros((2,), h5py.enum_dtype({"RED": 0, "BLUE": 1}, "i1"))
    f["null"] = h5py.Empty("f4")
    f["long_double"] = np.zeros((2,), np.longdouble)
    f["user_defined_bool"] = np.zeros((2,), h5py.enum_dtype({"FALSE": 1, "TRUE": 0}, "i1"))


def written(name, parts, libver, **options):
    path = os.path.join(HERE, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with h5py.File(path, "w", libver=libver, **options) as f:
        for part in parts:
            part(f)
    return name


def small_addresses():
    """Offsets and lengths of four bytes."""
    plist = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    plist.set_sizes(4, 4)
    path = os.path.join(HERE, "four_bytes.h5")
    with h5py.File(h5py.h5f.create(path.encode(), h5py.h5f.ACC_TRUNC, fcpl=plist)) as f:
        f["group/x"] = values((3, 2))
        f.create_dataset("group/chunked", data=values((7,)), chunks=(2,), maxshape=(None,), compression="gzip")
        f["group"].attrs["text"] = "grüße"
        f["strings"] = np.array(["one", ""], dtype=h5py.string_dtype())
    return "four_bytes.h5"


def tern_name(dtype):
    kind = {"f": "f", "i": "i", "u": "u", "b": "bool"}[dtype.kind]
    return "bool" if kind == "bool" else f"{kind}{dtype.itemsize * 8}"


def record(name, out):
    def attributes(path, obj):
        for key, value in sorted(obj.attrs.items()):
            start = f"{name}\t{path}\t{key}"
            if isinstance(value, h5py.Empty) or (isinstance(value, np.ndarray) and value.size == 0):
                out.append(f"texts\t{start}")
            elif isinstance(value, (str, bytes)):
                out.append(f"texts\t{start}\t{text(value)}")
            elif isinstance(value, np.ndarray) and value.dtype.kind in "SO":
                out.append(f"texts\t{start}\t" + "\t".join(text(v) for v in value))
            else:
                out.append(f"number\t{start}\t{float(np.ravel(value)[0])!r}")

    def text(v):
        return repr(v.decode() if isinstance(v, bytes) else str(v))

    def walk(path, group):
        attributes(path or "/", group)
        keys = sorted(group, key=lambda k: k.encode())
        out.append("\t".join(["links", name, path or "/", str(len(keys)), *(keys[:1] + keys[-1:])]))
        if len(keys) > 20:
            return
        for key in keys:
            inner = f"{path}/{key}" if path else key
            if isinstance(group.get(key, getlink=True), h5py.HardLink):
                obj = group[key]
                if isinstance(obj, h5py.Group):
                    walk(inner, obj)
                elif isinstance(obj, h5py.Dataset):
                    attributes(inner, obj)
                    if h5py.check_string_dtype(obj.dtype) or obj.dtype.kind == "S":
                        out.append(f"strings\t{name}\t{inner}" + "".join("\t" + text(v) for v in np.ravel(obj[()])))
                    else:
                        array = np.asarray(obj[()])
                        little = array.astype(array.dtype.newbyteorder("<"))
                        sizes = ",".join(map(str, array.shape)) or "-"
                        out.append(f"data\t{name}\t{inner}\t{tern_name(array.dtype)}\t{sizes}\t{zlib.crc32(little.tobytes()):08x}")

    with h5py.File(os.path.join(HERE, name)) as f:
        walk("", f)


def main():
    files = [
        written("earliest.h5", (elements, chunks, names), "earliest"),
        written("v108.h5", (elements, chunks, names), ("v108", "v108")),
        written("latest.h5", (elements, chunks, names, indices), "latest"),
        written("user_block.h5", (elements,), "earliest", userblock_size=1024),
        small_addresses(),
    ]
    with h5py.File(os.path.join(HERE, "latest.h5"), "a", libver="latest") as f:
        f["attributes"].attrs["huge"] = np.bytes_("0123456789" * 7000)  # beyond 64 KB: on its own in the file
    written("refused.h5", (refused,), "earliest")
    files += [written("few/old.h5", (few,), "earliest"), written("few/v108.h5", (few,), ("v108", "v108")), written("few/new.h5", (few,), "latest")]
    out = []
    for name in files:
        record(name, out)
    with open(os.path.join(HERE, "expected.txt"), "w") as f:
        f.write("\n".join(out) + "\n")
    old, new = (open(os.path.join(HERE, n), "rb").read() for n in ("earliest.h5", "latest.h5"))
    for signature in (b"TREE", b"SNOD", b"HEAP", b"GCOL"):
        assert signature in old, signature
    for signature in (b"OHDR", b"OCHK", b"FRHP", b"FHDB", b"FHIB", b"BTHD", b"BTLF", b"BTIN", b"FAHD", b"FADB", b"EAHD", b"EAIB", b"EASB", b"EADB"):
        assert signature in new, signature


if __name__ == "__main__":
    sys.exit(main())
