// The recurrent operators in double, straight from the formulas, for f64, f16 and bf16. See rnn.h.
#include "kernels/rnn/portable_row.h"

namespace tern::portable {
namespace {

template <class T, Cell kCell>
void rnn(const PortableRnnArgs& a) {
  const RnnShape& s = a.s;
  for (int64_t pair = s.begin; pair < s.end; ++pair) {
    const int64_t d = pair / s.batch, b = pair % s.batch;
    const Row<T> r{a, d, b, gates(kCell), static_cast<T*>(a.h), static_cast<T*>(a.c), a.gates};
    for (int64_t u = 0; u < s.hidden; ++u) r.start(u);
    const bool backwards = d == 1 || s.first_reversed;
    const int64_t length = a.lengths != nullptr ? sequence_length(a.lengths[b], s.steps) : s.steps;
    for (int64_t step = 0; step < s.steps; ++step) {
      const int64_t time = time_of_step(step, length, backwards);
      for (int64_t j = 0; j < first_gates(kCell) * s.hidden; ++j) r.template first<kCell>(time, j);
      for (int64_t u = 0; kCell == Cell::gru && u < s.hidden; ++u) r.reset(time, u);
      for (int64_t u = 0; u < s.hidden; ++u) r.template combine<kCell>(u);
      for (int64_t u = 0; u < s.hidden; ++u) r.template keep<kCell>(time, step < length, u);
    }
    for (int64_t u = 0; u < s.hidden; ++u) r.template end<kCell>(u);
  }
  report_lengths(a);
}

}  // namespace

constinit const KernelRow kLstm[] = {
    row<PortableRnnArgs, rnn<double, Cell::lstm>>("lstm/f64/scalar", DType::f64, Isa::scalar),
    row<PortableRnnArgs, rnn<f16, Cell::lstm>>("lstm/f16/scalar", DType::f16, Isa::scalar),
    row<PortableRnnArgs, rnn<bf16, Cell::lstm>>("lstm/bf16/scalar", DType::bf16, Isa::scalar),
};
constinit const KernelRow kGru[] = {
    row<PortableRnnArgs, rnn<double, Cell::gru>>("gru/f64/scalar", DType::f64, Isa::scalar),
    row<PortableRnnArgs, rnn<f16, Cell::gru>>("gru/f16/scalar", DType::f16, Isa::scalar),
    row<PortableRnnArgs, rnn<bf16, Cell::gru>>("gru/bf16/scalar", DType::bf16, Isa::scalar),
};
constinit const KernelRow kRnn[] = {
    row<PortableRnnArgs, rnn<double, Cell::rnn>>("rnn/f64/scalar", DType::f64, Isa::scalar),
    row<PortableRnnArgs, rnn<f16, Cell::rnn>>("rnn/f16/scalar", DType::f16, Isa::scalar),
    row<PortableRnnArgs, rnn<bf16, Cell::rnn>>("rnn/bf16/scalar", DType::bf16, Isa::scalar),
};

}  // namespace tern::portable
