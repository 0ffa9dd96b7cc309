// ONNX models made of random decisions, most of them nearly right: a node starts as a legal case of its operator (operator_cases.h), then
// some of its dtypes, shapes, contents, attributes and connections are changed. Decisions come from bytes, so that a fuzzer can steer them
// and a seeded generator can stand in for one.
//   Choices c(bytes);   exercise(test::bytes(random_model(c)));
#pragma once
#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "kernels/dtype_code.h"
#include "tests/support/onnx_writer.h"
#include "tests/support/operator_cases.h"

namespace tern::test {

// Decisions from bytes; zeros when they are used up.
class Choices {
 public:
  explicit Choices(std::span<const uint8_t> bytes) : bytes_(bytes) {}
  bool empty() const { return at_ >= bytes_.size(); }
  uint64_t below(uint64_t n) {
    uint64_t x = byte();
    if (n > 256) x = x << 8 | byte();
    return n == 0 ? 0 : x % n;
  }
  // True in one of n cases; never when the bytes are used up.
  bool rarely(uint64_t n) { return !empty() && below(n) == n - 1; }
  template <class T, size_t N>
  const T& of(const T (&list)[N]) {
    return list[below(N)];
  }
  // Mostly a small number, sometimes an extreme one.
  int64_t number() {
    static constexpr int64_t kExtreme[] = {
        0,         -1,        127,          128, 255, 256, 32767, 65536, 1 << 20, INT32_MAX, INT32_MIN, int64_t(1) << 32, int64_t(1) << 40,
        INT64_MAX, INT64_MIN, INT64_MIN + 1};
    return rarely(4) ? of(kExtreme) : static_cast<int64_t>(below(12)) - 3;
  }
  float real() {
    static constexpr float kExtreme[] = {0, -0.0f, 1e-40f, 3e38f, -3e38f, INFINITY, -INFINITY, NAN, 1e10f, 0.5f, -1};
    return rarely(3) ? of(kExtreme) : static_cast<float>(below(64)) * 0.125f - 4;
  }

 private:
  uint8_t byte() { return empty() ? 0 : bytes_[at_++]; }
  std::span<const uint8_t> bytes_;
  size_t at_ = 0;
};

class RandomModel {
 public:
  explicit RandomModel(Choices& c) : c_(c) {}

  std::string make() {
    static const std::vector<Case> kCases = [] {
      std::vector<Case> all = cases();
      std::erase_if(all, [](const Case& c) { return find_op(c.op) == nullptr || find_op(c.op)->tern_only; });
      return all;
    }();
    const uint64_t count = 1 + c_.below(5);
    for (uint64_t n = 0; n < count; ++n) add(kCases[c_.below(kCases.size())]);
    if (c_.rarely(4)) add_if();
    if (c_.rarely(4)) add_loop();
    std::vector<Proto> outputs;
    for (size_t v = values_.size(); v-- > 0 && outputs.size() < 3;) {
      if (!values_[v].computed && !c_.rarely(16)) continue;
      outputs.push_back(c_.rarely(8) ? value_info(values_[v].name, static_cast<int>(c_.below(17)), shape()) : output(values_[v].name));
    }
    static constexpr int64_t kOpsets[] = {23, 21, 18, 17, 13, 11, 9, 7, 5, 1, 24};
    std::vector<Proto> infos;
    Proto g = graph(nodes_, inputs_, outputs, initializers_);
    while (c_.rarely(4) && !values_.empty()) {  // a declared shape, true or not
      g.m(13, value_info(values_[c_.below(values_.size())].name, static_cast<int>(1 + c_.below(16)), shape()));
    }
    return model_of(c_.of(kOpsets), g).data;
  }

 private:
  struct Known {
    std::string name;
    In as;  // dims, dtype
    bool computed;
  };

  std::string fresh() { return "v" + std::to_string(next_++); }

  std::vector<DimOf> shape() {
    std::vector<DimOf> dims;
    for (uint64_t d = c_.below(5); d > 0; --d) dims.push_back(c_.rarely(3) ? DimOf("n") : DimOf(static_cast<int64_t>(c_.below(8))));
    return dims;
  }

