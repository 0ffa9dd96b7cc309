// nn.h: architectures written in C++, for files that hold weights only. Layers have torch.nn's names, arguments and defaults.
//
//   namespace nn = tern::nn;
//   nn::Module net = nn::Sequential({nn::Conv2d(1, 8, 3, {.padding = 1}), nn::ReLU(), nn::Flatten(), nn::Linear(6272, 10)});
//   tern::Result<tern::Model> model = tern::load("weights.pth", net);
//
// What is more than a chain says how its parts are called. The function is called once, with tensors that only note what is done to them:
//
//   nn::Module block = nn::custom("Block", {{"conv", nn::Conv2d(8, 8, 3, {.padding = 1})}, {"bn", nn::BatchNorm2d(8)}},
//                                 [](const nn::Self& self, nn::Tensor x) { return x + nn::relu(self("bn", self("conv", x))); });
//
// A Module is the text that LoadOptions::architecture takes (text() gives it), so that both ways lead to the same graph. Everything that is wrong is
// told by load(). Values are immutable and may be shared by threads.
#pragma once
#include <concepts>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "tern/tern.h"

#pragma GCC visibility push(default)
namespace tern::nn {

class Tensor;
class Recorder;

// An argument: Python's None, bool, int, float, str, or a tuple of them; in a forward also a tensor.
class Value {
 public:
  Value() : text_("None") {}
  template <class T>
  requires(std::integral<T> || std::floating_point<T>) Value(T v) : text_(number(v)) {}  // NOLINT: implicit on purpose, as all of these
  Value(const char* s) : Value(std::string(s)) {}                                        // NOLINT
  Value(const std::string& s);                                                           // NOLINT
  Value(const Tensor& t);                                                                // NOLINT
  Value(std::initializer_list<Value> items);                                             // NOLINT: (3, 3)
  const std::string& text() const { return text_; }                                      // as Python writes it

 private:
  friend class Recorder;
  friend Value list(const std::vector<Value>& items);
  friend Value name(const std::string& text);
  template <class T>
  static std::string number(T v) {
    if constexpr (std::is_same_v<T, bool>) return v ? "True" : "False";
    else if constexpr (std::integral<T>) return std::to_string(v);
    else return real(static_cast<double>(v));
  }
  static std::string real(double v);
  std::string text_;
  std::shared_ptr<Recorder> recorder_;  // of a tensor, or of one inside
};
Value list(const std::vector<Value>& items);  // [a, b]
Value name(const std::string& text);          // what is no string: "torch.float32"

using Values = std::vector<Value>;
using Named = std::vector<std::pair<std::string, Value>>;

class ModuleData;

class Module {
 public:
  explicit Module(std::shared_ptr<const ModuleData> data) : data_(std::move(data)) {}
  const ModuleData& data() const { return *data_; }
  std::string text() const;  // the tree as print(model) shows it, and forwards; LoadOptions::architecture

 private:
  std::shared_ptr<const ModuleData> data_;
};
using Children = std::vector<std::pair<std::string, Module>>;

// Any layer of torch.nn that tern knows: module("Conv2d", {1, 8, 3}, {{"padding", 1}}).
Module module(const std::string& cls, const Values& arguments = {}, const Named& named = {}, const Children& children = {});

// ---- forwards ----

// What a forward computes with: a tensor, or what a Python expression may give (a size, a tuple).
class Tensor {
 public:
  Tensor at(const std::string& index) const;                            // x[index], as Python writes it: at(":, -1"), at("..., :3")
  Tensor operator[](int64_t i) const { return at(std::to_string(i)); }  // of a tuple: lstm(x)[0]
  Tensor method(const std::string& name, const Values& arguments = {}, const Named& named = {}) const;  // x.view(…)
  Tensor size(int64_t dim) const { return method("size", {dim}); }
  Tensor view(const Values& sizes) const { return method("view", sizes); }
  Tensor flatten(int64_t first = 0, int64_t last = -1) const { return method("flatten", {first, last}); }
  Tensor transpose(int64_t a, int64_t b) const { return method("transpose", {a, b}); }
  Tensor permute(const Values& dims) const { return method("permute", dims); }
  Tensor unsqueeze(int64_t dim) const { return method("unsqueeze", {dim}); }
  Tensor mean(const Value& dim) const { return method("mean", {dim}); }

