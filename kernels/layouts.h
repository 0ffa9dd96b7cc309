// How an operator says which layouts it takes and gives besides plain values; the passes that ask name no operator themselves.
//   OpDef::layouts        answers a LayoutQuery with a LayoutForm: channel-blocked values (NCHW16c, conv/conv.h). runtime/assign_layouts.h asks.
//   OpDef::channels_last  with a LastForm: [N, spatial, C] for [N, C, spatial]. runtime/last_channels.h, runtime/conv_ends.h ask.
//   Nothing, or no such function: plain values alone.
//   Operators that are computed element by element share the functions below; a new one of them is also a row of conv/map_blocks.h.
// Next: conv/map_layouts.cpp, then the end of pool/pool.cpp.
#pragma once
#include <optional>
#include <span>
#include <vector>

#include "kernels/op.h"

namespace tern {

// What the operator sees of a node when every shape is a number, or unknown for good. To be used at once: it refers to the graph.
struct LayoutQuery {
  struct Input {
    const TypeInfo* type = nullptr;  // null: absent
    const Tensor* value = nullptr;   // of a constant
    bool blocked = false;            // what gives it can give it blocked
    bool channels_last = false;      // it is [N, spatial, C] put channels first, and may be read as it was
  };
  const OpDef& op;
  AttrReader attrs;
  const Attributes& given;  // what attrs reads
  std::vector<Input> inputs;
  std::vector<const TypeInfo*> outputs;  // null: absent

  bool has(size_t i) const { return i < inputs.size() && inputs[i].type != nullptr; }
  Dims x(size_t i) const { return inputs[i].type->shape.concrete(); }
  Dims y() const { return outputs[0]->shape.concrete(); }
  // May it be blocked at all? f32 of 3 or 4 known axes, with enough channels that most lanes are not idle; and no constant.
  bool suits(size_t i) const;
  bool suits_output(size_t o = 0, int64_t fewest = 16) const;
  // Input i can come blocked, and has the dims of y.
  bool like_y(size_t i) const { return has(i) && inputs[i].blocked && x(i) == y(); }
  // Blocked with nothing to be moved for it: it comes so, or is moved at any rate.
  bool cheaply_blocked(size_t i) const { return inputs[i].blocked || inputs[i].channels_last; }
  // The contents of a constant of integers.
  std::optional<std::vector<int64_t>> ints(size_t i) const;
};

enum class Takes : uint8_t { plain, blocked, as_it_comes };

struct LayoutForm {
  std::vector<Takes> takes;       // by input; plain beyond its end
  bool gives = false;             // its outputs may be blocked; they are when all are wanted so by some reader
  bool unasked = false;           // output 0 is blocked whether a reader wants it so or not
  bool takes_regardless = false;  // it takes inputs so even when it gives plain outputs
  bool no_halo = false;           // what it gives has none, whatever its reader would like
  Layout halo;                    // what it would like around input 0 where that is blocked
  // The node on blocked values, where it is another: when its outputs are blocked, or, of one that takes regardless, input 0.
  const OpDef* op = nullptr;
  Attributes attrs;
  std::vector<size_t> inputs;           // of the node: which of those asked about, in its order; empty: all
  std::vector<Attributes> each_output;  // not empty: a node an output, with these attributes
};

// Channels last is a shape of its own: whoever reads it so must be a node that does. Either all of `takes` and output 0 are, or (`apart`) input 0 and
// output 0 each on its own, as the node's attribute channels_last says.
struct LastForm {
  std::vector<size_t> takes;  // inputs that may have their channels last
  bool apart = false;
  bool copies = false;        // apart: it reads by way of a copy, which several readers of the plain value would share
  const OpDef* op = nullptr;  // of the node that it is then
  Attributes attrs;           // and its attributes
};
// Of the attribute channels_last: which sides are [N, spatial, C]; of both the sum.
constexpr int64_t kLastX = 1, kLastY = 2;
// The node itself, with these inputs so.
LastForm takes_last(const LayoutQuery& q, std::vector<size_t> inputs);
// The one for operators that are computed element by element.
std::optional<LastForm> map_channels_last(const LayoutQuery& q);

// The spatial zeros that a Pad puts around f32 [N, C, spatial], [begin of each, end of each]; nothing when it does anything else (movement/pad.cpp).
std::optional<std::vector<int64_t>> zero_padding(const LayoutQuery& pad);

// What has an OpDef::activation is a MapBlocks of it.
std::optional<LayoutForm> activation_layouts(const LayoutQuery&);
// Operators of two inputs with a row of MapBlocks: both like y, or the second one with one element a channel, or one. Commutative: or the first one.
std::optional<LayoutForm> pair_layouts(const LayoutQuery&);
std::optional<LayoutForm> commutative_layouts(const LayoutQuery&);

// Means of whole maps (pool/pool.cpp).
std::optional<LayoutForm> mean_layouts(const LayoutQuery&);

// A MapBlocks of input 0, with this attribute; a ConcatBlocks of channels [first, first + channels) of it, as attributes.
LayoutForm map_form();
LayoutForm map_form(std::string attribute, Attributes::Value value);
Attributes some_channels(int64_t first, int64_t channels);

}  // namespace tern