  Dims changed(Dims dims) {
    switch (c_.below(5)) {
      case 0:
        if (dims.rank > 0) dims[static_cast<int>(c_.below(static_cast<uint64_t>(dims.rank)))] = static_cast<int64_t>(c_.below(9));
        break;
      case 1:
        if (dims.rank > 0) --dims.rank;
        break;
      case 2:
        if (dims.rank < kMaxRank) dims.push_back(1 + static_cast<int64_t>(c_.below(3)));
        break;
      case 3: dims = Dims{}; break;
      default:
        for (int i = 0; i < dims.rank; ++i) dims[i] = c_.rarely(2) ? 1 : dims[i];
    }
    return dims;
  }

  DType changed_type() {
    static constexpr DType kTypes[] = {DType::f32, DType::i64,  DType::i32, DType::boolean, DType::f64, DType::u8,  DType::i8,
                                       DType::f16, DType::bf16, DType::u16, DType::i16,     DType::u32, DType::u64, DType::string};
    return c_.of(kTypes);
  }

  Proto constant(const std::string& name, const In& in) {
    std::vector<int64_t> dims(in.dims.span().begin(), in.dims.span().end());
    Proto t = tensor(name, code_of(in.dtype), dims);
    const int64_t count = in.dims.count();
    if (in.dtype == DType::string) {
      for (int64_t i = 0; i < count; ++i) t.s(6, i % 2 ? "b" : "a");
      return t;
    }
    std::string raw;
    for (int64_t i = 0; i < count; ++i) {
      const bool odd = c_.rarely(16);
      visit(in.dtype, [&]<class T>() {
        if constexpr (!std::is_void_v<T> && !std::is_same_v<T, StringRef>) {
          T x{};
          if constexpr (std::is_same_v<T, f16> || std::is_same_v<T, bf16>) x.bits = static_cast<uint16_t>(odd ? c_.below(65536) : 0x3c00);
          else if constexpr (std::is_floating_point_v<T>) x = static_cast<T>(odd ? c_.real() : 0.25f * static_cast<float>(i % 7) - 0.5f);
          else if constexpr (std::is_same_v<T, bool>) x = odd;
          else x = static_cast<T>(odd ? c_.number() : static_cast<size_t>(i) < in.ints.size() ? in.ints[static_cast<size_t>(i)] : i % 3);
          raw.append(reinterpret_cast<const char*>(&x), sizeof x);
        }
      });
    }
    return t.s(9, raw);
  }

  // The name of a value that is like `in`, or nearly.
  std::string value_like(In in) {
    if (in.dtype == DType::none) return c_.rarely(16) && !values_.empty() ? values_[c_.below(values_.size())].name : "";
    if (c_.rarely(24)) return "";
    if (c_.rarely(12)) in.dtype = changed_type();
    if (c_.rarely(12)) in.dims = changed(in.dims);
    if (c_.rarely(12)) in.constant = !in.constant;
    if (!in.constant && c_.rarely(2)) {  // one that is there: of the same dtype and dims, or any
      const bool any = c_.rarely(8);
      for (size_t v = values_.size(); v-- > 0;) {
        if (any ? c_.rarely(3) : values_[v].as.dtype == in.dtype && values_[v].as.dims == in.dims) return values_[v].name;
      }
    }
    const std::string name = fresh();
    if (in.constant || in.dtype == DType::string) {
      initializers_.push_back(constant(name, in));
    } else {
      std::vector<DimOf> dims;
      for (int64_t d : in.dims.span()) dims.push_back(c_.rarely(8) ? DimOf(c_.rarely(3) ? "2*n" : "n") : DimOf(d));
      inputs_.push_back(input(name, code_of(in.dtype), dims));
    }
    values_.push_back({name, in, false});
    return name;
  }

