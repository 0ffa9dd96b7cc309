// Every row of every operator: run by some case, on every ISA with the same bits. Contract: kernels/row.h.
#include <doctest/doctest.h>

#include "tests/support/device.h"
#include "tests/support/op_test.h"
#include "tests/support/operator_cases.h"

namespace tern::test::in_rows {
namespace {

// Families whose rows no case reaches, and why: a blocked layout is given to a value by assign_layouts, inside of a plan (runtime/assign_layouts.cpp
// compares what is blocked with what is plain); other arithmetic by a session that asks for it (weights.cpp; cuda/precision.cpp, cuda/driver.sh).
const std::set<std::string> kExempt = {"max_pool_blocked",
                                       "average_pool_blocked",
                                       "global_average_pool_blocked",
                                       "mean_blocks",
                                       "concat_blocks",
                                       "expand_depthwise",
                                       "map_blocks",
                                       "reorder",
                                       "gemm_tf32",
                                       "gemm_f16",
                                       "gemm_bf16",
                                       "gemm_cublas",
                                       "gemm_weights_bf16",
                                       "gemm_weights_int8",
                                       "lstm_weights_bf16",
                                       "lstm_weights_int8",
                                       "gru_weights_bf16",
                                       "gru_weights_int8",
                                       "rnn_weights_bf16",
                                       "rnn_weights_int8",
                                       "conv_tf32",
                                       "conv_f16",
                                       "conv_bf16"};

// The row that computes this case; null when it is refused.
const KernelRow* row_of(const OpDef& op, const Attributes& attrs, std::span<const Tensor> inputs, std::span<Tensor> outputs, Isa isa,
                        bool constants) {
  std::vector<TensorView> in, out;
  for (const Tensor& t : inputs) in.push_back(t.view(constants));
  for (Tensor& t : outputs) out.push_back(t.view());
  auto bound = bind_op(op, {.attrs = {op.attrs, attrs}, .isa = isa, .inputs = in, .outputs = out});
  return bound ? bound->row : nullptr;
}

}  // namespace

TEST_CASE("rows: every row of the catalog is run by a case, and all rows of one operator and dtype give the same bits") {
  std::set<const KernelRow*> ran;
  for (const Case& c : row_cases()) {
    const OpDef& op = *find_op(c.op);
    const Attributes attrs = attributes_of(c);
    std::vector<Tensor> inputs, first;
    std::string text = c.op;
    for (size_t i = 0; i < c.inputs.size(); ++i) {
      inputs.push_back(tensor_of(c, i));
      text += std::string(" ") + name(c.inputs[i].dtype) + to_string(c.inputs[i].dims);
    }
    CAPTURE(text);
    for (bool constants : {false, true}) {
      for (Isa isa : runnable_isas()) {
        auto outputs = evaluate(op, attrs, inputs, c.outputs, {.isa = isa, .constants = constants ? ~0u : 0});
        if (!outputs) continue;  // of such dtypes there is no such operator
        const KernelRow* row = row_of(op, attrs, inputs, *outputs, isa, constants);
        if (row != nullptr) ran.insert(row);
        if (first.empty()) first = *outputs;
        for (size_t o = 0; o < first.size(); ++o) {
          if (first[o].dtype() != DType::string) check_same((*outputs)[o], first[o]);  // text lies elsewhere every time
        }
      }
      if (!on_device() || first.empty()) continue;
      const DeviceResult there = run_on_device(op, attrs, inputs, first, constants ? ~0u : 0);
      if (there.row == nullptr) continue;
      ran.insert(there.row);
      CHECK(there.why == "");
      for (size_t o = 0; o < first.size(); ++o) {
        if (first[o].present()) check_same(there.outputs[o], first[o]);
      }
    }
  }
  for (const OpDef* op : all_ops()) {
    for (const KernelRow* row : op->kernels) {
      if ((runnable(row->isa) || (on_device() && row->isa == Isa::cuda)) && kExempt.count(std::string(row->name, std::strcspn(row->name, "/"))) == 0)
        CHECK_MESSAGE(ran.count(row) == 1, std::string(op->name) << ": no case runs " << std::string(row->name));
    }
  }
}

}  // namespace tern::test::in_rows
