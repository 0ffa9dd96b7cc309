"""SavedModels that assign variables and read them in the same call, with what TensorFlow computes in the first call: ../variables/NAME/{model/, data.npz}.
TensorFlow 2.21. An array in_X is input X of the signature, out_Y output Y. `variables.py NAME…` writes only these."""
import os
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")
import shutil
import sys
import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
HERE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "variables")
GIVEN = np.random.default_rng(3).normal(size=(3, 4)).astype(np.float32) + np.float32(0.4)
SPEC = [tf.TensorSpec([None, 4], name="x")]


class Module(tf.Module):
    def __init__(self):
        super().__init__()
        self.n, self.v = tf.Variable(3.0), tf.Variable([1.0, 2.0, 3.0, 4.0])


class counter(Module):  # read before, between and after
    @tf.function(input_signature=SPEC)
    def __call__(self, x):
        before = self.n.read_value()
        self.n.assign_add(1.0)
        between = self.n.read_value()
        self.n.assign_sub(0.25)
        self.v.assign(self.v * 2.0 + x[0])
        return {"before": before, "between": between, "after": self.n.read_value(), "v": x * self.v}


class given_back(Module):  # what an assignment itself gives
    @tf.function(input_signature=SPEC)
    def __call__(self, x):
        return {"n": self.n.assign_add(tf.reduce_sum(x)) * 2.0, "v": self.v.assign(x[1]) + 1.0}


class called(Module):  # a function changes it, another reads it
    @tf.function
    def change(self, x):
        self.n.assign_add(tf.reduce_sum(x))
        return x * self.n

    @tf.function
    def look(self, x):
        return x + self.n

    @tf.function(input_signature=SPEC)
    def __call__(self, x):
        first = self.look(x)
        y = self.change(x)
        z = self.look(y)
        self.n.assign(7.0)
        return {"first": first, "y": y, "z": z, "last": self.look(x)}


class looped(Module):  # an iteration reads what the one before wrote
    @tf.function(input_signature=SPEC)
    def __call__(self, x):
        y = tf.zeros([4])
        for i in tf.range(tf.shape(x)[0]):
            self.v.assign(self.v * 0.5 + x[i])
            y += self.v
        return {"y": y, "v": self.v.read_value(), "n": self.n.read_value()}


class ended(Module):  # a loop that a variable ends
    @tf.function(input_signature=SPEC)
    def __call__(self, x):
        while self.n < 20.0:
            self.n.assign_add(tf.reduce_max(tf.abs(x)) + 1.0)
        return {"n": self.n.read_value()}


class branched(Module):  # changed in one branch
    @tf.function(input_signature=SPEC)
    def __call__(self, x):
        if tf.reduce_sum(x) > 0.0:
            self.n.assign_add(tf.reduce_sum(x))
        else:
            self.v.assign(x[0])
        if tf.reduce_sum(x) < 1000.0:
            y = x * self.n
        else:
            y = x
        return {"y": y, "v": self.v.read_value()}


class unread(Module):  # changed, and read by the next call alone
    @tf.function(input_signature=SPEC)
    def __call__(self, x):
        y = x * self.n
        self.n.assign(tf.reduce_sum(y))
        return {"y": y}


class rows(Module):  # rows of a table that was changed
    @tf.function(input_signature=SPEC)
    def __call__(self, x):
        self.v.assign(tf.reduce_sum(x, 0))
        return {"y": tf.gather(self.v, [2, 0]), "shape": tf.shape(self.v)}


class scattered(Module):  # changed by an operator that is not followed
    @tf.function(input_signature=SPEC)
    def __call__(self, x):
        before = x * self.v
        self.v.scatter_nd_update([[1]], [x[0, 0]])
        return {"before": before, "after": x * self.v}


def tf1(name, reference):
    """Assignments that control edges order, to a reference or a resource."""
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 4], name="x")
        with v1.variable_scope("net", use_resource=not reference):
            n = v1.get_variable("n", [], initializer=v1.constant_initializer(3.0))
        first = n * 1.0
        with tf.control_dependencies([first]):
            add = v1.assign_add(n, tf.reduce_sum(x))
        with tf.control_dependencies([add]):
            second = x * n.read_value()
        with tf.control_dependencies([second]):
            sub = v1.assign(n, 10.0)
        with tf.control_dependencies([sub]):
            third = tf.identity(n.read_value())
        outputs = {"first": first, "second": second, "third": third, "added": tf.identity(add) * 1.0}
        if reference: del outputs["added"]  # which of several values a reference gives is anybody's guess
        session.run(v1.global_variables_initializer())
        builder = v1.saved_model.Builder(folder(name) + "/model")
        builder.add_meta_graph_and_variables(session, ["serve"], {"serving_default": v1.saved_model.signature_def_utils.predict_signature_def({"x": x}, outputs)})
        builder.save()
        record(name, session.run(outputs, {x: GIVEN}))


def refused(name):
    """Assignments in a branch of TensorFlow 1, and such that nothing orders, before a read."""
    with tf.Graph().as_default(), v1.Session() as session:
        v1.disable_control_flow_v2()
        x = v1.placeholder(tf.float32, [None, 4], name="x")
        with v1.variable_scope("net", use_resource=True):
            n = v1.get_variable("n", [], initializer=v1.constant_initializer(3.0))
        if name == "in_branch":
            before = [v1.cond(tf.reduce_sum(x) > 0.0, lambda: v1.assign_add(n, 1.0), lambda: n + 0.0)]
        else:
            before = [v1.assign_add(n, 1.0), v1.assign_add(n, tf.reduce_sum(x))]
        with tf.control_dependencies(before):
            y = x * n.read_value()
        session.run(v1.global_variables_initializer())
        builder = v1.saved_model.Builder(folder(name) + "/model")
        builder.add_meta_graph_and_variables(session, ["serve"], {"serving_default": v1.saved_model.signature_def_utils.predict_signature_def({"x": x}, {"y": y})})
        builder.save()
        record(name, session.run({"y": y}, {x: GIVEN}))
        v1.enable_control_flow_v2()


def folder(name):
    shutil.rmtree(f"{HERE}/{name}", ignore_errors=True)
    os.makedirs(f"{HERE}/{name}")
    return f"{HERE}/{name}"


def record(name, outputs):
    path = f"{HERE}/{name}/model/fingerprint.pb"
    if os.path.exists(path): os.remove(path)
    np.savez_compressed(f"{HERE}/{name}/data.npz", in_x=GIVEN, **{"out_" + k: np.asarray(v) for k, v in outputs.items()})


wanted = lambda name: len(sys.argv) == 1 or name in sys.argv[1:]
for model in (counter, given_back, called, looped, ended, branched, unread, rows, scattered):
    if not wanted(model.__name__): continue
    module, path = model(), folder(model.__name__)
    tf.saved_model.save(module, path + "/model", signatures={"serving_default": module.__call__})
    record(model.__name__, tf.saved_model.load(path + "/model").signatures["serving_default"](x=tf.constant(GIVEN)))
if wanted("tf1_resource"): tf1("tf1_resource", False)
if wanted("tf1_reference"): tf1("tf1_reference", True)
for name in ("in_branch", "unordered"):
    if wanted(name): refused(name)
