"""The charts of bench/README.md as SVG, light or dark as the reader's system is: times beside peers, nodes under their roof, products by size.

Each function takes what a program told (report.py reads it) and gives the text of a file.
"""
import math
import re

COLOURS = {"onnxruntime": "#8a8d91", "OpenVINO": "#4a86c5", "TorchScript": "#c8763d", "LiteRT": "#9a7fd1"}
KINDS = {"convolution": ("#4a86c5", "Conv"), "dense": ("#c8763d", "Linear|MatMul|Gemm|Einsum"), "recurrent": ("#9a7fd1", "LSTM|GRU|RNN"),
         "attention": ("#c94f6d", "Attention"), "other": ("#8a8d91", "")}
ISAS = {"scalar": "#8a8d91", "avx2": "#4a86c5", "avx512": "#2aa876", "neon": "#4a86c5"}
STYLE = """<style>
  .paper { fill: #ffffff } .grid { stroke: #d8dce0 } .tern { stroke: #0b8f6a; fill: none }
  text { fill: #1f2328; font: 12px sans-serif } .title { font-size: 14px }
  @media (prefers-color-scheme: dark) { .paper { fill: #0d1117 } .grid { stroke: #30363d } .tern { stroke: #2ec492 } text { fill: #e6edf3 } }
</style>"""