  Proto attribute(const std::string& name, const Attributes::Value& value) {
    static constexpr const char* kWords[] = {
        "",      "constant", "reflect",       "edge",       "wrap",       "linear",  "nearest", "cubic",   "SAME_UPPER",
        "VALID", "NOTSET",   "bidirectional", "reverse",    "asymmetric", "none",    "add",     "mul",     "RIGHT",
        "CRD",   "zeros",    "border",        "reflection", "ij,jk->ik",  "...i->i", "Relu",    "Sigmoid", "tf_crop_and_resize"};
    if (const auto* i = std::get_if<int64_t>(&value)) return attr(name, c_.rarely(6) ? c_.number() : *i);
    if (const auto* f = std::get_if<float>(&value)) return attr(name, c_.rarely(6) ? c_.real() : *f);
    if (const auto* s = std::get_if<std::string>(&value)) return attr(name, c_.rarely(3) ? c_.of(kWords) : s->c_str());
    if (const auto* list = std::get_if<std::vector<int64_t>>(&value)) {
      std::vector<int64_t> changed_list = *list;
      for (int64_t& x : changed_list) x = c_.rarely(10) ? c_.number() : x;
      if (c_.rarely(10)) changed_list.push_back(c_.number());
      if (c_.rarely(12) && !changed_list.empty()) changed_list.pop_back();
      return attr(name, changed_list);
    }
    if (const auto* list = std::get_if<std::vector<float>>(&value)) return attr_floats(name, *list);
    if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
      Proto a = Proto().s(1, name).i(20, 8);
      for (const std::string& s : *list) a.s(9, c_.rarely(6) ? c_.of(kWords) : s);
      return a;
    }
    In in{Dims{2}, DType::i64, true, {1, 2}};
    if (const auto* t = std::get_if<Tensor>(&value)) in = {t->dims(), t->dtype(), true, {}};
    return attr_tensor(name, constant("", in));
  }

  // What an attribute of this kind looks like before it is changed.
  static Attributes::Value blank(AttrKind kind) {
    switch (kind) {
      case AttrKind::i: return int64_t(1);
      case AttrKind::f: return 0.5f;
      case AttrKind::s: return std::string("constant");
      case AttrKind::ints: return std::vector<int64_t>{1, 1};
      case AttrKind::floats: return std::vector<float>{0.5f, 1};
      case AttrKind::strings: return std::vector<std::string>{"Tanh"};
      case AttrKind::tensor: break;
    }
    return Tensor::of<float>(Dims{1}, std::vector<float>{1});
  }

  void add(const Case& from) {
    std::vector<std::string> in, out;
    for (const In& i : from.inputs) in.push_back(value_like(i));
    if (c_.rarely(24) && !in.empty()) in.push_back(in[c_.below(in.size())]);
    if (c_.rarely(24) && !in.empty()) in.pop_back();
    uint64_t count = from.outputs;
    if (c_.rarely(12)) count += c_.below(4);
    for (uint64_t o = 0; o < count; ++o) out.push_back(c_.rarely(24) ? "" : fresh());
    std::vector<Proto> attrs;
    std::vector<std::string> given;
    for (const auto& [name, value] : from.attrs) {
      if (c_.rarely(16)) continue;
      attrs.push_back(attribute(name, value));
      given.push_back(name);
    }
    if (const OpDef* op = find_op(from.op)) {
      for (const AttrSpec& spec : op->attrs) {
        if (std::find(given.begin(), given.end(), spec.name) == given.end() && c_.rarely(8)) attrs.push_back(attribute(spec.name, blank(spec.kind)));
      }
    }
    nodes_.push_back(node(from.op, in, out, attrs));
    const In like = from.inputs.empty() ? In{Dims{}, DType::f32, false, {}} : from.inputs[0];
    for (const std::string& name : out) {
      if (!name.empty()) values_.push_back({name, like, true});
    }
  }

  // Both branches read what lies outside.
  void add_if() {
    const std::string condition = value_like({Dims{}, DType::boolean, c_.rarely(4), {}});
    auto branch = [&] {
      const std::string y = fresh(), x = values_.empty() ? "" : values_[c_.below(values_.size())].name;
      std::vector<Proto> body = {node(c_.rarely(3) ? "Abs" : "Identity", {x}, {y})};
      if (c_.rarely(4)) body.push_back(node("Relu", {y}, {fresh()}));
      return graph(body, {}, {output(y)});
    };
    const std::string y = fresh();
    const Proto then_branch = branch(), else_branch = branch();
    nodes_.push_back(node("If", {condition}, {y}, {attr_graph("then_branch", then_branch), attr_graph("else_branch", else_branch)}));
    values_.push_back({y, {Dims{}, DType::f32, false, {}}, true});
  }

