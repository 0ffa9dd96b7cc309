// What flows between Keras' layers: a tensor with its mask; and the arguments of a call, which nest tensors and plain values in lists and
// dictionaries. Next: config.h.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/graph_builder.h"

namespace tern::keras {

// mask: bool, [batch, time] of most; kNone: every step counts.
struct Flow {
  ValueId value = kNone, mask = kNone;
};
using Flows = std::vector<Flow>;

struct Argument {
  enum class Kind : uint8_t { none, boolean, integer, real, text, ellipsis, slice, tensor, list, dict };
  Kind kind = Kind::none;
  bool flag = false;
  int64_t integer = 0;
  double real = 0;              // of an integer too
  std::string text;             // also the name of a dtype
  Flow flow;                    // of a tensor
  std::vector<Argument> items;  // of a list, a dict; of a slice: start, stop, step, each an integer, a tensor or none
  std::vector<std::string> keys;

  Argument() = default;
  Argument(Flow f) : kind(Kind::tensor), flow(f) {}  // NOLINT: implicit on purpose
  bool is(Kind k) const { return kind == k; }
  bool is_none() const { return kind == Kind::none; }
  bool is_number() const { return kind == Kind::integer || kind == Kind::real || kind == Kind::boolean; }
  // Adds the tensors in it, in order.
  void flatten(Flows& into) const {
    if (kind == Kind::tensor) into.push_back(flow);
    for (const Argument& item : items) item.flatten(into);  // as deep as the file's JSON may nest
  }
};

// Of one call: args and kwargs of Python.
struct Arguments {
  std::vector<Argument> positional;
  std::vector<std::pair<std::string, Argument>> named;

  const Argument* find(std::string_view name) const {
    for (const auto& [key, value] : named) {
      if (key == name) return &value;
    }
    return nullptr;
  }
};

}  // namespace tern::keras
