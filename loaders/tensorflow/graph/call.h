// Call: one node of a TensorFlow graph with its inputs looked up, as the row of its operator sees it. Accessors fail the builder, and give something
// harmless, where the node does not have what is asked for. Attributes that equal TensorFlow's defaults are left out of many files: each accessor is
// told what stands in. Next: call.cpp, ../ops/operator.h.
#pragma once
#include <string>
#include <vector>

#include "loaders/tensorflow/graph/builder.h"

namespace google::protobuf {
template <class T>
class RepeatedPtrField;
}
namespace tern::tensorflow_pb {
class Attr;
class AttrValue;
}  // namespace tern::tensorflow_pb

namespace tern::tensorflow {

// The elements of a value that are known now (a constant, sizes that are numbers), as i64.
std::optional<std::vector<int64_t>> known_ints(const Builder& b, ValueId v);

// The call of a function, whose attributes those of its nodes may stand for.
struct Caller {
  const google::protobuf::RepeatedPtrField<tensorflow_pb::Attr>* attributes;
  const Caller* caller = nullptr;
};

class Call {
 public:
  Call(Builder& builder, const tensorflow_pb::NodeDef& node, Values inputs, const Caller* caller = nullptr);

  Builder& b;
  const std::string &name, &op;
  const tensorflow_pb::NodeDef& node;
  const Caller* caller;

  // Data inputs, in order; those of a list argument one by one.
  size_t count() const { return inputs_.size(); }
  const Values& values() const { return inputs_; }
  const Value& value(size_t i) const;  // nothing beyond the last
  // Fails when it is no tensor, or a complex one: "input 1 is a hash table, expected a tensor".
  ValueId tensor(size_t i) const;
  std::vector<ValueId> tensors(size_t from = 0, size_t to = SIZE_MAX) const;  // [from, to), as far as there are inputs
  ValueId variable(size_t i) const;                                           // what a variable holds
  const LookupTable* table(size_t i) const;                                   // that was filled; null: failed
  // The elements of an input that are known now. Fails: "input 1 must be known when the model is loaded".
  bool knows_ints(size_t i) const;
  std::vector<int64_t> known_ints(size_t i) const;

  // Attributes. Those without a default fail where it is absent; any fails where it is of another kind.
  bool has(const char* attr) const { return attribute(attr) != nullptr; }
  int64_t integer(const char* attr, std::optional<int64_t> otherwise = {}) const;
  double number(const char* attr, std::optional<double> otherwise = {}) const;
  bool boolean(const char* attr, std::optional<bool> otherwise = {}) const;
  std::string string(const char* attr, std::optional<std::string> otherwise = {}) const;
  DType dtype(const char* attr, std::optional<DType> otherwise = {}) const;  // fails for those that tern lacks
  int type_number(const char* attr, int otherwise = 0) const;                // TensorFlow's number, of any type: see types.h
  std::vector<int64_t> ints(const char* attr) const;                         // absent: empty, as all lists
  std::vector<float> floats(const char* attr) const;
  std::vector<std::string> strings(const char* attr) const;
  std::vector<int> type_numbers(const char* attr) const;
  Shape shape(const char* attr) const;      // absent: nothing known; an extent that is not known is a symbol of its own
  Tensor constant(const char* attr) const;  // a tensor

  const tensorflow_pb::AttrValue* attribute(std::string_view attr) const;  // null: absent

  // A refusal of this node; its name is written before it.
  Values fail(const Error& error) const;

 private:
  // The attribute when it is there and of the kind; fails when it is not, or is absent and must not be.
  const tensorflow_pb::AttrValue* expect(const char* attr, bool (tensorflow_pb::AttrValue::*has)() const, const char* kind, bool optional) const;

  Values inputs_;
};

}  // namespace tern::tensorflow
