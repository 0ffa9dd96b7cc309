// Runs every operator once on inputs of one kind; callgrind writes the instructions of each run() to a file of its own, in order.
// contracts/operator_instructions.sh compares them. Usage: count_operators zeros|random|subnormals|nan; prints one operator a line.
#include <valgrind/callgrind.h>

#include <cstdio>
#include <string_view>

#include "runtime/model.h"
#include "tests/support/operator_graphs.h"

using namespace tern;
using namespace tern::test;

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::string_view text = argv[1];
  const Kind kind = text == "random" ? Kind::random : text == "subnormals" ? Kind::subnormals : text == "nan" ? Kind::nan : Kind::zeros;
  CALLGRIND_START_INSTRUMENTATION;  // once: each start and stop throws away all that valgrind has translated
  for (const Case& c : cases()) {
    const std::string_view op = c.op;
    if (find_op(op) == nullptr || op == "TopK") continue;  // TopK orders by value: a named exception
    auto model = make_model(graph_of(c), {});
    if (!model) return std::fprintf(stderr, "%s: %s\n", c.op, model.error().message().c_str()), 3;
    auto session = model->session();
    if (!session) return std::fprintf(stderr, "%s: %s\n", c.op, session.error().message().c_str()), 4;
    for (const Port& port : session->inputs()) {
      auto to = session->input_bytes(port.name);
      const bool data = is_float(port.dtype) || port.dtype == DType::boolean;  // integers are indices or shifts: always 0
      fill(to.data(), to.size(), port.dtype, 7, data ? kind : Kind::zeros);
    }
    session->run();  // lazily bound symbols are bound now
    CALLGRIND_ZERO_STATS;
    session->run();
    CALLGRIND_DUMP_STATS_AT(c.op);
    std::printf("%s\n", c.op);
  }
  return 0;
}
