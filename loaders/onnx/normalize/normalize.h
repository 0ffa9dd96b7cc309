// Normalisation: an operator of any opset becomes the newest of its name. One explicit table (table.cpp) says which function applies up
// to which opset; the functions are grouped by what changed: axes.cpp, shapes.cpp, einsum.cpp, softmax.cpp, activations.cpp, norms.cpp, resize.cpp, broadcast.cpp;
// by domain: microsoft.cpp, ml.cpp.
// To add one: write the function in the file of its kind, add a line to the table. Next: table.cpp.
#pragma once
#include <string>
#include <vector>

#include "runtime/graph_builder.h"
#include "runtime/missing_operators.h"

namespace tern::onnx {

// A node of the file, its names resolved; what a rule edits.
struct OnnxNode {
  std::string op, name;
  int64_t version = 0;  // of the opset that it was written for
  std::vector<ValueId> inputs, outputs;
  Attributes attrs;
  bool own = false;  // a rule made it an operator of tern's own, which no file may hold by that name

  ValueId input(size_t i) const { return i < inputs.size() ? inputs[i] : kNone; }
  void set_input(size_t i, ValueId v) {
    if (inputs.size() <= i) inputs.resize(i + 1, kNone);
    inputs[i] = v;
  }
  // An attribute of an old form, which no schema describes: `otherwise` where the file gives none, or another kind.
  template <class T>
  T old(std::string_view name, T otherwise = T()) const {
    const Attributes::Value* v = attrs.find(name);
    const T* t = v == nullptr ? nullptr : std::get_if<T>(v);
    return t == nullptr ? std::move(otherwise) : *t;
  }
  // Attributes that mean today what they meant then, with the newest schema's defaults. Precondition: the catalog has `op`.
  AttrReader newest() const { return {find_op(op)->attrs, attrs}; }
};

// [] of a numeric dtype; f32 for what is no number.
Tensor scalar_of(DType dtype, double value);

// Where rules add nodes and constants: what they emit belongs to the file's node that the builder is at, and values are named after its first output.
// Types are those that can be told: errors are infer_shapes' to report.
class Emitter : public GraphBuilder {
 public:
  Emitter(GraphBuilder* around, MissingOperators& missing) : GraphBuilder({}, around), missing_(missing) {}

  // A node of several outputs: some from value(), some perhaps of the file's node, which then must no longer have them.
  void emit_to(const char* op, std::vector<ValueId> inputs, Attributes attrs, std::vector<ValueId> outputs);
  ValueId value(const char* op) { return graph.add_value(names(op).value); }
  // A scalar of the dtype of `like`: f32 when that is not known.
  ValueId scalar_like(ValueId like, double value) { return constant(scalar_of(dtype(like), value)); }

 protected:
  void be_at(const OnnxNode& node) { at_ = &node; }
  // The file's node, in its newest form.
  void add(OnnxNode node, std::vector<int32_t> subgraphs = {}, int32_t captured = 0);

  MissingOperators& missing_;

 private:
  Names names(const char* op) override;
  Status settle(Node& node) override;

  const OnnxNode* at_ = nullptr;
  int64_t serial_ = 0;
};

using Rule = Status (*)(OnnxNode& node, Emitter& to);

// Applies every rule of the table that is for this operator and opset. Errors: an attribute or input that has no newest form.
Status normalize(OnnxNode& node, Emitter& to);

// ---- the rules, by file ----
// axes.cpp: attributes that became inputs
Status axes_to_input(OnnxNode&, Emitter&);  // ReduceX, Squeeze, Unsqueeze
Status split_sizes(OnnxNode&, Emitter&);
Status split_to_input(OnnxNode&, Emitter&);
Status split_count(OnnxNode&, Emitter&);
Status slice_to_inputs(OnnxNode&, Emitter&);
Status topk_to_input(OnnxNode&, Emitter&);
// shapes.cpp
Status reshape_to_input(OnnxNode&, Emitter&);
Status pad_to_inputs(OnnxNode&, Emitter&);
Status concat_axis(OnnxNode&, Emitter&);
Status scatter_elements(OnnxNode&, Emitter&);
Status cast_names(OnnxNode&, Emitter&);
Status cast_rounding(OnnxNode&, Emitter&);
Status lp_pool_order(OnnxNode&, Emitter&);
Status tile_repeats(OnnxNode&, Emitter&);
// einsum.cpp
Status einsum_product(OnnxNode&, Emitter&);
// softmax.cpp
Status flat_softmax(OnnxNode&, Emitter&);  // and LogSoftmax, Hardmax
// activations.cpp
Status clip_to_inputs(OnnxNode&, Emitter&);
Status clip_finite(OnnxNode&, Emitter&);
Status dropout_inference(OnnxNode&, Emitter&);
Status dropout_mask(OnnxNode&, Emitter&);
Status grid_sample_modes(OnnxNode&, Emitter&);
Status selu_constants(OnnxNode&, Emitter&);
Status output_sequence(OnnxNode&, Emitter&);  // LSTM, GRU, RNN
// norms.cpp
Status batch_norm_inference(OnnxNode&, Emitter&);
Status group_norm_channels(OnnxNode&, Emitter&);
Status norm_parameters(OnnxNode&, Emitter&);  // LayerNormalization, RMSNormalization
// resize.cpp
Status upsample_to_resize(OnnxNode&, Emitter&);
Status resize_simple(OnnxNode&, Emitter&);
Status resize_tensorflow(OnnxNode&, Emitter&);
Status resize_empty_inputs(OnnxNode&, Emitter&);
// broadcast.cpp: Add, Gemm … before they broadcast as NumPy does
Status broadcast_axis(OnnxNode&, Emitter&);
Status prelu_channels(OnnxNode&, Emitter&);

// microsoft.cpp: the operators of com.microsoft that quantised files hold, in terms of the standard ones
Rule microsoft_rule(const std::string& op);  // null when there is none
// ml.cpp: the table of ai.onnx.ml
Rule ml_rule(const std::string& op);  // null when there is none

}  // namespace tern::onnx
