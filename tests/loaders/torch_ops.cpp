// Every operator of loaders/torch/ops against what PyTorch computed: tests/data/torch/ops, made by tests/data/torch/make/ops.py.
// Each case is built by call(), evaluated, and run by a session; once with all sizes known, once with the first dimensions as symbols, and
// once as the body of a forward.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "loaders/load.h"
#include "loaders/npy/npy.h"
#include "loaders/torch/arch/parse.h"
#include "loaders/torch/nn/net.h"
#include "loaders/torch/ops/operator.h"
#include "runtime/base/half.h"
#include "runtime/model.h"
#include "tests/support/cheap.h"
#include "tests/support/torch_calls.h"

namespace tern::test::in_torch_ops {
namespace {

using torch::IValue;
using torch::IValues;

struct Case {
  std::string call, forward;
  std::vector<std::string> results;  // names of arrays; "-" for None
};

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> out;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(at, begin), text.size());
    out.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

struct Recorded {
  std::vector<Case> cases;
  std::map<std::string, Tensor, std::less<>> arrays;

  Recorded() {
    const std::string folder = std::string(TERN_TEST_DATA) + "/torch/ops/";
    auto text = read_file(folder + "cases.txt");
    auto bytes = read_file(folder + "arrays.npz");
    REQUIRE((text.ok() && bytes.ok()));
    auto read = read_npz(*bytes);
    REQUIRE_MESSAGE(read.ok(), (read.ok() ? "" : read.error().message()));
    for (auto& [name, tensor] : *read) arrays.emplace(name, std::move(tensor));
    std::string_view rest(reinterpret_cast<const char*>(text->data()), text->size());
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
      const auto columns = split(line, '\t');
      REQUIRE(columns.size() == 3);
      cases.push_back({columns[0], columns[1], split(columns[2], ' ')});
    }
  }
  // The results of a case; those that are None in torch are absent.
  const Tensor* result(const Case& c, size_t k) const {
    auto it = arrays.find(k < c.results.size() ? c.results[k] : "-");
    return it == arrays.end() ? nullptr : &it->second;
  }
};

const Recorded& recorded() {
  static const Recorded r;
  return r;
}

double element(const Tensor& t, int64_t i) {
  switch (t.dtype()) {
    case DType::f32: return t.data<float>()[i];
    case DType::f64: return t.data<double>()[i];
    case DType::f16: return to_f32(t.data<f16>()[i]);
    case DType::i64: return static_cast<double>(t.data<int64_t>()[i]);
    case DType::i32: return t.data<int32_t>()[i];
    case DType::i16: return t.data<int16_t>()[i];
    case DType::i8: return t.data<int8_t>()[i];
    case DType::u8: return t.data<uint8_t>()[i];
    case DType::boolean: return t.data<bool>()[i];
    default: return NAN;
  }
}

// Empty when equal. f32: our exp, log, tanh … and sums in another order differ from torch's in the last places, hence 1e-5 relative and 4e-6
// absolute; f16 is rounded after every node here and once in torch: a few of its ULP (2^-10). Integers and bools are exact.
std::string difference(const Tensor& got, const Tensor& want) {
  if (got.dtype() != want.dtype()) return std::string("is ") + name(got.dtype()) + ", not " + name(want.dtype());
  if (!(got.dims() == want.dims())) return "has shape " + to_string(got.dims()) + ", not " + to_string(want.dims());
  const bool half = want.dtype() == DType::f16;
  const double relative = half ? 4e-3 : 1e-5, absolute = half ? 2e-3 : 4e-6;
  for (int64_t i = 0; i < want.count(); ++i) {
    const double g = element(got, i), w = element(want, i);
    const bool same = g == w || (std::isnan(g) && std::isnan(w));
    const bool near = is_float(want.dtype()) && std::isfinite(w) && std::fabs(g - w) <= absolute + relative * std::fabs(w);
    if (!same && !near) return "element " + std::to_string(i) + " is " + std::to_string(g) + ", not " + std::to_string(w);
  }
  return {};
}

