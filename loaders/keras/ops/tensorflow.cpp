// Functions that are one operator of TensorFlow, and TensorFlowOpLayer: a node of TensorFlow's graph as a layer (Keras of TensorFlow 2.0 to 2.3).
// The operators are those of loaders/tensorflow. See ops.h. Next: fourier.cpp.
#include <charconv>
#include <cmath>
#include <map>
#include <optional>

#include "loaders/keras/model/spec.h"
#include "loaders/keras/ops/ops.h"
#include "runtime/base/printable.h"

namespace tern::keras {

using tensorflow::NodeCall;
using tensorflow::NodeTensor;

std::vector<NodeTensor> by_tensorflow(const Call& c, const char* op, std::vector<NodeTensor> inputs, std::vector<TensorFlowAttribute> attributes) {
  const auto out = tensorflow::add_node(c.b, {.op = op, .inputs = std::move(inputs), .attributes = std::move(attributes)});
  return out.empty() ? std::vector<NodeTensor>(1) : out;
}

namespace {

constexpr const char *kTensorflowX = "x|x1|input|images|image", *kTensorflowY = "y|x2";

template <Text op>
Flows one(Call& c) {
  const Operands o(c);
  return {{by_tensorflow(c, op.text, {o.tensor(0, kTensorflowX)})[0].value}};
}

template <Text op>
Flows real_function(Call& c) {
  const Operands o(c);
  return {{by_tensorflow(c, op.text, {o.real(o.tensor(0, kTensorflowX))})[0].value}};
}

template <Text op>
Flows two(Call& c) {
  const auto [x, y] = Operands(c).pair(0, kTensorflowX, kTensorflowY);
  return {{by_tensorflow(c, op.text, {x, y})[0].value}};
}

template <Text op, Text first, Text second>
Flows two_named(Call& c) {
  const auto [x, y] = Operands(c).pair(0, first.text, second.text);
  return {{by_tensorflow(c, op.text, {x, y})[0].value}};
}

Flows next_after(Call& c) {
  const Operands o(c);
  const auto [given, other] = o.pair(0, kTensorflowX, kTensorflowY);
  const ValueId x = o.real(given), y = o.real(other);
  if (c.layer.class_name.starts_with("tf.")) return {{by_tensorflow(c, "NextAfter", {x, y})[0].value}};
  // keras.ops asks for the next f64, which of f32 is x again
  return {{c.b.cast(by_tensorflow(c, "NextAfter", {c.b.cast(x, DType::f64), c.b.cast(y, DType::f64)})[0].value, c.b.dtype(x))}};
}

Flows betainc(Call& c) {
  const Operands o(c);
  const ValueId a = o.real(o.tensor(0, "a"));
  return {{by_tensorflow(c, "Betainc", {a, o.tensor(o.get(1, "b"), c.b.dtype(a)), o.tensor(o.get(2, "x"), c.b.dtype(a))})[0].value}};
}

Flows reciprocal_no_nan(Call& c) {
  const Operands o(c);
  const ValueId x = o.real(o.tensor(0, kTensorflowX));
  return {{by_tensorflow(c, "DivNoNan", {c.b.scalar_like(x, 1), x})[0].value}};
}

Flows reverse_sequence(Call& c) {
  const Operands o(c);
  const ValueId lengths = o.tensor(1, "seq_lengths");
  return {{by_tensorflow(c, "ReverseSequence", {o.tensor(0, "input"), lengths},
                         {{"seq_dim", o.integer("seq_axis", 0, 2)}, {"batch_dim", o.integer("batch_axis", 0, 3)}})[0]
               .value}};
}

Flows band_part(Call& c) {
  const Operands o(c);
  const ValueId lower = o.tensor(1, "num_lower"), upper = o.tensor(2, "num_upper");
  return {{by_tensorflow(c, "MatrixBandPart", {o.tensor(0, "input"), lower, upper})[0].value}};
}

Flows local_response(Call& c) {
  const Operands o(c);
  return {{by_tensorflow(c, "LRN", {o.tensor(0, kTensorflowX)},
                         {{"depth_radius", o.integer("depth_radius", 5, 1)},
                          {"bias", o.number("bias", 1, 2)},
                          {"alpha", o.number("alpha", 1, 3)},
                          {"beta", o.number("beta", 0.5, 4)}})[0]
               .value}};
}

// ---- text

template <Text op>
Flows text(Call& c) {
  return {{by_tensorflow(c, op.text, {Operands(c).tensor(0, "input|string_tensor|x")})[0].value}};
}

Flows case_of(Call& c) {
  const Operands o(c);
  const char* op = c.layer.class_name == "tf.strings.upper" ? "StringUpper" : "StringLower";
  return {{by_tensorflow(c, op, {o.tensor(0, "input")}, {{"encoding", o.text("encoding")}})[0].value}};
}

std::string text_at(const Operands& o, size_t place, const char* name) {
  const Argument a = o.get(place, name);
  if (!a.is(Argument::Kind::text)) o.b.fail(unsupported("its " + std::string(name) + " is no text of the file, which is not supported"));
  return a.text;
}

Flows regex_replace(Call& c) {
  const Operands o(c);
  return {{by_tensorflow(
               c, "StaticRegexReplace", {o.tensor(0, "input")},
               {{"pattern", text_at(o, 1, "pattern")}, {"rewrite", text_at(o, 2, "rewrite")}, {"replace_global", o.flag("replace_global", true)}})[0]
               .value}};
}

Flows regex_match(Call& c) {
  const Operands o(c);
  return {{by_tensorflow(c, "StaticRegexFullMatch", {o.tensor(0, "input")}, {{"pattern", text_at(o, 1, "pattern")}})[0].value}};
}

Flows substring(Call& c) {
  const Operands o(c);
  const ValueId from = o.tensor(1, "pos"), n = o.tensor(2, "len");
  return {{by_tensorflow(c, "Substr", {o.tensor(0, "input"), from, n}, {{"unit", o.text("unit", "BYTE")}})[0].value}};
}

Flows length(Call& c) {
  const Operands o(c);
  return {{by_tensorflow(c, "StringLength", {o.tensor(0, "input")}, {{"unit", o.text("unit", "BYTE")}})[0].value}};
}

Flows join(Call& c) {
  const Operands o(c);
  std::vector<NodeTensor> all;
  for (ValueId v : o.tensors(0, "inputs")) all.emplace_back(v);
  const Argument separator = o.get(1, "separator");
  const auto n = static_cast<int64_t>(all.size());
  return {{by_tensorflow(c, "StringJoin", std::move(all), {{"separator", separator.text}, {"N", n}})[0].value}};
}

Flows to_number(Call& c) {
  const Operands o(c);
  return {{by_tensorflow(c, "StringToNumber", {o.tensor(0, "input")}, {{"out_type", o.dtype("out_type", DType::f32)}})[0].value}};
}

Flows hash_bucket(Call& c) {
  const Operands o(c);
  return {{by_tensorflow(c, "StringToHashBucketFast", {o.tensor(0, "input")}, {{"num_buckets", o.integer("num_buckets", 0, 1)}})[0].value}};
}

// ---- TensorFlowOpLayer

std::string from_base64(std::string_view text) {
  std::string out;
  uint32_t bits = 0;
  int have = 0;
  for (char ch : text) {
    const int v = ch >= 'A' && ch <= 'Z'   ? ch - 'A'
                  : ch >= 'a' && ch <= 'z' ? ch - 'a' + 26
                  : ch >= '0' && ch <= '9' ? ch - '0' + 52
                  : ch == '+' || ch == '-' ? 62
                  : ch == '/' || ch == '_' ? 63
                                           : -1;
    if (v < 0) continue;
    bits = bits << 6 | static_cast<uint32_t>(v);
    have += 6;
    if (have >= 8) out += static_cast<char>(bits >> (have -= 8) & 0xFF);
  }
  return out;
}

// A node as protobuf writes messages in JSON: integers of 64 bits as texts, bytes in base64.
class NodeReader {
 public:
  NodeReader(GraphBuilder& b, const Json& json) : b_(b), json_(json) {}

