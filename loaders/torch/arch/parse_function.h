// Parser: from tokens to functions. Everything that a forward may not contain is refused here, by name. Grammar: arch/README.md.
// Next: parse_expression.cpp, then interpret.h.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "loaders/torch/arch/ast.h"
#include "loaders/torch/arch/lexer.h"

namespace tern::torch {

// How refusals end.
constexpr const char* kAllowed = "; allowed: assignments, calls of modules and of torch functions, arithmetic, indexing, return";

class Parser {
 public:
  // `room`: how many expressions and statements the whole file may still have.
  Parser(std::shared_ptr<const SourceText> source, size_t offset, size_t& room) : source_(std::move(source)), lexer_(*source_, offset), room_(room) {}

  // Each reads one item that begins at the offset, and adds what it gives to the program.
  Status read_class(Program& program);     // class Block(nn.Module): …
  Status read_function(Program& program);  // def forward(self, x): …, def Block.forward(self, x): …, def helper(x): …
  Status read_body(Program& program);      // bare statements, up to a def, a class or the end
  // Where the item ended: the start of the first token after it.
  size_t offset() { return lexer_.peek().offset; }

 private:
  // ---- parse_expression.cpp ----
  ExpressionPtr expression();   // null: error_ is set
  ExpressionPtr expressions();  // a, *b: a tuple where there is a comma
  ExpressionPtr conditional();
  ExpressionPtr logical(int level);  // or, and, not, comparisons
  ExpressionPtr comparison();
  ExpressionPtr binary(int precedence);
  ExpressionPtr unary();
  ExpressionPtr postfix();
  ExpressionPtr atom();
  ExpressionPtr bracketed(std::string_view close);
  ExpressionPtr dict();
  ExpressionPtr comprehension(ExpressionPtr item, std::string_view close);
  ExpressionPtr subscript();
  ExpressionPtr string();
  ExpressionPtr number();
  bool arguments(Expression& call);
  ExpressionPtr make(Expression::Kind kind, const Place& place, std::vector<ExpressionPtr> parts = {}, std::string text = {});
  // ---- parse_statement.cpp ----
  bool block(Block& out);  // after ':'
  bool statement(Block& out);
  bool simple(Block& out);
  bool assignment(Block& out);
  bool branch(Block& out);
  bool loop(Block& out);
  bool with(Block& out);
  bool target_ok(const Expression& target);
  bool skip_line();  // to the end of the line, whatever is on it
  // ---- parse_function.cpp ----
  std::shared_ptr<Function> function(bool in_class, std::string& cls);
  bool parameters(Function& f, bool method);
  bool annotation(Parameter* p, std::string_view stops);
  bool skip_block();
  bool class_body(ClassScope& scope, std::shared_ptr<Function>& forward);
  bool read_constants(ClassScope& scope);  // self.scale = 0.5 in __init__
  bool decorators(bool& is_static);

  bool refuse(const Token& token, const std::string& what);
  bool refuse_at(const Place& place, const std::string& what);
  bool expect(std::string_view op, const char* after);
  bool is_name() { return lexer_.peek().kind == Token::Kind::name; }
  Status status() const { return error_ ? Status(*error_) : Status(); }

  std::shared_ptr<const SourceText> source_;
  Lexer lexer_;
  size_t& room_;
  int depth_ = 0;
  int blocks_ = 0;
  std::optional<Error> error_;
};

// The names that a function (or all methods of a class) reads of its self, and (of bare statements) those that it reads before it gives them a value.
std::vector<std::string> names_of_self(const Function& f);
std::vector<std::string> names_of_self(const ClassScope& scope);
std::vector<Parameter> free_names(const Block& body);
// A constant expression as a literal; nothing when it is none.
std::optional<Literal> literal_of(const Expression& e);

}  // namespace tern::torch