 private:
  friend class Recorder;
  friend class Value;
  Tensor(std::shared_ptr<Recorder> recorder, std::string name) : recorder_(std::move(recorder)), name_(std::move(name)) {}
  std::shared_ptr<Recorder> recorder_;
  std::string name_;
};

// The module whose forward it is.
class Self {
 public:
  template <class... T>
  Tensor operator()(const std::string& child, const T&... arguments) const {
    return call(child, {Value(arguments)...});
  }
  Tensor call(const std::string& child, const Values& arguments, const Named& named = {}) const;
  Tensor parameter(const std::string& name) const;  // a parameter or buffer of its own: self.pos_embed

 private:
  friend class Recorder;
  explicit Self(std::shared_ptr<Recorder> recorder) : recorder_(std::move(recorder)) {}
  std::shared_ptr<Recorder> recorder_;
};

// A parameter of a forward. The type, for those of the root, where no layer tells it: "i64[batch, 12]"; empty: as the layers tell.
struct Input {
  std::string name, type = {};
};
using Forward = std::function<Tensor(const Self&, const std::vector<Tensor>&)>;

// A class of the user's own. With several outputs the forward returns tuple({a, b}).
Module custom(const std::string& cls, const Children& children, const std::vector<Input>& inputs, const Forward& forward);
Module custom(const std::string& cls, const Children& children, const std::function<Tensor(const Self&, Tensor)>& forward);

// Any function that tern knows: call("F.max_pool2d", {x, 2}), call("torch.cat", {list({a, b})}, {{"dim", 1}}).
Tensor call(const std::string& function, const Values& arguments, const Named& named = {});
Tensor tuple(const std::vector<Tensor>& items);
Tensor binary(const char* op, const Value& a, const Value& b);
inline Tensor relu(const Tensor& x) { return call("F.relu", {x}); }
inline Tensor gelu(const Tensor& x) { return call("F.gelu", {x}); }
inline Tensor silu(const Tensor& x) { return call("F.silu", {x}); }
inline Tensor sigmoid(const Tensor& x) { return call("torch.sigmoid", {x}); }
inline Tensor tanh(const Tensor& x) { return call("torch.tanh", {x}); }
inline Tensor softmax(const Tensor& x, int64_t dim) { return call("F.softmax", {x}, {{"dim", dim}}); }
inline Tensor matmul(const Tensor& a, const Tensor& b) { return call("torch.matmul", {a, b}); }
Tensor cat(const std::vector<Tensor>& tensors, int64_t dim = 0);
Tensor stack(const std::vector<Tensor>& tensors, int64_t dim = 0);

template <class T>
concept Scalar = std::integral<T> || std::floating_point<T>;
#define TERN_NN_OPERATOR(op)                                                                \
  inline Tensor operator op(const Tensor& a, const Tensor& b) { return binary(#op, a, b); } \
  template <Scalar T>                                                                       \
  Tensor operator op(const Tensor& a, T b) {                                                \
    return binary(#op, a, b);                                                               \
  }                                                                                         \
  template <Scalar T>                                                                       \
  Tensor operator op(T a, const Tensor& b) {                                                \
    return binary(#op, a, b);                                                               \
  }
TERN_NN_OPERATOR(+)
TERN_NN_OPERATOR(-)
TERN_NN_OPERATOR(*)
TERN_NN_OPERATOR(/)
#undef TERN_NN_OPERATOR

// ---- layers; those that are missing here are module(…) ----

Module Sequential(const std::vector<Module>& modules);
Module Sequential(const Children& children);
Module ModuleList(const std::vector<Module>& modules);

struct LinearOptions {
  bool bias = true;
};
Module Linear(int64_t in_features, int64_t out_features, const LinearOptions& o = {});

struct ConvOptions {
  Value stride = 1, padding = 0, dilation = 1;  // a number, or one for each axis; padding also "same" and "valid"
  int64_t groups = 1;
  bool bias = true;
  std::string padding_mode = "zeros";
};
Module Conv1d(int64_t in_channels, int64_t out_channels, const Value& kernel_size, const ConvOptions& o = {});
Module Conv2d(int64_t in_channels, int64_t out_channels, const Value& kernel_size, const ConvOptions& o = {});
Module Conv3d(int64_t in_channels, int64_t out_channels, const Value& kernel_size, const ConvOptions& o = {});

struct ConvTransposeOptions {
  Value stride = 1, padding = 0, output_padding = 0;
  int64_t groups = 1;
  bool bias = true;
  Value dilation = 1;
};
Module ConvTranspose1d(int64_t in_channels, int64_t out_channels, const Value& kernel_size, const ConvTransposeOptions& o = {});
Module ConvTranspose2d(int64_t in_channels, int64_t out_channels, const Value& kernel_size, const ConvTransposeOptions& o = {});
Module ConvTranspose3d(int64_t in_channels, int64_t out_channels, const Value& kernel_size, const ConvTransposeOptions& o = {});

struct BatchNormOptions {
  double eps = 1e-5;
  Value momentum = 0.1;
  bool affine = true, track_running_stats = true;
};
Module BatchNorm1d(int64_t num_features, const BatchNormOptions& o = {});
Module BatchNorm2d(int64_t num_features, const BatchNormOptions& o = {});
Module BatchNorm3d(int64_t num_features, const BatchNormOptions& o = {});
struct LayerNormOptions {
  double eps = 1e-5;
  bool elementwise_affine = true, bias = true;
};
Module LayerNorm(const Value& normalized_shape, const LayerNormOptions& o = {});
struct GroupNormOptions {
  double eps = 1e-5;
  bool affine = true;
};
Module GroupNorm(int64_t num_groups, int64_t num_channels, const GroupNormOptions& o = {});

Module Embedding(int64_t num_embeddings, int64_t embedding_dim);

struct RecurrentOptions {
  int64_t num_layers = 1;
  bool bias = true, batch_first = false, bidirectional = false;
};
Module LSTM(int64_t input_size, int64_t hidden_size, const RecurrentOptions& o = {});
Module GRU(int64_t input_size, int64_t hidden_size, const RecurrentOptions& o = {});
Module RNN(int64_t input_size, int64_t hidden_size, const RecurrentOptions& o = {});

struct AttentionOptions {
  bool bias = true, batch_first = false;
};
Module MultiheadAttention(int64_t embed_dim, int64_t num_heads, const AttentionOptions& o = {});
struct TransformerLayerOptions {
  int64_t dim_feedforward = 2048;
  std::string activation = "relu";
  double layer_norm_eps = 1e-5;
  bool batch_first = false, norm_first = false, bias = true;
};
Module TransformerEncoderLayer(int64_t d_model, int64_t nhead, const TransformerLayerOptions& o = {});
Module TransformerEncoder(const Module& layer, int64_t num_layers);
Module TransformerEncoder(const Module& layer, int64_t num_layers, const Module& norm);

struct PoolOptions {
  Value stride = {}, padding = 0;
  bool ceil_mode = false;
};  // stride None: the kernel's size
Module MaxPool1d(const Value& kernel_size, const PoolOptions& o = {});
Module MaxPool2d(const Value& kernel_size, const PoolOptions& o = {});
Module AvgPool1d(const Value& kernel_size, const PoolOptions& o = {});
Module AvgPool2d(const Value& kernel_size, const PoolOptions& o = {});
Module AdaptiveAvgPool1d(const Value& output_size);
Module AdaptiveAvgPool2d(const Value& output_size);
Module Flatten(int64_t start_dim = 1, int64_t end_dim = -1);

inline Module ReLU() { return module("ReLU"); }
inline Module GELU(const std::string& approximate = "none") { return module("GELU", {}, {{"approximate", approximate}}); }
inline Module SiLU() { return module("SiLU"); }
inline Module Sigmoid() { return module("Sigmoid"); }
inline Module Tanh() { return module("Tanh"); }
inline Module LeakyReLU(double negative_slope = 0.01) { return module("LeakyReLU", {}, {{"negative_slope", negative_slope}}); }
inline Module Softmax(int64_t dim) { return module("Softmax", {}, {{"dim", dim}}); }
inline Module Dropout(double p = 0.5) { return module("Dropout", {}, {{"p", p}}); }
inline Module Identity() { return module("Identity"); }

}  // namespace tern::nn

namespace tern {

// The weights of a file, in this architecture. options.architecture is not used. Errors also: what the architecture does wrong (invalid).
Result<Model> load(const std::string& path, const nn::Module& net, const LoadOptions& options = {});
Result<Model> load_bytes(std::span<const std::byte> bytes, const nn::Module& net, const LoadOptions& options = {});

}  // namespace tern
#pragma GCC visibility pop
