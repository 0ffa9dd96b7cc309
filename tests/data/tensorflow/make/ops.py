"""Records what TensorFlow computes for its operators: tests/data/tensorflow/ops/<family>.npz.

    TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=-1 TF_ENABLE_ONEDNN_OPTS=0 python ops.py [FAMILY …]

Each family is a module ops_<family>.py beside this file; it calls case(), chain() and refused(). A file holds two arrays: `cases`, text with a
line for each case, and `bytes`, which the lines point into (offset+length). Columns, between tabs:
    what          the call, for messages
    operators     the types of all nodes, between blanks
    graph, graph  a GraphDef whose placeholders are called x0, x1 … and whose last node is y; in the second one the first size of
                  x0 and all that equal it are unknown. Attributes with their defaults are left out, as SavedModels have it.
    inputs        dtype:dims:offset+length for each placeholder, between blanks; a string is its length in four bytes and its bytes
    outputs       the same for y:0, y:1 …; ! for a case that is to be refused
Made with tensorflow 2.21.0.
"""
import importlib
import inspect
import pathlib
import sys

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import attr_value_pb2
from tensorflow.python.framework import meta_graph, op_def_registry

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here))
names = {"float32": "f32", "float64": "f64", "float16": "f16", "bfloat16": "bf16", "int8": "i8", "int16": "i16", "int32": "i32", "int64": "i64", "uint8": "u8",
         "uint16": "u16", "uint32": "u32", "uint64": "u64", "bool": "bool"}


class C:
    """An input that is a constant of the graph."""
    def __init__(self, value, dtype=np.int32):
        self.value = np.asarray(value) if isinstance(value, np.ndarray) else np.asarray(value, dtype)

    def __repr__(self):
        return f"C{self.value.tolist() if self.value.size < 12 else self.value.shape}"


class Recorder:
    def __init__(self):
        self.lines, self.bytes, self.offsets, self.failed = [], bytearray(), {}, 0

    def put(self, data):
        if data not in self.offsets:
            self.offsets[data] = f"{len(self.bytes)}+{len(data)}"
            self.bytes += data
        return self.offsets[data]

    def array(self, a):
        a = np.array(a, order="C")
        if a.dtype.kind in "OSU":  # each string: its length in four bytes, then its bytes
            texts = [v.encode() if isinstance(v, str) else v for v in a.ravel().tolist()]
            return f"string:{','.join(map(str, a.shape))}:{self.put(b''.join(len(v).to_bytes(4, 'little') + v for v in texts))}"
        return f"{names[a.dtype.name]}:{','.join(map(str, a.shape))}:{self.put(a.tobytes())}"

    def graph(self, build, inputs, open_sizes):
        with tf.Graph().as_default() as g:
            placeholders, fed, at = [], [], 0
            flat = [v for group in inputs for v in (group if isinstance(group, list) else [group]) if isinstance(v, np.ndarray) and v.ndim > 0]
            batch = flat[0].shape[0] if flat else 0

            def make(value):
                nonlocal at
                if isinstance(value, list):
                    return [make(v) for v in value]
                if isinstance(value, C):
                    return tf.constant(value.value)
                if not isinstance(value, np.ndarray):
                    return value
                shape = list(value.shape)
                if open_sizes and shape and shape[0] > 1 and shape[0] == batch:
                    shape[0] = None
                p = tf.compat.v1.placeholder(tf.string if value.dtype == object else value.dtype, shape, f"x{at}")
                at += 1
                placeholders.append(p)
                fed.append(value)
                return p

            outputs = build(*[make(v) for v in inputs])
            return g, outputs, placeholders, fed

    def add(self, what, build, inputs, refuse=False, want=None, edit=None, keep=None):
        try:
            graphs = []
            for open_sizes in (False, True):
                try:
                    g, outputs, placeholders, fed = self.graph(build, inputs, open_sizes)
                except ValueError:
                    if not open_sizes:
                        raise
                    graphs.append(graphs[0])  # some functions of shapes want to know more
                    continue
                stripped = tf.compat.v1.MetaGraphDef(graph_def=g.as_graph_def())
                meta_graph.strip_graph_default_valued_attrs(stripped)
                definition = stripped.graph_def
                definition.ClearField("versions")
                if edit is not None:
                    edit(definition)
                for node in definition.node:
                    for hidden in ("_output_shapes", "_class"):
                        node.attr.pop(hidden, None)
                if not open_sizes and not refuse:
                    if want is None:
                        config = tf.compat.v1.ConfigProto(intra_op_parallelism_threads=1)
                        config.graph_options.rewrite_options.disable_meta_optimizer = True
                        config.graph_options.optimizer_options.opt_level = -1
                        with tf.compat.v1.Session(graph=g, config=config) as session:
                            tensors = g.get_operation_by_name("y").outputs
                            want = session.run(list(tensors), dict(zip(placeholders, fed)))
                    kept = list(zip(placeholders, fed))
                graphs.append(definition)
        except Exception as error:  # noqa: BLE001
            print("TensorFlow refuses:", what, "--", str(error).splitlines()[0][:300])
            self.failed += 1
            return
        operators = sorted({n.op for n in graphs[0].node} - {"Placeholder"})
        arrays = [] if refuse else [self.array(v) for _, v in kept]
        results = ["!"] if refuse else [self.array(w) for w in want[:keep]]
        self.lines.append("\t".join((what, " ".join(operators), *(self.put(d.SerializeToString(deterministic=True)) for d in graphs), " ".join(arrays), " ".join(results))))


