// What the shapes of a module's own weights say of its class. See parts.h; reference: the table of torch.nn's parameters.
// Next: containers.cpp.
#include <algorithm>
#include <initializer_list>
#include <optional>

#include "loaders/torch/suggest/parts.h"

namespace tern::torch {
namespace {

using Sizes = std::vector<int64_t>;

std::string text(int64_t n) { return std::to_string(n); }

std::string tuple(const Sizes& sizes) {
  std::string s = "(";
  for (size_t i = 0; i < sizes.size(); ++i) s += (i > 0 ? ", " : "") + text(sizes[i]);
  return s + (sizes.size() == 1 ? ",)" : ")");
}

// Is one of these in the name, whatever its case?
bool named(const std::string& name, std::initializer_list<std::string_view> parts) {
  std::string lower = name;
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return std::any_of(parts.begin(), parts.end(), [&](std::string_view part) { return lower.find(part) != lower.npos; });
}

bool only(const Part& part, std::initializer_list<std::string_view> names) {
  return std::all_of(part.tensors.begin(), part.tensors.end(),
                     [&](const auto& t) { return std::find(names.begin(), names.end(), t.first) != names.end(); });
}

const Sizes* sizes(const Part& part, std::string_view name) {
  const StoredTensor* t = part.tensor(name);
  return t == nullptr ? nullptr : &t->sizes;
}

class Leaves {
 public:
  void run(Part& root) {
    collect(root, nullptr);
    for (next_ = 1; next_ <= all_.size(); ++next_) name(*all_[next_ - 1].first, all_[next_ - 1].second);
  }

 private:
  void collect(Part& part, const Part* parent) {  // at most kMaxModuleDepth deep
    if (!part.tensors.empty()) all_.emplace_back(&part, parent);
    for (const auto& child : part.children) collect(*child, &part);
  }

  void name(Part& part, const Part* parent) {
    parent_ = parent;
    part.layer = recurrent(part) || cell(part) || attention(part) || batch_norm(part) || (sizes(part, "weight") != nullptr && weighted(part));
  }

  void decide(Part& part, const std::string& cls, const std::string& args) {
    part.cls = cls;
    part.args = args;
  }
  void flows(int64_t channels, int axes) {
    channels_ = channels;
    axes_ = axes;
    last_parent_ = parent_;
  }

  bool recurrent(Part& part) {
    const Sizes *ih = sizes(part, "weight_ih_l0"), *hh = sizes(part, "weight_hh_l0"), *hr = sizes(part, "weight_hr_l0");
    if (ih == nullptr || hh == nullptr || ih->size() != 2 || hh->size() != 2) return false;
    const int64_t hidden = hr != nullptr && hr->size() == 2 ? (*hr)[1] : (*hh)[1];
    const char* cls = gates(*ih, hidden);
    if (cls == nullptr) return false;
    int layers = 1;
    while (part.tensor("weight_ih_l" + std::to_string(layers)) != nullptr) ++layers;
    const bool both = part.tensor("weight_ih_l0_reverse") != nullptr;
    std::string args = text((*ih)[1]) + ", " + text(hidden);
    if (hr != nullptr) args += ", proj_size=" + text((*hr)[0]);
    if (layers > 1) args += ", num_layers=" + std::to_string(layers);
    if (part.tensor("bias_ih_l0") == nullptr) args += ", bias=False";
    args += ", batch_first=?";
    if (both) args += ", bidirectional=True";
    if (std::string_view(cls) == "RNN") args += ", nonlinearity=?";
    decide(part, cls, args);
    flows((hr != nullptr ? (*hr)[0] : hidden) * (both ? 2 : 1), 0);
    return true;
  }

  bool cell(Part& part) {
    const Sizes *ih = sizes(part, "weight_ih"), *hh = sizes(part, "weight_hh");
    if (ih == nullptr || hh == nullptr || ih->size() != 2 || hh->size() != 2) return false;
    const char* cls = gates(*ih, (*hh)[1]);
    if (cls == nullptr) return false;
    std::string args = text((*ih)[1]) + ", " + text((*hh)[1]);
    if (part.tensor("bias_ih") == nullptr) args += ", bias=False";
    if (std::string_view(cls) == "RNN") args += ", nonlinearity=?";
    decide(part, std::string(cls) + "Cell", args);
    flows((*hh)[1], 0);
    return true;
  }

