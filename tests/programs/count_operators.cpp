// Runs every operator on inputs of four kinds, and what a session may be asked for besides f32 (SessionOptions::weights); callgrind writes the
// instructions of each run() to a file of its own, in order. contracts/operator_instructions.sh compares them.
// Usage: count_operators; prints "OPERATOR KIND" a run.
#include <valgrind/callgrind.h>

#include <cstdio>
#include <string>
#include <string_view>

#include "runtime/model.h"
#include "tests/support/operator_graphs.h"

using namespace tern;
using namespace tern::test;

namespace {

// One row, and two, of what keeps weights in fewer bits. A row of a recurrent layer alone has kernels of its own, in f32 too
// (kernels/rnn/interleaved.h).
std::vector<Case> weight_cases() {
  std::vector<Case> all;
  for (int64_t rows : {1, 2}) {
    all.push_back({"MatMul", {x({rows, 70}), w({70, 80})}});
    all.push_back({"LSTM", {x({18, rows, 30}), w({1, 400, 30}), w({1, 400, 100})}, {{"hidden_size", int64_t(100)}}, 3});
    all.push_back(
        {"GRU", {x({18, rows, 30}), w({1, 303, 30}), w({1, 303, 101})}, {{"hidden_size", int64_t(101)}, {"linear_before_reset", int64_t(1)}}, 2});
    all.push_back({"RNN", {x({3, rows, 180}), w({1, 67, 180}), w({1, 67, 67})}, {{"hidden_size", int64_t(67)}}, 2});
  }
  return all;
}

// Counts a run of each kind; what the program is to end with, 0 when all went well.
int count(const Case& c, const char* weights) {
  const std::string name = std::string(c.op) + (*weights ? "/" : "") + weights;
  auto model = make_model(graph_of(c), {});
  if (!model) return std::fprintf(stderr, "%s: %s\n", name.c_str(), model.error().message().c_str()), 3;
  auto session = model->session({.weights = weights});
  if (!session) return std::fprintf(stderr, "%s: %s\n", name.c_str(), session.error().message().c_str()), 4;
  session->run();                         // lazily bound symbols are bound now
  CALLGRIND_DUMP_STATS_AT(name.c_str());  // which forgets what was executed; setting the counts to zero does not, wholly
  std::printf("%s warm\n", name.c_str());
  for (const auto& [kind, word] : {std::pair{Kind::zeros, "zeros"}, {Kind::random, "random"}, {Kind::subnormals, "subnormals"}, {Kind::nan, "nan"}}) {
    for (const Port& port : session->inputs()) {
      auto to = session->input_bytes(port.name);
      const bool data = is_float(port.dtype) || port.dtype == DType::boolean;  // integers are indices or shifts: always 0
      fill(to.data(), to.size(), port.dtype, 7, data ? kind : Kind::zeros);
    }
    CALLGRIND_ZERO_STATS;
    session->run();
    CALLGRIND_DUMP_STATS_AT(name.c_str());
    std::printf("%s %s\n", name.c_str(), word);
  }
  return 0;
}

}  // namespace

int main() {
  CALLGRIND_START_INSTRUMENTATION;  // once: each start and stop throws away all that valgrind has translated
  for (const Case& c : cases()) {
    if (find_op(c.op) == nullptr || std::string_view(c.op) == "TopK") continue;  // TopK orders by value: a named exception
    if (int code = count(c, "")) return code;
  }
  for (const Case& c : weight_cases()) {
    for (const char* weights : {"f32", "bf16", "int8"}) {
      if (int code = count(c, weights)) return code;
    }
  }
  return 0;
}
