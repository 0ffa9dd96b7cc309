// Cases of PyTorch modules and operators with recorded answers (tests/data/torch/make/torch_cases.py), read by our own readers: the
// pickled module, or an operator's spelling, with the arguments of the call and what torch returned.
#pragma once
#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "loaders/source.h"
#include "loaders/torch/arch/parse.h"
#include "loaders/torch/nn/net.h"
#include "loaders/torch/pickle/checkpoint.h"
#include "tests/support/cases.h"
#include "tests/support/cheap.h"

namespace tern::test {

// A Python value of a call, without tensors' contents: what they are is the case's business.
class TorchCase {
 public:
  std::string name;
  std::string op;  // empty: a module
  std::shared_ptr<torch::Module> pickled;
  std::string tree, short_tree;  // how it is written; empty: the case does not say
  std::vector<Array> expected;

  TorchCase(const torch::Checkpoint& file, std::string case_name, torch::ObjectId id) : name(std::move(case_name)), file_(file), id_(id) {
    op = text("op");
    tree = text("tree");
    short_tree = text("short");
    if (const torch::ObjectId m = file.get(id, "module"); m != torch::kNoObject) {
      auto module = file.module(m);
      REQUIRE_MESSAGE(module.ok(), name);
      pickled = *module;
    }
    for (torch::ObjectId t : file.pickle().items(file.get(id, "out"))) expected.push_back(array(t));
    read_symbols(text("symbols"));
  }

  // How a run goes: inputs with symbols for sizes; operators' tensors as inputs of the graph (all but the first are constants else).
  struct Way {
    bool symbolic = false, all_inputs = true;
  };

  // The model of a call of this module (an operator: of the operator); what cannot be built is a failure of the test.
  Result<Model> model(const torch::Module* module, Way way) {
    torch::Builder b("test");
    inputs_.clear();
    values_.clear();
    const torch::IValues positional = *value(b, file_.get(id_, "args"), way).items();
    std::vector<std::pair<std::string, torch::IValue>> named;
    for (const auto& [key, v] : file_.pairs(file_.get(id_, "kwargs"))) named.emplace_back(std::string(file_.pickle().text(key)), value(b, v, way));
    torch::IValue result;
    std::map<std::string, const StoredTensor*, std::less<>> names;
    const StateDict weights = pickled ? torch::state_dict(*pickled) : StateDict();
    for (const auto& e : weights.entries) names.emplace(e.name, &e.tensor);
    torch::Weights constants(std::move(names), int64_t(64) << 20);
    torch::Network network(b, constants, nullptr);
    result = module != nullptr ? network.call(*module, "", positional, named) : torch::call(b, op, positional, named);
    std::vector<std::pair<std::string, ValueId>> outputs;
    collect(result, outputs);
    auto graph = b.finish(outputs);
    if (!graph) return graph.error();
    return make_model(std::move(*graph), {});
  }

  // Empty when session and evaluator agree to the bit and both are close to torch; else what differs.
  std::string difference(const Model& model, double rtol, double atol, std::vector<Array>* got = nullptr) const {
    auto evaluated = model.evaluate(inputs_);
    if (!evaluated) return evaluated.error().message();
    if (evaluated->size() != expected.size()) return std::to_string(evaluated->size()) + " outputs instead of " + std::to_string(expected.size());
    auto session = model.session({.dims = dims(model)});
    if (!session) return session.error().message();
    const auto ports = session->inputs();
    for (size_t i = 0; i < inputs_.size(); ++i) {
      auto to = session->input_bytes(ports[i].name);
      if (to.size() != inputs_[i].bytes.size()) return "input " + ports[i].name + " has another size";
      std::copy(inputs_[i].bytes.begin(), inputs_[i].bytes.end(), to.begin());
    }
    session->run();
    for (size_t o = 0; o < expected.size(); ++o) {
      const std::string where = "output " + std::to_string(o) + ": ";
      if (std::string d = test::difference((*evaluated)[o], expected[o], rtol, atol); !d.empty()) return where + d;
      const auto bytes = session->output_bytes(session->outputs()[o].name);
      if (!std::equal(bytes.begin(), bytes.end(), (*evaluated)[o].bytes.begin(), (*evaluated)[o].bytes.end()))
        return where + "session and evaluator differ";
    }
    if (got != nullptr) *got = std::move(*evaluated);
    return "";
  }

 private:
  std::string text(std::string_view key) const {
    const torch::ObjectId v = file_.get(id_, key);
    return v == torch::kNoObject ? "" : std::string(file_.pickle().text(v));
  }

  Array array(torch::ObjectId id) const {
    auto stored = file_.tensor(id);
    REQUIRE_MESSAGE(stored.ok(), name);
    auto tensor = dense(*stored, 1 << 20);
    REQUIRE_MESSAGE(tensor.ok(), name);
    return to_array(*tensor);
  }

  void read_symbols(const std::string& all) {  // "3=batch 6=2*batch"
    for (size_t at = 0; at < all.size();) {
      const size_t equals = all.find('=', at), end = std::min(all.find(' ', at), all.size());
      symbols_[std::stoll(all.substr(at, equals - at))] = all.substr(equals + 1, end - equals - 1);
      at = end + 1;
    }
  }

  std::map<std::string, int64_t> dims(const Model& model) const {  // only the symbols that the inputs have
    std::map<std::string, int64_t> out;
    for (const auto& [size, symbol] : symbols_) {
      for (const Port& port : model.inputs()) {
        if (std::find(port.shape.begin(), port.shape.end(), symbol) != port.shape.end() && symbol.find('*') == symbol.npos) out[symbol] = size;
      }
    }
    return out;
  }

