// Every operator of TensorFlow that tern knows, found by its name. See operator.h.
#include <algorithm>
#include <vector>

#include "loaders/tensorflow/ops/operator.h"

namespace tern::tensorflow {

std::span<const std::span<const Operator>> all_operators() {
  static const std::span<const Operator> kTables[] = {
      arithmetic_operators(), function_operators(), special_operators(),   bessel_operators(),   bit_operators(),         cast_operators(),
      activation_operators(), linear_operators(),   conv_operators(),      pool_operators(),     norm_operators(),        reduce_operators(),
      shape_operators(),      slice_operators(),    join_operators(),      pad_operators(),      create_operators(),      matrix_operators(),
      gather_operators(),     scatter_operators(),  dynamic_operators(),   order_operators(),    image_operators(),       color_operators(),
      patch_operators(),      equation_operators(), detection_operators(), quantize_operators(), complex_operators(),     fourier_operators(),
      string_operators(),     ragged_operators(),   sparse_operators(),    audio_operators(),    recognition_operators(), example_operators(),
      cell_operators(),       refused_operators(),  project_operators(),
  };
  return kTables;
}

namespace {

struct Named {
  std::string_view name;
  const Operator* op;
};

std::vector<Named> sorted_names() {
  std::vector<Named> all;
  for (std::span<const Operator> table : all_operators()) {
    for (const Operator& op : table) {
      for (std::string_view rest = op.names; !rest.empty();) {
        const size_t blank = std::min(rest.find(' '), rest.size());
        all.push_back({rest.substr(0, blank), &op});
        rest.remove_prefix(std::min(blank + 1, rest.size()));
      }
    }
  }
  std::sort(all.begin(), all.end(), [](const Named& a, const Named& b) { return a.name < b.name; });
  return all;
}

}  // namespace

const Operator* find_operator(std::string_view name) {
  static const std::vector<Named> kNames = sorted_names();
  const auto at = std::lower_bound(kNames.begin(), kNames.end(), name, [](const Named& n, std::string_view t) { return n.name < t; });
  return at != kNames.end() && at->name == name ? at->op : nullptr;
}

}  // namespace tern::tensorflow
