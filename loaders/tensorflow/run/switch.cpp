// Branches of TensorFlow 1 that frames.cpp left as they are, because no one condition tells which side of a Merge comes: that must be known when the
// model is loaded. See special.h.
#include "loaders/tensorflow/run/special.h"

namespace tern::tensorflow {
namespace {

Values switch_(Call& c, const Site&) {
  const auto known = known_ints(c.b, c.tensor(1));
  if (!c.b.ok()) return {};
  if (!known || known->size() != 1) return c.fail(unsupported("what it sends may come or not, and nothing waits for either"));
  const Value dead = Value::Dead(), &data = c.value(0);
  return (*known)[0] != 0 ? Values{dead, data} : Values{data, dead};
}

Values merge(Call& c, const Site&) {
  std::vector<size_t> alive;
  for (size_t i = 0; i < c.count(); ++i) {
    if (c.value(i).get<Value::Dead>() == nullptr) alive.push_back(i);
  }
  if (alive.empty()) return {Value::Dead(), Value::Dead()};
  if (alive.size() > 1) return c.fail(unsupported("which of its inputs comes is not known"));
  return {c.value(alive[0]), c.b.constant(Tensor::scalar(static_cast<int32_t>(alive[0])))};
}

constexpr Special kSwitchOperators[] = {{"Switch RefSwitch", switch_, false, "output_false output_true"},
                                        {"Merge RefMerge", merge, false, "output value_index"}};

}  // namespace

std::span<const Special> switch_operators() { return kSwitchOperators; }

}  // namespace tern::tensorflow
