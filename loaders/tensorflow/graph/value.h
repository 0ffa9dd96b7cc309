// Value: what an output of a TensorFlow node is while a graph is built from it: a tensor of the graph, mostly; or what TensorFlow calls a resource or a
// variant: a variable, a hash table, a list of tensors. None of these is in the graph that comes out. Next: call.h, then ops/operator.h.
#pragma once
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/graph_builder.h"

namespace tern::tensorflow {

// What a hash table holds once it is initialised. Row i of the keys has row i of the values.
struct LookupTable {
  std::string name;  // for messages
  DType key_dtype = DType::none, value_dtype = DType::none;
  Tensor keys, values;  // [n] each; none until it is initialised
};

// A TensorList: one tensor, or what is known of a list before anything was put in.
struct TensorList {
  ValueId elements = kNone;  // [length, element...]
  ValueId sequence = kNone;  // instead: elements of several shapes
  Int length;                // where there are no elements yet, also below
  DType dtype = DType::none;
  Shape element;
  bool grows = false;  // what is written behind the end makes it longer
  // In the body of a loop that carries the list: what this iteration did with it.
  struct Use {
    bool read = false, twice = false;  // read; written more than once
    TypeInfo item;                     // what was written
  };
  std::shared_ptr<Use> use;
  ValueId item = kNone;   // written last, at
  ValueId index = kNone;  // or put behind the end
};

struct Value {
  struct Nothing {};  // an argument that nobody gave
  struct Dead {};     // of a branch of TensorFlow 1 that is not taken
  struct Plain {      // a tensor; of complex numbers: their parts
    ValueId id, imaginary = kNone;
  };
  struct Uncomputed {  // what TensorFlow has and tern does not make: whoever reads it is refused with this text
    std::string what;
    bool unknown = false;  // it comes of an operator that tern does not know, and so does all that is computed from it
  };
  struct Variable {
    int32_t index;  // of the program's
  };
  struct Table {
    std::shared_ptr<LookupTable> table;
  };
  struct Asset {
    std::string file;  // that belongs to the model, its name beneath the folder assets
  };
  struct List {
    std::shared_ptr<const TensorList> list;
  };
  struct Chance {  // random numbers in [low, high), of a shape that a tensor holds
    ValueId shape;
    DType dtype;
    double low, high;
  };
  std::variant<Nothing, Dead, Plain, Uncomputed, Variable, Table, Asset, List, Chance> v;

  Value() = default;
  Value(ValueId id) {  // NOLINT: implicit on purpose
    if (id != kNone) v = Plain{id};
  }
  template <class T>
  requires(!std::is_same_v<std::decay_t<T>, Value> && !std::is_same_v<std::decay_t<T>, ValueId>) Value(T&& value)  // NOLINT: implicit on purpose
      : v(std::forward<T>(value)) {}
  static Value complex(ValueId real, ValueId imaginary) { return real == kNone ? Value() : Value(Plain{real, imaginary}); }
  static Value uncomputed(std::string what) { return Value(Uncomputed{std::move(what)}); }
  static Value list(TensorList list) { return Value(List{std::make_shared<const TensorList>(std::move(list))}); }

  template <class T>
  const T* get() const {
    return std::get_if<T>(&v);
  }
  ValueId id() const { return get<Plain>() != nullptr ? get<Plain>()->id : kNone; }
  ValueId imaginary() const { return get<Plain>() != nullptr ? get<Plain>()->imaginary : kNone; }
  // "a tensor", "a variable", "a hash table" …, for messages.
  const char* kind() const;
};
using Values = std::vector<Value>;

}  // namespace tern::tensorflow
