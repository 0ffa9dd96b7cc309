// Running a program's nodes in the mind: every node calls the row of its operator, which adds nodes to the graph. Next: run.cpp.
#pragma once
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "loaders/json/json.h"
#include "loaders/torch/export/usage.h"
#include "loaders/torch/graph/builder.h"

namespace tern::torch {

class Runner {
 public:
  // What a name means that no node makes and that was not passed: a weight. Fails the builder when it has none.
  class Lifted {
   public:
    virtual ~Lifted() = default;
    virtual bool has(std::string_view name) const = 0;
    virtual IValue get(std::string_view name) = 0;
    // The program changes it in place, and reads it afterwards.
    virtual void changed(std::string_view name) = 0;
  };
  Runner(Builder& builder, const Json& json, Lifted& lifted) : b_(builder), json_(json), lifted_(lifted) {}

  using Scope = std::unordered_map<std::string_view, IValue>;
  // `scope` holds the inputs; the values of `outputs` (arguments, unions). Errors go to the builder.
  IValues run(Json::Id graph, Scope scope, const std::vector<Json::Id>& outputs);
  // Operators of needed nodes, also of graphs inside, that have no row: in one line; empty when all are known.
  std::string unknown_operators(Json::Id graph, const std::vector<Json::Id>& outputs) const;

 private:
  struct Frame {  // one graph that is being run
    const Usage& usage;
    Scope scope;
    Json::Id nodes;
    bool outermost;
    size_t now = 0;  // the node that runs
  };
  void collect_unknown(Json::Id graph, const std::vector<Json::Id>& outputs, std::vector<std::string>& out) const;
  void run_node(Frame& f);
  struct Given {
    IValues positional;
    std::vector<std::pair<std::string, IValue>> named;
  };
  Given arguments(Frame& f, Json::Id node, const std::string& op);
  IValue call_node(Frame& f, Json::Id node, const std::string& op);
  IValue higher_order(Frame& f, Json::Id node, const std::string& op);
  IValues run_inside(Json::Id graph, const IValues& arguments);
  // values.cpp
  IValue value_of(Frame& f, Json::Id argument);
  IValue plain(Frame& f, std::string_view tag, Json::Id value);
  IValue named(Frame& f, std::string_view name);
  void bind(Frame& f, Json::Id outputs, const IValue& result);
  void set(Frame& f, std::string_view name, IValue value);
  // in_place.cpp
  void change_in_place(Frame& f, const std::string& op);

  Builder& b_;
  const Json& json_;
  Lifted& lifted_;
  int depth_ = 0;  // of graphs inside one another
};

}  // namespace tern::torch
