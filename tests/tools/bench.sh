#!/usr/bin/env bash
# tern bench as scripts see it: its options, what it says of the machine, nodes that add up, baselines. Usage: bench.sh TERN TEST_DATA
set -u
. "$(dirname "$0")/lib.sh"

cpu=$(taskset -cp $$ | grep -oE '[0-9]+' | tail -1)
bench() { local code=$1 what=$2; shift 2; expect "$code" "$what" bench "$mlp" --dim batch=1 --seconds 0.05 "$@"; }
last_line() { tail -1 "$work/out" | grep -Eq '^machine: (quiet|disturbed)$'; }
# python "what" CODE: the JSON document is j
python() {
  command -v python3 >/dev/null || return 0
  check "$1" python3 -c "import json,sys; j = json.load(open('$work/out')); $2"
}

bench 0 "bench"
check "its last line is the verdict" last_line
check "the thresholds are told" grep -q 'quiet: at most 10 % less.*quiet: at most 1 %' "$work/out"
bench 0 "many options" --per-node --huge-pages --pin "$cpu" --idle 10
check "its last line is the verdict still" last_line
check "huge pages are counted" grep -Eq '^huge pages: ([0-9,]+ bytes|not told)' "$work/out"
check "the nodes end with the whole call" grep -q '^whole call .*100.0 %' "$work/out"
check "each node tells its share of a limit" grep -Eq '^/body/body.1/Gemm .* [0-9]+ % of (FMA|reads)$' "$work/out"
check "the limits are told" grep -Eq '^limits: [0-9.]+ GFLOP/s of FMA in registers; [0-9.]+ GB/s of reading [0-9,]+ bytes' "$work/out"

bench 0 "kept warm" --idle 2000 --keep-warm 500 --json
python "how often, and the calls are counted" "assert j['keep_warm'] == 500000 and j['idle'] == 2000000 and j['runs'] > 0 and j['weights'] == 'f32'"
bench 2 "keeping warm between calls that follow each other" --keep-warm 500
check "it says what is missing" grep -q -- '--idle' "$work/err"
bench 0 "weights in fewer bits" --weights bf16
check "it says so" grep -q 'weights in bf16' "$work/out"

bench 0 "JSON" --json --per-node --idle 20 --huge-pages
python "version, cpu, dims, pin, idle in nanoseconds" "assert j['version'] and j['cpu'] and j['dims'] == {'batch': 1} and j['pin'] is None and j['idle'] == 20000"
python "few calls carry no p99.99" "assert j['runs'] < 10000 and j['p9999_ns'] is None and j['p50_ns'] > 0"
python "the nodes add up to the whole" "assert abs(sum(n['median_ns'] for n in j['nodes']) - j['nodes_total_ns']) < 1e-6 * j['nodes_total_ns'] and j['nodes'][-1]['name'] == 'other'"
python "a node's bytes: inputs, weights and outputs" "n = j['nodes'][0]; assert n['bytes'] == 4 * (64 + 64 * 128 + 128 + 128) and n['macs'] == 64 * 128 and j['nodes'][-1]['bytes'] is None"
python "no node is faster than both limits by far" "l = j['limits']; assert all(2 * n['macs'] / l['gflops'] < 4 * n['median_ns'] for n in j['nodes'][:-1])"
python "the verdict" "assert j['machine'] in ('quiet', 'disturbed') and 0 <= j['control']['lost'] <= 1"
python "memory that was not asked for is null" "assert j['locked_bytes'] is None"

# ---- memory ----
if (ulimit -l 65536 2>/dev/null); then
  (ulimit -l 65536; "$tern" bench "$mlp" --seconds 0.05 --lock >"$work/out" 2>"$work/err")
  check "--lock says what is locked" grep -Eq '^locked: [1-9][0-9,]* bytes' "$work/out"
fi

# ---- baselines ----
bench 0 "--save" --save "$work/base.json"
bench 0 "--baseline" --baseline "$work/base.json" --slower-than 1e6
check "it tells ratios and their interval" bash -c "grep -q 'bootstrap' '$work/out' && grep -Eq '^p50 +[0-9.]+ +[0-9.]+ +[0-9.]+' '$work/out'"
check "its last line is the verdict still" last_line
bench 1 "slower than that" --baseline "$work/base.json" --slower-than 1e-6
bench 0 "JSON with a baseline" --baseline "$work/base.json" --json
python "ratios with intervals" "r = j['baseline']['p50_ns']; assert r['low'] <= r['ratio'] <= r['high']"
expect 0 "a baseline of another model" bench "$data/models/orderbook_tcn/model.onnx" --seconds 0.05 --baseline "$work/base.json"
check "is told" grep -q '^not the same model: ' "$work/out"
# twice as slow, by the file
if command -v python3 >/dev/null; then
  python3 - "$work/base.json" "$work/half.json" <<'P'
import json, sys
j = json.load(open(sys.argv[1]))
j["blocks"]["p50_ns"] = [1e-3] * 32
json.dump(j, open(sys.argv[2], "w"))
P
  bench 1 "a regression" --baseline "$work/half.json" --slower-than 1.5
fi
echo '{"a": 1}' >"$work/other.json"
head -c 100 "$work/base.json" >"$work/cut.json"
for file in other.json cut.json; do
  bench 3 "a file that is no baseline" --baseline "$work/$file"
  says "not a baseline; tern bench --save FILE writes one"
  check "it is one error line" one_error_line
done
bench 3 "a model as baseline" --baseline "$mlp"
bench 3 "a missing baseline" --baseline "$work/none.json"
bench 2 "--slower-than alone" --slower-than 2
says "needs --baseline"

# ---- threads and CPUs ----
cpus=$(nproc)
bench 2 "more threads than CPUs" --threads 999
says "may use $cpus CPU"
expect 2 "also where no session is made" run "$mlp" --input zeros --evaluate --threads 999
check "on one CPU two threads are too many" bash -c "! taskset -c $cpu '$tern' bench '$mlp' --seconds 0.01 --threads 2 2>/dev/null"
bench 2 "nodes of several threads" --per-node --threads 2
if [ "$cpus" -gt 1 ]; then
  bench 0 "two threads, pinned" --threads 2 --pin "$cpu"
  check "the way between them is told" grep -Eq '^round trip between two threads: [0-9.]+ (ns|us|ms)' "$work/out"
fi
bench 2 "a CPU that is not there" --pin 1023
says "this process may use CPUs"
finish
