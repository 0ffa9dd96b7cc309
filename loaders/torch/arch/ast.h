// The forwards of an architecture file as trees of expressions and statements. Trees are at most kMostNesting high, so that walking them
// by recursion is safe. Next: parse_function.cpp (who makes them), interpret.cpp (who reads them).
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "loaders/torch/arch/program.h"
#include "loaders/torch/module/source_text.h"

namespace tern::torch {

constexpr int kMostNesting = 100;

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

struct Expression {
  enum class Kind : uint8_t {
    constant,   // value
    name,       // text
    attribute,  // parts[0].text
    call,       // parts[0](parts[1], …): names holds one entry an argument: "" positional, "*" and "**" unpacked
    index,      // parts[0][parts[1]]
    slice,      // parts[0]:parts[1]:parts[2], null where left out
    unary,      // text: - + ~ not
    binary,     // text: + - * / // % ** @ & | ^ << >>
    compare,    // parts[0] names[0] parts[1] names[1] parts[2] …: "<", "in", "not in", "is not" …
    both,
    either,       // and, or
    conditional,  // parts[0] if parts[1] else parts[2]
    tuple,
    list,           // parts
    dict,           // parts: key, value, key, value …
    starred,        // *parts[0]
    comprehension,  // [parts[0] for parts[1] in parts[2] if parts[3]…]; parts[3] on: conditions
  };
  Kind kind = Kind::constant;
  Place place;
  int height = 1;
  std::string text;
  IValue value;
  std::vector<ExpressionPtr> parts;
  std::vector<std::string> names;
};

struct Statement;
using Block = std::vector<Statement>;

struct Statement {
  enum class Kind : uint8_t {
    assign,      // targets = value
    augmented,   // targets[0] text= value
    expression,  // value
    give,        // return value; null: None
    branch,      // if value: body else: otherwise
    loop,        // for targets[0] in value: body else: otherwise
    stop,
    skip,    // break, continue
    raise,   // text: what would be raised
    forget,  // del targets
  };
  Kind kind = Kind::expression;
  Place place;
  std::string text;
  std::vector<ExpressionPtr> targets;
  ExpressionPtr value;
  Block body, otherwise;
};

// What a class gives besides its forward: methods that can be called, and attributes with constant values.
struct ClassScope {
  std::string name;
  std::map<std::string, std::shared_ptr<const Function>, std::less<>> methods;
  std::map<std::string, IValue, std::less<>> attributes;
  std::vector<std::string> names_of_self;  // that its methods read
};

// A forward, a method or a function.
struct Function {
  std::string name;
  Place place;
  std::string self;  // the name of the first parameter of a method; empty: a function, or a static method
  std::vector<Parameter> parameters;
  size_t positional = 0;         // how many of them may be given by place
  std::string rest, named_rest;  // *args, **kwargs; empty: none
  Block body;
  std::vector<std::string> names_of_self;
  std::string refusal;                      // not empty: why it cannot be called (methods that a forward need not know)
  std::shared_ptr<const ClassScope> scope;  // null outside of a class
  std::shared_ptr<const SourceText> source;
};

}  // namespace tern::torch
