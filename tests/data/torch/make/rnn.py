"""tests/data/torch/rnn/cases.pth, by torch 2.14.1: python3 rnn.py ../rnn/cases.pth"""
import itertools
import sys

import torch
import torch.nn as nn

from torch_cases import module_case, op_case, randomize, save

T, B, I, H, P = 5, 3, 7, 4, 2
g = torch.Generator().manual_seed(20261125)
cases = {}


def rand(*shape):
    return torch.randn(shape, generator=g)


def constructor(cls, *positional, **options):
    return cls + "(" + ", ".join([str(p) for p in positional] + [f"{k}={v!r}" for k, v in options.items()]) + ")"


def window(name, cls, batched=True, state=False, **options):
    module = randomize(getattr(nn, cls)(I, H, **options), g)
    batch_first = options.get("batch_first", False)
    x = rand(*((B, T, I) if batch_first else (T, B, I)) if batched else (T, I))
    layers = options.get("num_layers", 1) * (2 if options.get("bidirectional") else 1)
    batch = (B,) if batched else ()
    h = rand(layers, *batch, options.get("proj_size") or H)
    args = [x]
    if state:
        args.append((h, rand(layers, *batch, H)) if cls == "LSTM" else h)
    # print(model) does not show an RNN's function
    tree = constructor(cls, I, H, **options)
    cases[name] = module_case(module, args, tree=tree)


kinds = [("lstm", "LSTM", {}), ("gru", "GRU", {}), ("rnn", "RNN", {}), ("rnn_relu", "RNN", {"nonlinearity": "relu"})]
for name, cls, more in kinds:
    for layers, bidirectional, batch_first, state in itertools.product((1, 2), (False, True), (False, True), (False, True)):
        bias = (layers + bidirectional + batch_first) % 2 == 1  # both with and without a state
        text = f"{name} layers={layers} bidirectional={bidirectional} batch_first={batch_first} bias={bias} state={state}"
        options = dict(more)
        options.update({k: v for k, v, d in [("num_layers", layers, 1), ("bias", bias, True), ("batch_first", batch_first, False),
                                             ("bidirectional", bidirectional, False)] if v != d})
        window(text, cls, state=state, **options)
    for bidirectional, batch_first, state in itertools.product((False, True), (False, True), (False, True)):
        window(f"{name} unbatched bidirectional={bidirectional} batch_first={batch_first} state={state}", cls, batched=False, state=state,
               bidirectional=bidirectional, batch_first=batch_first, **more)
for layers, bidirectional, batch_first, state in itertools.product((1, 2), (False, True), (False, True), (False, True)):
    window(f"lstm proj layers={layers} bidirectional={bidirectional} batch_first={batch_first} state={state}", "LSTM", state=state, proj_size=P,
           num_layers=layers, bidirectional=bidirectional, batch_first=batch_first, bias=batch_first)
window("lstm proj unbatched", "LSTM", batched=False, state=True, proj_size=P, bidirectional=True)
window("lstm dropout is identity", "LSTM", num_layers=2, dropout=0.5)

for name, cls, more in [("lstm", "LSTMCell", {}), ("gru", "GRUCell", {}), ("rnn", "RNNCell", {}), ("rnn_relu", "RNNCell", {"nonlinearity": "relu"})]:
    for bias, state, batched in itertools.product((False, True), (False, True), (False, True)):
        module = randomize(getattr(nn, cls)(I, H, bias=bias, **more), g)
        batch = (B,) if batched else ()
        args = [rand(*batch, I)]
        if state:
            args.append((rand(*batch, H), rand(*batch, H)) if cls == "LSTMCell" else rand(*batch, H))
        cases[f"{name} cell bias={bias} state={state} batched={batched}"] = module_case(module, args, tree=constructor(cls, I, H, bias=bias, **more))

# ---- the operators of exported programs ----
aten = torch.ops.aten
for name, cls, op in [("lstm", "LSTM", aten.lstm.input), ("gru", "GRU", aten.gru.input), ("rnn_tanh", "RNN", aten.rnn_tanh.input)]:
    for zeros, proj in itertools.product((False, True), (0, P) if cls == "LSTM" else (0,)):
        module = randomize(getattr(nn, cls)(I, H, num_layers=2, bidirectional=True, **({"proj_size": proj} if proj else {})), g)
        h, c = rand(4, B, proj or H), rand(4, B, H)
        if zeros:
            h, c = torch.zeros_like(h), torch.zeros_like(c)
        params = [p.detach() for p in module.parameters()]
        cases[f"aten {name} zeros={zeros} proj={proj}"] = op_case(f"aten.{name}.input", op, [rand(T, B, I), [h, c] if cls == "LSTM" else h, params, True, 2, 0.0,
                                                                                             False, True, False])
for name, cls, op in [("lstm", "LSTMCell", aten.lstm_cell.default), ("gru", "GRUCell", aten.gru_cell.default), ("rnn_tanh", "RNNCell", aten.rnn_tanh_cell.default),
                      ("rnn_relu", "RNNCell", aten.rnn_relu_cell.default)]:
    module = randomize(getattr(nn, cls)(I, H), g)
    h, c = rand(B, H), rand(B, H)
    params = [p.detach() for p in module.parameters()]
    cases[f"aten {name}_cell"] = op_case(f"aten.{name}_cell.default", op, [rand(B, I), [h, c] if cls == "LSTMCell" else h, *params])

save(cases, sys.argv[1])
