// Every operator of loaders/tensorflow/ops against what TensorFlow computed: tests/data/tensorflow/ops, made by tests/data/tensorflow/make/ops.py.
// Each case is a graph as TensorFlow writes it, evaluated and run by a session; once with all sizes known, once with the first one unknown.
#include <doctest/doctest.h>

#include <charconv>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "loaders/load.h"
#include "loaders/npy/npy.h"
#include "loaders/tensorflow/ops/operator.h"
#include "runtime/base/half.h"
#include "runtime/model.h"
#include "tests/support/cheap.h"
#include "tests/support/missing_library.h"

namespace tern::test::in_tensorflow_ops {
namespace {

constexpr const char* kFamilies[] = {"math",  "shape",  "index",  "reduce", "nn",    "image", "fourier",
                                     "boxes", "matrix", "ragged", "text",   "audio", "rare"};
const std::string kFolder = std::string(TERN_TEST_DATA) + "/tensorflow/ops/";

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> out;
  for (size_t begin = 0; begin <= text.size() && !text.empty();) {
    const size_t end = std::min(text.find(at, begin), text.size());
    out.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

struct Case {
  std::string what;
  std::vector<std::string> operators;
  std::span<const std::byte> graph, open_graph;
  std::vector<Tensor> inputs, results;
  bool refused = false;
};

struct Recorded {
  std::vector<Tensor> files;  // what the cases point into
  std::vector<Case> cases;

  Recorded() {
    for (const char* family : kFamilies) read(family);
  }

 private:
  void read(const std::string& family) {
    auto bytes = read_file(kFolder + family + ".npz");
    REQUIRE_MESSAGE(bytes.ok(), family);
    auto arrays = read_npz(*bytes);
    REQUIRE_MESSAGE(arrays.ok(), family);
    Tensor text, data;
    for (auto& [name, tensor] : *arrays) (name == "cases" ? text : data) = tensor;
    REQUIRE((text.present() && data.present()));
    files.push_back(data);
    const std::string_view lines(reinterpret_cast<const char*>(text.raw()), text.bytes());
    for (const std::string& line : split(lines, '\n')) add(line, {data.raw(), data.bytes()});
  }

  void add(const std::string& line, std::span<const std::byte> data) {
    const auto columns = split(line, '\t');
    REQUIRE(columns.size() == 6);
    Case c{columns[0], split(columns[1], ' '), part(columns[2], data), part(columns[3], data), {}, {}, columns[5] == "!"};
    for (const std::string& t : split(columns[4], ' ')) c.inputs.push_back(array(t, data));
    if (!c.refused) {
      for (const std::string& t : split(columns[5], ' ')) c.results.push_back(array(t, data));
    }
    cases.push_back(std::move(c));
  }

  static std::span<const std::byte> part(const std::string& place, std::span<const std::byte> data) {  // "offset+length"
    const auto numbers = split(place, '+');
    REQUIRE(numbers.size() == 2);
    return data.subspan(std::stoul(numbers[0]), std::stoul(numbers[1]));
  }

  static Tensor array(const std::string& text, std::span<const std::byte> data) {  // "f32:2,3:offset+length"
    const size_t first = text.find(':'), second = text.find(':', first + 1);
    REQUIRE(second != text.npos);
    DType dtype = DType::none;
    for (int t = 0; t <= static_cast<int>(DType::string); ++t) {
      if (name(static_cast<DType>(t)) == text.substr(0, first)) dtype = static_cast<DType>(t);
    }
    Dims dims;
    for (const std::string& n : split(text.substr(first + 1, second - first - 1), ',')) dims.push_back(std::stol(n));
    auto tensor = Tensor::allocate(dtype, dims);
    REQUIRE_MESSAGE(tensor.ok(), text);
    const auto bytes = part(text.substr(second + 1), data);
    if (dtype == DType::string) return *Tensor::strings(dims, texts(bytes));
    REQUIRE(bytes.size() == tensor->bytes());
    std::copy(bytes.begin(), bytes.end(), tensor->mutable_raw());
    return *tensor;
  }

  static std::vector<std::string> texts(std::span<const std::byte> bytes) {  // each: its length in four bytes, then its bytes
    std::vector<std::string> out;
    for (size_t at = 0; at < bytes.size();) {
      uint32_t length = 0;
      for (size_t i = 0; i < 4; ++i) length |= static_cast<uint32_t>(bytes[at + i]) << 8 * i;
      out.emplace_back(reinterpret_cast<const char*>(bytes.data()) + at + 4, length);
      at += 4 + length;
    }
    return out;
  }
};

const Recorded& recorded() {
  static const Recorded r;
  return r;
}

double element(const Tensor& t, int64_t i) {
  return visit(t.dtype(), [&]<class T>() -> double {
    if constexpr (std::is_same_v<T, f16> || std::is_same_v<T, bf16>) return to_f32(t.data<T>()[i]);
    else if constexpr (std::is_arithmetic_v<T>) return static_cast<double>(t.data<T>()[i]);
    else return NAN;
  });
}

// Empty when equal. f32: our functions and sums in another order differ from TensorFlow's in the last places, hence 2e-5 relative and 4e-6 absolute;
// 16-bit floats are rounded after every node here and once in TensorFlow: a few of their ULP (2^-10, 2^-8). Integers and bools are exact.
std::string difference(const Tensor& got, const Tensor& want) {
  if (got.dtype() != want.dtype()) return std::string("is ") + name(got.dtype()) + ", not " + name(want.dtype());
  if (!(got.dims() == want.dims())) return "has shape " + to_string(got.dims()) + ", not " + to_string(want.dims());
  const DType t = want.dtype();
  for (int64_t i = 0; t == DType::string && i < want.count(); ++i) {
    const std::string_view g = got.span<StringRef>()[static_cast<size_t>(i)].view(), w = want.span<StringRef>()[static_cast<size_t>(i)].view();
    if (g != w) return "element " + std::to_string(i) + " is '" + std::string(g) + "', not '" + std::string(w) + "'";
  }
  if (t == DType::string) return {};
  const double relative = t == DType::bf16 ? 2e-2 : t == DType::f16 ? 4e-3 : t == DType::f64 ? 1e-9 : 2e-5;
  const double absolute = t == DType::bf16 ? 1e-2 : t == DType::f16 ? 2e-3 : t == DType::f64 ? 1e-12 : 4e-6;
  double largest = 0;  // sums of large numbers may cancel
  for (int64_t i = 0; i < want.count(); ++i) largest = std::max(largest, std::isfinite(element(want, i)) ? std::fabs(element(want, i)) : 0);
  for (int64_t i = 0; i < want.count(); ++i) {
    const double g = element(got, i), w = element(want, i);
    const bool same = g == w || (std::isnan(g) && std::isnan(w));
    const bool near = is_float(t) && std::isfinite(w) && std::fabs(g - w) <= absolute * std::max(1.0, largest / 8) + relative * std::fabs(w);
    if (!same && !near) return "element " + std::to_string(i) + " is " + std::to_string(g) + ", not " + std::to_string(w);
  }
  return {};
}

Result<Model> model_of(const Case& c, bool open) {
  LoadOptions options;
  for (size_t o = 0; o < std::max<size_t>(c.results.size(), 1); ++o) options.outputs.push_back("y:" + std::to_string(o));
  return load_bytes(open ? c.open_graph : c.graph, options);
}

// What is wrong with a case whose model was made; empty when nothing is.
std::string run(const Case& c, const Model& model) {
  std::vector<Array> arrays;
  std::map<std::string, int64_t> dims;
  for (const Port& port : model.inputs()) {  // inputs that nothing reads are not in the model
    const Tensor& x = c.inputs[std::stoul(port.name.substr(1))];
    arrays.push_back(to_array(x));
    for (size_t axis = 0; axis < port.shape.size(); ++axis) {
      if (std::isalpha(static_cast<unsigned char>(port.shape[axis][0]))) dims[port.shape[axis]] = x.dims()[static_cast<int>(axis)];
    }
  }
  auto evaluated = model.evaluate(arrays);
  if (!evaluated) return "evaluation: " + evaluated.error().message();
  for (size_t o = 0; o < c.results.size(); ++o) {
    auto got = to_tensor((*evaluated)[o]);
    if (!got) return got.error().message();
    if (std::string d = difference(*got, c.results[o]); !d.empty()) return "result " + std::to_string(o) + " " + d;
  }
  if (model.data_dependent() || model.state().optimized.nodes.empty()) return {};
  for (const Value& v : model.state().optimized.values) {
    if (v.type.dtype == DType::string) return {};  // only evaluate() runs text
  }
  auto session = model.session({.dims = dims});
  if (!session)
    return session.error().message().find("depend on the contents of an input") != std::string::npos ? "" : "session: " + session.error().message();
  for (size_t i = 0; i < arrays.size(); ++i) {
    auto to = session->input_bytes(model.inputs()[i].name);
    std::copy(arrays[i].bytes.begin(), arrays[i].bytes.end(), to.begin());
  }
  if (!session->run()) return "run: " + session->status().error().message();
  for (size_t o = 0; o < c.results.size(); ++o) {
    const auto bytes = session->output_bytes(model.outputs()[o].name);
    if (!std::equal(bytes.begin(), bytes.end(), (*evaluated)[o].bytes.begin(), (*evaluated)[o].bytes.end()))
      return "result " + std::to_string(o) + " of the session has other bits";
  }
  return {};
}

// Names without a case, with the reason.
constexpr std::pair<std::string_view, const char*> kWithoutCase[] = {
    {"Placeholder", "an input: every case has one"},
    {"PlaceholderV2", "an input of TensorFlow 0"},
    {"_EagerConst", "TensorFlow's runtime makes it and never saves it"},
    {"XlaSharding", "TensorFlow on other machines writes it"},
    {"VariableShape", "of variables: tensorflow.cpp"},
    {"ResourceGather", "of variables: tensorflow.cpp"},
    {"ResourceGatherNd", "of variables: tensorflow.cpp"},
};

}  // namespace

TEST_CASE("tensorflow ops: every recorded graph gives TensorFlow's dtypes, shapes and elements") {
  for (const Case& c : recorded().cases) {
    auto model = model_of(c, false);
    if (c.refused) {
      CHECK_MESSAGE((!model.ok() && model.error().code() == Code::kUnsupported), c.what);
      continue;
    }
    if (!model.ok() && lacks_library(model.error().message())) continue;
    CHECK_MESSAGE(model.ok(), c.what << ": " << (model.ok() ? "" : model.error().message()));
    if (!model.ok()) continue;
    const std::string wrong = run(c, *model);
    CHECK_MESSAGE(wrong.empty(), c.what << ": " << wrong);
  }
}

TEST_CASE("tensorflow ops: with a size that is not known a graph gives the same, or is refused as unsupported") {
  size_t done = 0, all = 0;
  for (size_t i = 0; i < recorded().cases.size(); i += every(1)) {
    const Case& c = recorded().cases[i];
    if (c.refused) continue;
    ++all;
    auto model = model_of(c, true);
    if (!model.ok()) {
      CHECK_MESSAGE(model.error().code() == Code::kUnsupported, c.what << ": " << model.error().message());
      MESSAGE(c.what << ": " << model.error().message());
      continue;
    }
    const std::string wrong = run(c, *model);
    CHECK_MESSAGE(wrong.empty(), c.what << ": " << wrong);
    ++done;
  }
  CHECK(done * 20 > all * 19);
}

TEST_CASE("tensorflow ops: no name has two rows, and every name has a case") {
  std::set<std::string, std::less<>> seen, used;
  for (const Case& c : recorded().cases) used.insert(c.operators.begin(), c.operators.end());
  for (const auto& [name, reason] : kWithoutCase) used.emplace(name);
  for (auto table : tensorflow::all_operators()) {
    const bool text = table.data() == tensorflow::string_operators().data();  // tests/kernels/strings.cpp has what they compute
    for (const tensorflow::Operator& op : table) {
      bool refused = table.data() == tensorflow::refused_operators().data(), any = false;
      for (const std::string& name : split(op.names, ' ')) {
        CHECK_MESSAGE(seen.insert(name).second, name);
        CHECK_MESSAGE(tensorflow::find_operator(name) == &op, name);
        any = any || used.contains(name);
        if (!refused && !text) CHECK_MESSAGE(used.contains(name), name);
      }
      if (refused) CHECK_MESSAGE(any, std::string(op.names));
    }
  }
  CHECK(tensorflow::find_operator("NoSuchOperator") == nullptr);
}

TEST_CASE("tensorflow ops: output arguments are those of TensorFlow's definitions") {
  auto text = read_file(kFolder + "outputs.txt");
  REQUIRE(text.ok());
  std::map<std::string, std::string> want;
  for (const std::string& line : split({reinterpret_cast<const char*>(text->data()), text->size()}, '\n')) {
    if (!line.empty()) want.emplace(line.substr(0, line.find(' ')), line.substr(line.find(' ') + 1));
  }
  for (auto table : tensorflow::all_operators()) {
    if (table.data() == tensorflow::refused_operators().data()) continue;
    for (const tensorflow::Operator& op : table) {
      for (const std::string& name : split(op.names, ' ')) {
        const auto it = want.find(name);
        CHECK_MESSAGE((op.outputs == nullptr ? "" : std::string(op.outputs)) == (it == want.end() ? "" : it->second), name);
      }
    }
  }
}

}  // namespace tern::test::in_tensorflow_ops