  // A tensor that is given twice is one value.
  torch::IValue tensor(torch::Builder& b, torch::ObjectId id, Way way) {
    if (const auto known = values_.find(id); known != values_.end()) return known->second;
    return values_.emplace(id, new_tensor(b, id, way)).first->second;
  }

  torch::IValue new_tensor(torch::Builder& b, torch::ObjectId id, Way way) {
    Array a = array(id);
    if (!op.empty() && !way.all_inputs && !inputs_.empty()) return torch::IValue::tensor(b.constant(*to_tensor(a)));
    Shape shape(std::vector<Dim>{});
    for (int64_t n : a.dims) {
      const auto symbol = symbols_.find(n);
      shape.push_back(way.symbolic && symbol != symbols_.end() ? *parse_dim(symbol->second) : Dim(n));
    }
    const std::string input_name = "in" + std::to_string(inputs_.size());
    const DType dtype = a.dtype;
    inputs_.push_back(std::move(a));
    return torch::IValue::tensor(b.input(input_name, {dtype, std::move(shape)}));
  }

  torch::IValue value(torch::Builder& b, torch::ObjectId id, Way way) {
    using Kind = torch::Pickle::Kind;
    const torch::Pickle& p = file_.pickle();
    if (file_.is_tensor(id)) return tensor(b, id, way);
    switch (p.kind(id)) {
      case Kind::boolean: return p.integer(id) != 0;
      case Kind::integer: return Int(p.integer(id));
      case Kind::real: return p.real(id);
      case Kind::text: return std::string(p.text(id));
      case Kind::tuple:
      case Kind::list: {
        torch::IValues items;
        for (torch::ObjectId item : p.items(id)) items.push_back(value(b, item, way));
        return p.is(id, Kind::tuple) ? torch::IValue::tuple(std::move(items)) : torch::IValue::list(std::move(items));
      }
      default: return {};
    }
  }

  void collect(const torch::IValue& v, std::vector<std::pair<std::string, ValueId>>& out) const {
    if (v.items() != nullptr) {
      for (const torch::IValue& item : *v.items()) collect(item, out);
    } else if (!v.is_none() && v.get<torch::IValue::Uncomputed>() == nullptr) {
      out.emplace_back("out" + std::to_string(out.size()), v.id());
    }
  }

  const torch::Checkpoint& file_;
  torch::ObjectId id_;
  std::map<int64_t, std::string> symbols_;
  std::vector<Array> inputs_;  // of the last model
  std::map<torch::ObjectId, torch::IValue> values_;
};

// The file must outlive its cases.
inline torch::Checkpoint open_cases(const std::string& path) {
  auto source = map_file(std::string(TERN_TEST_DATA) + "/torch/" + path);
  REQUIRE_MESSAGE(source.ok(), path);
  auto file = torch::Checkpoint::open(*source);
  REQUIRE_MESSAGE(file.ok(), (file.ok() ? "" : file.error().message()));
  return std::move(*file);
}

inline std::vector<TorchCase> cases_of(const torch::Checkpoint& file) {
  std::vector<TorchCase> out;
  for (const auto& [key, value] : file.pairs(file.root())) out.emplace_back(file, std::string(file.pickle().text(key)), value);
  REQUIRE(!out.empty());
  return out;
}

// The tree of an architecture, with everything that constructors make.
inline std::shared_ptr<torch::Module> parsed(const std::string& text) {
  auto architecture = torch::parse_architecture(text, "test");
  REQUIRE_MESSAGE(architecture.ok(), text << (architecture.ok() ? "" : architecture.error().message()));
  const Status s = torch::complete(*architecture->root);
  REQUIRE_MESSAGE(s.ok(), text << s.error().message());
  return architecture->root;
}

// Runs every case in every way that it says, and compares: the pickled module, the written ones, operators; with known sizes and free ones.
inline void check_cases(const torch::Checkpoint& file, double rtol, double atol) {
  size_t number = 0;
  for (TorchCase& c : cases_of(file)) {
    if (kSanitized && number++ % 5 != 0) continue;  // thousands of calls
    CAPTURE(c.name);
    std::vector<std::shared_ptr<torch::Module>> modules = {c.pickled};
    for (const std::string* text : {&c.tree, &c.short_tree}) {
      if (!text->empty()) modules.push_back(parsed(*text));
    }
    std::vector<Array> first;
    for (size_t m = 0; m < modules.size(); ++m) {
      CAPTURE(m);
      if (modules[m]) {
        const StateDict weights = torch::state_dict(*c.pickled);
        auto expected = torch::expected_state(*modules[m], nullptr);
        REQUIRE_MESSAGE(expected.ok(), expected.error().message());
        REQUIRE(expected->size() == weights.entries.size());
        for (size_t i = 0; i < expected->size(); ++i) {
          CHECK((*expected)[i].name == weights.entries[i].name);
          CHECK((*expected)[i].shape == weights.entries[i].tensor.sizes);
        }
      }
      for (const TorchCase::Way way : {TorchCase::Way{false, true}, TorchCase::Way{true, true}, TorchCase::Way{false, false}}) {
        CAPTURE(way.symbolic);
        CAPTURE(way.all_inputs);
        auto model = c.model(modules[m].get(), way);
        REQUIRE_MESSAGE(model.ok(), model.error().message());
        std::vector<Array> got;
        CHECK(c.difference(*model, rtol, atol, &got) == "");
        if (way.symbolic || !way.all_inputs) continue;
        if (m == 0) first = got;
        for (size_t o = 0; o < first.size(); ++o) CHECK(got[o].bytes == first[o].bytes);  // however it was written
      }
    }
  }
}

}  // namespace tern::test
