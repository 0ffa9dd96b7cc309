"""Control flow of TensorFlow 1 as frozen graphs, with what TensorFlow computes of them: ../control/NAME.pb, and NAME.1.npz, NAME.2.npz of two sizes.
TensorFlow 2.21, tf_keras 2.21. An array in_X is placeholder X, out_Y node Y. `control.py NAME…` writes only these.

Switch and Merge for branches; Enter, Merge, LoopCond, Switch, NextIteration and Exit for loops; TensorArrays by handle and flow."""
import os
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1", TF_USE_LEGACY_KERAS="1")
import sys
import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
v1.disable_control_flow_v2()
HERE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "control")
rng = np.random.default_rng(7)


def floats(*shape):
    return rng.normal(size=shape).astype(np.float32)


def total(x):
    return tf.reduce_sum(x)


# ---- branches. Each function is given x [None, 4], and gives its outputs by name.


def cond_plain(x):
    w = tf.constant(floats(4, 3))
    return {"y": v1.cond(total(x) > 0, lambda: tf.matmul(x, w), lambda: -x[:, :3] * 2.0)}


def cond_shapes(x):  # another shape from each
    return {"y": v1.cond(total(x) > 0, lambda: x[:, :1] + 1.0, lambda: tf.concat([x, x], 1))}


def cond_constants(x):  # which depend on the condition by control edges alone
    a, b = v1.cond(total(x) > 0, lambda: (tf.constant(floats(2)), tf.constant(1)), lambda: (tf.constant(floats(2)), tf.constant(2)))
    return {"a": a, "b": b}


def cond_nested(x):
    t = tf.reduce_mean(x, 1)

    def yes():
        s = tf.sin(x)
        return v1.cond(total(s) > 1.0, lambda: s + tf.expand_dims(t, 1), lambda: s * 3.0), t + 1.0

    def no():
        return x, v1.cond(tf.reduce_max(x) > 0.5, lambda: t * 2.0, lambda: tf.zeros_like(t))

    a, b = v1.cond(total(x) > 0, yes, no)
    return {"a": a, "b": b}


def cond_chain(x):  # one condition, and what the one cond gives goes into the other
    p = total(x) > 0
    a = v1.cond(p, lambda: x + 1.0, lambda: x - 1.0)
    b = a * 2.0
    return {"y": v1.cond(p, lambda: b * b, lambda: tf.exp(-tf.abs(b)))}


def cond_case(x):
    s = total(x)
    cases = [(s < -2.0, lambda: x * 1.0), (s < 0.0, lambda: x * 2.0), (s < 2.0, lambda: x * 3.0)]
    return {"y": v1.case(cases, default=lambda: x * 4.0)}


def cond_gather(x):  # what the branch that is not taken would read is not there
    n = tf.shape(x)[0]
    return {"y": v1.cond(n > 3, lambda: x[3] * 2.0, lambda: x[0])}


# ---- loops


def while_count(x):
    return {"y": v1.while_loop(lambda i, y: i < 5, lambda i, y: (i + 1, tf.tanh(y * 1.5 + tf.cast(i, tf.float32))), [0, x])[1]}


def while_data(x):  # as often as the data says
    loop = v1.while_loop(lambda n, y: total(y * y) < 500.0, lambda n, y: (n + 1, y * 1.5 + 0.1), [0, x])
    return {"n": loop[0], "y": loop[1]}


def while_captured(x):
    w, b = tf.constant(floats(4, 4) * 0.5), tf.reduce_mean(x, 0)
    return {"y": v1.while_loop(lambda i, y: i < tf.shape(x)[0] + 1, lambda i, y: (i + 1, tf.nn.relu(tf.matmul(y, w) + b)), [0, x])[1]}


def while_swapped(x):  # an iteration exchanges what it carries
    loop = v1.while_loop(lambda i, a, b: i < 3, lambda i, a, b: (i + 1, b, a + b), [0, x, x * 2.0])
    return {"a": loop[1], "b": loop[2]}


def while_steps(x):  # by three, from two, to and with eleven
    loop = v1.while_loop(lambda i, y: i <= 11, lambda i, y: (i + 3, y + tf.cast(i, tf.float32)), [2, x])
    return {"i": loop[0], "y": loop[1]}


def while_most(x):
    loop = v1.while_loop(lambda i, y: total(tf.abs(y)) < 100.0, lambda i, y: [i + 2, y * 2.0], [0, x], maximum_iterations=4)
    return {"i": loop[0], "y": loop[1]}


