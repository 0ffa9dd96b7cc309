"""Takes out of recorded files what is the maker's alone: paths of the machine, and the sources of torch's own classes.

    python strip.py FILE...

torch.export writes a stack trace with every node, the legacy form of torch.save the source of every module's class. Each is overwritten by
as many bytes, so that everything stays where it is; checksums of the archive are made anew.
"""
import io
import re
import struct
import sys
import zipfile
import zlib

PATH = re.compile(rb"(/[\w.+-]+)+/(?=[\w.+-]+?\.py)")  # the folders of a Python file
SOURCE = re.compile(rb"(?:class|def) ")


def without_paths(data):
    return PATH.sub(lambda m: b"/" + b"-" * (len(m[0]) - 2) + b"/", data)


def strip_zip(data):
    out = bytearray(data)
    archive = zipfile.ZipFile(io.BytesIO(data))
    entry = archive.start_dir  # of the directory
    for info in archive.infolist():
        name, extra, comment = struct.unpack_from("<HHH", data, entry + 28)
        local_name, local_extra = struct.unpack_from("<HH", data, info.header_offset + 26)
        begin = info.header_offset + 30 + local_name + local_extra
        end = begin + info.compress_size
        if info.compress_type == zipfile.ZIP_STORED and info.filename.endswith(".json"):
            member = without_paths(data[begin:end])
            out[begin:end] = member
            crc = struct.pack("<I", zlib.crc32(member))
            out[entry + 16:entry + 20] = crc
            if not info.flag_bits & 8:
                out[info.header_offset + 14:info.header_offset + 18] = crc
            elif data[end:end + 4] == b"PK\x07\x08":
                out[end + 4:end + 8] = crc
        entry += 46 + name + extra + comment
    return bytes(out)


def strip_legacy(data):
    """('module', class, file, source): of torch's classes the source becomes a comment of the same length, which is nobody's text."""
    out = bytearray(without_paths(data))
    at = 0
    while (at := data.find(b"torch/nn/", at)) >= 0:
        at = data.index(b".py", at) + 3
        text = data.index(b"X", at, at + 8)  # BINUNICODE, after the memo of the path
        length = struct.unpack_from("<I", data, text + 1)[0]
        if SOURCE.search(data, text + 5, text + 5 + length):
            out[text + 5:text + 5 + length] = b"#" * (length - 1) + b"\n"
    return bytes(out)


def strip(path):
    with open(path, "rb") as f:
        data = f.read()
    stripped = strip_zip(data) if data.startswith(b"PK") else strip_legacy(data)
    assert len(stripped) == len(data)
    if stripped != data:
        with open(path, "wb") as f:
            f.write(stripped)


if __name__ == "__main__":
    for file in sys.argv[1:]:
        strip(file)