// A graph of one case: results that are tensors become outputs, numbers are compared at once.
struct Built {
  Status status;
  std::vector<std::string> inputs;      // names of arrays
  std::map<std::string, int64_t> dims;  // symbols
  std::vector<size_t> outputs;          // the place of each among the results
  std::string numbers;                  // how Python numbers differ from torch's
  std::optional<Model> model;
};

void flatten(const IValue& v, std::vector<IValue>& out) {
  if (const auto* items = v.items()) {
    for (const IValue& item : *items) flatten(item, out);
  } else {
    out.push_back(v);
  }
}

std::string compare_number(const IValue& v, const Tensor& want) {
  const double w = element(want, 0);
  double got = NAN;
  if (const auto* flag = v.get<bool>()) got = *flag;
  else if (const auto* x = v.get<double>()) got = *x;
  else if (const auto* n = v.get<Int>(); n != nullptr && n->known()) got = static_cast<double>(n->value());
  const bool kind = (v.get<bool>() != nullptr) == (want.dtype() == DType::boolean) && (v.get<double>() != nullptr) == is_float(want.dtype());
  if (kind && std::fabs(got - w) <= 1e-12 * std::fabs(w)) return {};
  return std::string(v.kind()) + " " + std::to_string(got) + " instead of " + std::to_string(w);
}

enum class Way { call, symbolic, forward };

// forward(self, x, y): return … with the arrays that it names as arguments.
IValue interpret(torch::Builder& b, const std::string& expression, const std::function<ValueId(std::string_view)>& tensor) {
  std::string parameters = "self";
  IValues arguments;
  std::set<std::string> seen;
  for (size_t at = 0; at < expression.size();) {  // words that are names of arrays
    size_t end = at;
    while (end < expression.size() && (std::isalnum(static_cast<unsigned char>(expression[end])) || expression[end] == '_')) ++end;
    const std::string word = expression.substr(at, end - at);
    const bool attribute = at > 0 && expression[at - 1] == '.', keyword = end < expression.size() && expression[end] == '=';
    const bool quoted = std::count(expression.begin(), expression.begin() + static_cast<std::ptrdiff_t>(at), '\'') % 2 == 1;
    at = std::max(end, at + 1);
    if (word.empty() || attribute || keyword || quoted || std::isdigit(static_cast<unsigned char>(word[0])) || seen.contains(word)) continue;
    const ValueId v = tensor(word);
    if (v == kNone) continue;
    seen.insert(word);
    parameters += ", " + word;
    arguments.push_back(IValue::tensor(v));
  }
  auto architecture = torch::parse_architecture("def forward(" + parameters + "):\n    return " + expression + "\n", "case.py");
  if (!architecture) {
    b.fail(architecture.error());
    return {};
  }
  torch::Module module;
  module.cls = "Case";
  torch::Program& program = *architecture->program;
  program.set_root("Case");
  torch::Weights weights({}, 0);
  torch::Network network(b, weights, &program);
  const torch::Function* forward = program.find(module);
  REQUIRE(forward != nullptr);
  return program.run(*forward, network, module, "", arguments, {});
}

