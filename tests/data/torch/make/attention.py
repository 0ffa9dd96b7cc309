"""tests/data/torch/attention/cases.pth, by torch 2.14.1: python3 attention.py ../attention/cases.pth"""
import sys
import warnings

import torch
import torch.nn as nn
import torch.nn.functional as F

from torch_cases import module_case, op_case, printed, randomize, save

warnings.simplefilter("ignore")
T, B, E, H = 5, 3, 8, 2  # sizes that the symbols name: 3 is the batch, 5 the steps, 6 batch times heads
S = 7                    # keys of cross attention
g = torch.Generator().manual_seed(20261126)
cases = {}
INF = float("inf")


def rand(*shape):
    return torch.randn(shape, generator=g)


def rand_bool(*shape, true=0.6):
    return torch.rand(shape, generator=g) < true


# ---- scaled_dot_product_attention ----
sdpa = F.scaled_dot_product_attention


def attention(name, q, k, v, spelling="F.scaled_dot_product_attention", op=sdpa, args=(), symbols="3=batch 5=seq", **kwargs):
    cases["sdpa " + name] = op_case(spelling, op, [q, k, v, *args], kwargs, symbols=symbols)


def qkv(batch=(B, H), t=T, s=S, d=4, e=4):
    return rand(*batch, t, d), rand(*batch, s, d), rand(*batch, s, e)


keep = rand_bool(T, S)
keep[:, 0] = True
dead = keep.clone()
dead[2] = False
added = rand(T, S)
added_dead = added.clone()
added_dead[1] = -INF
attention("plain", *qkv())
attention("aten", *qkv(), spelling="aten.scaled_dot_product_attention.default", op=torch.ops.aten.scaled_dot_product_attention.default)
attention("value width differs", *qkv(e=9))
attention("scale", *qkv(), scale=0.3)
attention("scale 1", *qkv(), scale=1.0)
attention("bool mask", *qkv(), attn_mask=keep)
attention("bool mask, positional", *qkv(), args=(keep,))
attention("bool mask, a query without keys is 0", *qkv(), attn_mask=dead)
attention("float mask", *qkv(), attn_mask=added)
attention("float mask, a query without keys is 0", *qkv(), attn_mask=added_dead)
attention("mask of every head", *qkv(), attn_mask=rand_bool(B, H, T, S))
attention("mask of keys", *qkv(), attn_mask=rand_bool(B, 1, 1, S, true=0.8))
attention("causal, square", *qkv(s=T), is_causal=True)
attention("causal, more keys", *qkv(), is_causal=True)
attention("causal, fewer keys", *qkv(s=2), is_causal=True)
attention("dropout is ignored at zero", *qkv(), dropout_p=0.0)
attention("three dimensions", *qkv(batch=(B,)), attn_mask=keep)
attention("three dimensions, mask of each", *qkv(batch=(B,)), attn_mask=rand_bool(B, T, S))
attention("two dimensions", *qkv(batch=()), attn_mask=keep)
attention("two dimensions, causal", *qkv(batch=()), is_causal=True)
attention("five dimensions", *qkv(batch=(B, 2, 1)), attn_mask=keep)
q, k, v = qkv()
attention("keys broadcast over the batch", q, k[:1], v[:1], attn_mask=keep)
q, _, _ = qkv(batch=(B, 4))
_, k, v = qkv(batch=(B, 2))
attention("grouped queries", q, k, v, enable_gqa=True)
attention("grouped queries, one head of keys", q, k[:, :1], v[:, :1], enable_gqa=True, is_causal=True)
attention("grouped queries that are not", q, q, q, enable_gqa=True)
aten = torch.ops.aten
flash = aten._scaled_dot_product_flash_attention_for_cpu.default


def first(op):
    return lambda *a, **kw: op(*a, **kw)[0]


def two(name, spelling, op, n, *args, **kwargs):
    """An operator that returns more than the result: what follows is of no use and None here."""
    cases["sdpa " + name] = op_case(spelling, lambda *a, **kw: op(*a, **kw)[:n], list(args), kwargs, symbols="3=batch 5=seq")


two("flash", "aten._scaled_dot_product_flash_attention_for_cpu.default", flash, 1, *qkv(), attn_mask=added)
two("flash, causal", "aten._scaled_dot_product_flash_attention_for_cpu.default", flash, 1, *qkv(s=T), 0.0, True, scale=0.7)
math = aten._scaled_dot_product_attention_math.default
two("math gives the weights", "aten._scaled_dot_product_attention_math.default", math, 2, *qkv(), attn_mask=added)
two("math, a query without keys", "aten._scaled_dot_product_attention_math.default", math, 2, *qkv(), attn_mask=added_dead)

# ---- MultiheadAttention ----


def mha(name, args, kwargs=None, **options):
    heads = options.pop("num_heads", H)
    module = randomize(nn.MultiheadAttention(E, heads, **options), g)
    written = ", ".join([f"num_heads={heads}"] + [f"{k}={v!r}" for k, v in options.items() if k != "bias"])
    short = f"MultiheadAttention({E}, " + ", ".join([str(heads)] + [f"{k}={v!r}" for k, v in options.items()]) + ")"
    cases["mha " + name] = module_case(module, args, kwargs, tree=printed(module, MultiheadAttention=written), short=short)


x_first, x_time = rand(B, T, E), rand(T, B, E)


def self_attention(batch_first, t=T):
    x = rand(B, t, E) if batch_first else rand(t, B, E)
    return [x, x, x]


for batch_first, need, average in ((True, True, True), (True, True, False), (True, False, True), (False, True, True), (False, True, False), (False, False, True)):
    mha(f"self batch_first={batch_first} need_weights={need} average={average}", self_attention(batch_first),
        {"need_weights": need, "average_attn_weights": average}, batch_first=batch_first)
