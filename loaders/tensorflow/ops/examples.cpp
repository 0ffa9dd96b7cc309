// tf.Example messages, which models of recommenders and of Estimators take. See operator.h and kernels/strings/example.cpp. Next: refused.cpp.
#include "loaders/tensorflow/graph/tensors.h"
#include "loaders/tensorflow/graph/types.h"
#include "loaders/tensorflow/ops/ragged.h"
#include "tern_tensorflow.pb.h"

namespace tern::tensorflow {
namespace {

// The keys that input i holds: one, or a list.
std::vector<std::string> keys_of(Call& c, size_t i) {
  std::vector<std::string> keys;
  const Tensor* t = c.b.contents(c.tensor(i));
  if (t == nullptr || t->dtype() != DType::string) {
    c.fail(unsupported("input " + std::to_string(i) + " must be keys that are known when the model is loaded"));
    return keys;
  }
  for (const StringRef& s : t->span<StringRef>()) keys.emplace_back(s.view());
  return keys;
}

std::vector<DType> dtypes(Call& c, const char* attr) {
  std::vector<DType> all;
  for (int number : c.type_numbers(attr)) {
    auto dtype = dtype_of(number);
    if (!dtype) return c.fail(dtype.error().within("attribute " + std::string(attr))), all;
    all.push_back(*dtype);
  }
  return all;
}

std::vector<Shape> shapes_of(Call& c, const char* attr) {
  std::vector<Shape> all;
  const auto* list = c.attribute(attr);
  if (list == nullptr) return all;
  for (const auto& proto : list->list().shape()) {
    auto shape = to_shape(proto, c.b.graph);
    if (!shape) return c.fail(shape.error().within("attribute " + std::string(attr))), all;
    all.push_back(std::move(*shape));
  }
  return all;
}

// What the messages hold of three kinds of features.
struct Features {
  std::vector<std::string> sparse, dense, ragged;
  size_t defaults = 0;  // the first input that is a default
};

std::vector<ValueId> feature(Call& c, ValueId examples, const std::string& key, DType dtype, int64_t size, ValueId otherwise) {
  std::vector<ValueId> inputs = {examples};
  if (otherwise != kNone) inputs.push_back(otherwise);
  return c.b.emit("ExampleFeature", std::move(inputs), attributes({{"key", key}, {"dtype", std::string(name(dtype))}, {"size", size}}), 2);
}

Values parsed(Call& c, const Features& f) {
  GraphBuilder& b = c.b;
  const bool single = b.rank(c.tensor(0)) == 0;
  const ValueId examples = b.reshape(c.tensor(0), {Int(-1)});
  const std::vector<DType> sparse_types = dtypes(c, "sparse_types"), dense_types = dtypes(c, "Tdense"),
                           ragged_types = dtypes(c, "ragged_value_types"), split_types = dtypes(c, "ragged_split_types");
  const std::vector<Shape> shapes = shapes_of(c, "dense_shapes");
  if (!b.ok()) return {};
  if (single && !f.ragged.empty()) return c.fail(unsupported("ragged features of one example are not supported"));
  if (sparse_types.size() != f.sparse.size() || dense_types.size() != f.dense.size() || shapes.size() != f.dense.size() ||
      ragged_types.size() != f.ragged.size() || split_types.size() != f.ragged.size() || c.count() < f.defaults + f.dense.size())
    return c.fail(invalid("there are not as many keys as types, shapes and defaults"));
  Values indices, values, sizes, dense, rows, splits;
  for (size_t i = 0; i < f.sparse.size(); ++i) {
    const auto found = feature(c, examples, f.sparse[i], sparse_types[i], -1, kNone);
    const Run run = places_of(b, found[1]);
    const ValueId longest = reduced(b, "ReduceMax", concat(b, {b.ints({0}), row_lengths(b, found[1])}, 0), {0}, true);
    const ValueId place = unsqueeze(b, run.place, {1});
    indices.emplace_back(single ? place : concat(b, {unsqueeze(b, run.row, {1}), place}, 1));
    values.emplace_back(found[0]);
    sizes.emplace_back(single ? longest : concat(b, {b.ints(std::vector<Int>{b.size(examples, 0)}), longest}, 0));
  }
  for (size_t i = 0; i < f.dense.size() && b.ok(); ++i) {
    const auto size = shapes[i].known() ? checked_count(shapes[i].concrete().span()) : std::nullopt;
    if (!size) return c.fail(unsupported("the dense feature " + f.dense[i] + " has an open size, which is not supported"));
    const auto found = feature(c, examples, f.dense[i], dense_types[i], *size, b.reshape(c.tensor(f.defaults + i), {Int(-1)}));
    std::vector<Int> all;
    if (!single) all.push_back(b.size(examples, 0));
    for (const Dim& d : shapes[i].dims()) all.emplace_back(d);
    dense.emplace_back(b.reshape(found[0], all));
  }
  for (size_t i = 0; i < f.ragged.size() && b.ok(); ++i) {
    const auto found = feature(c, examples, f.ragged[i], ragged_types[i], -1, kNone);
    rows.emplace_back(found[0]);
    splits.emplace_back(b.cast(found[1], split_types[i]));
  }
  for (const Values* more : {&values, &sizes, &dense, &rows, &splits}) indices.insert(indices.end(), more->begin(), more->end());
  return indices;
}

// Keys are inputs of their own: serialized, names, sparse_keys*, dense_keys*, defaults*.
Values parse(Call& c) {
  const int64_t sparse = c.integer("Nsparse"), dense = c.integer("Ndense"), all = static_cast<int64_t>(c.count());
  if (sparse < 0 || dense < 0 || sparse > all || dense > all || 2 + sparse + 2 * dense != all)
    return c.fail(invalid("there are not as many keys as inputs"));
  Features f;
  for (int64_t i = 0; i < sparse + dense && c.b.ok(); ++i) {
    for (std::string& key : keys_of(c, static_cast<size_t>(2 + i))) (i < sparse ? f.sparse : f.dense).push_back(std::move(key));
  }
  f.defaults = static_cast<size_t>(2 + sparse + dense);
  return parsed(c, f);
}

// Or lists of them: serialized, names, sparse_keys, dense_keys, ragged_keys, defaults*.
Values parse_v2(Call& c) { return parsed(c, {keys_of(c, 2), keys_of(c, 3), keys_of(c, 4), 5}); }

constexpr Operator kExamplesRows[] = {
    {"ParseExample", "sparse_indices*Nsparse sparse_values*sparse_types sparse_shapes*Nsparse dense_values*Tdense", parse},
    {"ParseExampleV2",
     "sparse_indices*num_sparse sparse_values*sparse_types sparse_shapes*num_sparse dense_values*Tdense ragged_values*ragged_value_types "
     "ragged_row_splits*ragged_split_types",
     parse_v2},
};

}  // namespace

std::span<const Operator> example_operators() { return kExamplesRows; }

}  // namespace tern::tensorflow
