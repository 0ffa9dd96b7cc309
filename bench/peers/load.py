#!/usr/bin/env python3
"""Loading a state_dict: tern and torch.load, interleaved; ratios of the least times, and tern's peak memory over the file's size.

usage: load.py TERN FILE [--arch NET.txt] [--runs N]        (needs torch)

Without --arch, `tern inspect FILE` lists the tensors and checks their checksums; with it, `tern inspect FILE --arch NET.txt` also builds the
model. Its time is that of the whole process, start and exit included, against torch.load alone in a process that already runs.
"""
import argparse
import os
import subprocess
import sys
import time

import torch


# Run by a small process of its own: the peak memory of a child counts what its parent had when it was made.
MEASURE = """
import resource, subprocess, sys, time
begin = time.perf_counter()
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
"""


def tern(command):
    words = subprocess.run([sys.executable, "-S", "-c", MEASURE, *command], stdout=subprocess.PIPE, check=True).stdout.split()
    return float(words[0]), int(words[1])


def torch_load(path):
    begin = time.perf_counter()
    torch.load(path, weights_only=True)
    return time.perf_counter() - begin


options = argparse.ArgumentParser()
options.add_argument("tern")
options.add_argument("file")
options.add_argument("--arch")
options.add_argument("--runs", type=int, default=15)
options = options.parse_args()
command = [options.tern, "inspect", options.file] + (["--arch", options.arch] if options.arch else [])
tern(command), torch_load(options.file)  # once unmeasured: the file is in the page cache then
rounds = [(tern(command), torch_load(options.file)) for _ in range(options.runs)]
ours, theirs, peak = min(r[0][0] for r in rounds), min(r[1] for r in rounds), max(r[0][1] for r in rounds)
size = os.path.getsize(options.file)
print(f"file {size / 1e6:.1f} MB   tern {ours * 1e3:.1f} ms   torch.load {theirs * 1e3:.1f} ms   tern/torch {ours / theirs:.2f}   peak/size {peak / size:.3f}")
