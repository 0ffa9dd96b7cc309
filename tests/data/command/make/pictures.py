"""PNG files of each kind, two pixels wide and one high. Usage: pictures.py OUT_FOLDER   Written here byte by byte, as no library would write them all."""
import struct
import sys
import zlib

out = sys.argv[1]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(name, depth, colour, row, before=b""):
    open(f"{out}/{name}.png", "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 1, depth, colour, 0, 0, 0)) + before +
                                          chunk(b"IDAT", zlib.compress(b"\0" + row)) + chunk(b"IEND", b""))


png("grey1", 1, 0, b"\x40")
png("grey8", 8, 0, b"\x00\x80", chunk(b"gAMA", struct.pack(">I", 100000)))  # linear light: the samples stay all the same
png("grey16", 16, 0, struct.pack(">HH", 0x8000, 1))
png("palette", 8, 3, b"\x01\x00", chunk(b"PLTE", bytes([10, 20, 30, 40, 50, 60])))
png("rgba", 8, 6, bytes([255, 0, 51, 255, 255, 0, 51, 51]))
png("opaque", 8, 4, bytes([51, 255, 102, 255]))
