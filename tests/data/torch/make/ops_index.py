"""Reading and writing by index, embeddings. See ops.py."""
G = "operator.getitem"
cases = [f"{G}(x, {index})" for index in (
    "0", "-1", "(0, 1)", "(0, 1, 2)", "(-1, slice(None), -2)", "slice(0, 1)", "slice(1, None)", "slice(-1, None)", "(slice(None), slice(1, 3))", "(slice(None), slice(None), slice(None, None, 2))",
    "(slice(None), slice(None), slice(1, None, 3))", "(slice(None), slice(None), slice(-3, -1))", "(slice(None), slice(5, 9))", "(slice(None), slice(-9, 2))", "(slice(None), slice(2, 1))", "...", "(..., 0)", "(0, ...)", "(..., slice(1, 3))",
    "(0, ..., slice(1, 3))", "None", "(None, 0)", "(slice(None), None)", "(..., None)", "(0, None, slice(1, None))", "(..., None, slice(None))", "(None, ..., None)", "(slice(0, 1), 1, ..., None)", "(0, 1, slice(1, 3))", "k2", "(slice(None), k)",
    "(slice(None), slice(None), k4)", "(..., k4)", "(kn, kn)", "(kn, slice(None), kn)", "(slice(None), kn, kn)", "(kn, slice(1, None), kn)", "(slice(None), k, slice(1, 3))", "(None, kn, kn)", "(kn, None, kn)", "(k2, 0)", "(0, k)", "(0, slice(None), k4)", "k32",
    "[0, 1, 1]", "(slice(None), [2, 0])", "([0, 1], [2, 0])", "(slice(None), [2, 0], slice(0, 2))", "(torch.reshape(kn, (2, 1)), k)", "(slice(None), torch.reshape(k, (3, 1)), kn)", "torch.tensor(1)",
    "(slice(None), torch.tensor(-1))", "(..., torch.tensor(0), slice(1, None))", "(slice(None), slice(None), slice(0, Tensor.size(x, 1)))", "(k2, k2, k2)", "(slice(None), slice(None), slice(0, 2147483647))",
    "(slice(None), slice(0, 9223372036854775807))")]
