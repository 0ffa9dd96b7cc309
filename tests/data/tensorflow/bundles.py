"""Writes bundles/ with TensorFlow 2.21: checkpoints whose values are counted, so that the test knows them. tests/loaders/tensorflow_bundle.cpp reads them.

    parts    40 small variables, texts, and variables in parts: of rows, of columns, of many elements
    shards   two shards, one of them with a variable each
"""
import os

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")
import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bundles")
os.makedirs(OUT, exist_ok=True)


def counted(shape, dtype=np.float32):
    return (np.arange(np.prod(shape)) % 251).reshape(shape).astype(dtype)


def partitioned(name, shape, parts, axis, dtype=tf.float32):
    whole = counted(shape, dtype.as_numpy_dtype)

    def initializer(shape, dtype=None, partition_info=None):
        at = tuple(slice(o, o + n) for o, n in zip(partition_info.var_offset, shape))
        return tf.constant(whole[at])

    return v1.get_variable(name, shape=shape, dtype=dtype, initializer=initializer, partitioner=v1.fixed_size_partitioner(parts, axis), use_resource=False)


with tf.Graph().as_default(), v1.Session() as session:
    for i in range(40):
        v1.get_variable(f"layer_{i}/kernel", initializer=np.float32([i, -i]), use_resource=False)
    v1.get_variable("texts", initializer=tf.constant([b"one", b"", b"\xc3\xa9\0x" * 50]), use_resource=False)
    partitioned("rows", (7, 4), 3, 0)
    partitioned("columns", (3, 10), 4, 1)
    partitioned("many", (20000,), 3, 0, tf.int8)
    session.run(v1.global_variables_initializer())
    v1.train.Saver().save(session, os.path.join(OUT, "parts"), write_meta_graph=False, write_state=False)

tf.raw_ops.SaveV2(prefix=os.path.join(OUT, "a"), tensor_names=["first"], shape_and_slices=[""], tensors=[tf.constant(counted((5,)))])
tf.raw_ops.SaveV2(prefix=os.path.join(OUT, "b"), tensor_names=["second"], shape_and_slices=[""], tensors=[tf.constant(counted((2, 3), np.int64))])
tf.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=[os.path.join(OUT, "a"), os.path.join(OUT, "b")], destination_prefix=os.path.join(OUT, "shards"))