  NodeCall read(Json::Id node) {
    NodeCall call;
    call.op = text(json_.get(node, "op"));
    call.name = text(json_.get(node, "name"));
    const Json::Id attributes = json_.get(node, "attr");
    for (size_t i = 0; i < json_.size(attributes) && json_.is(attributes, Json::Kind::object); ++i) attribute(call, attributes, i);
    return call;
  }

 private:
  std::string text(Json::Id id) const { return json_.is(id, Json::Kind::string) ? std::string(json_.string(id)) : std::string(); }

  int64_t integer(Json::Id id) {
    if (json_.is(id, Json::Kind::integer)) return json_.integer(id);
    const std::string digits = text(id);
    int64_t n = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
    if (error != std::errc() || end != digits.data() + digits.size()) b_.fail(invalid("an integer of its node_def is " + printable(digits, 40)));
    return n;
  }

  double number(Json::Id id) {
    if (json_.is(id, Json::Kind::integer) || json_.is(id, Json::Kind::real)) return json_.number(id);
    const std::string word = text(id);
    if (word == "Infinity" || word == "-Infinity") return word[0] == '-' ? -INFINITY : INFINITY;
    if (word != "NaN") b_.fail(invalid("a number of its node_def is " + printable(word, 40)));
    return NAN;
  }