def while_nested(x):
    w = tf.constant(floats(4) * 0.3)

    def outer(i, y):
        inner = v1.while_loop(lambda j, z: j <= i, lambda j, z: (j + 1, z * 0.5 + w + tf.cast(j, tf.float32) * x), [0, y])
        return i + 1, inner[1] - tf.cast(inner[0], tf.float32)

    return {"y": v1.while_loop(lambda i, y: i < 3, outer, [0, x])[1]}


def while_deep(x):  # three frames, of which the innermost reads what lies outside of all
    def third(j):
        return lambda k, z: (k + 1, z + x * tf.cast(k + j, tf.float32))

    def second(j, y):
        return j + 1, v1.while_loop(lambda k, z: k < 2, third(j), [0, y])[1]

    def first(i, y):
        return i + 1, v1.while_loop(lambda j, z: j < i + 1, second, [0, y])[1]

    return {"y": v1.while_loop(lambda i, y: i < 2, first, [0, x])[1]}


def while_in_cond(x):
    def yes():
        return v1.while_loop(lambda i, y: total(y) < 50.0, lambda i, y: (i + 1, y + tf.abs(x) + 1.0), [0, x])[1]

    return {"y": v1.cond(total(x) > 0, yes, lambda: x * 0.5)}  # without the condition the loop would never end on some data


def cond_in_while(x):
    def body(i, y):
        return i + 1, v1.cond(total(y) > 3.0, lambda: y - tf.reduce_mean(x), lambda: y * 2.0 + 0.5)

    return {"y": v1.while_loop(lambda i, y: i < 6, body, [0, x])[1]}


def cond_on_counter(x):
    def body(i, y):
        return i + 1, v1.cond(tf.equal(i % 2, 0), lambda: y + tf.cast(i, tf.float32), lambda: y * 0.5)

    return {"y": v1.while_loop(lambda i, y: i < 5, body, [0, x])[1]}


def while_grows(x):  # a row more in every iteration
    shapes = [tf.TensorShape([]), tf.TensorShape([None, 4])]
    loop = v1.while_loop(lambda i, y: tf.shape(y)[0] < 7, lambda i, y: (i + 1, tf.concat([y, y[-1:] * 0.5], 0)), [0, x], shape_invariants=shapes)
    return {"n": loop[0], "y": loop[1]}


def loops_chained(x):
    a = v1.while_loop(lambda i, y: i < 2, lambda i, y: (i + 1, y + 1.0), [0, x])
    b = v1.while_loop(lambda i, y: i < 4, lambda i, y: (i + 1, y * tf.cast(i, tf.float32)), [a[0], a[1]])
    return {"y": b[1]}


# ---- arrays


def map_rows(x):
    w = tf.constant(floats(4, 2))
    return {"y": tf.map_fn(lambda r: tf.linalg.matvec(w, r, transpose_a=True) + 1.0, x)}


def map_two(x):
    a, b = tf.map_fn(lambda r: (r * 2.0, tf.argmax(r)), x, dtype=(tf.float32, tf.int64))
    return {"a": a, "b": b}


def scan_rows(x):
    return {"y": v1.scan(lambda a, r: a * 0.5 + r, x, initializer=tf.zeros([4]))}


def fold_rows(x):
    return {"l": v1.foldl(lambda a, r: a * 0.5 + r, x), "r": v1.foldr(lambda a, r: a * 0.5 + r, x)}


def array_by_hand(x):  # written backwards, read between, gathered out of order
    a = tf.TensorArray(tf.float32, size=4, clear_after_read=False)
    a = v1.while_loop(lambda i, a: i < 4, lambda i, a: (i + 1, a.write(3 - i, x * tf.cast(i, tf.float32))), [0, a])[1]
    return {"y": a.gather([2, 0]), "z": a.read(3), "n": a.size()}


def array_split(x):
    a = tf.TensorArray(tf.float32, size=2, clear_after_read=False, element_shape=[1, 4]).split(x[:2], [1, 1])
    return {"y": a.concat(), "z": a.read(0) * 2.0 + a.read(1)}


def array_dynamic(x):  # grows as it is written, as long as the data says
    a = tf.TensorArray(tf.float32, size=0, dynamic_size=True, element_shape=[4])
    loop = v1.while_loop(lambda i, s, a: total(s) < 30.0, lambda i, s, a: (i + 1, s + tf.abs(s) + 0.5, a.write(i, s)), [0, tf.reduce_mean(tf.abs(x), 0), a])
    return {"y": loop[2].stack(), "n": loop[2].size()}


