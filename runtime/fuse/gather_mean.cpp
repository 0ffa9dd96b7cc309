// Gather -> [Cast of 16 bits to f32 ->] ReduceMean over the gathered places becomes GatherMean: the mean of an embedding. See passes.h.
#include "runtime/fuse/passes.h"
#include "runtime/fuse/rewriter.h"

namespace tern {
namespace {

// One row alone has its sum across lanes, in another order.
bool has_long_rows(const Shape& table) { return table.rank() >= 2 && table.known() && table.concrete().count(1, table.rank()) > 1; }

}  // namespace

void fuse_gather_mean(Graph& graph) {
  Rewriter r(graph);
  for (size_t n = 0; n < r.size(); ++n) {
    const Node* mean = r.at(n, "ReduceMean");
    if (mean == nullptr || !r.read_once(mean->inputs[0])) continue;
    const Node* cast = r.producer(mean->inputs[0], "Cast");
    const ValueId rows = cast ? cast->inputs[0] : mean->inputs[0];
    const Node* gather = r.producer(rows, "Gather");
    if (gather == nullptr || !r.read_once(rows) || mean->inputs.size() < 2 || !graph.is_constant(mean->inputs[1])) continue;
    const Shape &table = r.shape(gather->inputs[0]), &indices = r.shape(gather->inputs[1]);
    const auto axes = as_ints(graph.value(mean->inputs[1]).constant.view());
    if (!axes || axes->size() != 1 || !has_long_rows(table) || indices.rank() < 1) continue;
    if (const auto axis = normalize_axis(gather->read().i("axis"), table.rank()); !axis || *axis != 0) continue;
    const auto last = normalize_axis((*axes)[0], indices.rank() + table.rank() - 1);
    if (!last || *last != indices.rank() - 1) continue;
    Node fused{find_op("GatherMean"), "", {}, gather->inputs, mean->outputs, {}};
    fused.attrs.set("keepdims", mean->read().i("keepdims"));
    r.replace(n, std::move(fused));  // not where the table or the mean is of other types than GatherMean's
  }
}

}  // namespace tern
