"""Copies a small part of the official ONNX node cases into tests/data/node: for every operator the smallest passing ones.

Usage: select_cases.py TERN CASES OUT [--most N]
  TERN   the built command (tern conformance tells which cases pass)
  CASES  onnx/backend/test/data/node of the official data
"""
import argparse
import collections
import json
import pathlib
import shutil
import subprocess
import tempfile

import onnx


def size(case):
    return sum(f.stat().st_size for f in case.rglob("*") if f.is_file())


def operators(graph):
    for node in graph.node:
        yield node.op_type
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from operators(attribute.g)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tern")
    parser.add_argument("cases", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--most", type=int, default=2, help="cases for each operator")
    args = parser.parse_args()
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        subprocess.run([args.tern, "conformance", args.cases, "--json", report.name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        passed = [c["name"] for c in json.load(open(report.name))["cases"] if c["result"] == "passed"]
    by_operator = collections.defaultdict(list)
    for name in passed:
        case = args.cases / name
        if size(case) > 200000 or name.endswith("_expanded"):
            continue
        for op in set(operators(onnx.load(case / "model.onnx").graph)):
            by_operator[op].append((size(case), name))
    # The smallest of each operator, and further ones as long as they are small.
    chosen = {name for cases in by_operator.values() for i, (n, name) in enumerate(sorted(cases)[: args.most]) if i == 0 or n < 20000}
    for name in sorted(chosen):
        shutil.copytree(args.cases / name, args.out / name, dirs_exist_ok=True)
    print(len(chosen), "cases,", len(by_operator), "operators")


if __name__ == "__main__":
    main()
