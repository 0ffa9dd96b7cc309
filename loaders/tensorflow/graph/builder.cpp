// See builder.h.
#include "loaders/tensorflow/graph/builder.h"

#include "runtime/base/printable.h"

namespace tern::tensorflow {

Error Builder::placed(const Error& error) const {
  if (place_.name == nullptr) return error;
  return error.within(printable(*place_.name, 200) + " (" + printable(*place_.op, 80) + ")");
}

// The first node that an operator adds has its name, others are called after what they do.
GraphBuilder::Names Builder::names(const char* op) {
  if (place_.name == nullptr) return GraphBuilder::names(op);
  std::string name = *place_.name;
  if (used_.contains(name)) name += std::string("/") + (op == nullptr ? "constant" : op);
  const int64_t n = used_[name]++;
  if (n > 0) name += "_" + std::to_string(n);
  return {name, name};
}

ValueId Builder::variable(int32_t index) {
  if (!ok()) return kNone;
  if (const auto known = variables_.find(index); known != variables_.end()) return known->second;
  auto tensor = program.variable(index);
  if (!tensor) return fail(tensor.error());
  const ValueId v = constant(std::move(*tensor));
  variables_.emplace(index, v);
  return v;
}

ValueId Builder::capture(ValueId outer) {
  if (!ok() || outer == kNone) return kNone;
  auto [at, fresh] = around_->captured_as_.try_emplace(outer);
  if (fresh) {
    at->second = "%" + std::to_string(outer);
    if (Status s = around_->define(at->second, outer); !s) return fail(s.error());
  }
  auto v = find(at->second);
  return v ? *v : fail(v.error());
}

}  // namespace tern::tensorflow