class Chart:
    """A frame with two axes; x and y turn values into pixels."""

    def __init__(self, title, width, height, x, y, left=60, right=28, top=56, bottom=40):
        self.x_range, self.y_range = x, y
        self.box = (left, top, width - right, height - bottom)
        self.height = height
        self.parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">', STYLE,
                      f'<rect class="paper" width="{width}" height="{height}"/>', f'<text class="title" x="10" y="20">{title}</text>']

    def x(self, value):
        low, high = self.x_range
        return self.box[0] + (self.box[2] - self.box[0]) * math.log2(min(max(value, low), high) / low) / math.log2(high / low)

    def y(self, value):
        low, high = self.y_range
        return self.box[3] - (self.box[3] - self.box[1]) * math.log2(min(max(value, low), high) / low) / math.log2(high / low)

    def add(self, text):
        self.parts.append(text)

    def text(self, x, y, words, anchor="start"):
        self.add(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{words}</text>')

    def line(self, x1, y1, x2, y2, style='class="grid"'):
        self.add(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {style}/>')

    def dot(self, x, y, radius, colour, tip="", opacity=1.0):
        inside = f"<title>{tip}</title>" if tip else ""
        self.add(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{colour}" fill-opacity="{opacity}">{inside}</circle>')

    def grid_x(self, values, word="{:g}", label=""):
        for v in values:
            self.line(self.x(v), self.box[1], self.x(v), self.box[3])
            self.text(self.x(v), self.box[3] + 16, word.format(v), "middle")
        self.text(self.box[2], self.height - 8, label, "end")

    def grid_y(self, values, word="{:g}"):
        for v in values:
            self.line(self.box[0], self.y(v), self.box[2], self.y(v))
            self.text(self.box[0] - 6, self.y(v) + 4, word.format(v), "end")

    def legend(self, colours, step=120):
        for i, (name, colour) in enumerate(colours.items()):
            self.dot(self.box[0] + 6 + step * i, 38, 5, colour)
            self.text(self.box[0] + 16 + step * i, 42, name)

    def svg(self):
        return "\n".join(self.parts + ["</svg>"]) + "\n"


def powers(low, high, step=1):
    return [2.0**e for e in range(low, high + 1, step)]


def latency(results, peers):
    """A row a net: how many times tern's least time each peer takes, from a dot at the least to a tick at the 99th percentile over tern's own."""
    row = 22
    title = "Time of a call over tern's, one thread: dots the least, ticks the 99th percentiles"
    chart = Chart(title, 860, 56 + row * len(results) + 40, (0.5, 128), (1, 2), left=150)
    chart.grid_x(powers(-1, 7))
    chart.legend({p: COLOURS[p] for p in peers})
    chart.line(chart.x(1), chart.box[1], chart.x(1), chart.box[3], 'class="tern" stroke-width="2"')
    for i, r in enumerate(results):
        y = chart.box[1] + row * (i + 0.5)
        engines = {e["name"].split()[0]: e for e in r["engines"]}
        ours = engines["tern"]
        chart.text(chart.box[0] - 10, y + 4, r["net"], "end")
        for p in [p for p in peers if p in engines]:
            least, tail = chart.x(engines[p]["min"] / ours["min"]), chart.x(engines[p]["p99"] / ours["p99"])
            chart.line(least, y, tail, y, f'stroke="{COLOURS[p]}" stroke-opacity="0.5"')
            chart.line(tail, y - 4, tail, y + 4, f'stroke="{COLOURS[p]}" stroke-width="2"')
            chart.dot(least, y, 5, COLOURS[p], f"{p}: {engines[p]['min'] / ours['min']:.2f}")
    return chart.svg()


def kind_of(op):
    return next(kind for kind, (_, pattern) in KINDS.items() if re.search(pattern, op))


def roofline(benches):
    """Every node of every net: operations a byte against GFLOP/s; its area is its share of the call."""
    limits = [b["limits"] for b in benches]
    peak, near, far = max(l["gflops"] for l in limits), max(l["gbytes"] for l in limits), min(l["gbytes"] for l in limits)
    chart = Chart("Every node of the nets: GFLOP/s over operations a byte; the area is its share of the call", 860, 520, (1 / 16, 512), (0.125, 256))
    chart.grid_x(powers(-4, 9), label="operations a byte that it reads or writes (one for 8 bytes where it multiplies and adds nothing)")
    chart.grid_y(powers(-3, 8))
    chart.legend({kind: colour for kind, (colour, _) in KINDS.items()})
    for b in benches:
        net = b["model"].rsplit("/", 1)[-1].removesuffix(".onnx")
        for n in b["nodes"]:
            if not n["bytes"] or n["median_ns"] <= 0:
                continue
            flops = 2 * n["macs"] or n["bytes"] / 8
            share = n["median_ns"] / b["nodes_total_ns"]
            tip = f"{net}: {n['op']}, {100 * share:.1f} % of the call".replace("&", "&amp;").replace("<", "&lt;")
            chart.dot(chart.x(flops / n["bytes"]), chart.y(flops / n["median_ns"]), 1.5 + 9 * share**0.5, KINDS[kind_of(n["op"])][0], tip, 0.55)
    for gbytes, words in ((near, f"{near:.0f} GB/s, what the smallest net touches"), (far, f"{far:.1f} GB/s, what the largest touches")):
        start = max(chart.x_range[0], chart.y_range[0] / gbytes)
        ridge = peak / gbytes
        chart.line(chart.x(start), chart.y(start * gbytes), chart.x(ridge), chart.y(peak), 'class="tern" stroke-width="2"')
        at = start * 1.15
        angle = -math.degrees(math.atan2(chart.y(start * gbytes) - chart.y(peak), chart.x(ridge) - chart.x(start)))
        x, y = chart.x(at), chart.y(at * gbytes) - 6
        chart.add(f'<text x="{x:.1f}" y="{y:.1f}" transform="rotate({angle:.1f} {x:.1f} {y:.1f})">{words}</text>')
    chart.line(chart.x(peak / near), chart.y(peak), chart.box[2], chart.y(peak), 'class="tern" stroke-width="2"')
    chart.text(chart.box[2] - 4, chart.y(peak) - 6, f"{peak:.0f} GFLOP/s, multiply-adds in registers", "end")
    return chart.svg()


def sweep(benchmark):
    """Square products by size: GFLOP/s over what the ISA's multiply-adds reach in registers, in CPU time."""
    peaks = {key.removeprefix("peak_"): float(value) for key, value in benchmark["context"].items() if key.startswith("peak_")}
    lines = {}
    for b in benchmark["benchmarks"]:
        isa, size = re.match(r"gemm/f32/(\w+)/MatMul/(\d+)x", b["name"]).groups()
        nanoseconds = b["cpu_time"] * {"ns": 1, "us": 1e3, "ms": 1e6}[b["time_unit"]]
        lines.setdefault(isa, []).append((int(size), 100 * 2 * int(size)**3 / nanoseconds / peaks[isa]))
    chart = Chart("Square products, weights packed before: % of what the ISA's multiply-adds reach in registers", 860, 400, (8, 1024), (1, 2))
    chart.y = lambda percent: chart.box[3] - (chart.box[3] - chart.box[1]) * min(percent, 105) / 105
    chart.grid_x(powers(3, 10), label="rows, columns and depth")
    chart.grid_y(range(0, 101, 10))
    chart.legend({f"{isa}: {peaks[isa]:.1f} GFLOP/s": ISAS[isa] for isa in lines}, 190)
    for isa, points in lines.items():
        points.sort()
        path = " ".join(f"{chart.x(size):.1f},{chart.y(percent):.1f}" for size, percent in points)
        chart.add(f'<polyline points="{path}" fill="none" stroke="{ISAS[isa]}" stroke-width="2"/>')
        for size, percent in points:
            chart.dot(chart.x(size), chart.y(percent), 3.5, ISAS[isa], f"{isa}, {size}: {percent:.1f} %")
    return chart.svg()
