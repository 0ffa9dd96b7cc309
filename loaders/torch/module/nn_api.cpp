// tern::nn: modules as the text of an architecture file, forwards as the Python that they note. See runtime/include/tern/nn.h.
#include <algorithm>
#include <map>
#include <optional>

#include "loaders/torch/module/module.h"
#include "tern/nn.h"

namespace tern::nn {

class ModuleData {
 public:
  std::string cls, arguments;
  Children children;
  std::string forward;  // "    def forward(self, x):\n …"; empty: torch.nn's own
  std::optional<Error> error;
};

namespace {

bool is_identifier(const std::string& s) {
  auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !s.empty() && letter(s[0]) && std::all_of(s.begin(), s.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

bool is_dotted(const std::string& s) {  // F.relu
  for (size_t at = 0; at <= s.size();) {
    const size_t dot = std::min(s.find('.', at), s.size());
    if (!is_identifier(s.substr(at, dot - at))) return false;
    at = dot + 1;
  }
  return true;
}

// What stands in one line of Python, so that no text can add another.
bool is_one_line(const std::string& s) {
  return std::none_of(s.begin(), s.end(), [](unsigned char c) { return c < 32 || c == '#' || c == '"' || c == '\'' || c == '\\'; });
}

std::string arguments_text(const Values& values, const Named& named) {
  std::string s;
  for (const Value& v : values) s += (s.empty() ? "" : ", ") + v.text();
  for (const auto& [key, v] : named) s += (s.empty() ? "" : ", ") + key + "=" + v.text();
  return s;
}

}  // namespace

// The forward of one module while it is noted: a line for every call.
class Recorder : public std::enable_shared_from_this<Recorder> {
 public:
  static Module record(const std::string& cls, const Children& children, const std::vector<Input>& inputs, const Forward& forward) {
    auto data = std::make_shared<ModuleData>();
    auto recorder = std::make_shared<Recorder>();
    data->cls = cls;
    data->children = children;
    if (!is_identifier(cls)) recorder->fail("'" + cls + "' is no name of a class");
    std::string parameters = "self";
    std::vector<Tensor> tensors;
    for (const Input& input : inputs) {
      if (!is_identifier(input.name) || !is_one_line(input.type)) recorder->fail("'" + input.name + "' is no input");
      parameters += ", " + input.name + (input.type.empty() ? "" : ": " + input.type);
      tensors.push_back(Tensor(recorder, input.name));
    }
    const Tensor result = forward(Self(recorder), tensors);
    data->forward = "    def forward(" + parameters + "):\n" + recorder->lines_ + "        return " + recorder->use(result) + "\n";
    if (recorder->error_) data->error = recorder->error_->within(cls);
    return Module(data);
  }

  Tensor note(const std::string& expression) {
    std::string variable = "v" + std::to_string(count_++);
    lines_ += "        " + variable + " = " + expression + "\n";
    return Tensor(shared_from_this(), variable);
  }
  void fail(const std::string& why) {
    if (!error_) error_ = invalid(why);
  }
  // The text of what was given to a call.
  std::string use(const Values& values, const Named& named) {
    for (const Value& v : values) check(v.recorder_);
    for (const auto& [key, v] : named) {
      check(v.recorder_);
      if (!is_identifier(key)) fail("'" + key + "' is no name of an argument");
    }
    return arguments_text(values, named);
  }
  std::string use(const Tensor& t) {
    check(t.recorder_);
    return t.name_;
  }
  // The forward that these belong to; null for constants, which are written where they are used.
  static std::shared_ptr<Recorder> of(const Values& values, const Named& named = {}) {
    for (const Value& v : values) {
      if (v.recorder_) return v.recorder_;
    }
    for (const auto& [key, v] : named) {
      if (v.recorder_) return v.recorder_;
    }
    return nullptr;
  }
  // What an expression with these arguments is. `wrong`: not empty when a name in it is none.
  static Tensor noted(const std::shared_ptr<Recorder>& recorder, const std::string& begin, const Values& values, const Named& named,
                      const std::string& end, const std::string& wrong) {
    if (!recorder) return Tensor(nullptr, wrong.empty() ? begin + arguments_text(values, named) + end : "?");
    if (!wrong.empty()) recorder->fail(wrong);
    return recorder->note(begin + recorder->use(values, named) + end);
  }

 private:
  void check(const std::shared_ptr<Recorder>& other) {
    if (other && other.get() != this) fail("a tensor of another forward is used");
  }
  std::string lines_;
  size_t count_ = 0;
  std::optional<Error> error_;
};

// ---- values ----

std::string Value::real(double v) { return torch::Literal{v}.text(); }
Value::Value(const std::string& s) : text_(torch::Literal{s}.text()) {}
Value::Value(const Tensor& t) : text_(t.name_), recorder_(t.recorder_) {}
Value::Value(std::initializer_list<Value> items) {
  for (const Value& v : items) {
    text_ += (text_.empty() ? "(" : ", ") + v.text_;
    if (v.recorder_) recorder_ = v.recorder_;
  }
  text_ += items.size() == 0 ? "()" : items.size() == 1 ? ",)" : ")";
}

Value list(const std::vector<Value>& items) {
  Value v;
  v.text_ = "[" + arguments_text(items, {}) + "]";
  v.recorder_ = Recorder::of(items);
  return v;
}

Value name(const std::string& text) {
  Value v;
  v.text_ = is_dotted(text) ? text : "?";
  return v;
}

// ---- forwards ----

Tensor Tensor::at(const std::string& index) const {
  return Recorder::noted(recorder_, name_ + "[" + (is_one_line(index) ? index : "") + "]", {}, {}, "",
                         is_one_line(index) ? "" : "[" + index + "] is no index");
}

Tensor Tensor::method(const std::string& method_name, const Values& arguments, const Named& named) const {
  Values all = {*this};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return Recorder::noted(Recorder::of(all, named), name_ + "." + method_name + "(", arguments, named, ")",
                         is_identifier(method_name) ? "" : "'" + method_name + "' is no method");
}

Tensor Self::call(const std::string& child, const Values& arguments, const Named& named) const {
  if (!is_dotted(child)) recorder_->fail("'" + child + "' is no name of a child");
  return recorder_->note("self." + child + "(" + recorder_->use(arguments, named) + ")");
}

Tensor Self::parameter(const std::string& parameter_name) const {
  if (!is_identifier(parameter_name)) recorder_->fail("'" + parameter_name + "' is no name of a parameter");
  return recorder_->note("self." + parameter_name);
}

Module custom(const std::string& cls, const Children& children, const std::vector<Input>& inputs, const Forward& forward) {
  return Recorder::record(cls, children, inputs, forward);
}

Module custom(const std::string& cls, const Children& children, const std::function<Tensor(const Self&, Tensor)>& forward) {
  return custom(cls, children, {{"x"}}, [&](const Self& self, const std::vector<Tensor>& inputs) { return forward(self, inputs[0]); });
}

Tensor call(const std::string& function, const Values& arguments, const Named& named) {
  return Recorder::noted(Recorder::of(arguments, named), function + "(", arguments, named, ")",
                         is_dotted(function) ? "" : "'" + function + "' is no name of a function");
}

Tensor binary(const char* op, const Value& a, const Value& b) {
  auto recorder = Recorder::of({a, b});
  if (recorder) recorder->use({a, b}, {});
  const std::string text = a.text() + " " + op + " " + b.text();
  return Recorder::noted(recorder, recorder ? text : "(" + text + ")", {}, {}, "", "");
}

Tensor tuple(const std::vector<Tensor>& items) {
  const Values values(items.begin(), items.end());
  return Recorder::noted(Recorder::of(values), "(", values, {}, items.size() == 1 ? ",)" : ")", "");
}

Tensor cat(const std::vector<Tensor>& tensors, int64_t dim) {
  return call("torch.cat", {list(Values(tensors.begin(), tensors.end()))}, {{"dim", dim}});
}
Tensor stack(const std::vector<Tensor>& tensors, int64_t dim) {
  return call("torch.stack", {list(Values(tensors.begin(), tensors.end()))}, {{"dim", dim}});
}

// ---- modules ----

Module module(const std::string& cls, const Values& arguments, const Named& named, const Children& children) {
  auto data = std::make_shared<ModuleData>();
  data->cls = cls;
  data->arguments = arguments_text(arguments, named);
  data->children = children;
  if (!is_identifier(cls)) data->error = invalid("'" + cls + "' is no name of a class");
  return Module(data);
}

namespace {

// The text of a tree. Classes of one name whose forwards differ get names of their own.
class Writer {
 public:
  std::string tree(const ModuleData& m, const std::string& indent, int depth) {
    if (m.error && !error) error = m.error;
    if (depth > torch::kMaxModuleDepth && !error) error = invalid("modules nest more than " + std::to_string(torch::kMaxModuleDepth) + " deep");
    if (error) return {};
    const std::string cls = m.forward.empty() ? m.cls : class_of(m);
    if (m.children.empty()) return cls + "(" + m.arguments + ")";
    const std::string inner = indent + "  ";
    std::string s = cls + "(\n" + (m.arguments.empty() ? "" : inner + m.arguments + "\n");
    for (const auto& [child_name, child] : m.children) {
      const bool digits = !child_name.empty() && std::all_of(child_name.begin(), child_name.end(), [](char c) { return c >= '0' && c <= '9'; });
      if (!digits && !is_identifier(child_name)) error = invalid("'" + child_name + "' is no name of a child of " + m.cls);
      s += inner + "(" + child_name + "): " + tree(child.data(), inner, depth + 1) + "\n";
    }
    return s + indent + ")";
  }
  std::string forwards;
  std::optional<Error> error;

 private:
  std::string class_of(const ModuleData& m) {
    for (int n = 1;; ++n) {
      const std::string cls = n == 1 ? m.cls : m.cls + "_" + std::to_string(n);
      auto [place, fresh] = known_.emplace(cls, m.forward);
      if (fresh) forwards += "\nclass " + cls + ":\n" + m.forward;
      if (place->second == m.forward) return cls;
    }
  }
  std::map<std::string, std::string> known_;
};

Children numbered(const std::vector<Module>& modules) {
  Children out;
  for (const Module& m : modules) out.emplace_back(std::to_string(out.size()), m);
  return out;
}

Result<LoadOptions> with_text(const Module& net, const LoadOptions& options) {
  Writer writer;
  LoadOptions with = options;
  const std::string tree = writer.tree(net.data(), "", 1);
  if (writer.error) return *writer.error;
  with.architecture = tree + "\n" + writer.forwards;
  with.architecture_name = "tern::nn";
  return with;
}

Module conv(const char* cls, int64_t in, int64_t out, const Value& kernel, const ConvOptions& o) {
  return module(cls, {in, out},
                {{"kernel_size", kernel},
                 {"stride", o.stride},
                 {"padding", o.padding},
                 {"dilation", o.dilation},
                 {"groups", o.groups},
                 {"bias", o.bias},
                 {"padding_mode", o.padding_mode}});
}

Module conv_transpose(const char* cls, int64_t in, int64_t out, const Value& kernel, const ConvTransposeOptions& o) {
  return module(cls, {in, out},
                {{"kernel_size", kernel},
                 {"stride", o.stride},
                 {"padding", o.padding},
                 {"output_padding", o.output_padding},
                 {"groups", o.groups},
                 {"bias", o.bias},
                 {"dilation", o.dilation}});
}

Module batch_norm(const char* cls, int64_t n, const BatchNormOptions& o) {
  return module(cls, {n}, {{"eps", o.eps}, {"momentum", o.momentum}, {"affine", o.affine}, {"track_running_stats", o.track_running_stats}});
}

Module recurrent(const char* cls, int64_t in, int64_t hidden, const RecurrentOptions& o) {
  return module(cls, {in, hidden},
                {{"num_layers", o.num_layers}, {"bias", o.bias}, {"batch_first", o.batch_first}, {"bidirectional", o.bidirectional}});
}

Module pool(const char* cls, const Value& kernel, const PoolOptions& o) {
  return module(cls, {}, {{"kernel_size", kernel}, {"stride", o.stride}, {"padding", o.padding}, {"ceil_mode", o.ceil_mode}});
}

Module encoder(const Module& layer, int64_t layers, const Module* norm) {
  Children children = {{"layers", ModuleList(std::vector<Module>(static_cast<size_t>(std::clamp<int64_t>(layers, 0, 10000)), layer))}};
  if (norm != nullptr) children.emplace_back("norm", *norm);
  return module("TransformerEncoder", {}, {}, children);
}

}  // namespace

std::string Module::text() const {
  Writer writer;
  const std::string tree = writer.tree(*data_, "", 1);
  return writer.error ? "# " + writer.error->message() + "\n" : tree + "\n" + writer.forwards;
}

Module Sequential(const std::vector<Module>& modules) { return Sequential(numbered(modules)); }
Module Sequential(const Children& children) { return module("Sequential", {}, {}, children); }
Module ModuleList(const std::vector<Module>& modules) { return module("ModuleList", {}, {}, numbered(modules)); }
Module Linear(int64_t in, int64_t out, const LinearOptions& o) {
  return module("Linear", {}, {{"in_features", in}, {"out_features", out}, {"bias", o.bias}});
}
Module Conv1d(int64_t in, int64_t out, const Value& k, const ConvOptions& o) { return conv("Conv1d", in, out, k, o); }
Module Conv2d(int64_t in, int64_t out, const Value& k, const ConvOptions& o) { return conv("Conv2d", in, out, k, o); }
Module Conv3d(int64_t in, int64_t out, const Value& k, const ConvOptions& o) { return conv("Conv3d", in, out, k, o); }
Module ConvTranspose1d(int64_t in, int64_t out, const Value& k, const ConvTransposeOptions& o) {
  return conv_transpose("ConvTranspose1d", in, out, k, o);
}
Module ConvTranspose2d(int64_t in, int64_t out, const Value& k, const ConvTransposeOptions& o) {
  return conv_transpose("ConvTranspose2d", in, out, k, o);
}
Module ConvTranspose3d(int64_t in, int64_t out, const Value& k, const ConvTransposeOptions& o) {
  return conv_transpose("ConvTranspose3d", in, out, k, o);
}
Module BatchNorm1d(int64_t n, const BatchNormOptions& o) { return batch_norm("BatchNorm1d", n, o); }
Module BatchNorm2d(int64_t n, const BatchNormOptions& o) { return batch_norm("BatchNorm2d", n, o); }
Module BatchNorm3d(int64_t n, const BatchNormOptions& o) { return batch_norm("BatchNorm3d", n, o); }
Module LayerNorm(const Value& shape, const LayerNormOptions& o) {
  return module("LayerNorm", {shape}, {{"eps", o.eps}, {"elementwise_affine", o.elementwise_affine}, {"bias", o.bias}});
}
Module GroupNorm(int64_t groups, int64_t channels, const GroupNormOptions& o) {
  return module("GroupNorm", {groups, channels}, {{"eps", o.eps}, {"affine", o.affine}});
}
Module Embedding(int64_t n, int64_t dim) { return module("Embedding", {n, dim}); }
Module LSTM(int64_t in, int64_t hidden, const RecurrentOptions& o) { return recurrent("LSTM", in, hidden, o); }
Module GRU(int64_t in, int64_t hidden, const RecurrentOptions& o) { return recurrent("GRU", in, hidden, o); }
Module RNN(int64_t in, int64_t hidden, const RecurrentOptions& o) { return recurrent("RNN", in, hidden, o); }
Module MultiheadAttention(int64_t dim, int64_t heads, const AttentionOptions& o) {
  return module("MultiheadAttention", {}, {{"embed_dim", dim}, {"num_heads", heads}, {"bias", o.bias}, {"batch_first", o.batch_first}});
}
Module TransformerEncoderLayer(int64_t dim, int64_t heads, const TransformerLayerOptions& o) {
  return module("TransformerEncoderLayer", {},
                {{"d_model", dim},
                 {"nhead", heads},
                 {"dim_feedforward", o.dim_feedforward},
                 {"activation", o.activation},
                 {"layer_norm_eps", o.layer_norm_eps},
                 {"batch_first", o.batch_first},
                 {"norm_first", o.norm_first},
                 {"bias", o.bias}});
}
Module TransformerEncoder(const Module& layer, int64_t layers) { return encoder(layer, layers, nullptr); }
Module TransformerEncoder(const Module& layer, int64_t layers, const Module& norm) { return encoder(layer, layers, &norm); }
Module MaxPool1d(const Value& k, const PoolOptions& o) { return pool("MaxPool1d", k, o); }
Module MaxPool2d(const Value& k, const PoolOptions& o) { return pool("MaxPool2d", k, o); }
Module AvgPool1d(const Value& k, const PoolOptions& o) { return pool("AvgPool1d", k, o); }
Module AvgPool2d(const Value& k, const PoolOptions& o) { return pool("AvgPool2d", k, o); }
Module AdaptiveAvgPool1d(const Value& size) { return module("AdaptiveAvgPool1d", {}, {{"output_size", size}}); }
Module AdaptiveAvgPool2d(const Value& size) { return module("AdaptiveAvgPool2d", {}, {{"output_size", size}}); }
Module Flatten(int64_t start, int64_t end) { return module("Flatten", {}, {{"start_dim", start}, {"end_dim", end}}); }

}  // namespace tern::nn

namespace tern {

Result<Model> load(const std::string& path, const nn::Module& net, const LoadOptions& options) {
  auto with = nn::with_text(net, options);
  if (!with) return with.error();
  return load(path, *with);
}

Result<Model> load_bytes(std::span<const std::byte> bytes, const nn::Module& net, const LoadOptions& options) {
  auto with = nn::with_text(net, options);
  if (!with) return with.error();
  return load_bytes(bytes, *with);
}

}  // namespace tern