def array_in_cond(x):
    def body(i, a):
        return i + 1, v1.cond(x[0, 0] > tf.cast(i, tf.float32), lambda: a.write(i, x + 1.0), lambda: a.write(i, x * 0.5))

    a = v1.while_loop(lambda i, a: i < 3, body, [0, tf.TensorArray(tf.float32, size=3)])[1]
    return {"y": a.stack()}


# ---- recurrent networks. x is read as [None, 6, 4] or so.


def cells():
    import tf_keras
    from tf_keras.src.layers.rnn import legacy_cells
    return legacy_cells


def sequence(x, steps=5):
    return tf.stack([tf.sin(x * float(k + 1)) for k in range(steps)], 1)


def rnn_dynamic(x):
    y, state = v1.nn.dynamic_rnn(cells().LSTMCell(3), sequence(x), dtype=tf.float32)
    return {"y": y, "c": state[0], "h": state[1]}


def rnn_lengths(x):
    lengths = tf.cast(tf.abs(x[:, 0]) * 2.0, tf.int32) % 6
    y, state = v1.nn.dynamic_rnn(cells().GRUCell(3), sequence(x), sequence_length=lengths, dtype=tf.float32)
    return {"y": y, "h": state}


def rnn_both(x):
    y, state = v1.nn.bidirectional_dynamic_rnn(cells().GRUCell(2), cells().GRUCell(2), sequence(x, 4), dtype=tf.float32)
    return {"f": y[0], "b": y[1], "h": state[1]}


def rnn_static(x):
    lengths = tf.cast(tf.abs(x[:, 0]) * 2.0, tf.int32) % 4
    y, state = v1.nn.static_rnn(cells().BasicRNNCell(3), tf.unstack(sequence(x, 3), axis=1), sequence_length=lengths, dtype=tf.float32)
    return {"y": tf.stack(y, 1), "h": state}


def rnn_layers(x):
    stacked = cells().MultiRNNCell([cells().LSTMCell(3, use_peepholes=True, num_proj=2), cells().BasicLSTMCell(2)])
    y, state = v1.nn.dynamic_rnn(stacked, sequence(x, 3), dtype=tf.float32)
    return {"y": y, "h": state[1][1]}


# ---- a function that holds such control flow


def in_function(x):
    from tensorflow.python.framework import function

    @function.Defun(tf.float32)
    def f(x):
        y = v1.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * 0.5 + x), [0, x])[1]
        return v1.cond(total(y) > 0, lambda: y, lambda: -y) + v1.cond(total(y) > 0, lambda: -y * 3.0, lambda: y)

    return {"y": f(x)}


MODELS = [cond_plain, cond_shapes, cond_constants, cond_nested, cond_chain, cond_case, cond_gather, while_count, while_data, while_captured, while_swapped,
          while_steps, while_most, while_nested, while_deep, while_in_cond, cond_in_while, cond_on_counter, while_grows, loops_chained, map_rows, map_two,
          scan_rows, fold_rows, array_by_hand, array_split, array_dynamic, array_in_cond, rnn_dynamic, rnn_lengths, rnn_both, rnn_static, rnn_layers,
          in_function]  # yapf: disable


def write(model):
    name = model.__name__
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        v1.set_random_seed(5)
        x = v1.placeholder(tf.float32, [None, 4], name="x")
        made = model(x)
        for key, value in made.items(): tf.identity(value, key)
        session.run(v1.global_variables_initializer())
        names = list(made)
        frozen = v1.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), names)
        if name == "cond_chain": frozen = v1.graph_util.remove_training_nodes(frozen, protected_nodes=names)
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        tf.import_graph_def(frozen, name="")
        for number, rows in ((1, 2), (2, 5)):
            given = floats(rows, 4) + (0.7 if number == 1 else -0.4)
            got = session.run([n + ":0" for n in names], {"x:0": given})
            np.savez_compressed(f"{HERE}/{name}.{number}.npz", in_x=given, **{"out_" + n: v for n, v in zip(names, got)})
    open(f"{HERE}/{name}.pb", "wb").write(frozen.SerializeToString())


os.makedirs(HERE, exist_ok=True)
for model in MODELS:
    rng = np.random.default_rng(sum(map(ord, model.__name__)))
    if len(sys.argv) == 1 or model.__name__ in sys.argv[1:]: write(model)
