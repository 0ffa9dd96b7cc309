#!/usr/bin/env python3
"""Writes seeded random ONNX graphs with onnxruntime's answers, in the layout of the official test cases.

    python tools/scripts/random_graphs.py OUT --count 400 --seed 1      (needs numpy, onnx, onnxruntime)
    -> OUT/case_0001/model.onnx, OUT/case_0001/test_data_set_0/input_0.pb, output_0.pb ...

A graph grows node by node: a recipe (random_recipes.py, where to go next) proposes a node over values that exist,
onnxruntime runs that node alone, and it stays if its result is finite and of ordinary size. The finished graph must pass
the checker and strict shape inference, and its answers must not move by more than 1e-4 when onnxruntime optimises it or
when its floating-point inputs move by one millionth; otherwise it is thrown away and the next seed tried.
"""
import argparse
import pathlib
import shutil
import sys

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

import random_recipes

NUMPY_TO_ONNX = {np.dtype(k): v for k, v in {
    "float32": TensorProto.FLOAT, "float64": TensorProto.DOUBLE, "float16": TensorProto.FLOAT16,
    "int64": TensorProto.INT64, "int32": TensorProto.INT32, "int8": TensorProto.INT8, "uint8": TensorProto.UINT8, "bool": TensorProto.BOOL}.items()}


def run(model, feeds, optimise):
    """Outputs of a model; ORT raises on anything it cannot run."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    level = ort.GraphOptimizationLevel
    options.graph_optimization_level = level.ORT_ENABLE_ALL if optimise else level.ORT_DISABLE_ALL
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = {i.name for i in session.get_inputs()}
    return session.run(None, {k: v for k, v in feeds.items() if k in names})


class Graph:
    """A graph under construction: `values` holds every value's number so far, by name."""

    def __init__(self, seed, opset):
        self.rng = np.random.default_rng(seed)
        self.opset = opset
        self.values, self.nodes, self.initializers = {}, [], []
        self.inputs, self.symbols, self.used, self.count = [], {}, set(), 0

    def name(self, prefix):
        self.count += 1
        return f"{prefix}_{self.count}"

    def constant(self, array, prefix="c"):
        """An initializer, or now and then a Constant node."""
        array, name = np.asarray(array), self.name(prefix)
        if self.rng.random() < 0.2:
            self.nodes.append(helper.make_node("Constant", [], [name], value=numpy_helper.from_array(array, name)))
        else:
            self.initializers.append(numpy_helper.from_array(array, name))
        self.values[name] = array
        return name

    def weight(self, *shape, scale=None, dtype=np.float32):
        scale = scale if scale is not None else 1 / np.sqrt(max(1, np.prod(shape[1:])))
        return self.constant((self.rng.standard_normal(shape) * scale).astype(dtype), "w")

    def type_of(self, name, exact=True):
        value = self.values[name]
        dims = self.symbols.get(name, list(value.shape)) if exact else [None] * value.ndim
        return helper.make_tensor_value_info(name, NUMPY_TO_ONNX[value.dtype], dims)

    def add_input(self, array, symbols=None):
        name = self.name("x")
        self.values[name] = array
        self.inputs.append(name)
        if symbols:
            self.symbols[name] = symbols
        return name

    def pick(self, test=lambda v: True):
        """A random computed or input value that satisfies the test, recent and unused ones first; None if there is none."""
        made = self.inputs + [o for n in self.nodes if n.op_type != "Constant" for o in n.output if o]
        fitting = [m for m in made if test(self.values[m])]
        if not fitting:
            return None
        weights = np.array([1 + 3 * (m not in self.used) + 2 * (i > len(fitting) - 4) for i, m in enumerate(fitting)], float)
        return fitting[self.rng.choice(len(fitting), p=weights / weights.sum())]

    def add(self, op, inputs, outputs=1, **attributes):
        """Appends a node if onnxruntime runs it and its results are ordinary numbers; -> output names, or None."""
        names = [self.name(op.lower()) if wanted else "" for wanted in ([1] * outputs if isinstance(outputs, int) else outputs)]
        node = helper.make_node(op, inputs, names, name=names[0] or op, **attributes)
        needed = [i for i in dict.fromkeys(inputs + captured(node, self.values)) if i]
        alone = helper.make_model(helper.make_graph(
            [node], "alone", [self.type_of(i, False) for i in needed],
            [onnx.ValueInfoProto(name=n) for n in names if n]), opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8)
        try:
            results = run(alone, {i: self.values[i] for i in needed}, False)
        except Exception:  # a proposal that does not fit (or a type onnxruntime lacks) is simply not taken
            return None
        for result in results:
            if not isinstance(result, np.ndarray) or result.size == 0 or result.size > 4096 or result.ndim > 5 or result.dtype not in NUMPY_TO_ONNX:
                return None
            if result.dtype.kind == "f" and (not np.isfinite(result).all() or np.abs(result).max() > 1e3):
                return None
        self.nodes.append(node)
        self.used.update(needed)
        kept = [n for n in names if n]
        self.values.update(zip(kept, results))
        return kept

    def model(self):
        outputs = [o for n in self.nodes if n.op_type != "Constant" for o in n.output if o and o not in self.used][-4:]
        keep, nodes = set(outputs), []
        for node in reversed(self.nodes):  # what no output needs would only test dead-node removal: leave a little of it
            if keep & set(node.output) or (node.op_type != "Constant" and self.rng.random() < 0.1):
                nodes.append(node)
                keep.update(list(node.input) + captured(node, self.values))
        graph = helper.make_graph(
            nodes[::-1], "random", [self.type_of(i) for i in self.inputs], [self.type_of(o, not self.symbols) for o in outputs],
            [i for i in self.initializers if i.name in keep])
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8, producer_name="random_graphs")


