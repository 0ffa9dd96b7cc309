// Activations. See layers.h. Next: pool.cpp.
#include "loaders/torch/nn/layers.h"

namespace tern::torch {
namespace {

Status prelu_state(const Module& m, const std::string& path, std::vector<Expected>& out) {
  Options o(m);
  out.push_back({join(path, "weight"), {{o.integer("num_parameters")}}});
  return o.status();
}

IValue prelu(const LayerCall& c) { return call(c.builder(), "F.prelu", {c.input(), IValue::tensor(c.weight("weight"))}); }

IValue rrelu(const LayerCall& c) {  // the middle of its range in eval mode
  return call(c.builder(), "F.leaky_relu", {c.input(), (c.number("lower") + c.number("upper")) / 2});
}

IValue softmax2d(const LayerCall& c) { return call(c.builder(), "F.softmax", {c.input()}, {{"dim", Int(-3)}}); }

TypeInfo any_image(const Module&) { return {DType::f32, Shape{free_size(), free_size(), free_size(), free_size()}}; }

constexpr const char* kInplace = "inplace=False";

constexpr Layer kActivationsRows[] = {
    {"ReLU", kInplace, "input", nullptr, apply<"F.relu">, nullptr},
    {"ReLU6", kInplace, "input", nullptr, apply<"F.relu6">, nullptr},
    {"Sigmoid", "", "input", nullptr, apply<"F.sigmoid">, nullptr},
    {"Tanh", "", "input", nullptr, apply<"F.tanh">, nullptr},
    {"Hardtanh", "min_val=-1.0, max_val=1.0, inplace=False", "input", nullptr, apply<"F.hardtanh", "min_val", "max_val">, nullptr},
    {"Hardsigmoid", kInplace, "input", nullptr, apply<"F.hardsigmoid">, nullptr},
    {"Hardswish", kInplace, "input", nullptr, apply<"F.hardswish">, nullptr},
    {"Hardshrink", "lambd=0.5", "input", nullptr, apply<"F.hardshrink", "lambd">, nullptr},
    {"Softshrink", "lambd=0.5", "input", nullptr, apply<"F.softshrink", "lambd">, nullptr},
    {"Tanhshrink", "", "input", nullptr, apply<"F.tanhshrink">, nullptr},
    {"LeakyReLU", "negative_slope=0.01, inplace=False", "input", nullptr, apply<"F.leaky_relu", "negative_slope">, nullptr},
    {"RReLU", "lower=0.125, upper=0.3333333333333333, inplace=False", "input", nullptr, rrelu, nullptr},
    {"PReLU", "num_parameters=1, init=0.25, device=None, dtype=None", "input", prelu_state, prelu, nullptr},
    {"Threshold", "threshold, value, inplace=False", "input", nullptr, apply<"F.threshold", "threshold", "value">, nullptr},
    {"ELU", "alpha=1.0, inplace=False", "input", nullptr, apply<"F.elu", "alpha">, nullptr},
    {"CELU", "alpha=1.0, inplace=False", "input", nullptr, apply<"F.celu", "alpha">, nullptr},
    {"SELU", kInplace, "input", nullptr, apply<"F.selu">, nullptr},
    {"GELU", "approximate='none'", "input", nullptr, apply<"F.gelu", "approximate">, nullptr},
    {"SiLU", kInplace, "input", nullptr, apply<"F.silu">, nullptr},
    {"Mish", kInplace, "input", nullptr, apply<"F.mish">, nullptr},
    {"GLU", "dim=-1", "input", nullptr, apply<"F.glu", "dim">, nullptr},
    {"Softplus", "beta=1.0, threshold=20.0", "input", nullptr, apply<"F.softplus", "beta", "threshold">, nullptr},
    {"Softsign", "", "input", nullptr, apply<"F.softsign">, nullptr},
    {"LogSigmoid", "", "input", nullptr, apply<"F.logsigmoid">, nullptr},
    {"Softmax", "dim=None", "input", nullptr, apply<"F.softmax", "dim">, nullptr},
    {"LogSoftmax", "dim=None", "input", nullptr, apply<"F.log_softmax", "dim">, nullptr},
    {"Softmin", "dim=None", "input", nullptr, apply<"F.softmin", "dim">, nullptr},
    {"Softmax2d", "", "input", nullptr, softmax2d, any_image},
};

}  // namespace

std::span<const Layer> activation_layers() { return kActivationsRows; }

}  // namespace tern::torch
