#!/usr/bin/env python3
"""What weights in bf16 and int8 (SessionOptions::weights) cost in accuracy and gain in time, model by model.

    bench/weights.py TERN MODEL...        needs numpy; MODEL: anything that tern runs, with random inputs

Error: |y - y_f32| / |y_f32|, Euclidean, over all elements of all outputs for eight random inputs. Time: the least of one call, f32 / form, each
form three times in turns. A model without a product that is kept so has a dash.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

FORMS = ["f32", "bf16", "int8"]
SEEDS = 8


def tern(program, *words):
    return subprocess.run([program, *words], capture_output=True, text=True)


def dims_of(program, model):
    """Every open dimension as 1."""
    told = json.loads(tern(program, "inspect", model, "--json").stdout)
    names = {d for port in told["inputs"] for d in port["shape"] if isinstance(d, str)}
    return [word for name in sorted(names) for word in ("--dim", f"{name}=1")], [port["name"] for port in told["inputs"]]


def outputs(program, model, inputs, form, seed):
    words = [word for name in inputs for word in ("--input", f"{name}=random:{seed}")]
    with tempfile.TemporaryDirectory() as folder:
        done = tern(program, "run", model, *words, "--weights", form, "--output-dir", folder)
        if done.returncode != 0:
            return None, done.stderr.strip()
        return np.concatenate([np.load(f).astype(np.float64).ravel() for f in sorted(pathlib.Path(folder).glob("*.npy"))]), ""


def error(program, model, inputs, form):
    difference = size = 0.0
    for seed in range(1, SEEDS + 1):
        wanted, why = outputs(program, model, inputs, "f32", seed)
        if wanted is None:
            sys.exit(f"{model}: {why}")
        got, why = outputs(program, model, inputs, form, seed)
        if got is None:
            return None
        difference += float(np.sum((got - wanted) ** 2))
        size += float(np.sum(wanted**2))
    return (difference / size) ** 0.5


def least(program, model, dims, form):
    told = json.loads(tern(program, "bench", model, *dims, "--weights", form, "--seconds", "0.4", "--json").stdout)
    return told["min_ns"]


def main(program, models):
    print("| model | error bf16 | error int8 | time bf16 | time int8 |\n|---|---|---|---|---|")
    for model in models:
        dims, inputs = dims_of(program, model)
        errors = {form: error(program, model, inputs, form) for form in FORMS[1:]}
        kept = ["f32", *(form for form in FORMS[1:] if errors[form] is not None)]
        times = {form: min(t) for form, t in zip(kept, zip(*[[least(program, model, dims, form) for form in kept] for _ in range(3)]))}
        shown = [f"{errors[f]:.1e}" if f in times else "-" for f in FORMS[1:]]
        shown += [f"{times['f32'] / times[f]:.2f}" if f in times else "-" for f in FORMS[1:]]
        path = pathlib.Path(model)
        print(f"| {path.parent.name if path.stem == 'model' else path.stem} | {' | '.join(shown)} |", flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:])
