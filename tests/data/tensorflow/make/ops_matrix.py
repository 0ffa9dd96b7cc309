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
chain("a covariance and its distance", lambda x, y: tf.linalg.cholesky_solve(tf.linalg.cholesky(x), y), positive(2, 5, 5), f(2, 5, 2))
a, b = positive(2, 3, 3), f(2, 3, 2)
old("BatchCholesky", a, want=[np.linalg.cholesky(a)])
old("BatchMatrixDeterminant", a, want=[np.linalg.det(a)])
old("BatchMatrixInverse", a, want=[np.linalg.inv(a)])
old("BatchMatrixSolve", a, b, want=[np.linalg.solve(a, b)])
old("BatchMatrixTriangularSolve", np.tril(a), b, want=[np.linalg.solve(np.tril(a), b)])
