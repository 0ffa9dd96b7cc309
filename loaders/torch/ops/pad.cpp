// Padding, in torch's modes: from the last axis on, before and behind. Negative numbers crop. See operator.h. Next: index.cpp.
#include "loaders/torch/ops/common.h"

namespace tern::torch {
namespace {

struct PadMode {
  const char *torch, *onnx;
};
constexpr PadMode kPadModes[] = {{"constant", "constant"}, {"reflect", "reflect"}, {"replicate", "edge"}, {"circular", "wrap"}};

constexpr int64_t kMost = int64_t(1) << 40;

ValueId padded(Builder& b, ValueId x, const std::vector<Int>& pad, const char* mode, const IValue& value) {
  const int rank = b.rank(x), padded_axes = static_cast<int>(pad.size() / 2);
  if (!b.ok()) return kNone;
  if (pad.size() % 2 != 0 || padded_axes > rank) {
    return b.fail(invalid("pad must have two numbers for each of the last dimensions, not " + std::to_string(pad.size()) + " for an input of " +
                          std::to_string(rank)));
  }
  for (const Int& n : pad) {
    if (n.known() && (n.value() < -kMost || n.value() > kMost)) return b.fail(invalid("pad makes no sense: " + std::to_string(n.value())));
  }
  if (std::all_of(pad.begin(), pad.end(), [](const Int& n) { return n.known() && n.value() == 0; })) return x;
  std::vector<Int> pads(static_cast<size_t>(2 * rank), Int(0));
  for (int i = 0; i < padded_axes; ++i) {
    const auto at = static_cast<size_t>(rank - 1 - i), from = static_cast<size_t>(2 * i);
    pads[at] = pad[from];
    pads[at + static_cast<size_t>(rank)] = pad[from + 1];
  }
  const bool constant = std::string_view(mode) == "constant";
  if (std::string_view(mode) == "wrap") {  // what is cropped does not come around
    for (int axis = 0; axis < rank; ++axis) {
      Int &before = pads[static_cast<size_t>(axis)], &after = pads[static_cast<size_t>(axis + rank)];
      if (!before.known() || !after.known()) continue;
      x = slice(b, x, axis, std::max<int64_t>(-before.value(), 0), after.value() < 0 ? after.value() : INT64_MAX);
      before = std::max<int64_t>(before.value(), 0);
      after = std::max<int64_t>(after.value(), 0);
    }
  }
  const ValueId filler = constant && !value.is_none() ? operand(b, value, b.dtype(x)) : kNone;
  return b.emit("Pad", {x, b.ints(pads), filler}, attributes({{"mode", std::string(mode)}}));
}

IValue pad(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const std::string mode = a.string("mode");
  for (const PadMode& m : kPadModes) {
    if (mode == m.torch) return tensor_of(padded(b, x, a.sizes("pad"), m.onnx, a["value"]));
  }
  return tensor_of(b.ok() ? b.fail(invalid("mode must be 'constant', 'reflect', 'replicate' or 'circular', not '" + mode + "'")) : kNone);
}

template <OpName PadMode>
IValue pad_as(Builder& b, const Arguments& a) {
  return tensor_of(padded(b, a.tensor("input"), a.sizes("pad"), PadMode.text, a["value"]));
}

constexpr Operator kPadRows[] = {
    {"F.pad aten.pad.default", "input|self, pad, mode='constant', value=None", pad},
    {"aten.constant_pad_nd.default torch.constant_pad_nd", "input|self, pad, value=0", pad_as<"constant">},
    {"aten.reflection_pad1d.default aten.reflection_pad2d.default aten.reflection_pad3d.default", "input|self, pad|padding", pad_as<"reflect">},
    {"aten.replication_pad1d.default aten.replication_pad2d.default aten.replication_pad3d.default", "input|self, pad|padding", pad_as<"edge">},
    {"aten._pad_circular.default", "input|self, pad", pad_as<"wrap">},
};

}  // namespace

std::span<const Operator> pad_operators() { return kPadRows; }

}  // namespace tern::torch