def captured(node, values):
    """Names that the subgraphs of a node use from outside."""
    return [i for a in node.attribute if a.HasField("g") for n in a.g.node for i in n.input if i in values]


def close(a, b, tolerance=1e-4):
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if a.dtype.kind != "f":
        return np.array_equal(a, b)
    half = 30 if a.dtype == np.float16 else 1
    return np.allclose(a, b, rtol=half * tolerance, atol=half * tolerance * 0.1 * max(1.0, float(np.abs(a).max())))


def attempt(seed):
    """-> (model, feeds, outputs), or None when the graph is not worth keeping."""
    rng = np.random.default_rng([seed, 1])
    graph = Graph([seed, 2], int(rng.choice([13, 14, 17, 17, 18])))
    random_recipes.add_inputs(graph)
    wanted, tries = int(rng.integers(5, 31)), 0
    while len(graph.nodes) < wanted and tries < 6 * wanted:
        tries += 1
        random_recipes.grow(graph)
    model = graph.model()
    if not 5 <= len(model.graph.node) <= 40:
        return None
    feeds = {i: graph.values[i] for i in graph.inputs}
    try:
        onnx.checker.check_model(model, full_check=True)
        onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
        plain = run(model, feeds, False)
        others = [run(model, feeds, True)]
        for _ in range(2):
            moved = {k: (v * (1 + 1e-6 * rng.standard_normal(v.shape))).astype(v.dtype) if v.dtype.kind == "f" else v for k, v in feeds.items()}
            others.append(run(model, moved, False))
    except Exception as error:
        print(f"seed {seed}: {str(error).splitlines()[0][:160]}", file=sys.stderr)
        return None
    if any(not close(a, b) for other in others for a, b in zip(plain, other)):
        return None
    if all(a.dtype.kind == "f" and np.ptp(a) < 1e-6 for a in plain):
        return None  # everything saturated: nothing to compare
    return model, feeds, plain


def write_case(folder, model, feeds, outputs):
    data = folder / "test_data_set_0"
    data.mkdir(parents=True)
    onnx.save(model, str(folder / "model.onnx"))
    for kind, entries in [("input", feeds.items()), ("output", zip([o.name for o in model.graph.output], outputs))]:
        for i, (name, array) in enumerate(entries):
            (data / f"{kind}_{i}.pb").write_bytes(numpy_helper.from_array(np.asarray(array), name).SerializeToString())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1, help="first seed tried; each case notes its own in the model's doc_string")
    parser.add_argument("--max-bytes", type=int, default=1 << 20, help="skip cases larger than this")
    arguments = parser.parse_args()
    operators, made, seed = {}, 0, arguments.seed
    while made < arguments.count:
        result, seed = attempt(seed), seed + 1
        if result is None:
            continue
        model, feeds, outputs = result
        model.doc_string = f"random_graphs.py, seed {seed - 1}"
        if len(model.SerializeToString()) + sum(a.nbytes for a in list(feeds.values()) + outputs) > arguments.max_bytes:
            continue
        made += 1
        folder = arguments.out / f"case_{made:04}"
        shutil.rmtree(folder, ignore_errors=True)
        write_case(folder, model, feeds, outputs)
        for node in model.graph.node:
            operators[node.op_type] = operators.get(node.op_type, 0) + 1
    print(f"{made} cases from {seed - arguments.seed} seeds; {len(operators)} operators: "
          + ", ".join(f"{k} {v}" for k, v in sorted(operators.items(), key=lambda kv: -kv[1])))


if __name__ == "__main__":
    main()
