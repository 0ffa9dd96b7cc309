// Channels first and last. See channels_last.h. Next: window.h.
#include <numeric>

#include "loaders/channels_last/channels_last.h"

namespace tern::channels_last {

ValueId to_first(GraphBuilder& b, ValueId x) {
  const int rank = b.rank(x);
  if (rank < 3) return x;
  std::vector<int64_t> order(static_cast<size_t>(rank));
  std::iota(order.begin() + 2, order.end(), 1);
  order[1] = rank - 1;
  return permute(b, x, order);
}

ValueId to_last(GraphBuilder& b, ValueId x) {
  const int rank = b.rank(x);
  if (rank < 3) return x;
  std::vector<int64_t> order(static_cast<size_t>(rank));
  std::iota(order.begin() + 1, order.end() - 1, 2);
  order.back() = 1;
  return permute(b, x, order);
}

}  // namespace tern::channels_last