for batch_first in (True, False):
    q, k = (rand(B, T, E), rand(B, S, E)) if batch_first else (rand(T, B, E), rand(S, B, E))
    v = rand(*k.shape)
    mha(f"default of need_weights batch_first={batch_first}", [q, k, k], batch_first=batch_first)
    mha(f"cross batch_first={batch_first}", [q, k, v], {"need_weights": False}, batch_first=batch_first)
    mha(f"no bias batch_first={batch_first}", [q, k, v], batch_first=batch_first, bias=False)
    other = (lambda n: rand(B, S, n)) if batch_first else (lambda n: rand(S, B, n))
    mha(f"kdim vdim batch_first={batch_first}", [q, other(9), other(11)], batch_first=batch_first, kdim=9, vdim=11)
    mha(f"vdim batch_first={batch_first}", [q, other(E), other(11)], {"need_weights": False}, batch_first=batch_first, vdim=11)
    for need in (True, False):
        named = {"need_weights": need}
        pad = rand_bool(B, S, true=0.3)
        pad[:, 1] = False
        masked = ~keep
        mha(f"add_bias_kv batch_first={batch_first} need={need}", [q, k, v], {**named, "attn_mask": added}, batch_first=batch_first, add_bias_kv=True)
        mha(f"add_zero_attn batch_first={batch_first} need={need}", [q, k, v], {**named, "key_padding_mask": pad}, batch_first=batch_first, add_zero_attn=True)
        mha(f"both added batch_first={batch_first} need={need}", [q, k, v], {**named, "attn_mask": ~dead, "key_padding_mask": pad}, batch_first=batch_first,
            add_bias_kv=True, add_zero_attn=True)
        mha(f"bool mask batch_first={batch_first} need={need}", [q, k, v], {**named, "attn_mask": masked}, batch_first=batch_first)
        mha(f"float mask batch_first={batch_first} need={need}", [q, k, v], {**named, "attn_mask": added}, batch_first=batch_first)
        head_mask = rand_bool(B * H, T, S, true=0.4)
        head_mask[:, :, 3] = False
        mha(f"mask of every head batch_first={batch_first} need={need}", [q, k, v], {**named, "attn_mask": head_mask}, batch_first=batch_first)
        mha(f"float mask of every head batch_first={batch_first} need={need}", [q, k, v],
            {**named, "attn_mask": rand(B * H, T, S), "key_padding_mask": pad}, batch_first=batch_first)
        mha(f"padding batch_first={batch_first} need={need}", [q, k, v], {**named, "key_padding_mask": pad}, batch_first=batch_first)
        mha(f"float padding batch_first={batch_first} need={need}", [q, k, v], {**named, "key_padding_mask": rand(B, S)}, batch_first=batch_first)
        both = masked.clone()
        both[:, 1] = False
        mha(f"both masks batch_first={batch_first} need={need}", [q, k, v], {**named, "attn_mask": both, "key_padding_mask": pad}, batch_first=batch_first)
        # A query whose keys are all masked: NaN with weights, the bias of the projection without.
        mha(f"a query without keys batch_first={batch_first} need={need}", [q, k, v], {**named, "attn_mask": ~dead}, batch_first=batch_first)
causal = torch.triu(torch.ones(T, T, dtype=torch.bool), diagonal=1)
wrong = causal.clone()
wrong[4, 0] = True
for need in (True, False):
    mha(f"causal hint need={need}", self_attention(True), {"need_weights": need, "attn_mask": causal, "is_causal": True}, batch_first=True)
    mha(f"causal hint over another mask need={need}", self_attention(True), {"need_weights": need, "attn_mask": wrong, "is_causal": True}, batch_first=True)
    # Without a batch: [T,E] whatever batch_first says.
    for batch_first in (True, False):
        q, k, v = rand(T, E), rand(S, E), rand(S, E)
        pad = torch.tensor([False, True, False, False, True, False, False])
        mha(f"unbatched batch_first={batch_first} need={need}", [q, k, v], {"need_weights": need, "key_padding_mask": pad}, batch_first=batch_first)
        mha(f"unbatched, mask batch_first={batch_first} need={need}", [q, k, v], {"need_weights": need, "attn_mask": rand(H, T, S)}, batch_first=batch_first)
mha("one head", self_attention(True), num_heads=1, batch_first=True)
mha("a head a feature", self_attention(True), {"need_weights": False}, num_heads=E, batch_first=True)
module = randomize(nn.MultiheadAttention(E, H, kdim=9), g)
w = {n: p.detach() for n, p in module.named_parameters()}
cases["mha function"] = op_case(
    "F.multi_head_attention_forward", F.multi_head_attention_forward,
    [rand(T, B, E), rand(S, B, 9), rand(S, B, E), E, H, None, w["in_proj_bias"], None, None, False, 0.0, w["out_proj.weight"], w["out_proj.bias"]],
    dict(training=False, use_separate_proj_weight=True, q_proj_weight=w["q_proj_weight"], k_proj_weight=w["k_proj_weight"], v_proj_weight=w["v_proj_weight"]))
module = randomize(nn.MultiheadAttention(E, H), g)
w = {n: p.detach() for n, p in module.named_parameters()}
cases["mha function, packed"] = op_case(
    "F.multi_head_attention_forward", F.multi_head_attention_forward,
    [rand(T, B, E), rand(S, B, E), rand(S, B, E), E, H, w["in_proj_weight"], w["in_proj_bias"], None, None, False, 0.0, w["out_proj.weight"],
     w["out_proj.bias"], False, None, False, added])

save(cases, sys.argv[1])