  // A Loop or a Scan with one carried value, perhaps a captured one and a scan output.
  void add_loop() {
    const bool scan = c_.rarely(2);
    const In like = values_.empty() ? In{Dims{2}, DType::f32, false, {}} : values_[c_.below(values_.size())].as;
    In initial = like;
    std::vector<std::string> in, out = {fresh()};
    if (!scan) {
      // Counts of contents that are not known may be without end, which takes the evaluator seconds: few of them.
      const In trips = {Dims{}, DType::i64, true, {c_.rarely(32) ? c_.number() : static_cast<int64_t>(c_.below(5))}};
      if (c_.rarely(32)) {
        in.push_back(value_like(trips));
      } else {
        in.push_back(fresh());
        initializers_.push_back(constant(in[0], trips));
      }
      in.push_back(value_like({Dims{}, DType::boolean, c_.rarely(2), {}}));
    }
    if (scan && initial.dims.rank > 0) {  // its slices are like the carried value
      initial.dims = Dims(initial.dims.span().subspan(1));
    }
    in.push_back(value_like(initial));
    const std::string i = fresh(), going = fresh(), v = fresh(), slice = fresh(), on = fresh(), w = fresh(), kept = fresh();
    const int type = code_of(c_.rarely(24) ? changed_type() : like.dtype);
    std::vector<Proto> body, own = {value_info(v, type, {})}, results;
    if (scan) {
      in.push_back(value_like(like));
      own.push_back(value_info(slice, type, {}));
    } else {
      own.insert(own.begin(), {value_info(i, 7, {}), value_info(going, 9, {})});
      body.push_back(node(c_.rarely(4) ? "Not" : "Identity", {going}, {on}));
      if (!c_.rarely(24)) results.push_back(output(on));
    }
    const std::string other = scan && !c_.rarely(4) ? slice : values_.empty() || c_.rarely(3) ? v : values_[c_.below(values_.size())].name;
    static constexpr const char* kSteps[] = {"Add", "Mul", "Sub", "Max", "Concat"};
    const char* step = c_.rarely(6) ? kSteps[4] : kSteps[c_.below(4)];
    body.push_back(node(step, {v, other}, {w}, step == kSteps[4] ? std::vector<Proto>{attr("axis", int64_t(0))} : std::vector<Proto>()));
    if (!c_.rarely(24)) results.push_back(output(c_.rarely(6) ? v : w));
    if (c_.rarely(2)) {
      body.push_back(node("Identity", {c_.rarely(4) && !scan ? i : w}, {kept}));
      results.push_back(output(kept));
      out.push_back(fresh());
    }
    std::vector<Proto> attrs = {attr_graph("body", graph(body, own, results))};
    if (scan) {
      if (!c_.rarely(24)) attrs.push_back(attr("num_scan_inputs", c_.rarely(12) ? c_.number() : int64_t(1)));
      if (c_.rarely(4)) attrs.push_back(attr("scan_input_axes", std::vector<int64_t>{c_.number()}));
      if (c_.rarely(4)) attrs.push_back(attr("scan_input_directions", std::vector<int64_t>{1}));
      if (c_.rarely(4)) attrs.push_back(attr("scan_output_axes", std::vector<int64_t>{c_.number()}));
    }
    nodes_.push_back(node(scan ? "Scan" : "Loop", in, out, attrs));
    for (const std::string& name : out) values_.push_back({name, initial, true});
  }

  Choices& c_;
  std::vector<Known> values_;
  std::vector<Proto> nodes_, inputs_, initializers_;
  int next_ = 0;
};

inline std::string random_model(Choices& c) { return RandomModel(c).make(); }

}  // namespace tern::test
