"""tests/data/torch/attention/transformer.pth, by torch 2.14.1: python3 transformer.py ../attention/transformer.pth"""
import itertools
import sys
import warnings

import torch
import torch.nn as nn
import torch.nn.functional as F

from torch_cases import module_case, printed, randomize, save

warnings.simplefilter("ignore")
T, B, E, H, W = 5, 3, 8, 2, 11
S = 7
g = torch.Generator().manual_seed(20261127)
cases = {}


def rand(*shape):
    return torch.randn(shape, generator=g)


def sequence(batch_first, steps, batched=True):
    if not batched:
        return rand(steps, E)
    return rand(B, steps, E) if batch_first else rand(steps, B, E)


def written(options):
    """The arguments as they are written: functions by their names."""
    out = []
    for key, value in options.items():
        if isinstance(value, nn.Module):
            continue  # a child of the printed tree
        out.append(f"{key}={value.__name__ if callable(value) else repr(value)}")
    return ", ".join(out)


def case(name, module, args, kwargs, options, constructor=None):
    randomize(module, g)
    hidden = {k: v for k, v in options.items() if k in ("batch_first", "norm_first", "activation") and not (k == "activation" and isinstance(v, nn.Module))}
    hidden = written({"nhead": H, **hidden})
    tree = printed(module, TransformerEncoderLayer=hidden, TransformerDecoderLayer=hidden)
    cases[name] = module_case(module, args, kwargs, tree=tree, short=constructor)


def short(cls, options):
    if any(isinstance(v, nn.Module) for v in options.values()):
        return None
    return f"{cls}({E}, {H}, {W}" + (", " if options else "") + written(options) + ")"


causal = torch.triu(torch.full((T, T), float("-inf")), diagonal=1)
pad = torch.tensor([[False] * 5, [False, False, False, True, True], [False, False, False, False, True]])
memory_pad = torch.tensor([[False] * 7, [False] * 4 + [True] * 3, [True] + [False] * 6])
variants = [{}, {"batch_first": True}, {"norm_first": True}, {"batch_first": True, "norm_first": True, "activation": "gelu"}, {"activation": F.gelu, "batch_first": True},
            {"activation": F.relu}, {"activation": nn.GELU(), "batch_first": True}, {"activation": torch.tanh}, {"activation": F.silu},
            {"bias": False, "batch_first": True}, {"bias": False, "norm_first": True}, {"layer_norm_eps": 0.3, "batch_first": True}]
for options in variants:
    name = written(options) or "defaults"
    if isinstance(options.get("activation"), nn.Module):
        name += ", a module"
    first = options.get("batch_first", False)
    case("encoder layer, " + name, nn.TransformerEncoderLayer(E, H, W, **options), [sequence(first, T)], {}, options, short("TransformerEncoderLayer", options))
    case("decoder layer, " + name, nn.TransformerDecoderLayer(E, H, W, **options), [sequence(first, T), sequence(first, S)], {}, options,
         short("TransformerDecoderLayer", options))
for first in (False, True):
    options = {"batch_first": first}
    for named in ({"src_mask": causal}, {"src_mask": causal, "is_causal": True}, {"src_key_padding_mask": pad}, {"src_mask": causal, "src_key_padding_mask": pad}):
        case(f"encoder layer batch_first={first}, {' '.join(named)}", nn.TransformerEncoderLayer(E, H, W, **options), [sequence(first, T)], named, options)
    for named in ({"tgt_mask": causal}, {"tgt_mask": causal, "tgt_is_causal": True}, {"memory_mask": rand(T, S)}, {"tgt_key_padding_mask": pad},
                  {"memory_key_padding_mask": memory_pad},
                  {"tgt_mask": causal, "memory_mask": rand(T, S), "tgt_key_padding_mask": pad, "memory_key_padding_mask": memory_pad}):
        case(f"decoder layer batch_first={first}, {' '.join(named)}", nn.TransformerDecoderLayer(E, H, W, **options), [sequence(first, T), sequence(first, S)], named,
             options)
    case(f"encoder layer unbatched batch_first={first}", nn.TransformerEncoderLayer(E, H, W, **options), [sequence(first, T, False)], {"src_mask": causal}, options)
    for norm, named in itertools.product((False, True), ({}, {"mask": causal}, {"mask": causal, "is_causal": True}, {"src_key_padding_mask": pad})):
        module = nn.TransformerEncoder(nn.TransformerEncoderLayer(E, H, W, **options), 2, nn.LayerNorm(E) if norm else None)
        case(f"encoder batch_first={first} norm={norm}, {' '.join(named)}", module, [sequence(first, T)], named, options)
    for norm, named in itertools.product((False, True), ({}, {"tgt_mask": causal, "memory_key_padding_mask": memory_pad}, {"tgt_mask": causal, "tgt_is_causal": True})):
        module = nn.TransformerDecoder(nn.TransformerDecoderLayer(E, H, W, **options), 2, nn.LayerNorm(E) if norm else None)
        case(f"decoder batch_first={first} norm={norm}, {' '.join(named)}", module, [sequence(first, T), sequence(first, S)], named, options)
    for more, named in (({}, {}), ({"norm_first": True, "activation": "gelu"}, {}), ({"bias": False}, {}),
                        ({}, {"src_mask": causal, "tgt_mask": rand(S, S), "memory_mask": rand(S, T), "src_key_padding_mask": pad, "tgt_key_padding_mask": memory_pad,
                              "memory_key_padding_mask": pad}),
                        ({}, {"src_mask": causal, "src_is_causal": True}), ({}, {"tgt_mask": torch.triu(torch.full((S, S), float("-inf")), diagonal=1), "tgt_is_causal": True})):
        both = {**options, **more}
        module = nn.Transformer(E, H, 2, 1, W, **both)
        case(f"transformer {written(both)}, {' '.join(named)}", module, [sequence(first, T), sequence(first, S)], named, both,
             f"Transformer({E}, {H}, 2, 1, {W}, " + written(both) + ")")

save(cases, sys.argv[1])
