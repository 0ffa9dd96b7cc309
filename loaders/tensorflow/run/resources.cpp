// Variables and hash tables. A variable is what the file says, or what states.cpp puts in its place behind an assignment; a table is what its initialiser filled it with. See
// special.h. Next: switch.cpp.
#include "loaders/tensorflow/graph/types.h"
#include "loaders/tensorflow/run/special.h"
#include "loaders/tensorflow/run/states.h"
#include "loaders/tensorflow/run/vocabulary.h"
#include "runtime/base/printable.h"

namespace tern::tensorflow {
namespace {

Values handle(Call& c, const Site&) {
  if (c.b.program.variables == nullptr)
    return c.fail(invalid("a variable, of which the file holds no contents: freeze the graph, or name the folder of a SavedModel"));
  auto index = c.b.program.variables->find(c.node);
  return index ? Values{Value(Value::Variable{*index})} : c.fail(index.error());
}

// A variable of TensorFlow 1 is its own contents.
Values reference(Call& c, const Site& site) {
  const Values made = handle(c, site);
  const auto* v = made.empty() ? nullptr : made[0].get<Value::Variable>();
  return v == nullptr ? Values() : Values{c.b.variable(v->index)};
}

// Of a handle what the file says, of a value that states.cpp put in its place that.
Values read(Call& c, const Site&) { return {c.variable(0)}; }

// What assignments give: the value that the variable has then.
Values assigned(Call& c, const Site&) { return {c.value(1)}; }
template <bool Add>
Values changed(Call& c, const Site&) {
  return {c.b.emit(Add ? "Add" : "Sub", {c.variable(0), c.tensor(1)})};
}
Values nothing(Call&, const Site&) { return {}; }
Values lost(Call& c, const Site&) {
  return c.fail(
      unsupported("the variable that it changes is read afterwards in the same call, which is not supported for this operator, or in this order"));
}

Values initialized(Call& c, const Site&) { return {c.b.constant(Tensor::scalar(true))}; }

Values fill(Call& c, LookupTable& table, const Tensor& keys, const Tensor& values) {
  if (keys.dtype() != table.key_dtype || values.dtype() != table.value_dtype || keys.dims().rank != 1 || !(keys.dims() == values.dims())) {
    return c.fail(invalid("its keys " + to_string(keys.dims()) + " and values " + to_string(values.dims()) + " do not fit the table " + table.name));
  }
  table.keys = keys;
  table.values = values;
  return {};
}

// Tables of one name are one. One that may change begins every call with what the checkpoint holds of it.
Values table(Call& c, const Site&) {
  std::string key = c.string("shared_name", "");
  if (key.empty() || c.boolean("use_node_name_sharing", false)) key = key.empty() ? c.name : key;
  std::shared_ptr<LookupTable>& known = c.b.program.tables[c.string("container", "") + "/" + key];
  if (known == nullptr) {
    const DType keys = c.dtype("key_dtype"), values = c.dtype("value_dtype");
    known = std::make_shared<LookupTable>(LookupTable{key, keys, values, {}, {}});
    if (c.op.starts_with("Mutable") && c.b.program.variables != nullptr) {
      auto rows = c.b.program.variables->table(c.node);
      if (!rows) return c.fail(rows.error());
      if (*rows) fill(c, *known, (*rows)->first, (*rows)->second);
    }
  }
  return {Value(Value::Table{known})};
}

LookupTable* table_of(Call& c) {
  if (const auto* known = c.value(0).get<Value::Table>()) return known->table.get();
  c.fail(invalid("input 0 is " + std::string(c.value(0).kind()) + ", expected a hash table"));
  return nullptr;
}

// Fills a table. It is done once, by the initialiser, and what it is filled with is in the file.
Values import(Call& c, const Site& site) {
  if (!site.runner.initializing) return {};
  LookupTable* table = table_of(c);
  const ValueId keys = c.tensor(1), values = c.tensor(2);
  if (!c.b.ok()) return {};
  auto k = c.b.evaluated(keys), v = c.b.evaluated(values);
  if (!k || !v) return c.fail((k ? v : k).error().within("what the table " + table->name + " holds"));
  return fill(c, *table, *k, *v);
}

// The same from a text file of the model.
Values import_file(Call& c, const Site& site) {
  if (!site.runner.initializing) return {};
  LookupTable* table = table_of(c);
  const auto* asset = c.value(1).get<Value::Asset>();
  if (asset == nullptr) return c.fail(unsupported("it reads a file that does not belong to the model"));
  const VocabularyFormat format{c.integer("key_index", kWholeLine), c.integer("value_index", kLineNumber), c.integer("vocab_size", -1),
                                c.string("delimiter", "\t"), c.integer("offset", 0)};
  if (!c.b.ok()) return {};
  Status s = fill_from_file(*table, c.b.program, asset->file, format);
  return s ? Values() : c.fail(s.error().within("the asset " + printable(asset->file, 120)));
}

constexpr Special kResourcesOperators[] = {
    {"VarHandleOp", handle},
    {"VariableV2 Variable", reference},
    {"ReadVariableOp", read},
    {"VarIsInitializedOp IsVariableInitialized", initialized},
    {"Assign AssignVariableOp", assigned},
    {"AssignAdd AssignAddVariableOp", changed<true>},
    {"AssignSub AssignSubVariableOp", changed<false>},
    {kLostVariable, lost},
    {"NoOp Assert", nothing},
    {"HashTableV2 HashTable MutableHashTableV2 MutableHashTable", table},
    {"LookupTableImportV2 LookupTableImport InitializeTableV2 InitializeTable", import, true},
    {"InitializeTableFromTextFileV2 InitializeTableFromTextFile", import_file, true},
};

}  // namespace

std::span<const Special> resource_operators() { return kResourcesOperators; }

}  // namespace tern::tensorflow
