// Builder: a graph in the making, for everything of PyTorch: what runtime/graph_builder.h has, inputs whose types are told later, places in
// architecture files, and tensors that are changed in place. Next: ops/operator.h.
#pragma once
#include <algorithm>
#include <functional>
#include <optional>
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

  // How a value came to show elements of another one.
  struct View {
    ValueId of = kNone;
    std::string by;                                                // the operator, for messages
    int64_t call = 0;                                              // views that one call made have no element in common
    std::function<ValueId(ValueId of)> remake;                     // the same view of another value; null: torch may have copied
    std::function<ValueId(ValueId whole, ValueId part)> put_back;  // the whole with the part in place of the view; null: not known
  };
  int64_t next_call() { return ++calls_; }
  void note_view(ValueId view, View how) { views_.try_emplace(view, std::move(how)); }
  // A view that torch may have copied under the same value (contiguous): neither made again nor put back.
  void doubt(ValueId view, std::string_view by) {
    if (auto known = views_.find(view); known != views_.end()) known->second = {known->second.of, std::string(by), known->second.call, {}, {}};
  }
  // Tensors may be changed in place: what torch copies is to be a value of its own, even where no node is needed to make it.
  bool changes = false;

  // In-place operations: whoever holds `before` holds `now` from here on. Whoever reads a value asks what it is now: current() adds the
  // nodes that views take, and fails where torch decides by strides whether it copies.
  void change(ValueId before, ValueId now);
  bool changed() const { return !overwritten_.empty(); }
  ValueId current(ValueId v) { return current(v, 0); }
  // change() for forwards, where a weight cannot be changed, nor the shape that a tensor has (t_).
  void overwrite(ValueId before, ValueId now);
  // Does `view` show elements of `of`?
  bool is_view_of(ValueId view, ValueId of) const {
    const std::vector<ValueId> chain = origins(view);
    return std::find(chain.begin(), chain.end(), of) != chain.end();
  }

 private:
  Error placed(const Error& error) const override;

  std::vector<ValueId> origins(ValueId v) const;  // from v up to what owns the elements
  struct Meeting {
    bool is_view = false;  // v shows what has changed; else a part of v has changed
    ValueId part = kNone;  // the view of v that has
  };
  std::optional<Meeting> meeting(ValueId v);
  ValueId current(ValueId v, int depth);

  Position position_;
  std::unordered_map<ValueId, View> views_;
  int64_t calls_ = 0;
  std::unordered_map<ValueId, ValueId> overwritten_;           // what a value is now
  std::unordered_map<ValueId, std::vector<ValueId>> changed_;  // by owner: what was changed
};

}  // namespace tern::torch
