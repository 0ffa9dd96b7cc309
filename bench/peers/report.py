#!/usr/bin/env python3
"""Tables and charts of what bench_peers measured, written between two marks into bench/README.md; the charts beside it.

usage: report.py FOLDER BENCH_FOLDER     FOLDER has results.json (a line a net, of bench_peers), nodes.json (a line a net, of tern bench --per-node
                                         --json) and gemm.json (of bench_kernels): `run` makes them
"""
import json
import pathlib
import platform
import re
import sys

import charts

BEGIN, END = "<!-- peers: begin -->", "<!-- peers: end -->"


def short(engine):
    return engine.split()[0]


def time_text(ns):
    for unit, size in (("ns", 1), ("us", 1e3), ("ms", 1e6)):
        if ns < 999.5 * size or unit == "ms":
            return f"{ns / size:.3g} {unit}"


def machine():
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    flags = next((line for line in open("/proc/cpuinfo") if line.startswith("flags")), "")
    return f"{cpu}, {'AVX-512' if 'avx512f' in flags else 'AVX2'}, Linux {platform.release()}"


def minima(results, peers):
    lines = ["| net | tern | " + " | ".join(peers) + " | best peer / tern | load: tern | load: onnxruntime | load: best peer |", "|---" * (len(peers) + 6) + "|"]
    for r in results:
        engines = {short(e["name"]): e for e in r["engines"]}
        ours = engines["tern"]
        others = {p: engines[p] for p in peers if p in engines}
        best = min(others, key=lambda p: others[p]["min"])
        first = min(others, key=lambda p: others[p]["load_ms"])  # to be ready
        ratio = others[best]["min"] / ours["min"]
        cells = [("**%s**" if p == best and ratio < 1 else "%s") % time_text(others[p]["min"]) if p in others else "–" for p in peers]
        cells.append(f"{ratio:.2f} ({best}{' wins' if ratio < 1 else ''})")
        cells += [f"{e['load_ms']:.3g} ms" if e else "–" for e in (ours, others.get("onnxruntime"))]
        wins = others[first]["load_ms"] < ours["load_ms"]
        cells.append(f"{others[first]['load_ms']:.3g} ms ({first}{' wins' if wins else ''})")
        lines.append(f"| {r['net']} | {time_text(ours['min'])} | " + " | ".join(cells) + " |")
    return lines


def tails(results, peers):
    lines = ["| net | engine | p50 | p99 | p99.9 | p99 / p50 | calls |", "|---" * 7 + "|"]
    for r in results:
        for e in r["engines"]:
            if short(e["name"]) in ["tern", "control"] + peers:
                lines.append(f"| {r['net']} | {short(e['name'])} | {time_text(e['p50'])} | {time_text(e['p99'])} | {time_text(e['p999'])} | "
                             f"{e['p99'] / e['p50']:.2f} | {e['calls']} |")
    return lines


def main():
    made, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    results, nodes = ([json.loads(line) for line in open(made / name)] for name in ("results.json", "nodes.json"))
    names = {short(e["name"]): e["name"] for r in results for e in r["engines"]}
    peers = [p for p in ("onnxruntime", "OpenVINO", "LiteRT", "TorchScript") if p in names]
    worst = max(e["error"] for r in results for e in r["engines"])
    text = [BEGIN, f"{machine()}. One thread, {', '.join(names[p] for p in peers)}; `bench/peers/run BUILD`. Largest difference between outputs: {worst:.1g} "
            "of the largest element.", "", "Least times of a call, and of loading to a session that is ready:", ""]
    text += minima(results, peers) + ["", "![](peers/latency.svg)", "", "![](peers/roofline.svg)", "",
                                       "![](peers/gemm.svg)", "", "Single calls in a loop (a clock read each; the control reads the clock and does nothing):", ""]
    text += tails(results, peers) + [END]
    for name, svg in (("latency", charts.latency(results, peers)), ("roofline", charts.roofline(nodes)),
                      ("gemm", charts.sweep(json.loads((made / "gemm.json").read_text())))):
        (folder / "peers" / f"{name}.svg").write_text(svg)
    readme = folder / "README.md"
    old = readme.read_text()
    block = "\n".join(text)
    readme.write_text(re.sub(f"{BEGIN}.*{END}", lambda m: block, old, flags=re.S) if BEGIN in old else old.rstrip() + "\n\n## Beside other engines\n" + block + "\n")


if __name__ == "__main__":
    main()
