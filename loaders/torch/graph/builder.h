// Builder: a graph in the making, for everything of PyTorch: what runtime/graph_builder.h has, inputs whose types are told later, places in
// architecture files, and tensors that are changed in place. Next: ops/operator.h.
#pragma once
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "loaders/torch/graph/value.h"

namespace tern::torch {

struct SourceText;  // module/source_text.h

class Builder : public GraphBuilder {
 public:
  using GraphBuilder::GraphBuilder;

  // An input without a shape is to be told one before anything is computed from it (by the first layer that reads it, say); without a
  // dtype alone it is f32 then.
  bool untyped(ValueId v) const;                 // an input that lacks its shape or dtype
  void tell_type(ValueId input, TypeInfo type);  // what is known already stays
  bool readable(ValueId v) override;             // fails for an input whose shape was never told; settles its dtype

  // An axis in [-rank, rank) as [0, rank); fails outside.
  int axis(ValueId v, int64_t axis) { return axis_of(axis, rank(v)); }
  int axis_of(int64_t axis, int rank);

  // Where in an architecture file the nodes come from; errors begin with it. Gives what it was before.
  struct Position {
    const SourceText* source = nullptr;
    Place place;
  };
  Position exchange_position(Position p) { return std::exchange(position_, p); }
  // For the interpreters of forwards: what they did and how deep they stand, over all modules.
  struct Effort {
    int64_t steps = 0;
    int depth = 0;
  };
  Effort effort;

  // Views: `view` shows elements of `of`. Those that are noted after one begin_views() have no element in common.
  void begin_views() { ++calls_; }
  void note_view(ValueId view, ValueId of) { views_.try_emplace(view, View{of, calls_}); }

  // In-place operations: whoever holds `before` holds `now` from here on. Forwards ask for that when they read a value.
  void overwrite(ValueId before, ValueId now);
  bool overwrites() const { return !overwritten_.empty(); }
  // What v is now; fails for a view of something that was overwritten.
  ValueId current(ValueId v);

 private:
  Error placed(const Error& error) const override;

  // From v up to what owns the elements.
  std::vector<ValueId> origins(ValueId v) const;

  Position position_;
  struct View {
    ValueId of;
    int64_t call;
  };
  std::unordered_map<ValueId, View> views_;
  int64_t calls_ = 0;
  std::map<ValueId, ValueId> overwritten_;
};

}  // namespace tern::torch