  static const char* gates(const Sizes& ih, int64_t hidden) {
    if (hidden <= 0 || ih[0] % hidden != 0) return nullptr;
    const int64_t n = ih[0] / hidden;
    return n == 4 ? "LSTM" : n == 3 ? "GRU" : n == 1 ? "RNN" : nullptr;
  }

  bool attention(Part& part) {
    const Sizes *in = sizes(part, "in_proj_weight"), *q = sizes(part, "q_proj_weight"), *k = sizes(part, "k_proj_weight"),
                *v = sizes(part, "v_proj_weight");
    const bool apart = q != nullptr && k != nullptr && v != nullptr && q->size() == 2 && k->size() == 2 && v->size() == 2;
    if (!apart && (in == nullptr || in->size() != 2 || (*in)[0] != 3 * (*in)[1])) return false;
    const int64_t e = apart ? (*q)[1] : (*in)[1];
    std::string args = "embed_dim=" + text(e) + ", num_heads=?";
    if (part.tensor("in_proj_bias") == nullptr) args += ", bias=False";
    if (part.tensor("bias_k") != nullptr) args += ", add_bias_kv=True";
    if (apart) args += ", kdim=" + text((*k)[1]) + ", vdim=" + text((*v)[1]);
    decide(part, "MultiheadAttention", args + ", batch_first=?");
    part.whole = true;
    flows(e, 0);
    return true;
  }

