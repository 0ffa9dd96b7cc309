"""Lists of tensors of TensorFlow 2, mostly such that grow, as graphs with functions, with what TensorFlow computes of them: ../control/list_NAME.pb, and
list_NAME.1.npz, list_NAME.2.npz of two sizes, as control.py beside this. TensorFlow 2.21. `lists.py NAME…` writes only these."""
import os
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")
import sys
import numpy as np
import tensorflow as tf

raw = tf.raw_ops
HERE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "control")


def no_elements(shape, dtype=tf.float32):
    return raw.EmptyTensorList(element_shape=tf.constant(shape, tf.int32), max_num_elements=-1, element_dtype=dtype)


def stack(handle, shape, dtype=tf.float32):
    return raw.TensorListStack(input_handle=handle, element_shape=tf.constant(shape, tf.int32), element_dtype=dtype)


def push(handle, x):
    return raw.TensorListPushBack(input_handle=handle, tensor=x)


def length(handle):
    return raw.TensorListLength(input_handle=handle)


# ---- each is given x [None, 4] and gives its outputs by name


def pushed(x):  # one in every iteration, as often as data say
    items, s = no_elements([-1, 4]), x
    while tf.reduce_sum(s * s) < 500.0:
        items = push(items, s)
        s = s * 1.5 + 0.1
    return {"y": stack(items, [-1, 4]), "n": length(items)}


def pushed_twice(x):
    items = no_elements([4])
    for i in tf.range(tf.shape(x)[0]):
        items = push(items, x[i])
        items = push(items, x[i] * 2.0)
    return {"y": stack(items, [4])}


def pushed_behind(x):  # a list that has elements before
    items = raw.TensorListFromTensor(tensor=x, element_shape=tf.constant([4]))
    for i in tf.range(3):
        items = push(items, x[0] + tf.cast(i, tf.float32))
    return {"y": stack(items, [4])}


def pushed_if(x):
    items = no_elements([4])
    for i in tf.range(tf.shape(x)[0]):
        if tf.reduce_sum(x[i]) > 0.0:
            items = push(items, x[i])
    return {"y": stack(items, [4]), "n": length(items)}


def popped(x):
    items, sum = raw.TensorListFromTensor(tensor=x, element_shape=tf.constant([4])), tf.zeros([4])
    while length(items) > 1:
        items, last = raw.TensorListPopBack(input_handle=items, element_shape=tf.constant([4]), element_dtype=tf.float32)
        sum = sum * 0.5 + last
    return {"sum": sum, "y": stack(items, [4])}


def grown(x):
    array, s, i = tf.TensorArray(tf.float32, size=0, dynamic_size=True), tf.reduce_mean(tf.abs(x), 0), 0
    while tf.reduce_sum(s) < 30.0:
        array = array.write(i, s)
        s, i = s * 2.0 + 0.5, i + 1
    return {"y": array.stack(), "n": array.size()}


def grown_gaps(x):  # what was never written is zero
    array = tf.TensorArray(tf.float32, size=2, dynamic_size=True, element_shape=[4])
    for i in tf.range(tf.shape(x)[0]):
        array = array.write(2 * i + 1, x[i])
    return {"y": array.stack()}


def grown_apart(x):  # the same of a list that is empty before
    array = tf.TensorArray(tf.float32, size=0, dynamic_size=True, element_shape=[4])
    for i in tf.range(tf.shape(x)[0]):
        array = array.write(2 * i + 1, x[i])
    return {"y": array.stack()}


def grown_and_read(x):
    array = tf.TensorArray(tf.float32, size=0, dynamic_size=True, element_shape=[4], clear_after_read=False)
    array = array.write(0, x[0])
    array = array.write(1, x[1])
    for i in tf.range(2, 7):
        array = array.write(i, array.read(i - 1) * 0.5 + array.read(i - 2))
    return {"y": array.stack()}


def written_if(x):  # the others stay zero
    n = tf.shape(x)[0]
    array = tf.TensorArray(tf.float32, size=n, element_shape=[4])
    for i in tf.range(n):
        if x[i, 0] > 0.0:
            array = array.write(i, x[i])
    return {"y": array.stack()}


