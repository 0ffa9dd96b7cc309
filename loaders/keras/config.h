// Config: the settings of a layer, an object of JSON whose members are read by name. A member of the wrong kind fails the builder, which says
// where; what the file does not give, or gives as null, is the default of the one who asks. Next: config.cpp, then weights/weights.h.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "loaders/json/json.h"
#include "runtime/graph_builder.h"

namespace tern::keras {

class Config {
 public:
  // All must outlive it. kNothing, or what is no object: an empty one.
  Config(GraphBuilder& b, const Json& json, Json::Id object) : b_(&b), json_(&json), object_(object) {}

  const Json& json() const { return *json_; }
  Json::Id id() const { return object_; }
  Json::Id at(std::string_view name) const { return json_->get(object_, name); }  // kNothing where there is none
  bool has(std::string_view name) const;                                          // there, and not null
  // As in an `isinstance`: what kind a member has that may be several things.
  bool is_text(std::string_view name) const { return json_->is(at(name), Json::Kind::string); }
  bool is_list(std::string_view name) const { return json_->is(at(name), Json::Kind::array); }
  bool is_object(std::string_view name) const { return json_->is(at(name), Json::Kind::object); }
  bool is_number(std::string_view name) const;

  bool boolean(std::string_view name, bool otherwise) const;  // also 0 and 1
  int64_t integer(std::string_view name) const;               // fails where there is none
  int64_t integer(std::string_view name, int64_t otherwise) const;
  double number(std::string_view name, double otherwise) const;
  std::string text(std::string_view name, std::string_view otherwise = {}) const;
  // An integer alone stands for `count` of them (0: for one). Empty where there is none.
  std::vector<int64_t> ints(std::string_view name, size_t count = 0) const;
  std::vector<double> numbers(std::string_view name) const;
  std::vector<double> flat_numbers(std::string_view name) const;  // also of lists in lists, in order
  std::vector<std::string> texts(std::string_view name) const;
  Config object(std::string_view name) const { return Config(*b_, *json_, at(name)); }
  Config item(Json::Id id) const { return Config(*b_, *json_, id); }

  // Keras writes objects as {class_name, config}, and functions and names as texts: the one or the other name. "" for null.
  // {class_name: "function", config: "relu"} is "relu".
  std::string called(std::string_view name) const { return called(at(name)); }
  std::string called(Json::Id id) const;
  // The dtype policy of a layer: {dtype: "mixed_float16"} or {dtype: {class_name: DTypePolicy, config: {name}}}. "" where there is none.
  std::string policy() const;

 private:
  template <class T>
  T fail(std::string_view name, const char* what, T otherwise) const;
  GraphBuilder* b_;
  const Json* json_;
  Json::Id object_;
};

// A dtype by the name that Keras and TensorFlow have for it ("float32"); none for what tern does not compute with.
DType dtype_named(std::string_view name);
// "float32" of f32.
const char* name_of(DType dtype);

}  // namespace tern::keras