recorder = None


def _raw(op, attrs):
    definition = op_def_registry.get(op)
    python = inspect.signature(getattr(tf.raw_ops, op)).parameters if not op.startswith("_") else ()
    renamed = {"dim": "axis", "split_dim": "axis", "reduction_indices": "axis", "t": "x", "e": "y", "input": "condition", "concat_dim": "axis"}  # where Python has other names
    arguments = [a.name if a.name in python else renamed.get(a.name, a.name) for a in definition.input_arg]

    def build(*tensors):
        if op.startswith("_"):  # tf.raw_ops has none of these
            flat = [t for group in tensors for t in (group if isinstance(group, list) else [group])]
            given = {k: v if isinstance(v, attr_value_pb2.AttrValue) else attribute(v) for k, v in attrs.items()}
            return tf.compat.v1.get_default_graph().create_op(op, flat, attrs=given, name="y", compute_shapes=False)
        named = dict(zip(arguments, tensors))
        return getattr(tf.raw_ops, op)(**named, **attrs, name="y")
    return build


def attribute(value):
    """An AttrValue of the kind that the value has."""
    out = attr_value_pb2.AttrValue()
    if isinstance(value, bool):
        out.b = value
    elif isinstance(value, int):
        out.i = value
    elif isinstance(value, float):
        out.f = value
    elif isinstance(value, str):
        out.s = value.encode()
    elif isinstance(value, tf.DType):
        out.type = value.as_datatype_enum
    else:
        for item in value:
            if isinstance(item, str):
                out.list.s.append(item.encode())
            elif isinstance(item, tf.DType):
                out.list.type.append(item.as_datatype_enum)
            else:
                out.list.i.append(item)
    return out


def _text(op, inputs, attrs):
    def short(v):
        if isinstance(v, list):
            return "[" + ", ".join(map(short, v)) + "]"
        return f"{v.dtype.name}{list(v.shape)}" if isinstance(v, np.ndarray) else repr(v)
    return f"{op}({', '.join([short(v) for v in inputs] + [f'{k}={v}' for k, v in attrs.items()])})".replace("\t", " ").replace("\n", " ")


def case(op, *inputs, want=None, keep=None, **attrs):
    """One node of type `op`. Arrays are fed, C(…) are constants, lists are list arguments. want: results, where the CPU has no kernel; keep: how many."""
    inputs = list(inputs)
    recorder.add(_text(op, inputs, attrs), _raw(op, attrs), inputs, want=want, keep=keep)


def chain(what, build, *inputs):
    """Several nodes: build(*tensors) gives the result."""
    def named(*tensors):
        return tf.identity(build(*tensors), name="y")
    recorder.add(what, named, list(inputs))


def refused(op, *inputs, **attrs):
    """A node that is not to become a graph."""
    recorder.add(_text(op, inputs, attrs), _raw(op, attrs), list(inputs), refuse=True)


def old(op, *inputs, want, **attrs):
    """An operator that TensorFlow reads no more, of one dtype T, with its result as the documentation of its time tells it."""
    def edit(definition):
        node = definition.node[-1]
        node.op = op
        dtype = node.attr["T"].list.type[0]
        node.attr.clear()
        node.attr["T"].type = dtype
        for name, value in attrs.items():
            node.attr[name].CopyFrom(attribute(value))
    recorder.add(_text(op, list(inputs), attrs), lambda *tensors: tf.raw_ops.IdentityN(input=list(tensors), name="y"), list(inputs), want=want, edit=edit)


def outputs():
    """outputs.txt: of each operator with several output arguments, their names and what tells the length of those that are lists."""
    lines = []
    for name in sorted(dir(tf.raw_ops)) + ["_FusedBatchNormEx"]:
        definition = op_def_registry.get(name)
        if definition is None:
            continue
        if len(definition.output_arg) > 1:
            lists = [a.number_attr or a.type_list_attr for a in definition.output_arg]
            lines.append(" ".join([name] + [a.name + ("*" + attr if attr else "") for a, attr in zip(definition.output_arg, lists)]))
    (here.parent / "ops" / "outputs.txt").write_text("\n".join(lines) + "\n")


def main():
    global recorder
    families = sys.argv[1:] or sorted(p.stem[4:] for p in here.glob("ops_*.py"))
    if not sys.argv[1:]:
        outputs()
    failed = 0
    sys.modules["ops"] = sys.modules["__main__"]
    for family in families:
        recorder = Recorder()
        importlib.import_module("ops_" + family)
        out = here.parent / "ops" / (family + ".npz")
        out.parent.mkdir(exist_ok=True)
        text = "\n".join(recorder.lines).encode()
        np.savez_compressed(out, cases=np.frombuffer(text, np.uint8), bytes=np.frombuffer(bytes(recorder.bytes), np.uint8))
        print(family, len(recorder.lines), "cases,", out.stat().st_size, "bytes")
        failed += recorder.failed
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
