// See signature.h.
#include "loaders/tensorflow/saved_model/signature.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "loaders/tensorflow/graph/types.h"
#include "loaders/tensorflow/inputs.h"
#include "runtime/base/printable.h"

namespace tern::tensorflow {
namespace {

// Signatures that are called: names that begin with __ are the format's own.
std::map<std::string, const tensorflow_pb::SignatureDef*> callable(const tensorflow_pb::MetaGraph& meta) {
  std::map<std::string, const tensorflow_pb::SignatureDef*> all;
  for (const auto& s : meta.signature_def()) {
    if (!s.key().starts_with("__")) all.emplace(s.key(), &s.value());
  }
  return all;
}

// How many letters must be put in, taken out or changed.
size_t distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t(0));
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t change = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({change, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

Error no_such(const std::string& wanted, const std::map<std::string, const tensorflow_pb::SignatureDef*>& all) {
  constexpr size_t kMost = 64, kLong = 80;  // of names
  std::string nearest, listed;
  size_t least = SIZE_MAX, shown = 0;
  for (const auto& [name, signature] : all) {
    if (shown++ == kMost) break;
    listed += (listed.empty() ? "" : ", ") + printable(name, kLong);
    if (wanted.size() > kLong || name.size() > kLong) continue;
    if (const size_t d = distance(wanted, name); d < least) least = d, nearest = name;
  }
  if (all.size() > kMost) listed += " and " + std::to_string(all.size() - kMost) + " more";
  const bool near = !nearest.empty() && least <= std::max<size_t>(3, wanted.size() / 2);
  return usage("the SavedModel has no signature " + printable(wanted, kLong) + (near ? "; the nearest is " + printable(nearest, kLong) : "") +
               "; name one of these in LoadOptions::signature: " + listed);
}

Status check(const std::string& name, const tensorflow_pb::TensorInfo& info, const char* what) {
  if (!info.has_coo_sparse() && !info.has_composite()) return {};
  return unsupported(std::string(what) + " " + printable(name, 80) + " is " + (info.has_coo_sparse() ? "sparse" : "ragged or another composite") +
                     ", which is not supported");
}

// Does any function of the file take a ragged tensor?
bool takes_ragged(const tensorflow_pb::MetaGraph& meta) {
  constexpr int kRagged = 3;
  for (const auto& f : meta.object_graph_def().concrete_functions()) {
    for (const auto& arguments : f.value().canonicalized_input_signature().tuple().values()) {
      for (const auto& a : arguments.tuple().values()) {
        if (a.type_spec().type_spec_class() == kRagged) return true;
      }
    }
  }
  return false;
}

// The inputs that are parts of ragged tensors: values x, and x_1, x_2 …, where the rows of each axis begin. Nothing in a signature tells them from
// other inputs of such names, so they are looked for in files that have ragged arguments.
std::set<std::string> ragged_parts(const tensorflow_pb::MetaGraph& meta, const tensorflow_pb::SignatureDef& s) {
  std::set<std::string> all, parts;
  if (!takes_ragged(meta)) return parts;
  for (const auto& in : s.inputs()) all.insert(in.key());
  for (const auto& in : s.inputs()) {
    const auto type = dtype_of(in.value().dtype());
    const auto& shape = in.value().shape();
    const size_t at = in.key().find_last_not_of("0123456789");
    if (!type || !is_int(*type) || shape.dim_size() != 1 || shape.dim(0).size() >= 0 || at == in.key().npos || at == 0 || in.key()[at] != '_')
      continue;
    const std::string of = in.key().substr(0, at);
    if (at + 1 == in.key().size() || !all.contains(of)) continue;
    parts.insert({of, in.key()});
  }
  return parts;
}

}  // namespace

Result<ChosenSignature> choose_signature(const tensorflow_pb::MetaGraph& meta, const std::string& wanted) {
  const auto all = callable(meta);
  if (all.empty())
    return invalid(
        "the SavedModel has no signatures, so it cannot be called; export it with signatures (model.export, or tf.saved_model.save with "
        "signatures=)");
  auto at = all.find(wanted.empty() ? "serving_default" : wanted);
  if (at == all.end() && wanted.empty() && all.size() == 1) at = all.begin();
  if (at == all.end()) return no_such(wanted.empty() ? "serving_default" : wanted, all);
  const tensorflow_pb::SignatureDef& s = *at->second;
  ChosenSignature chosen{at->first, {}, {}};
  std::map<std::string, const tensorflow_pb::TensorProto*> defaults;
  for (const auto& d : s.defaults()) defaults.emplace(d.key(), &d.value());
  const std::set<std::string> ragged = ragged_parts(meta, s);
  for (const auto& in : s.inputs()) {
    if (Status bad = check(in.key(), in.value(), "input"); !bad) return bad.error();
    const auto preset = defaults.find(in.key());
    chosen.inputs.push_back({in.key(), &in.value(), preset == defaults.end() ? nullptr : preset->second, ragged.contains(in.key())});
  }
  for (const auto& out : s.outputs()) {
    if (Status bad = check(out.key(), out.value(), "output"); !bad) return bad.error();
    chosen.outputs.emplace_back(out.key(), &out.value());
  }
  if (chosen.outputs.empty()) return invalid("signature " + printable(at->first, 80) + " has no outputs");
  std::sort(chosen.inputs.begin(), chosen.inputs.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  std::sort(chosen.outputs.begin(), chosen.outputs.end());
  return chosen;
}

std::vector<Signature> all_signatures(const tensorflow_pb::MetaGraph& meta) {
  const auto listed = [](const auto& ports, const std::set<std::string>& ragged) {
    std::vector<Signature::Value> all;
    for (const auto& port : ports) {
      Signature::Value v{port.key(), type_name(port.value().dtype()), {}};
      const std::string first = ragged.contains(port.key()) ? port.key() + "_0" : "batch";
      if (const auto type = declared_type(port.key(), port.value().dtype(), port.value().shape(), first)) {
        v.dtype = name(type->dtype);
        if (type->shape.ranked()) v.shape.emplace();
        for (const Dim& d : type->shape.dims()) v.shape->push_back(d.text());
      }
      all.push_back(std::move(v));
    }
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return all;
  };
  std::vector<Signature> out;
  for (const auto& [called, s] : callable(meta)) out.push_back({called, listed(s->inputs(), ragged_parts(meta, *s)), listed(s->outputs(), {})});
  return out;
}

}  // namespace tern::tensorflow
