"""Systems of linear equations, determinants."""
import numpy as np

import ops
from ops import case, chain, old

rng = np.random.default_rng(12)
tf = ops.tf


def f(*shape, dtype=np.float32):
    return (np.round(rng.standard_normal(shape) * 32) / 32).astype(dtype)


def positive(*shape, dtype=np.float32):
    x = f(*shape, dtype=dtype)
    return x @ np.swapaxes(x, -1, -2) + np.eye(shape[-1], dtype=dtype)


for dtype in (np.float32, np.float64):
    for shape in ((3, 3), (2, 5, 5), (2, 3, 1, 1), (0, 4, 4), (2, 0, 0), (7, 7)):
        case("Cholesky", positive(*shape, dtype=dtype))
        case("MatrixDeterminant", f(*shape, dtype=dtype))
        if 0 not in shape:
            case("LogMatrixDeterminant", f(*shape, dtype=dtype))
        case("MatrixInverse", f(*shape, dtype=dtype) + 3 * np.eye(shape[-1], dtype=dtype))
case("MatrixInverse", f(2, 4, 4), adjoint=True)
case("MatrixDeterminant", np.ones((2, 3, 3), np.float32))
case("MatrixDeterminant", np.array([[0, 1, 2], [1, 0, 3], [4, -3, 8]], np.float32))
case("LogMatrixDeterminant", -np.eye(3, dtype=np.float32))
for adjoint in (False, True):
    case("MatrixSolve", f(2, 4, 4), f(2, 4, 3), adjoint=adjoint)
    case("MatrixSolve", f(6, 6, dtype=np.float64), f(6, 1, dtype=np.float64), adjoint=adjoint)
    for lower in (False, True):
        case("MatrixTriangularSolve", f(2, 4, 4) + 2 * np.eye(4, dtype=np.float32), f(2, 4, 3), adjoint=adjoint, lower=lower)
        case("MatrixTriangularSolve", f(4, 4) + 2 * np.eye(4, dtype=np.float32), f(3, 4, 2), adjoint=adjoint, lower=lower)
case("MatrixTriangularSolve", f(2, 1, 4, 4) + 2 * np.eye(4, dtype=np.float32), f(3, 4, 2))
for dtype in (np.float32, np.float64):
    for shape in ((4, 4), (2, 5, 3), (3, 5), (2, 3, 1, 4), (1, 1), (6, 2)):
        x = f(*shape, dtype=dtype)
        case("Qr", x)
        case("Qr", x, full_matrices=True)
        case("Svd", x, compute_uv=False, keep=1)
        chain("the matrix from its singular vectors", lambda x: (lambda s, u, v: tf.matmul(u * s[..., None, :], v, adjoint_b=True))(*tf.linalg.svd(x)), x)
        for side in (1, 2):
            chain("all singular vectors", lambda x: tf.matmul(tf.linalg.svd(x, full_matrices=True)[side], tf.linalg.svd(x, full_matrices=True)[side], adjoint_a=True), x)
        chain("a pseudo-inverse", tf.linalg.pinv, x)
    x = positive(2, 5, 5, dtype=dtype)
    case("SelfAdjointEigV2", x, compute_v=False, keep=1)
    case("SelfAdjointEigV2", f(3, 3, dtype=dtype), compute_v=False, keep=1)
    chain("the matrix from its eigenvectors", lambda x: (lambda e, v: tf.matmul(v * e[..., None, :], v, adjoint_b=True))(*tf.linalg.eigh(x)), x)
chain("all singular vectors of less than full rank", lambda x: (lambda s, u, v: tf.matmul(u, u, adjoint_a=True))(*tf.linalg.svd(x, full_matrices=True)), np.outer(f(5), f(4)))
chain("all singular vectors of nothing", lambda x: (lambda s, u, v: tf.matmul(u, u, adjoint_a=True))(*tf.linalg.svd(x)), np.zeros((4, 3), np.float32))
chain("a covariance and its distance", lambda x, y: tf.linalg.cholesky_solve(tf.linalg.cholesky(x), y), positive(2, 5, 5), f(2, 5, 2))
a, b = positive(2, 3, 3), f(2, 3, 2)
old("BatchCholesky", a, want=[np.linalg.cholesky(a)])
old("BatchMatrixDeterminant", a, want=[np.linalg.det(a)])
old("BatchMatrixInverse", a, want=[np.linalg.inv(a)])
old("BatchMatrixSolve", a, b, want=[np.linalg.solve(a, b)])
old("BatchMatrixTriangularSolve", np.tril(a), b, want=[np.linalg.solve(np.tril(a), b)])