cases += [
    f"{G}(b, (0, slice(1, None)))", f"{G}(i, (..., -1))", f"{G}(h, 0)", f"{G}(r5, (0, slice(None), kn, ..., 1))", f"{G}(r5, (slice(None), kn, slice(1, None), kn))",
    f"{G}(r5, (slice(None), slice(None), kn, kn, kn))", f"{G}(r5, (kn, slice(None), slice(None), kn))", f"{G}(v, k4)", f"{G}(v, -2)", f"{G}(Tensor.size(x), 1)", f"{G}(Tensor.size(x), -1)", f"{G}(Tensor.size(x), slice(1, None))",
    f"{G}(Tensor.size(x), slice(None, None, -1))", f"{G}(torch.split(x, 2, 2), 1)", f"{G}(torch.max(x, 1), 0)", f"{G}(torch.max(x, 1), 1)", f"{G}(torch.unbind(x, 1), slice(0, 2))", "Tensor.__getitem__(x, 0)", "operator.getitem(torch.topk(x, 2), -1)",
    "torch.select(x, 1, 2)", "Tensor.select(x, -1, -1)", "aten.select.int(x, 0, 1)", "aten.slice.Tensor(x, 1, 1, 3)", "aten.slice.Tensor(x, 2, 0, 9223372036854775807, 2)", "aten.slice.Tensor(x, 0, -1)", "aten.slice.Tensor(x)",
    "aten.slice.Tensor(x, 2, None, -1)", "aten.slice.Tensor(x, -1, -3, -1)", "torch.narrow(x, 2, 1, 2)", "torch.narrow(x, -1, -3, 2)", "Tensor.narrow(x, 1, 0, 2)", "aten.narrow.default(x, 2, 1, 3)",
    "torch.index_select(x, 1, k)", "torch.index_select(x, -1, k4)", "torch.index_select(v, 0, torch.tensor(2))", "Tensor.index_select(x, 0, k32)", "aten.index_select.default(x, 2, k)", "aten.index.Tensor(x, [k2])", "aten.index.Tensor(x, [None, k])",
    "aten.index.Tensor(x, [kn, None, kn])", "aten.index.Tensor(x, [None, kn, kn])", "aten.index.Tensor(x, [kn, kn])", "aten._unsafe_index.Tensor(x, [None, None, k4])", "aten.index.Tensor(img, [None, None, torch.reshape(k, (3, 1)), k4])",
    "torch.gather(x, 1, g)", "torch.gather(x, 2, g)", "torch.gather(x, -2, g2)", "Tensor.gather(x, dim=1, index=g2)", "aten.gather.default(i, 1, g)", "torch.gather(v, 0, k4)", "torch.take_along_dim(x, torch.argsort(x, dim=1), dim=1)",
    "torch.take_along_dim(x, torch.reshape(k, (1, 3, 1)), 1)", "torch.take_along_dim(torch.reshape(E, (1, 7, 5)), torch.reshape(ids, (2, 3, 1)), 1)", "torch.take_along_dim(x, k)", "Tensor.take_along_dim(x, g, -1)", "aten.take_along_dim.default(x, g, 1)", "torch.take(x, k4)", "Tensor.take(x, k2)",
    "aten.take.default(x, g)", "torch.diagonal(m)", "torch.diagonal(m, 1)", "torch.diagonal(m, -1)", "torch.diagonal(x, 0, 1, 2)", "torch.diagonal(x, offset=1, dim1=0, dim2=2)", "torch.diagonal(x, 0, 2, 0)", "Tensor.diagonal(m, 3)",
    "aten.diagonal.default(x, 0, -2, -1)", "torch.linalg.diagonal(x)", "aten.linalg_diagonal.default(x, offset=1)", "torch.diag(m)", "torch.diag(v)", "torch.diag(v, 1)", "torch.diag(v, -2)", "Tensor.diag(m, -1)", "aten.diag.default(v)", "torch.diag_embed(m)", "torch.diag_embed(x, 1)",
    "torch.diag_embed(v, -1)", "torch.diag_embed(m, 0, 0, 2)", "aten.diag_embed.default(m, 1)", "Tensor.diag_embed(v)", "torch.trace(sq)", "Tensor.trace(m)", "aten.trace.default(m)",
    "Tensor.unfold(seq, 2, 3, 2)", "Tensor.unfold(x, 1, 2, 1)", "Tensor.unfold(seq, -1, 11, 1)", "aten.unfold.default(seq, 2, 4, 3)", "F.unfold(img, 3)", "F.unfold(img, (2, 3), dilation=(1, 2), padding=(1, 0), stride=(2, 1))", "F.unfold(im3, 2, stride=2)",
    "aten.im2col.default(img, [3, 2], [1, 1], [1, 1], [2, 2])", "F.fold(F.unfold(img, 3), (9, 8), 3)", "F.fold(F.unfold(img, (2, 3), (1, 2), (1, 0), (2, 1)), (9, 8), (2, 3), (1, 2), (1, 0), (2, 1))",
    "F.fold(F.unfold(im3, 2, stride=2), (9, 8), 2, stride=2)", "aten.col2im.default(F.unfold(img, 3), [9, 8], [3, 3], [1, 1], [0, 0], [1, 1])",
    # scatters
    "torch.scatter(x, 1, g, y)", "torch.scatter(x, 2, g2, 5.0)", "torch.scatter(x, 1, g2, y)", "torch.scatter(x, 1, torch.tensor([[[0, 1]]]), y, reduce='add')", "torch.scatter(x, 1, g, y, reduce='multiply')", "torch.scatter(x, -1, g2, 2, reduce='multiply')",
    "Tensor.scatter(x, 0, torch.tensor([[[0, 1]]]), value=3)", "aten.scatter.src(x, 2, g, y)", "aten.scatter.value(x, 2, g, -1.0)", "aten.scatter.reduce(x, 1, g, y, reduce='add')",
    "aten.scatter.value_reduce(x, 1, g, 2.0, reduce='add')", "torch.scatter_add(x, 1, g, y)", "Tensor.scatter_add(x, 2, g2, y)", "aten.scatter_add.default(x, -1, g, y)", "torch.scatter(i, 1, g2, 3)",
]
for how in ("sum", "prod", "mean", "amax", "amin"):
    cases += [f"torch.scatter_reduce(x, 1, g, y, '{how}')", f"torch.scatter_reduce(x, 1, g, y, '{how}', include_self=False)", f"aten.scatter_reduce.two(x, 2, g2, y, '{how}')"]
