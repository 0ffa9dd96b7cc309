#!/usr/bin/env python3
"""The official cases of ONNX (onnx/backend/test/data/node), timed: tern beside onnxruntime, in one process, interleaved.

usage: official.py PEER LIBONNXRUNTIME.SO NODE_CASES [--only REGEX]       (needs onnx and numpy)

PEER is build/bench/peer_onnxruntime, NODE_CASES the folder of cases that the onnx package has. Inputs are those of each case; where tern wants
one to be known (a shape, axes), all but the first become initializers, for both. Prints the ratio of least times of each case, worst first,
and the geometric mean; cases that one of the two refuses are counted.
"""
import argparse
import math
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import onnx
from onnx import numpy_helper

LINE = re.compile(r"tern +([\d.]+) us .*onnxruntime +([\d.]+) us .*ratio of minima ([\d.]+)")


def prepare(case, path, constants):
    """Writes the model and its inputs beside it. Returns whether any input became an initializer."""
    model = onnx.load(case / "model.onnx")
    values = [onnx.TensorProto.FromString((case / "test_data_set_0" / f"input_{i}.pb").read_bytes()) for i in range(len(model.graph.input))]
    kept, contents = [], b""
    for i, (port, value) in enumerate(zip(model.graph.input, values)):
        if constants and i > 0:
            value.name = port.name
            model.graph.initializer.append(value)
        else:
            kept.append(port)
            contents += numpy_helper.to_array(value).tobytes()
    changed = len(kept) < len(values)
    del model.graph.input[:]
    model.graph.input.extend(kept)
    onnx.save(model, path)
    path.with_suffix(".in").write_bytes(contents)
    return changed


def measure(peer, library, case, path):
    """(tern, onnxruntime) in microseconds; None where one of them does not run the case."""
    for constants in (False, True):
        try:
            if not prepare(case, path, constants) and constants:
                return None
            run = subprocess.run([peer, library, path], capture_output=True, text=True, timeout=60)
        except Exception:  # a sequence or an optional as an input, or a dtype that numpy has not
            return None
        if found := LINE.search(run.stdout):
            return float(found[1]), float(found[2])
    return None


def main():
    options = argparse.ArgumentParser()
    options.add_argument("peer")
    options.add_argument("library")
    options.add_argument("cases")
    options.add_argument("--only", default="")
    options = options.parse_args()
    rows, refused = [], 0
    with tempfile.TemporaryDirectory() as folder:
        for case in sorted(Path(options.cases).iterdir()):
            if "expanded" in case.name or not re.search(options.only, case.name):
                continue
            times = measure(options.peer, options.library, case, Path(folder) / "case.onnx")
            if times is None:
                refused += 1
            else:
                rows.append((times[0] / times[1], case.name, *times))
    rows.sort(reverse=True)
    for ratio, name, mine, theirs in rows:
        print(f"{ratio:7.2f} {mine:10.3f} {theirs:10.3f}  {name}")
    mean = math.exp(sum(math.log(row[0]) for row in rows) / max(1, len(rows)))
    print(f"{len(rows)} cases, geometric mean {mean:.2f}, {sum(row[0] > 1 for row in rows)} above 1, {sum(row[0] > 1.5 for row in rows)} above 1.5; "
          f"{refused} are not run by one of the two")


if __name__ == "__main__":
    sys.exit(main())
