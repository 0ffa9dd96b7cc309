// Plans of a graph on every ISA and thread count, in an arena that is full of NaN at first, run twice over, against known outputs: the same bytes.
#pragma once
#include <doctest/doctest.h>

#include <cstring>

#include "runtime/plan/program.h"
#include "runtime/verify.h"
#include "tests/support/op_test.h"

namespace tern::test {

inline void check_plans(const Graph& graph, std::span<const Tensor> inputs, std::span<const Tensor> expected) {
  auto legal = verify(graph);
  REQUIRE_MESSAGE(legal.ok(), (legal.ok() ? "" : legal.error().message()));
  INFO(to_text(graph));
  PackStore packs;
  for (Isa isa : runnable_isas()) {
    for (int threads : {1, 3}) {
      auto program = make_program(graph, {.isa = isa, .threads = threads, .budget = int64_t(1) << 30, .work = INT64_MAX, .least_split = 0});
      REQUIRE_MESSAGE(program.ok(), (program.ok() ? "" : program.error().message()));
      link_steps(**program, packs);
      auto plan = place(**program, {});
      REQUIRE_MESSAGE(plan.ok(), (plan.ok() ? "" : plan.error().message()));
      std::memset(plan->arena.data(), 0xff, static_cast<size_t>((*program)->values_bytes));
      for (int round = 0; round < 2; ++round) {
        for (size_t i = 0; i < inputs.size(); ++i) std::memcpy(plan->inputs[i].data, inputs[i].raw(), inputs[i].bytes());
        for (size_t s = 0; s < plan->steps[0].size(); ++s) {
          for (auto& steps : plan->steps) {
            if (steps[s].run != nullptr) steps[s].run(steps[s].args);
          }
        }
        for (size_t o = 0; o < expected.size(); ++o) {
          Tensor got = *Tensor::allocate(expected[o].dtype(), plan->outputs[o].dims);
          std::memcpy(got.mutable_raw(), plan->outputs[o].data, got.bytes());
          check_same(got, expected[o]);
        }
      }
    }
  }
}

}  // namespace tern::test