  DType type(Json::Id id) {
    std::string name = text(id);
    if (name.starts_with("DT_")) name.erase(0, 3);
    for (char& ch : name) ch = ch >= 'A' && ch <= 'Z' ? static_cast<char>(ch + 32) : ch;
    const DType dtype = dtype_named(name);
    if (dtype == DType::none) b_.fail(unsupported("dtype " + printable(name, 40) + " of its node_def is not supported"));
    return dtype;
  }

  void attribute(NodeCall& call, Json::Id attributes, size_t i) {
    std::string name(json_.key(attributes, i));
    const Json::Id value = json_.item(attributes, i);
    auto add = [&](NodeCall::Attribute a) { call.attributes.emplace_back(name, std::move(a)); };
    if (const Json::Id b = json_.get(value, "b"); b != Json::kNothing) add(json_.is(b, Json::Kind::boolean) && json_.boolean(b));
    else if (const Json::Id n = json_.get(value, "i"); n != Json::kNothing) add(integer(n));
    else if (const Json::Id f = json_.get(value, "f"); f != Json::kNothing) add(number(f));
    else if (const Json::Id s = json_.get(value, "s"); s != Json::kNothing) add(from_base64(json_.is(s, Json::Kind::string) ? json_.string(s) : ""));
    else if (const Json::Id t = json_.get(value, "type"); t != Json::kNothing) add(type(t));
    else if (const Json::Id l = json_.get(value, "list"); l != Json::kNothing) list(l, add);
    // Shapes and tensors are of operators that have no inputs, which are no layers.
  }

  template <class F>
  void list(Json::Id id, F add) {
    const Json::Id i = json_.get(id, "i"), f = json_.get(id, "f"), s = json_.get(id, "s");
    std::vector<int64_t> integers;
    std::vector<double> reals;
    std::vector<std::string> texts;
    for (size_t k = 0; k < json_.size(i); ++k) integers.push_back(integer(json_.item(i, k)));
    for (size_t k = 0; k < json_.size(f); ++k) reals.push_back(number(json_.item(f, k)));
    for (size_t k = 0; k < json_.size(s); ++k) texts.push_back(from_base64(text(json_.item(s, k))));
    if (!reals.empty()) add(std::move(reals));
    else if (!texts.empty()) add(std::move(texts));
    else add(std::move(integers));
  }

