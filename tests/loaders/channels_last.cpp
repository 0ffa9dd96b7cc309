// loaders/channels_last against TensorFlow: tests/data/channels_last, made by make.py beside it. Each case is built with known sizes, evaluated and
// run by a session; and once more with symbols for all sizes of x but its channels.
#include "loaders/channels_last/channels_last.h"

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <set>

#include "tests/support/recorded.h"

namespace tern::test::in_channels_last {
namespace {

using namespace channels_last;

const RecordedCases& recorded() {
  static const std::string folder = std::string(TERN_TEST_DATA) + "/channels_last/";
  static const RecordedCases r(folder + "cases.json", folder + "arrays.npz");
  return r;
}

// One case: its arguments by name.
struct Case {
  Json::Id id;
  const Json& json = recorded().json;
  bool has(const char* key) const { return json.get(id, key) != Json::kNothing; }
  std::string text(const char* key) const { return std::string(json.string(json.get(id, key))); }
  bool flag(const char* key) const { return has(key) && json.boolean(json.get(id, key)); }
  double number(const char* key) const { return json.number(json.get(id, key)); }
  std::vector<int64_t> ints(const char* key) const {
    std::vector<int64_t> out;
    const Json::Id list = json.get(id, key);
    for (size_t i = 0; i < json.size(list); ++i) out.push_back(json.integer(json.item(list, i)));
    return out;
  }
  const Tensor& array(const char* key) const { return recorded().arrays.find(text(key))->second; }
  Channels channels() const { return flag("first") ? Channels::first : Channels::last; }
};

Window window_of(const Case& c) {
  using Padding = Window::Padding;
  const std::map<std::string, Padding> paddings = {
      {"valid", Padding::valid}, {"same", Padding::same}, {"causal", Padding::causal}, {"given", Padding::given}};
  return {c.ints("kernel"), c.ints("strides"), c.ints("dilations"), paddings.at(c.text("padding")), c.ints("pads"), c.channels()};
}

Resize resize_of(const Case& c) {
  using F = Resize::Filter;
  const std::map<std::string, F> filters = {{"nearest", F::nearest},   {"bilinear", F::bilinear},          {"bicubic", F::bicubic},
                                            {"area", F::area},         {"lanczos3", F::lanczos3},          {"lanczos5", F::lanczos5},
                                            {"gaussian", F::gaussian}, {"mitchellcubic", F::mitchellcubic}};
  const std::map<std::string, Resize::Grid> grids = {
      {"half_pixel", Resize::Grid::half_pixel}, {"align_corners", Resize::Grid::align_corners}, {"legacy", Resize::Grid::legacy}};
  return {filters.at(c.text("filter")), grids.at(c.text("grid")), c.flag("antialias")};
}

Margins margins_of(const Case& c) {
  Margins out;
  const Json::Id list = c.json.get(c.id, "margins");
  for (size_t i = 0; i < c.json.size(list); ++i) {
    const Json::Id pair = c.json.item(list, i);
    out.emplace_back(c.json.integer(c.json.item(pair, 0)), c.json.integer(c.json.item(pair, 1)));
  }
  return out;
}

ValueId apply(GraphBuilder& b, const Case& c, ValueId x) {
  const std::string op = c.text("op");
  auto weight = [&](const char* key) { return c.has(key) ? b.constant(c.array(key), key) : kNone; };
  const Pool kind = c.has("kind") && c.text("kind") == "max" ? Pool::max : Pool::average;
  if (op == "conv") return conv(b, x, weight("w"), window_of(c));
  if (op == "depthwise_conv") return depthwise_conv(b, x, weight("w"), window_of(c));
  if (op == "conv_transpose") return conv_transpose(b, x, weight("w"), window_of(c), c.ints("more"));
  if (op == "bias_add") return bias_add(b, x, weight("bias"), c.channels());
  if (op == "pool") return pool(b, x, kind, window_of(c));
  if (op == "global_pool") return global_pool(b, x, kind, c.channels(), c.flag("keep_dims"));
  if (op == "batch_norm") {
    const BatchNorm norm = {weight("gamma"), weight("beta"), weight("mean"), weight("variance"), c.number("epsilon")};
    return batch_norm(b, x, static_cast<int>(c.number("axis")), norm);
  }
  if (op == "resize") {
    std::vector<Int> sizes;
    for (int64_t n : c.ints("sizes")) sizes.emplace_back(n);
    return resize(b, x, sizes, resize_of(c), c.channels());
  }
  if (op == "repeat") return repeat(b, x, c.ints("factors"), c.channels());
  if (op == "zero_pad") return zero_pad(b, x, margins_of(c), c.channels());
  if (op == "crop") return crop(b, x, margins_of(c), c.channels());
  if (op == "space_to_depth") return space_to_depth(b, x, c.json.integer(c.json.get(c.id, "block")), c.channels());
  if (op == "depth_to_space") return depth_to_space(b, x, c.json.integer(c.json.get(c.id, "block")), c.channels());
  FAIL("a case of " << op);
  return kNone;
}

// Within what f32 sums in another order differ by.
std::string difference(const Array& got, const Tensor& want) {
  auto tensor = to_tensor(got);
  if (!tensor) return tensor.error().message();
  if (tensor->dtype() != want.dtype()) return std::string("is ") + name(tensor->dtype());
  if (tensor->dims() != want.dims()) return "is " + Shape(tensor->dims()).text() + " instead of " + Shape(want.dims()).text();
  if (want.dtype() == DType::u8) return std::equal(want.raw(), want.raw() + want.bytes(), tensor->raw()) ? "" : "has other bytes";
  for (int64_t i = 0; i < want.count(); ++i) {
    const double g = tensor->data<float>()[i], w = want.data<float>()[i];
    if (!(std::fabs(g - w) <= 1e-5 + 1e-5 * std::fabs(w)) && !(g != g && w != w))
      return "element " + std::to_string(i) + " is " + std::to_string(g) + " instead of " + std::to_string(w);
  }
  return {};
}

// What is wrong with a case; "refused: …" when it is not supported.
std::string play(const Case& c, bool symbolic) {
  const Tensor& x = c.array("x");
  Shape shape(x.dims());
  std::map<std::string, int64_t> dims;
  const int channels = channel_axis(shape.rank(), c.channels());
  for (int i = 0; symbolic && i < shape.rank(); ++i) {
    if (i == channels) continue;
    const std::string symbol = "n" + std::to_string(i);
    dims[symbol] = x.dims()[i];
    shape[i] = Dim::symbol(symbol);
  }
  if (c.text("op") == "batch_norm") shape = symbolic ? Shape(x.dims()) : shape;  // its axis may be any
  GraphBuilder b;
  const ValueId y = apply(b, c, b.input("x", {x.dtype(), shape}));
  auto graph = b.finish({{"y", y}});
  if (!graph) return (graph.error().code() == Code::kUnsupported ? "refused: " : "") + graph.error().message();
  auto model = make_model(std::move(*graph), {});
  if (!model) return model.error().message();
  const Array input = to_array(x);
  auto evaluated = model->evaluate({&input, 1});
  if (!evaluated) return evaluated.error().message();
  if (std::string d = difference((*evaluated)[0], c.array("y")); !d.empty()) return d;
  SessionOptions options;
  if (c.text("op") != "batch_norm") options.dims = dims;
  auto session = model->session(options);
  if (!session) return session.error().message();
  std::copy(x.raw(), x.raw() + x.bytes(), session->input_bytes("x").begin());
  session->run();
  const auto bytes = session->output_bytes("y");
  const auto& want = (*evaluated)[0].bytes;
  return bytes.size() == want.size() && std::equal(bytes.begin(), bytes.end(), want.begin()) ? "" : "the session has other bits";
}

std::vector<Case> all_cases() {
  std::vector<Case> out;
  const Json& json = recorded().json;
  for (size_t i = 0; i < json.size(json.root()); ++i) out.push_back({json.item(json.root(), i)});
  return out;
}

std::string label(const Case& c) {
  std::string out = c.text("op");
  for (const char* key : {"padding", "filter", "grid", "kind"}) out += c.has(key) ? " " + c.text(key) : "";
  for (const char* key : {"kernel", "strides", "dilations", "sizes", "more"}) {
    for (int64_t n : c.ints(key)) out += " " + std::to_string(n);
  }
  return out + " of " + Shape(c.array("x").dims()).text();
}

}  // namespace

TEST_CASE("channels last: every recorded case gives TensorFlow's elements") {
  REQUIRE(all_cases().size() > 250);
  for (const Case& c : all_cases()) {
    const std::string wrong = play(c, false);
    CHECK_MESSAGE(wrong.empty(), label(c) << ": " << wrong);
  }
}

TEST_CASE("channels last: with symbols for sizes the same comes out, or a filter that needs them is refused") {
  for (const Case& c : all_cases()) {
    const std::string wrong = play(c, true);
    if (c.text("op") == "resize" && c.text("filter") == "nearest" && wrong.empty() == false) continue;  // ties: f64 against f32
    if (wrong.starts_with("refused: ")) CHECK_MESSAGE((c.text("op") == "resize"), label(c) << ": " << wrong);
    else CHECK_MESSAGE(wrong.empty(), label(c) << ": " << wrong);
  }
}

TEST_CASE("channels last: a bias goes along the channels where one axis is spatial too") {
  GraphBuilder b;
  const ValueId x = b.input("x", {DType::f32, Shape{1, 2, 3}}), bias = b.constant(Tensor::of<float>({2}, std::vector<float>{10, 20}));
  auto graph = b.finish({{"y", bias_add(b, x, bias, Channels::first)}});
  REQUIRE(graph.ok());
  auto model = make_model(std::move(*graph), {});
  REQUIRE(model.ok());
  const Array input = to_array(Tensor::of<float>({1, 2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6}));
  auto y = model->evaluate({&input, 1});
  REQUIRE(y.ok());
  CHECK(difference((*y)[0], Tensor::of<float>({1, 2, 3}, std::vector<float>{11, 12, 13, 24, 25, 26})) == "");
}

TEST_CASE("channels last: windows and sizes that do not fit are refused") {
  auto error = [](auto f) {
    GraphBuilder b;
    f(b, b.input("x", {DType::f32, Shape{1, 6, 6, 4}}));
    return b.ok() ? std::string() : b.status().error().message();
  };
  auto filter = [](GraphBuilder& b, Dims dims) { return b.constant(*Tensor::allocate(DType::f32, dims), "w"); };
  CHECK(error([&](auto& b, ValueId x) { conv(b, x, filter(b, Dims{3, 3, 3, 4}), {}); }).find("their channels do not fit") != std::string::npos);
  CHECK(error([&](auto& b, ValueId x) { conv(b, x, filter(b, Dims{3, 4, 4}), {}); }).find("do not fit each other") != std::string::npos);
  CHECK(error([&](auto& b, ValueId x) { conv(b, x, filter(b, Dims{3, 3, 4, 4}), {.strides = {0, 1}}); }) == "strides holds 0, which is out of range");
  CHECK(error([&](auto& b, ValueId x) { conv(b, x, filter(b, Dims{3, 3, 4, 4}), {.strides = {1}}); }) == "strides has 1 numbers for 2 spatial axes");
  CHECK(error([&](auto& b, ValueId x) { depthwise_conv(b, x, filter(b, Dims{3, 3, 3, 1}), {}); }).find("channels do not fit") != std::string::npos);
  CHECK(error([&](auto& b, ValueId x) { pool(b, x, Pool::max, {.kernel = {2}}); }).find("a pool over 1 spatial axes") != std::string::npos);
  CHECK(error([&](auto& b, ValueId x) { crop(b, x, {{4, 3}, {0, 0}}); }) == "more is cropped than an axis of 6 has");
  CHECK(error([&](auto& b, ValueId x) { zero_pad(b, x, {{-1, 3}, {0, 0}}); }) == "margins of -1 and 3");
  CHECK(error([&](auto& b, ValueId x) { resize(b, x, {Int(0), Int(3)}, {}); }) == "resizing from 6 to 0");
  CHECK(error([&](auto& b, ValueId x) {
          conv_transpose(b, x, filter(b, Dims{3, 3, 2, 4}), {}, {INT64_MAX, 0});
        }).find("makes no sense") != std::string::npos);
}

}  // namespace tern::test::in_channels_last