  bool batch_norm(Part& part) {
    const Sizes* mean = sizes(part, "running_mean");
    if (mean == nullptr || mean->size() != 1 || !only(part, {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"})) return false;
    const int axes = axes_ > 0 ? axes_ : 1;
    if (channels_ != (*mean)[0]) part.note("or BatchNorm of other dimensions");
    decide(part, "BatchNorm" + std::to_string(axes) + "d",
           text((*mean)[0]) + ", eps=1e-05, momentum=0.1, affine=" + (part.tensor("weight") != nullptr ? "True" : "False") +
               ", track_running_stats=True");
    return true;
  }

  bool weighted(Part& part) {
    const Sizes &w = *sizes(part, "weight"), *bias = sizes(part, "bias");
    if (!only(part, {"weight", "bias"}) || w.empty() || w.size() > 5 || !part.children.empty()) return false;
    if (w.size() == 1) return vector(part, w[0], bias);
    if (bias != nullptr && *bias == w) {
      decide(part, "LayerNorm", tuple(w) + ", eps=1e-05, elementwise_affine=True");
      return true;
    }
    if (bias != nullptr && bias->size() != 1) return false;
    return w.size() == 2 ? matrix(part, w, bias) : kernel(part, w, bias);
  }

  bool vector(Part& part, int64_t n, const Sizes* bias) {
    if (bias != nullptr && (bias->size() != 1 || (*bias)[0] != n)) return false;
    if (bias != nullptr && axes_ > 0 && channels_ == n && !named(part.name, {"ln", "layer"})) {
      decide(part, "GroupNorm", "?, " + text(n) + ", eps=1e-05, affine=True");
      part.note("or LayerNorm((" + text(n) + ",)), InstanceNorm" + std::to_string(axes_) + "d(" + text(n) + ", affine=True)");
    } else if (bias != nullptr) {
      decide(part, "LayerNorm", tuple({n}) + ", eps=1e-05, elementwise_affine=True");
    } else if (n == 1 || named(part.name, {"act", "relu"}) || (axes_ > 0 && channels_ == n && !named(part.name, {"norm", "ln"}))) {
      decide(part, "PReLU", "num_parameters=" + text(n));
    } else {
      decide(part, "RMSNorm", tuple({n}) + ", eps=1e-06, elementwise_affine=True");
      part.note("eps as in the model; or LayerNorm((" + text(n) + ",), bias=False), PReLU(" + text(n) + ")");
    }
    return true;
  }

  // The size that the next module with weights takes.
  std::optional<int64_t> next_input() const {
    if (next_ >= all_.size()) return std::nullopt;
    for (const char* weight : {"weight", "weight_ih_l0", "weight_ih", "in_proj_weight", "running_mean"}) {
      if (const Sizes* s = sizes(*all_[next_].first, weight); s != nullptr && !s->empty()) return s->size() == 1 ? (*s)[0] : (*s)[1];
    }
    return std::nullopt;
  }

  bool matrix(Part& part, const Sizes& w, const Sizes* bias) {
    if (bias != nullptr && (*bias)[0] != w[0]) return false;
    const auto next = next_input();
    const bool says_so = named(part.name, {"emb", "wte", "wpe", "lookup", "vocab"});
    const bool looks_up = says_so || (next && *next == w[1] && *next != w[0] && !named(part.name, {"lin", "fc", "proj", "head"}));
    const std::string embedding = text(w[0]) + ", " + text(w[1]), linear = "in_features=" + text(w[1]) + ", out_features=" + text(w[0]);
    if (bias != nullptr || !looks_up) {
      decide(part, "Linear", linear + (bias != nullptr ? ", bias=True" : ", bias=False"));
      const bool sure = bias != nullptr || next_ > 1 || (next && *next == w[0]) ||
                        named(part.name, {"lin", "fc", "proj", "head", "mlp", "attn", "query", "key", "value"});
      if (!sure) part.note("or Embedding(" + embedding + ")");
      flows(w[0], 0);
    } else {
      decide(part, "Embedding", embedding);
      part.note("or EmbeddingBag(" + embedding + ", mode='mean')" + (says_so ? "" : ", Linear(" + linear + ", bias=False)"));
      flows(w[1], 0);
    }
    return true;
  }

  bool kernel(Part& part, const Sizes& w, const Sizes* bias) {
    const int axes = static_cast<int>(w.size()) - 2;
    if (axes == 1 && bias != nullptr && (*bias)[0] == w[0] && named(part.name, {"bilinear"})) {
      decide(part, "Bilinear", "in1_features=" + text(w[1]) + ", in2_features=" + text(w[2]) + ", out_features=" + text(w[0]) + ", bias=True");
      flows(w[0], 0);
      return true;
    }
    const Sizes kernel_size(w.begin() + 2, w.end());
    const bool pointwise = std::all_of(kernel_size.begin(), kernel_size.end(), [](int64_t k) { return k == 1; });
    const std::string cls = std::to_string(axes) + "d", rest = ", kernel_size=" + tuple(kernel_size) + ", stride=?";
    const std::string no_bias = bias == nullptr ? ", bias=False" : "";
    bool transposed = bias != nullptr && (*bias)[0] != w[0] && (*bias)[0] % std::max<int64_t>(w[1], 1) == 0;
    const bool either = bias == nullptr || w[0] == w[1];  // no size tells
    if (either)
      transposed = named(part.name, {"deconv", "transp", "tconv", "convt", "upconv"}) ||
                   (bias == nullptr && last_parent_ == parent_ && channels_ == w[0] && channels_ != w[1] && w[1] != 1);
    if (transposed) {
      const int64_t out = bias != nullptr ? (*bias)[0] : w[1];
      const int64_t groups = w[1] > 0 ? out / w[1] : 1;
      decide(part, "ConvTranspose" + cls,
             text(w[0]) + ", " + text(out) + rest + ", padding=?, output_padding=?" + (groups > 1 ? ", groups=" + text(groups) : "") + no_bias);
      if (either) part.note("or Conv" + cls + "(" + text(w[1]) + ", " + text(w[0]) + ", …)");
      flows(out, axes);
      return true;
    }
    if (bias != nullptr && (*bias)[0] != w[0]) return false;
    const bool depthwise = w[1] == 1 && w[0] > 1 && channels_ > 1 && axes_ == axes && w[0] % channels_ == 0;
    const int64_t in = depthwise ? channels_ : w[1];
    decide(part, "Conv" + cls,
           text(in) + ", " + text(w[0]) + rest + (pointwise ? "" : ", padding=?") + (depthwise ? ", groups=" + text(in) : "") + no_bias);
    if (depthwise) part.note("or one channel in, without groups");
    else if (axes_ == axes && last_parent_ == parent_ && channels_ > w[1] && w[1] > 0 && channels_ % w[1] == 0 && w[0] % (channels_ / w[1]) == 0)
      part.note("or groups=" + text(channels_ / w[1]) + " with " + text(channels_) + " channels in");
    if (either && named(part.name, {"up", "dec"})) part.note("or ConvTranspose" + cls + "(" + text(w[0]) + ", " + text(w[1]) + ", …)");
    flows(w[0], axes);
    return true;
  }

  std::vector<std::pair<Part*, const Part*>> all_;  // those with weights of their own, in preorder, and their parents
  size_t next_ = 1;                                 // after the one that is being named
  // What flows out of the last layer: channels, and spatial axes (0: none, features).
  int64_t channels_ = 0;
  int axes_ = 0;
  const Part *parent_ = nullptr, *last_parent_ = nullptr;
};

}  // namespace

void name_leaves(Part& root) { Leaves().run(root); }

}  // namespace tern::torch