  GraphBuilder& b_;
  const Json& json_;
};

// Its inputs are the tensors that it is called with, and constants at places that the config names.
Flows node(Call& c) {
  const Json* json = &c.config.json();
  Json::Id def = c.config.at("node_def");
  std::optional<Json> own;  // older files have the message as a text
  if (json->is(def, Json::Kind::string)) {
    auto parsed = Json::parse(json->string(def));
    if (!parsed) return c.b.fail(parsed.error().within("node_def")), Flows();
    own.emplace(std::move(*parsed));
    json = &*own, def = own->root();
  }
  if (!json->is(def, Json::Kind::object)) return c.invalid("its config: node_def is not there");
  NodeCall call = NodeReader(c.b, *json).read(def);
  const Operands o(c);
  for (const Flow& f : c.inputs) call.inputs.emplace_back(f.value);
  const Json::Id constants = c.config.at("constants");
  std::map<int64_t, Json::Id> places;
  for (size_t i = 0; i < c.config.json().size(constants) && c.config.is_object("constants"); ++i) {
    int64_t place = -1;
    const std::string_view key = c.config.json().key(constants, i);
    std::from_chars(key.data(), key.data() + key.size(), place);
    places[place] = c.config.json().item(constants, i);
  }
  for (const auto& [place, id] : places) {  // ascending: each comes to stand where its key says
    if (place < 0 || place > static_cast<int64_t>(call.inputs.size()))
      return c.invalid("its config: a constant is at place " + std::to_string(place));
    call.inputs.insert(call.inputs.begin() + place, NodeTensor(o.tensor(read_value(c.b, c.config.json(), id))));
  }
  Flows out;
  for (const NodeTensor& t : tensorflow::add_node(c.b, call)) {
    if (t.imaginary != kNone) return c.unsupported("a layer that gives complex numbers");
    out.push_back({t.value});
  }
  return out;
}

constexpr LayerRow kTensorflowRows[] = {
    {"TensorFlowOpLayer", node, Masking::dropped, false},
    {"ops.Erfinv tf.math.erfinv", real_function<"Erfinv">},
    {"tf.math.lgamma", real_function<"Lgamma">},
    {"tf.math.digamma", real_function<"Digamma">},
    {"ops.I0 tf.math.bessel_i0 tf.math.special.bessel_i0", real_function<"BesselI0">},
    {"tf.math.bessel_i0e tf.math.special.bessel_i0e", real_function<"BesselI0e">},
    {"tf.math.bessel_i1 tf.math.special.bessel_i1", real_function<"BesselI1">},
    {"tf.math.bessel_i1e tf.math.special.bessel_i1e", real_function<"BesselI1e">},
    {"tf.math.special.bessel_j0", real_function<"BesselJ0">},
    {"tf.math.special.bessel_j1", real_function<"BesselJ1">},
    {"tf.math.special.bessel_k0", real_function<"BesselK0">},
    {"tf.math.special.bessel_k1", real_function<"BesselK1">},
    {"tf.math.special.bessel_y0", real_function<"BesselY0">},
    {"tf.math.special.bessel_y1", real_function<"BesselY1">},
    {"tf.math.igamma", two_named<"Igamma", "a", "x">},
    {"tf.math.igammac", two_named<"Igammac", "a", "x">},
    {"tf.math.betainc", betainc},
    {"tf.math.zeta", two_named<"Zeta", "x", "q">},
    {"tf.math.polygamma", two_named<"Polygamma", "a", "x">},
    {"ops.Nextafter tf.math.nextafter", next_after},
    {"ops.LeftShift ops.BitwiseLeftShift tf.bitwise.left_shift", two<"LeftShift">},
    {"ops.RightShift ops.BitwiseRightShift tf.bitwise.right_shift", two<"RightShift">},
    {"tf.bitwise.bitwise_and", two<"BitwiseAnd">},
    {"tf.bitwise.bitwise_or", two<"BitwiseOr">},
    {"tf.bitwise.bitwise_xor", two<"BitwiseXor">},
    {"tf.math.xlogy", two<"Xlogy">},
    {"tf.math.xlog1py", two<"Xlog1py">},
    {"tf.math.multiply_no_nan", two<"MulNoNan">},
    {"tf.math.reciprocal_no_nan", reciprocal_no_nan},
    {"tf.reverse_sequence", reverse_sequence},
    {"tf.linalg.band_part", band_part},
    {"tf.nn.local_response_normalization tf.nn.lrn", local_response},
    {"tf.math.xdivy", two<"Xdivy">},
    {"tf.image.rgb_to_hsv", one<"RGBToHSV">},
    {"tf.image.hsv_to_rgb", one<"HSVToRGB">},
    {"tf.strings.lower tf.strings.upper", case_of, Masking::dropped, false},
    {"tf.strings.strip", text<"StringStrip">, Masking::dropped, false},
    {"tf.strings.length", length, Masking::dropped, false},
    {"tf.strings.substr", substring, Masking::dropped, false},
    {"tf.strings.join", join, Masking::dropped, false},
    {"tf.strings.regex_replace", regex_replace, Masking::dropped, false},
    {"tf.strings.regex_full_match", regex_match, Masking::dropped, false},
    {"tf.strings.to_number", to_number, Masking::dropped, false},
    {"tf.strings.to_hash_bucket_fast", hash_bucket, Masking::dropped, false},
    {"tf.strings.as_string", text<"AsString">, Masking::dropped, false},
};

}  // namespace

std::span<const LayerRow> tensorflow_operations() { return kTensorflowRows; }

}  // namespace tern::keras
