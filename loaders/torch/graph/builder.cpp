// See builder.h. Next: in_place.cpp.
#include "loaders/torch/graph/builder.h"

#include <algorithm>

#include "loaders/torch/module/source_text.h"

namespace tern::torch {

Error Builder::placed(const Error& error) const {
  if (position_.source == nullptr) return error;
  const std::string line = position_.source->line(position_.place.line);
  return Error(error.code(), position_.source->at(position_.place) + ": " + error.message() + (line.empty() ? "" : " [" + line + "]"));
}

int Builder::axis_of(int64_t axis, int rank) {
  if (!ok()) return 0;
  const int span = std::max(rank, 1);  // torch lets a scalar have axis 0 and -1
  if (axis < -span || axis >= span) {
    fail(invalid("dim " + std::to_string(axis) + " is out of range for " + std::to_string(rank) + " dimensions"));
    return 0;
  }
  return static_cast<int>(axis < 0 ? axis + span : axis);
}

bool Builder::untyped(ValueId v) const {
  if (v == kNone || !std::count(graph.inputs.begin(), graph.inputs.end(), v)) return false;
  return dtype(v) == DType::none || !shape(v).ranked();
}

void Builder::tell_type(ValueId input, TypeInfo type) {
  TypeInfo& known = graph.value(input).type;
  if (known.dtype == DType::none) known.dtype = type.dtype;
  if (known.shape.ranked() || !type.shape.ranked()) return;
  known.shape = std::move(type.shape);
  note_symbols(input);
}

bool Builder::readable(ValueId v) {
  if (!untyped(v)) return true;
  const std::string& name = graph.value(v).name;
  if (!shape(v).ranked()) {
    fail(invalid("the shape of input " + name + " is not known: write it in forward as " + name +
                 ": f32[N, 3, 32, 32], or give it in LoadOptions::inputs"));
    return false;
  }
  tell_type(v, {DType::f32, {}});
  return true;
}

}  // namespace tern::torch