// symbolic: sizes of axis 0 of inputs are symbols, one for each size.
Built build(const Case& c, Way way) {
  const bool symbolic = way == Way::symbolic;
  torch::Builder b("test");
  Built out;
  std::map<std::string, ValueId, std::less<>> made;
  const std::function<ValueId(std::string_view)> tensor = [&](std::string_view name) -> ValueId {
    if (auto it = made.find(name); it != made.end()) return it->second;
    auto it = recorded().arrays.find(name);
    if (it == recorded().arrays.end() || name[0] == '_') return kNone;
    const Tensor& t = it->second;
    ValueId v = kNone;
    if (std::isupper(static_cast<unsigned char>(name[0]))) {
      v = b.constant(t, std::string(name));
    } else {
      Shape shape(t.dims());
      if (symbolic && t.dims().rank > 0 && t.dims()[0] > 1) {
        const std::string symbol = "n" + std::to_string(t.dims()[0]);
        shape[0] = Dim::symbol(symbol);
        out.dims[symbol] = t.dims()[0];
      }
      v = b.input(std::string(name), {t.dtype(), shape});
      out.inputs.emplace_back(name);
    }
    made.emplace(name, v);
    return v;
  };
  std::vector<IValue> results;
  flatten(way == Way::forward ? interpret(b, c.forward, tensor) : CallReader(b, c.call, tensor).read(), results);
  if (!b.ok()) {
    out.status = b.status();
    return out;
  }
  std::vector<std::pair<std::string, ValueId>> outputs;
  for (size_t k = 0; k < results.size(); ++k) {
    const Tensor* want = recorded().result(c, k);
    if (results[k].is_tensor()) {
      out.outputs.push_back(k);
      outputs.emplace_back("y" + std::to_string(k), results[k].id());
    } else if (want != nullptr && !results[k].is_none() && !symbolic) {
      out.numbers += compare_number(results[k], *want);
    } else if (want != nullptr && results[k].is_none()) {
      out.numbers += "a result is missing";
    }
  }
  if (outputs.empty()) return out;
  auto graph = b.finish(outputs);
  if (!graph) {
    out.status = graph.error();
    return out;
  }
  auto model = make_model(std::move(*graph), {});
  if (model) out.model = std::move(*model);
  else out.status = model.error();
  return out;
}

// What is wrong with a case that was built; empty when nothing is.
std::string run(const Case& c, const Built& built) {
  if (!built.model) return built.numbers;
  std::vector<Array> arrays;
  // Inputs that nothing reads are not in the model.
  for (const Port& port : built.model->inputs()) arrays.push_back(to_array(recorded().arrays.find(port.name)->second));
  auto evaluated = built.model->evaluate(arrays);
  if (!evaluated) return "evaluation: " + evaluated.error().message();
  std::map<std::string, int64_t> dims;
  for (const Port& port : built.model->inputs()) {
    for (const std::string& d : port.shape) {
      if (auto it = built.dims.find(d); it != built.dims.end()) dims.insert(*it);
    }
  }
  auto session = built.model->session({.dims = dims});
  if (!session) return "session: " + session.error().message();
  for (size_t i = 0; i < arrays.size(); ++i) {
    auto to = session->input_bytes(built.model->inputs()[i].name);
    std::copy(arrays[i].bytes.begin(), arrays[i].bytes.end(), to.begin());
  }
  session->run();
  for (size_t o = 0; o < built.outputs.size(); ++o) {
    const Tensor* want = recorded().result(c, built.outputs[o]);
    if (want == nullptr) return "result " + std::to_string(o) + " is none of torch's";
    auto got = to_tensor((*evaluated)[o]);
    if (!got) return got.error().message();
    if (std::string d = difference(*got, *want); !d.empty()) return "result " + std::to_string(o) + " " + d;
    const auto bytes = session->output_bytes("y" + std::to_string(built.outputs[o]));
    if (bytes.size() != (*evaluated)[o].bytes.size() || !std::equal(bytes.begin(), bytes.end(), (*evaluated)[o].bytes.begin())) {
      return "result " + std::to_string(o) + " of the session has other bits";
    }
  }
  return built.numbers;
}

// Spellings that no case can have, with the reason.
constexpr std::pair<std::string_view, const char*> kWithoutCase[] = {
    {"Tensor.copy", "in torch there is copy_ only, which forwards write and the interpreter maps to this"},
    {"aten._assert_tensor_metadata.default", "a check: it gives nothing"},
    {"aten._assert_scalar.default", "a check: it gives nothing"},
    {"torch._check", "a check: it gives nothing"},
    {"aten._assert_async.default", "a check: it gives nothing"},
    {"torch._check_is_size", "a check: it gives nothing"},
    {"aten.sym_constrain_range.default", "a check: it gives nothing"},
};

