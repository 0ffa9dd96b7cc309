#!/usr/bin/env python3
"""Tables and charts of what bench_peers measured, written between two marks into bench/README.md; the charts beside it.

usage: report.py RESULTS.json BENCH_FOLDER
"""
import json
import math
import pathlib
import platform
import re
import sys

BEGIN, END = "<!-- peers: begin -->", "<!-- peers: end -->"
COLOURS = {"tern": "#0b6e4f", "onnxruntime": "#8a8d91", "OpenVINO": "#3a6ea5", "TorchScript": "#c8763d", "LiteRT": "#7b5ea7"}


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


def chart(results, peers):
    """A row a net: how many times tern's least time each peer takes, on a scale of powers of two; the line is tern."""
    row, left, right, top = 22, 150, 20, 46
    width, height = 860, top + row * len(results) + 30
    low, high = 0.5, 64
    octaves = math.log2(high / low)

    def scale(ratio):
        return left + (width - left - right) * math.log2(min(max(ratio, low), high) / low) / octaves

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="12">',
           f'<rect width="{width}" height="{height}" fill="white"/>', '<text x="10" y="18" font-size="14">Time of a call over tern\'s (least times, one thread)</text>']
    for i, p in enumerate(peers):
        out.append(f'<circle cx="{left + 120 * i}" cy="34" r="5" fill="{COLOURS.get(p, "#555")}"/><text x="{left + 9 + 120 * i}" y="38">{p}</text>')
    for power in range(-1, 7):
        x = scale(2.0**power)
        style = f'stroke="{COLOURS["tern"]}" stroke-width="2"' if power == 0 else 'stroke="#ddd"'
        out.append(f'<line x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{height - 26}" {style}/>')
        out.append(f'<text x="{x:.1f}" y="{height - 10}" text-anchor="middle">{2.0**power:g}</text>')
    for i, r in enumerate(results):
        y = top + row * i + row / 2
        engines = {short(e["name"]): e for e in r["engines"]}
        out.append(f'<text x="{left - 10}" y="{y + 4}" text-anchor="end">{r["net"]}</text>')
        for p in peers:
            if p in engines:
                out.append(f'<circle cx="{scale(engines[p]["min"] / engines["tern"]["min"]):.1f}" cy="{y}" r="5" fill="{COLOURS.get(p, "#555")}"/>')
    return "\n".join(out + ["</svg>"]) + "\n"


def main():
    results = [json.loads(line) for line in open(sys.argv[1])]
    folder = pathlib.Path(sys.argv[2])
    names = {short(e["name"]): e["name"] for r in results for e in r["engines"]}
    peers = [p for p in ("onnxruntime", "OpenVINO", "LiteRT", "TorchScript") if p in names]
    worst = max(e["error"] for r in results for e in r["engines"])
    text = [BEGIN, f"{machine()}. One thread, {', '.join(names[p] for p in peers)}; `bench/peers/run BUILD`. Largest difference between outputs: {worst:.1g} "
            "of the largest element.", "", "Least times of a call, and of loading to a session that is ready:", ""]
    text += minima(results, peers) + ["", "![](peers/latency.svg)", "", "Single calls in a loop (a clock read each; the control reads the clock and does nothing):", ""]
    text += tails(results, peers) + [END]
    (folder / "peers" / "latency.svg").write_text(chart(results, peers))
    readme = folder / "README.md"
    old = readme.read_text()
    block = "\n".join(text)
    readme.write_text(re.sub(f"{BEGIN}.*{END}", lambda m: block, old, flags=re.S) if BEGIN in old else old.rstrip() + "\n\n## Beside other engines\n" + block + "\n")


if __name__ == "__main__":
    main()
