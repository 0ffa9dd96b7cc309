"""Records what PyTorch computes for calls of operators: tests/data/torch/ops/{cases.txt,arrays.npz}.

    OMP_NUM_THREADS=1 python ops.py

cases.txt has a line for each case, three columns that tabs separate: the call; the same as the body of a forward, where the operators have
spellings in Python code; the names of the results, - for None. Names in calls are arrays of the file; those that begin with a capital
letter are constants (weights). Equal results are one array. The calls are in ops_*.py beside this file, by family. Made with torch 2.15.0.
"""
import ast
import math
import operator
import pathlib
import sys
import warnings

import numpy as np
import torch
import torch.nn.functional as F

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here))

from ops_inputs import inputs  # noqa: E402
import ops_index, ops_pointwise, ops_reduce, ops_shape, ops_spatial, ops_create  # noqa: E402,E401

aten = torch.ops.aten


class ToForward(ast.NodeTransformer):
    """Tensor.sum(x, dim=1) to x.sum(dim=1), operator.getitem(x, (0, slice(1, 3))) to x[0, 1:3], operator.add(x, y) to x + y."""
    binary = dict(add=ast.Add, sub=ast.Sub, mul=ast.Mult, truediv=ast.Div, floordiv=ast.FloorDiv, mod=ast.Mod, pow=ast.Pow, matmul=ast.MatMult, and_=ast.BitAnd,
                  or_=ast.BitOr, xor=ast.BitXor)
    compare = dict(eq=ast.Eq, ne=ast.NotEq, lt=ast.Lt, le=ast.LtE, gt=ast.Gt, ge=ast.GtE)
    unary = dict(neg=ast.USub, pos=ast.UAdd, invert=ast.Invert, not_=ast.Not)
    properties = ("T", "mT", "H", "mH")

    def index(self, node):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "slice":
            parts = [None if isinstance(a, ast.Constant) and a.value is None else a for a in node.args]
            if len(parts) == 1:
                parts = [None] + parts
            return ast.Slice(*(parts + [None] * (3 - len(parts))))
        if isinstance(node, ast.Tuple):
            return ast.Tuple([self.index(e) for e in node.elts], ast.Load())
        return node

    def visit_Call(self, node):
        self.generic_visit(node)
        f = node.func
        if not (isinstance(f, ast.Attribute) and isinstance(f.value, ast.Name)):
            return node
        owner, name, args = f.value.id, f.attr, node.args
        if owner == "Tensor":
            if name in self.properties:
                return ast.Attribute(args[0], name, ast.Load())
            return ast.Call(ast.Attribute(args[0], name, ast.Load()), args[1:], node.keywords)
        if owner == "operator":
            if name == "getitem":
                return ast.Subscript(args[0], self.index(args[1]), ast.Load())
            if name in self.binary:
                return ast.BinOp(args[0], self.binary[name](), args[1])
            if name in self.compare:
                return ast.Compare(args[0], [self.compare[name]()], [args[1]])
            if name in self.unary:
                return ast.UnaryOp(self.unary[name](), args[0])
            if name == "abs":
                return ast.Call(ast.Name("abs", ast.Load()), args, [])
        return node


def forward_of(text):
    if "aten." in text or "#" in text:
        return ""
    return ast.unparse(ToForward().visit(ast.parse(text, mode="eval")))


def flat(result):
    if isinstance(result, (tuple, list)):
        return [leaf for part in result for leaf in flat(part)]
    return [result]


class Tensor:
    """torch.Tensor, whose properties are called here like methods."""
    def __getattr__(self, name):
        if name in ToForward.properties:
            return lambda x: getattr(x, name)
        return getattr(torch.Tensor, name)


def main():
    env = dict(torch=torch, F=F, aten=aten, Tensor=Tensor(), operator=operator, math=math, **inputs)
    arrays, lines, failed = {name: value.numpy() for name, value in inputs.items()}, [], 0
    seen, stored = set(), {}
    for module in (ops_pointwise, ops_shape, ops_index, ops_reduce, ops_create, ops_spatial):
        for text in module.cases:
            if text in seen:
                print("twice:", text)
                failed += 1
                continue
            seen.add(text)
            try:
                results = flat(eval(text, dict(env)))
            except Exception as error:  # noqa: BLE001
                print("torch refuses:", text, "--", str(error).splitlines()[0])
                failed += 1
                continue
            names = []
            for result in results:
                if result is None:
                    names.append("-")
                    continue
                array = result.detach().contiguous().numpy() if isinstance(result, torch.Tensor) else np.array(result)
                key = (array.dtype.str, array.shape, array.tobytes())
                name = stored.setdefault(key, f"_{len(stored)}")
                arrays[name] = array
                names.append(name)
            lines.append("\t".join((text, forward_of(text), " ".join(names))))
    if failed:
        sys.exit(f"{failed} cases failed")
    out = here.parent / "ops"
    out.mkdir(exist_ok=True)
    (out / "cases.txt").write_text("\n".join(lines) + "\n")
    np.savez_compressed(out / "arrays.npz", **arrays)
    print(len(lines), "cases,", (out / "arrays.npz").stat().st_size, "bytes")


main()