def written_either(x):
    n = tf.shape(x)[0]
    array = tf.TensorArray(tf.float32, size=n)
    for i in tf.range(n):
        if x[i, 0] > 0.0:
            array = array.write(i, x[i])
        else:
            array = array.write(i, -x[i] * 2.0)
    return {"y": array.stack()}


def read_in_branch(x):  # what an iteration before wrote
    n = tf.shape(x)[0]
    array = tf.TensorArray(tf.float32, size=n, element_shape=[4], clear_after_read=False)
    for i in tf.range(n):
        if i > 0:
            row = array.read(i - 1) * 0.5 + x[i]
        else:
            row = x[i]
        array = array.write(i, row)
    return {"y": array.stack()}


def nested(x):
    n = tf.shape(x)[0]
    rows = tf.TensorArray(tf.float32, size=n)
    for i in tf.range(n):
        cells = tf.TensorArray(tf.float32, size=4)
        for j in tf.range(4):
            cells = cells.write(j, x[i, j] * tf.cast(i + j, tf.float32))
        rows = rows.write(i, cells.stack())
    return {"y": rows.stack()}


def scattered(x):
    array = tf.TensorArray(tf.float32, size=5, element_shape=[4]).scatter([3, 1], x[:2])
    return {"y": array.stack(), "z": tf.TensorArray(tf.float32, size=2).unstack(x[:2]).read(1)}


def joined(x):  # elements of one shape, one behind the other
    array = tf.TensorArray(tf.float32, size=3)
    for i in tf.range(3):
        array = array.write(i, x * tf.cast(i, tf.float32))
    return {"y": array.concat()}


def ragged(x):  # of many
    array = tf.TensorArray(tf.float32, size=0, dynamic_size=True, infer_shape=False, element_shape=[None, 4])
    for i in tf.range(tf.shape(x)[0]):
        array = array.write(i, x[:i + 1] * 0.5)
    return {"y": array.concat()}


def ragged_read(x):
    array = tf.TensorArray(tf.float32, size=4, infer_shape=False, element_shape=[None, 4], clear_after_read=False)
    for i in tf.range(4):
        array = array.write(i, tf.tile(x, [i + 1, 1]))
    return {"y": array.read(2), "z": array.concat()}


def ragged_grows(x):  # of what an iteration makes longer
    array, y = tf.TensorArray(tf.float32, size=3, infer_shape=False, element_shape=[None, 4]), x
    for i in tf.range(3):
        tf.autograph.experimental.set_loop_options(shape_invariants=[(y, tf.TensorShape([None, 4]))])
        array = array.write(i, y)
        y = tf.concat([y, y[:1] * 2.0], 0)
    return {"y": array.concat()}


def resized(x):
    items = raw.TensorListFromTensor(tensor=x, element_shape=tf.constant([4]))
    n = tf.cast(tf.abs(x[0, 0]) * 10.0, tf.int32)
    return {"y": stack(raw.TensorListResize(input_handle=items, size=n), [4])}


MODELS = [pushed, pushed_twice, pushed_behind, pushed_if, popped, grown, grown_gaps, grown_apart, grown_and_read, written_if, written_either, read_in_branch, nested, scattered, joined,
          ragged, ragged_read, ragged_grows, resized]  # yapf: disable


def write(model):
    name, rng = "list_" + model.__name__, np.random.default_rng(sum(map(ord, model.__name__)))

    @tf.function(input_signature=[tf.TensorSpec([None, 4], name="x")])
    def named(x):
        return {key: tf.identity(value, key) for key, value in converted(x).items()}

    converted = tf.autograph.to_graph(model)
    concrete = named.get_concrete_function()
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        tf.import_graph_def(concrete.graph.as_graph_def(), name="")
        names = sorted(concrete.structured_outputs)
        for number, rows in ((1, 2), (2, 5)):
            given = rng.normal(size=(rows, 4)).astype(np.float32) + np.float32(0.3)
            got = session.run([n + ":0" for n in names], {"x:0": given})
            np.savez_compressed(f"{HERE}/{name}.{number}.npz", in_x=given, **{"out_" + n: v for n, v in zip(names, got)})
    open(f"{HERE}/{name}.pb", "wb").write(concrete.graph.as_graph_def().SerializeToString())


for model in MODELS:
    if len(sys.argv) == 1 or model.__name__ in sys.argv[1:]: write(model)
