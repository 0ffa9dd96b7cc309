#!/usr/bin/env python3
"""Every operator that ONNX has, one case each at a sensible size: tern beside onnxruntime, in one process, interleaved.

usage: operators.py PEER LIBONNXRUNTIME.SO [--other] [--only REGEX] [--dtype f32|f16|f64] [--readme bench/README.md]       (needs onnx and numpy)

PEER is build/bench/peer_onnxruntime. Writes a model of one node for each case (and its inputs beside it), and prints the ratio of the least
times, worst first; what one of the two does not run is listed with its reason. --other: the same operators at other sizes and dtypes. --readme
puts the table between the marks of that file, those of --other only where tern is slower.
"""
import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from evaluated_cases import evaluated_cases
from operator_cases import Const, cases, other_cases

OPSET = 22
OPSETS = {"Attention": 23, "RMSNormalization": 23, "RotaryEmbedding": 23, "Swish": 24, "CumProd": 26}


def to_dtype(array, dtype):
    return array.astype({"f16": np.float16, "f64": np.float64}[dtype]) if dtype != "f32" and array.dtype == np.float32 else array


def model(case, dtype, path):
    """One node, or what the case has for an operator: nodes from x0, x1 … to y0."""
    _, op, inputs, attrs, *outputs = case
    names, graph_inputs, initializers, contents = [], [], [], b""
    for at, value in enumerate(inputs):
        name = f"x{at}"
        constant = isinstance(value, Const)
        array = to_dtype(np.asarray(value.value if constant else value), dtype)
        if constant and array.size == 0:
            names.append("")
            continue
        names.append(name)
        if constant:
            initializers.append(numpy_helper.from_array(array, name))
        else:
            graph_inputs.append(helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape))
            contents += b"".join(s.encode() + b"\0" for s in array.ravel()) if array.dtype == object else np.ascontiguousarray(array).tobytes()
    ys = [f"y{at}" for at in range(outputs[0] if outputs else 1)]
    nodes = op if isinstance(op, list) else [helper.make_node(op, names[:1] if op == "If" else names, ys, **attrs)]
    graph = helper.make_graph(nodes, "g", graph_inputs, [], initializers)
    graph.output.extend(onnx.ValueInfoProto(name=y) for y in ys)
    opset = OPSETS.get(nodes[0].op_type, OPSET)
    domains = {"": opset, **({nodes[0].domain: 4} if nodes[0].domain else {})}
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid(*d) for d in domains.items()], ir_version=10)
    inferred = onnx.shape_inference.infer_shapes(proto, strict_mode=True)
    onnx.save(inferred, path)
    path.with_suffix(".in").write_bytes(contents)


LINE = re.compile(r"tern +([\d.]+) us .*onnxruntime +([\d.]+) us .*ratio of minima ([\d.]+).*error (\S+)")


def table(rows, machine):
    text = [f"{machine}", "", "| case | tern, us | onnxruntime, us | tern/onnxruntime |", "|---|---|---|---|"]
    text += [f"| {name} | {mine:.1f} | {theirs:.1f} | {mine / theirs:.2f} |" for name, mine, theirs, _ in rows]
    return "\n".join(text)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("peer")
    options.add_argument("library")
    options.add_argument("--other", action="store_true")
    options.add_argument("--only", default="")
    options.add_argument("--dtype", default="f32", choices=["f32", "f16", "f64"])
    options.add_argument("--readme")
    options = options.parse_args()
    rows, refused = [], []
    with tempfile.TemporaryDirectory() as folder:
        for number, case in enumerate([*other_cases(), *evaluated_cases()] if options.other else cases()):
            if not re.search(options.only, case[0]):
                continue
            path = Path(folder) / f"{number}.onnx"
            try:
                model(case, options.dtype, path)
            except Exception as error:
                refused.append((case[0], "onnx: " + str(error).splitlines()[0][:100]))
                continue
            run = subprocess.run([options.peer, options.library, str(path)], capture_output=True, text=True)
            found = LINE.search(run.stdout)
            if found is None:
                lines = (run.stderr.strip() or f"exit {run.returncode}").splitlines()
                refused.append((case[0], lines[-1][-110:]))
                continue
            mine, theirs, _, error = found.groups()
            rows.append((case[0], float(mine), float(theirs), float(error)))
            print(f"{case[0]:28} {float(mine):10.2f} {float(theirs):10.2f} {float(mine) / float(theirs):7.2f}   error {error}", flush=True)
    rows.sort(key=lambda r: -r[1] / r[2])
    print("\nworst first")
    for name, mine, theirs, error in rows:
        print(f"{name:28} {mine:10.2f} {theirs:10.2f} {mine / theirs:7.2f}   error {error:.1e}")
    slow = [r for r in rows if r[1] > 1.5 * r[2]]
    mean = np.exp(np.mean([np.log(r[1] / r[2]) for r in rows]))
    print(f"{len(rows)} cases of {len({r[0].split()[0] for r in rows})} operators, geometric mean {mean:.2f}, {len(slow)} above 1.5")
    for name, why in refused:
        print(f"not compared: {name}: {why}")
    if options.readme:
        readme = Path(options.readme)
        name = "operators.py --other" if options.other else "operators.py"
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        before, rest = readme.read_text().split(begin)
        after = rest.split(end)[1]
        summary = f"{len(rows)} cases, geometric mean {mean:.2f}, {len(slow)} above 1.5."
        shown = [r for r in rows if r[1] > r[2]] if options.other else rows
        readme.write_text(before + begin + "\n" + table(shown, summary) + "\n" + end + after)


if __name__ == "__main__":
    sys.exit(main())