cases += [
    "Tensor.scatter_reduce(x, 1, g, y, reduce='sum')", "torch.scatter_reduce(i, 1, g, j, 'amax')",
    "torch.index_add(x, 1, dup, y)", "torch.index_add(x, 1, dup, y, alpha=2)", "torch.index_add(x, 0, k32, y)", "Tensor.index_add(x, 1, k, y, alpha=0.5)", "aten.index_add.default(x, 2, torch.tensor([0, 0, 3, 1]), y)",
    "torch.index_copy(x, 1, k, y)", "Tensor.index_copy(x, 0, torch.tensor([1, 0]), y)", "aten.index_copy.default(x, 2, torch.tensor([1, 0, 3, 2]), y)", "torch.index_fill(x, 1, dup, 7.0)", "Tensor.index_fill(x, 2, k, -1)",
    "aten.index_fill.int_Scalar(x, 0, torch.tensor([1]), 2)", "aten.index_fill.int_Tensor(x, 1, k, s)", "torch.select_scatter(x, torch.zeros(2, 4), 1, 1)", "Tensor.select_scatter(x, torch.ones(2, 3), 2, -1)",
    "aten.select_scatter.default(x, torch.ones(3, 4), 0, 1)", "torch.slice_scatter(x, torch.zeros(2, 3, 2), 2, 1, 3)", "torch.slice_scatter(x, torch.ones(2, 2, 4), 1, 0, 3, 2)", "torch.slice_scatter(x, torch.ones(2, 2, 4), 1, -2)",
    "Tensor.slice_scatter(x, y)", "aten.slice_scatter.default(x, torch.ones(2, 3, 2), 2, 0, 9223372036854775807, 2)", "torch.index_put(x, (kn, kn), s)", "torch.index_put(x, [kn], y)",
    "torch.index_put(x, (kn, k32), v)", "Tensor.index_put(x, (k2, k2), s, True)", "aten.index_put.default(x, [None, k], s)", "aten.index_put.default(x, [None, None, k4], w)",
    "aten.index_put.default(x, [None, kn, kn], torch.ones(2, 2))", "aten.index_put.default(x, [kn, None, kn], torch.full((2, 3), 2.0))", "aten.index_put.default(x, [None, dup], y, True)", "aten.index_put.default(x, [b], s)", "torch.index_put(x, (b,), torch.tensor(9.0))",
    "torch.index_put(x, (torch.gt(torch.zeros(2), -1),), s)", "torch.index_put(x, (b,), s, accumulate=True)", "aten._unsafe_index_put.default(x, [None, k], s)", "torch.diagonal_scatter(m, torch.zeros(3))", "torch.diagonal_scatter(m, torch.zeros(3), 2)", "aten.diagonal_scatter.default(x, torch.ones(2, 3), 0, 1, 2)",
    # embeddings
    "F.embedding(ids, E)", "F.embedding(flat32, E)", "F.embedding(ids, E, padding_idx=3)", "F.embedding(torch.tensor(2), E)", "aten.embedding.default(E, ids)", "aten.embedding.default(E, ids, 2)", "torch.embedding(E, flat)", "F.one_hot(small, 4)", "F.one_hot(ids, num_classes=7)", "F.one_hot(torch.tensor(2), 5)",
    "aten.one_hot.default(k, 3)",
]
for mode in ("sum", "mean", "max"):
    cases += [f"F.embedding_bag(ids, E, mode='{mode}')", f"F.embedding_bag(flat, E, offs, mode='{mode}')", f"F.embedding_bag(flat, E, offe, mode='{mode}', include_last_offset=True)", f"F.embedding_bag(ids, E, mode='{mode}', padding_idx=3)",
              f"F.embedding_bag(flat, E, offs, mode='{mode}', padding_idx=-2)", f"F.embedding_bag(torch.full((2, 3), 1), E, mode='{mode}', padding_idx=1)"]
for mode in (0, 1, 2):
    take = lambda call: f"operator.getitem({call}, 0)"  # noqa: E731
    cases += [take(f"aten.embedding_bag.default(E, flat, offs, False, {mode})"), take(f"aten._embedding_bag.default(E, flat, offs, False, {mode})"), take(f"aten.embedding_bag.padding_idx(E, flat, offs, False, {mode}, False, None, False, 4)"),
              take(f"aten._embedding_bag.default(E, flat, offe, False, {mode}, False, None, True, 2)"), take(f"torch.embedding_bag(E, flat, offs, False, {mode})"), take(f"aten._embedding_bag_forward_only.default(E, flat, offs, False, {mode}, False, None, False, -1)"),
              take(f"aten.embedding_bag.padding_idx(E, torch.reshape(ids, (-1,)), torch.arange(0, 6, 3), False, {mode}, False, None, False, None)")]
cases += ["F.embedding_bag(flat, E, offs, per_sample_weights=psw, mode='sum')", "F.embedding_bag(ids, E, per_sample_weights=psw2, mode='sum')", "F.embedding_bag(flat32, E, offs32)", "F.embedding_bag(ids, E)",
          "operator.getitem(aten.embedding_bag.default(E, flat, offs, False, 0, False, psw), 0)", "operator.getitem(aten.embedding_bag.padding_idx(E, flat, offs, False, 0, False, psw, False, 4), 0)"]
