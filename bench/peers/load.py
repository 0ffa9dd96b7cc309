#!/usr/bin/env python3
"""Loading a file: tern and the library that it is of, interleaved; ratios of the least times of the CPU, and tern's peak memory over the file's size.

usage: load.py TERN FILE... [--arch NET.txt] [--runs N]

Against torch.load (a state_dict), keras.models.load_model (.h5, .keras), tf.saved_model.load (a folder), onnxruntime.InferenceSession of one thread
(.onnx); needs the library. `tern inspect FILE` also plans a session, but packs no weights; without --arch it lists the tensors of a state_dict and
checks their checksums. Its time is that of the whole process, start and exit included, against the call alone in a process that already runs.
"""
import argparse
import os
import subprocess
import sys
import time


# Run by a small process of its own: the peak memory of a child counts what its parent had when it was made.
MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)
"""


def tern(command):
    words = subprocess.run([sys.executable, "-S", "-c", MEASURE, *command], stdout=subprocess.PIPE, check=True).stdout.split()
    return float(words[0]), int(words[1])


def loader(path):
    """The name of the peer, and its call that loads `path`."""
    if os.path.isdir(path):
        import tensorflow

        return "tf.saved_model.load", tensorflow.saved_model.load
    if path.endswith((".h5", ".keras")):
        import keras

        return "keras load_model", lambda path: keras.models.load_model(path, compile=False)
    if path.endswith(".onnx"):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        return "onnxruntime", lambda path: onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    import torch

    return "torch.load", lambda path: torch.load(path, weights_only=True)


def seconds(load, path):
    begin = time.process_time()
    load(path)
    return time.process_time() - begin


def size_of(path):
    if os.path.isfile(path):
        return os.path.getsize(path)
    return sum(os.path.getsize(os.path.join(folder, f)) for folder, _, files in os.walk(path) for f in files)


options = argparse.ArgumentParser()
options.add_argument("tern")
options.add_argument("file", nargs="+")
options.add_argument("--arch")
options.add_argument("--runs", type=int, default=15)
options = options.parse_args()
print("| file | MB | tern, ms | peer, ms | tern/peer | peak/size |\n|---|---|---|---|---|---|")
for path in options.file:
    name, load = loader(path)
    command = [options.tern, "inspect", path] + (["--arch", options.arch] if options.arch else [])
    tern(command), seconds(load, path)  # once unmeasured: the file is in the page cache then
    rounds = [(tern(command), seconds(load, path)) for _ in range(options.runs)]
    ours, theirs, peak = min(r[0][0] for r in rounds), min(r[1] for r in rounds), max(r[0][1] for r in rounds)
    row = f"| {os.path.basename(path)} | {size_of(path) / 1e6:.1f} | {ours * 1e3:.1f} | {theirs * 1e3:.1f} ({name}) | {ours / theirs:.2f} "
    print(row + f"| {peak / size_of(path):.2f} |", flush=True)
