// A module tree as PyTorch prints it. See module.h. The table says what each class of torch.nn shows of itself.
#include "loaders/torch/module/dtypes.h"
#include "loaders/torch/module/module.h"

namespace tern::torch {
namespace {

// The fields of a class, separated by blanks: `=a` shows the value alone, `a` shows a=value, `a'` quotes strings, `a!v` is left out where
// the value (or every item of it) is v; `a?` says whether there is a parameter a, `a~` says so only when there is none.
struct Row {
  std::string_view classes, fields;
};
constexpr Row kRows[] = {
    {" Linear NonDynamicallyQuantizableLinear _LinearWithBias ", "in_features out_features bias?"},
    {" Bilinear ", "in1_features in2_features out_features bias?"},
    {" Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d ",
     "=in_channels =out_channels kernel_size stride padding!0 dilation!1 output_padding!0 groups!1 bias~ padding_mode!zeros"},
    {" BatchNorm1d BatchNorm2d BatchNorm3d SyncBatchNorm InstanceNorm1d InstanceNorm2d InstanceNorm3d ",
     "=num_features eps momentum affine bias? track_running_stats"},
    {" LayerNorm ", "=normalized_shape eps elementwise_affine bias?"},
    {" RMSNorm ", "=normalized_shape eps elementwise_affine"},
    {" GroupNorm ", "=num_groups =num_channels eps affine bias?"},
    {" LocalResponseNorm CrossMapLRN2d ", "=size alpha beta k"},
    {" Embedding ", "=num_embeddings =embedding_dim padding_idx!None max_norm!None norm_type!2 scale_grad_by_freq!False sparse!False"},
    {" EmbeddingBag ", "=num_embeddings =embedding_dim max_norm!None norm_type!2 scale_grad_by_freq!False mode' padding_idx!None"},
    {" ReLU ReLU6 SiLU Mish SELU ", "inplace!False"},
    {" Hardtanh ", "min_val max_val inplace!False"},
    {" LeakyReLU ", "negative_slope inplace!False"},
    {" ELU CELU ", "alpha inplace!False"},
    {" GELU ", "approximate'"},
    {" Softplus ", "beta threshold"},
    {" Threshold ", "threshold value inplace!False"},
    {" Hardshrink Softshrink ", "=lambd"},
    {" PReLU ", "num_parameters"},
    {" RReLU ", "lower upper inplace!False"},
    {" GLU Softmax LogSoftmax Softmin ", "dim"},
    {" Dropout Dropout1d Dropout2d Dropout3d AlphaDropout FeatureAlphaDropout ", "p inplace"},
    {" Flatten ", "start_dim end_dim"},
    {" Unflatten ", "dim unflattened_size"},
    {" MaxPool1d MaxPool2d MaxPool3d ", "kernel_size stride padding dilation ceil_mode"},
    {" AvgPool1d AvgPool2d AvgPool3d MaxUnpool1d MaxUnpool2d MaxUnpool3d ", "kernel_size stride padding"},
    {" LPPool1d LPPool2d LPPool3d ", "norm_type kernel_size stride ceil_mode"},
    {" AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d ", "output_size"},
    {" Upsample UpsamplingNearest2d UpsamplingBilinear2d ", "scale_factor!None size!None mode'"},
    {" PixelShuffle ", "upscale_factor"},
    {" PixelUnshuffle ", "downscale_factor"},
    {" ChannelShuffle ", "groups"},
    {" ZeroPad1d ZeroPad2d ZeroPad3d ReflectionPad1d ReflectionPad2d ReflectionPad3d ReplicationPad1d ReplicationPad2d ReplicationPad3d "
     "CircularPad1d CircularPad2d CircularPad3d ",
     "=padding"},
    {" ConstantPad1d ConstantPad2d ConstantPad3d ", "padding value"},
    {" LSTM GRU RNN ", "=input_size =hidden_size proj_size!0 num_layers!1 bias!True batch_first!False dropout!0 bidirectional!False"},
    {" LSTMCell GRUCell RNNCell ", "=input_size =hidden_size bias!True nonlinearity!tanh"},
    {" Fold ", "output_size kernel_size dilation padding stride"},
    {" Unfold ", "kernel_size dilation padding stride"},
};

bool is_torch_class(const Module& m) { return m.qualified.empty() || m.qualified.starts_with("torch.nn."); }

std::string plain(const Literal& l) { return l.kind() == Literal::Kind::string ? std::get<std::string>(l.value) : l.text(); }

bool equals(const Literal& l, std::string_view text) {  // 2.0 equals 2; (1, 1) equals 1
  if (const auto* items = std::get_if<Literals>(&l.value)) {
    for (const Literal& item : *items) {
      if (!equals(item, text)) return false;
    }
    return true;
  }
  const std::string s = plain(l);
  return s == text || s == std::string(text) + ".0";
}

const Module::Own* own(const Module& m, std::string_view name) {
  for (const Module::Own& o : m.tensors) {
    if (o.name == name && o.tensor) return &o;
  }
  return nullptr;
}

// One field of a row; empty when it is left out.
std::string field_text(const Module& m, std::string_view field) {
  const bool alone = field.starts_with('=');
  if (alone) field.remove_prefix(1);
  const std::string name(field.substr(0, field.find_first_of("!?~'")));
  const std::string_view rest = field.substr(name.size());
  if (rest == "?") return name + (own(m, name) != nullptr ? "=True" : "=False");
  if (rest == "~") return own(m, name) != nullptr ? "" : name + "=False";
  const Literal* l = m.arg(name);
  if (l == nullptr || (rest.starts_with('!') && equals(*l, rest.substr(1)))) return "";
  return (alone ? "" : name + "=") + (rest == "'" ? l->text() : plain(*l));
}

// ParameterList and ParameterDict show their tensors, one a line; the dictionary by the names of old tensor classes.
std::vector<std::string> parameter_lines(const Module& m) {
  std::vector<std::string> lines;
  for (const Module::Own& o : m.tensors) {
    if (!o.tensor) continue;
    std::string type = "torch." + o.tensor->dtype_name, sizes;
    if (const ElementType* e = element_of(o.tensor->dtype)) {
      type = m.cls == "ParameterDict" && *e->storage != 0 ? "torch." + std::string(e->storage) + "Tensor" : "torch." + std::string(e->name);
    }
    for (int64_t n : o.tensor->sizes) sizes += (sizes.empty() ? "" : "x") + std::to_string(n);
    lines.push_back("  (" + o.name + "): Parameter containing: [" + type + " of size " + sizes + "]");
  }
  return lines;
}

// What a module shows of itself before its children.
std::vector<std::string> own_lines(const Module& m) {
  std::string line;
  auto add = [&](const std::string& text) { line += (line.empty() || text.empty() ? "" : ", ") + text; };
  if (!m.pickled) {  // as it was written
    for (const auto& [name, literal] : m.args) add((name.empty() ? "" : name + "=") + literal.text());
    std::vector<std::string> lines = parameter_lines(m);
    if (!line.empty()) lines.insert(lines.begin(), line);
    return lines;
  }
  if (is_torch_class(m) && (m.cls == "ParameterList" || m.cls == "ParameterDict")) {
    return parameter_lines(m);
  } else if (is_torch_class(m)) {
    const std::string cls = m.cls.substr(m.cls.starts_with("Lazy") ? 4 : 0);  // they are the others, once they have seen data
    for (const Row& row : kRows) {
      if (row.classes.find(" " + cls + " ") == std::string_view::npos) continue;
      for (std::string_view rest = row.fields; !rest.empty();) {
        const size_t n = std::min(rest.find(' '), rest.size());
        add(field_text(m, rest.substr(0, n)));
        rest.remove_prefix(std::min(n + 1, rest.size()));
      }
    }
  }
  return line.empty() ? std::vector<std::string>() : std::vector<std::string>{line};
}

std::string show(const Module& m, const std::string& indent) {  // at most kMaxModuleDepth deep
  std::vector<std::string> lines = own_lines(m);
  if (lines.size() <= 1 && m.children.empty()) return m.cls + "(" + (lines.empty() ? "" : lines[0]) + ")";
  const std::string inner = indent + "  ";
  std::vector<std::string> texts;
  for (const auto& [name, child] : m.children) texts.push_back(show(*child, inner));
  const bool collapses = m.cls == "ModuleList" && is_torch_class(m);  // equal neighbours: (0-3): 4 x Block(
  for (size_t i = 0; i < texts.size();) {
    size_t end = i + 1;
    while (collapses && end < texts.size() && texts[end] == texts[i]) ++end;
    const std::string name = m.children[i].first + (end - i > 1 ? "-" + m.children[end - 1].first : "");
    lines.push_back("(" + name + "): " + (end - i > 1 ? std::to_string(end - i) + " x " : "") + texts[i]);
    i = end;
  }
  std::string s = m.cls + "(\n";
  for (const std::string& line : lines) s += inner + line + "\n";
  return s + indent + ")";
}

}  // namespace

std::string print(const Module& module) { return show(module, ""); }

}  // namespace tern::torch