// The names of operators that a call mentions: "F.relu", "aten.add.Tensor".
void mentioned(std::string_view text, std::set<std::string, std::less<>>& out) {
  for (size_t open = text.find('('); open != text.npos; open = text.find('(', open + 1)) {
    size_t begin = open;
    while (begin > 0 && (std::isalnum(static_cast<unsigned char>(text[begin - 1])) || text[begin - 1] == '_' || text[begin - 1] == '.')) --begin;
    if (begin < open) out.emplace(text.substr(begin, open - begin));
  }
}

}  // namespace

TEST_CASE("torch ops: every recorded call gives torch's dtypes, shapes and elements") {
  for (const Case& c : recorded().cases) {
    const Built built = build(c, Way::call);
    CHECK_MESSAGE(built.status.ok(), c.call << ": " << (built.status.ok() ? "" : built.status.error().message()));
    if (!built.status.ok()) continue;
    const std::string wrong = run(c, built);
    CHECK_MESSAGE(wrong.empty(), c.call << ": " << wrong);
  }
}

TEST_CASE("torch ops: with symbolic sizes a call gives the same, or is refused as unsupported") {
  size_t tried = 0, done = 0;
  for (size_t k = 0; k < recorded().cases.size(); k += every(1)) {
    const Case& c = recorded().cases[k];
    ++tried;
    const Built built = build(c, Way::symbolic);
    if (!built.status.ok()) {
      CHECK_MESSAGE(built.status.error().code() == Code::kUnsupported, c.call << ": " << built.status.error().message());
      continue;
    }
    const std::string wrong = run(c, built);
    CHECK_MESSAGE(wrong.empty(), c.call << ": " << wrong);
    ++done;
  }
  CHECK(done * 10 > tried * 9);
}

TEST_CASE("torch ops: the same calls in a forward give the same bits") {
  for (size_t k = 0; k < recorded().cases.size(); k += every(1)) {
    const Case& c = recorded().cases[k];
    if (c.forward.empty()) continue;
    const Built built = build(c, Way::forward), direct = build(c, Way::call);
    CHECK_MESSAGE(built.status.ok(), c.forward << ": " << (built.status.ok() ? "" : built.status.error().message()));
    if (!built.status.ok() || !direct.status.ok()) continue;
    const std::string wrong = run(c, built);
    CHECK_MESSAGE(wrong.empty(), c.forward << ": " << wrong);
    if (wrong.empty() && built.model && direct.model) CHECK_MESSAGE(built.model->text() == direct.model->text(), c.forward);
  }
}

TEST_CASE("torch ops: no spelling has two rows") {
  std::set<std::string> seen;
  for (auto table : torch::all_operators()) {
    for (const torch::Operator& op : table) {
      for (const std::string& s : split(op.spellings, ' ')) CHECK_MESSAGE(seen.insert(s).second, s);
    }
  }
}

TEST_CASE("torch ops: every row has a case for its Python spellings and one for its ATen spellings") {
  std::set<std::string, std::less<>> used;
  for (const Case& c : recorded().cases) mentioned(c.call, used);
  for (const auto& [spelling, reason] : kWithoutCase) used.emplace(spelling);
  for (auto table : torch::all_operators()) {
    if (table.data() == torch::attention_operators().data() || table.data() == torch::rnn_operators().data())
      continue;  // torch_attention.cpp, torch_rnn.cpp
    for (const torch::Operator& op : table) {
      bool aten = false, aten_used = false, python = false, python_used = false;
      for (const std::string& s : split(op.spellings, ' ')) {
        (s.starts_with("aten.") ? aten : python) = true;
        if (used.contains(s)) (s.starts_with("aten.") ? aten_used : python_used) = true;
      }
      CHECK_MESSAGE(aten == aten_used, std::string(op.spellings));
      CHECK_MESSAGE(python == python_used, std::string(op.spellings));
    }
  }
}

}  // namespace tern::test::in_torch_ops
