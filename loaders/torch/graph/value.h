// IValue: what a Python expression of a forward is while a graph is built from it: a tensor of the graph, a number (perhaps symbolic), a
// list. Arguments and results of every operator of ops/. The name is PyTorch's. Next: builder.h, then ops/operator.h.
#pragma once
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "loaders/torch/module/module.h"
#include "runtime/graph_builder.h"

namespace tern::torch {

// A Python int is tern's Int.
struct IValue;
using IValues = std::vector<IValue>;

struct IValue {
  struct None {};
  struct Tensor {
    ValueId id = kNone;
  };
  struct Sequence {  // a list or a tuple
    std::shared_ptr<IValues> items;
    bool tuple = false;
  };
  struct Dict {  // string keys, in order
    std::shared_ptr<std::vector<std::pair<std::string, IValue>>> items;
  };
  struct Slice {  // start, stop, step of an index
    std::shared_ptr<IValues> parts;
  };
  struct Ellipsis {};
  struct Uncomputed {            // a result that torch has and tern does not make: whoever reads or returns it is refused
    const char* what = nullptr;  // "indices (…what to do instead…)"
  };
  struct Callable {  // a module, or a function by its spelling in ops/ ("F.relu")
    std::shared_ptr<const Module> module;
    std::string name;  // the module's path ("layers.0"), or the function
  };
  std::variant<None, bool, Int, double, std::string, DType, Tensor, Sequence, Dict, Slice, Ellipsis, Callable, Uncomputed> v;

  IValue() = default;
  template <class T>
  requires(!std::is_same_v<std::decay_t<T>, IValue>) IValue(T&& value) : v(std::forward<T>(value)) {}  // NOLINT: implicit on purpose
  static IValue tensor(ValueId id) { return id == kNone ? IValue() : IValue(Tensor{id}); }
  static IValue uncomputed(const char* what = nullptr) { return IValue(Uncomputed{what}); }
  static IValue list(IValues items) { return IValue(Sequence{std::make_shared<IValues>(std::move(items)), false}); }
  static IValue tuple(IValues items) { return IValue(Sequence{std::make_shared<IValues>(std::move(items)), true}); }

  template <class T>
  const T* get() const {
    return std::get_if<T>(&v);
  }
  bool is_none() const { return v.index() == 0; }
  bool is_tensor() const { return get<Tensor>() != nullptr; }
  ValueId id() const { return is_tensor() ? get<Tensor>()->id : kNone; }
  const IValues* items() const { return get<Sequence>() ? get<Sequence>()->items.get() : nullptr; }
  // "None", "a bool", "an int", "a float", "a string", "a tensor", "a list" …, for messages.
  const char* kind() const;
};

// The value of a literal: names become dtypes ("torch.float32", "float"), functions ("relu") or strings.
IValue from_literal(const Literal& literal);

}  // namespace tern::torch
