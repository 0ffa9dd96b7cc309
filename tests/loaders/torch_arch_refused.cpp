// What an architecture file may not hold: each refusal says where and what is allowed. And hostile texts: one clear line, quickly.
#include <doctest/doctest.h>

#include <algorithm>
#include <ctime>

#include "loaders/torch/arch/parse.h"
#include "loaders/torch/nn/assemble.h"
#include "loaders/torch/nn/layers.h"
#include "tests/support/cheap.h"

using namespace tern;
using namespace tern::torch;
using tern::test::flood, tern::test::kSanitized, tern::test::peak_kb;

namespace in_torch_arch_refused {
namespace {

constexpr const char* kTree = "Net(\n  (act): ReLU()\n  (layers): ModuleList(\n    (0): Tanh()\n  )\n)\n";  // 6 lines

// The message that comes of a text, when it is parsed or when its graph is made (for x: f32[2,3]); "fine" when none does.
std::string outcome(const std::string& text) {
  auto parsed = parse_architecture(text, "net.txt");
  if (!parsed) {
    CHECK(parsed.error().code() == Code::kInvalid);
    return parsed.error().message();
  }
  if (!parsed->root) return "no tree";
  REQUIRE(complete(*parsed->root).ok());
  LoadOptions options;
  options.inputs.push_back({"x", DType::f32, {"2", "3"}});
  auto graph = assemble(*parsed->root, parsed->program.get(), {}, options, "test");
  return graph.ok() ? "fine" : graph.error().message();
}

// A forward of the tree above; its first line is line 7.
std::string of_forward(const std::string& body) { return outcome(kTree + body); }
// A statement before `return x`, in line 8.
std::string of(const std::string& line) { return of_forward("def forward(self, x):\n    " + line + "\n    return x\n"); }

const std::string kAllowed = "; allowed: assignments, calls of modules and of torch functions, arithmetic, indexing, return";

}  // namespace

TEST_CASE("architecture refusals: what Python has and forwards may not, with its place") {
  CHECK(of("y = x") == "fine");
  CHECK(of("f = lambda y: y") == "net.txt:8:9: lambda is not allowed in a forward" + kAllowed);
  CHECK(of("import torch") == "net.txt:8:5: import is not allowed in a forward" + kAllowed);
  CHECK(of("from torch import nn") == "net.txt:8:5: from is not allowed in a forward" + kAllowed);
  CHECK(of("while True: pass") == "net.txt:8:5: while is not allowed in a forward" + kAllowed);
  CHECK(of("try:\n        pass") == "net.txt:8:5: try is not allowed in a forward" + kAllowed);
  CHECK(of("global y") == "net.txt:8:5: global is not allowed in a forward" + kAllowed);
  CHECK(of("y = yield x") == "net.txt:8:9: yield is not allowed in a forward" + kAllowed);
  CHECK(of("def f(y): return y") == "net.txt:8:5: a function inside a forward is not allowed" + kAllowed);
  CHECK(of("class C: pass") == "net.txt:8:5: a class inside a forward is not allowed" + kAllowed);
  CHECK(of("y = (z := x)") == "net.txt:8:12: an assignment inside an expression is not allowed in a forward" + kAllowed);
  CHECK(of("y = b'x'") == "net.txt:8:9: bytes are not allowed in a forward" + kAllowed);
  CHECK(of("y = {k: x for k in 'ab'}") == "net.txt:8:15: a dict comprehension is not allowed in a forward" + kAllowed);
  CHECK(of("with open('f') as f: pass") == "net.txt:8:10: only with torch.no_grad() and its like are allowed in a forward" + kAllowed);
  CHECK(of("self.y = x") == "net.txt:8:10: an assignment to an attribute (y) is not allowed in a forward; use a variable");
  CHECK(of("x.y += 1") == "net.txt:8:7: only a variable can be changed by +=");
  CHECK(of("3 = x") == "net.txt:8:5: this cannot be assigned to");
  CHECK(of("for i in range(2): pass\n    else: pass") == "net.txt:9:5: the else of a loop is not allowed in a forward" + kAllowed);
  CHECK(outcome("import torch\n" + std::string(kTree)) == "net.txt:1:1: import is not allowed here; F, nn, torch and math are known");
}

TEST_CASE("architecture refusals: syntax errors with their place") {
  CHECK(of("y = (x") == "net.txt:9:5: expected ')' after an expression in brackets");
  CHECK(of("y = x]") == "net.txt:8:10: expected the end of the line, not ']'");
  CHECK(of("y = 'abc") == "net.txt:8:9: a string is never closed");
  CHECK(of("y = $") == "net.txt:8:9: the character $ has no place here");
  CHECK(of("y =") == "net.txt:8:8: expected an expression before the end of the line");
  CHECK(of("y = x +* 2") == "net.txt:8:12: expected an expression, not '*'");
  CHECK(of("y = 1x") == "net.txt:8:9: this is no number");
  CHECK(of("y = 99999999999999999999") == "net.txt:8:9: this integer does not fit into 64 bits");
  CHECK(of("f(a=1, x)") == "net.txt:8:12: an argument without a name comes after one with a name");
  CHECK(of("if x: y = 1\n      z = 2") == "net.txt:9:7: this line is indented more than the lines above");
  CHECK(of("if True:\n    y = 1") == "net.txt:9:5: expected an indented block");
  CHECK(of_forward("def forward(self, x):\n    if True:\n            y = 1\n       \n        z = 1\n") ==
        "net.txt:11:9: this line's indentation fits none of the lines above");
  CHECK(of_forward("def forward(self, x, x):\n    return x\n") == "net.txt:7:22: there are two parameters x");
  CHECK(of_forward("def forward(self, x=y):\n    return x\n") == "net.txt:7:21: the default of x must be a constant");
  CHECK(of_forward("def forward(self, x: f32[N, -1]):\n    return x\n") == "net.txt:7:22: ' -1' is no size; write f32[N, 3, 224, 224]");
  CHECK(of_forward("def forward(self, x)\n    return x\n") == "net.txt:7:21: expected ':' after this");
  CHECK(of_forward("def forward(self, x):\n    return x\ndef forward(self, x):\n    return x\n") == "net.txt:9:5: there are two forwards");
  CHECK(of_forward("def forward(self, x):\n    return x\ny = 2\n") ==
        "net.txt:9:1: this belongs to no forward: a second tree, or a line outside of a def");
  CHECK(of_forward("def Net.other(self, x):\n    return x\n") ==
        "net.txt:7:5: only forwards can be given for a class from outside of it: def Net.forward(self, x)");
}

TEST_CASE("architecture refusals: what is wrong with a tree, with its place") {
  CHECK(outcome("Net(\n  (0): ?\n)\n") ==
        "net.txt:2:8: layer 0 (?): fill in its class, as print(model) shows it: ReLU(), Conv2d(3, 8, kernel_size=3)");
  CHECK(outcome("Net(\n  (b): Sequential(\n    (2): ?()\n  )\n)\n").starts_with("net.txt:3:10: layer b.2 (?): fill in its class"));
  CHECK(outcome("Net(\n  (c): Conv2d(3, 8, kernel_size=(3, 3), stride=?)\n)\n") ==
        "net.txt:2:48: layer c (Conv2d): fill in stride, which weights cannot tell");
  CHECK(outcome("Net(\n  (c): GroupNorm(?, 8)\n)\n") == "net.txt:2:18: layer c (GroupNorm): fill in the argument ?, which weights cannot tell");
  CHECK(outcome("Net(\n  (0-3): 5 x ReLU()\n)\n") == "net.txt:2:10: a repeated module reads (0-3): 4 x Block(…), with as many names as repeats");
  CHECK(outcome("Net(\n  (a): ReLU()\n  (a): ReLU()\n)\n") == "net.txt:3:8: there are two modules a");
  CHECK(outcome("Net(\n  (a): ReLU\n)\n") == "net.txt:2:8: expected a class and its arguments, such as ReLU() or Conv2d(3, 8, kernel_size=3)");
  CHECK(outcome("Net(\n  (a): ReLU(\n") == "net.txt:2:8: the bracket after ReLU is never closed");
  CHECK(outcome("Net(p=1, p=2)\n") == "net.txt:1:10: Net gets its argument p twice");
  CHECK(outcome("Net(\n) x\n") == "net.txt:2:3: expected the end of the line after the module tree");
  CHECK(outcome("Net(\n  (p): Parameter containing: [torch.float99 of size 3]\n)\n") == "net.txt:2:8: the dtype float99 is not known");
  CHECK(outcome("Net(\n  (p): Parameter containing: nothing\n)\n") == "net.txt:2:8: expected Parameter containing: [torch.float32 of size 3x4]");
  CHECK(outcome("") ==
        "net.txt: no module tree and no forward; give what print(model) prints, and a def forward when the model is more than a chain");
  CHECK(outcome(std::string("Net(\0)", 6)) == "net.txt:1:5: a zero byte has no place in a text");
  CHECK(outcome("Net(\xff)") == "net.txt:1:5: the text is not UTF-8");
}

TEST_CASE("architecture refusals: what is not known while the model is loaded") {
  CHECK(of("if x.sum() > 0: x = x + 1") ==
        "net.txt:8:16: a condition on data is not allowed in a forward; torch.where chooses between tensors [if x.sum() > 0: x = x + 1]");
  CHECK(of("for row in x: pass") == "net.txt:8:16: a loop over data is not allowed in a forward [for row in x: pass]");
  CHECK(of("y = [r for r in x]") == "net.txt:8:21: a loop over data is not allowed in a forward [y = [r for r in x]]");
  CHECK(of("y = x.item()") == "net.txt:8:11: .item() takes data out of the graph, which is not allowed in a forward [y = x.item()]");
  CHECK(of("y = int(x)") == "net.txt:8:9: int() of a tensor takes data out of the graph, which is not allowed in a forward [y = int(x)]");
  CHECK(of("x[0] = 1") ==
        "net.txt:8:6: an assignment to a part of a tensor (x[…] = …) is not supported; torch.cat or torch.where make a new one [x[0] = 1]");
  CHECK(of("x[0] += 1") == "net.txt:8:6: x[…] += … is not supported; torch.cat or torch.where make a new tensor [x[0] += 1]");
  CHECK(of("y = z + 1") ==
        "net.txt:8:9: the name z has no value here; known are the forward's arguments and variables, F, nn, torch and math [y = z + 1]");
  CHECK(of("y = self.nothing(x)") ==
        "net.txt:8:14: self.nothing: Net has no module, weight or attribute of that name; a number can be given in its class: def __init__(self): "
        "self.nothing = … [y = self.nothing(x)]");
  CHECK(of("y = self.layers[1](x)") == "net.txt:8:20: index 1 is outside of 1 items [y = self.layers[1](x)]");
  CHECK(of("y = torch.frobnicate(x)") == "net.txt:8:15: torch.frobnicate is not supported [y = torch.frobnicate(x)]");
  CHECK(of("y = x.frobnicate()") == "net.txt:8:11: Tensor.frobnicate is not supported [y = x.frobnicate()]");
  CHECK(of("y = nn.Linear(3, 3)(x)") == "net.txt:8:12: Linear has weights: it must be a module of the tree, self.Linear [y = nn.Linear(3, 3)(x)]");
  CHECK(of("a, b, c = [x, x]") == "net.txt:8:5: 2 values are unpacked into 3 names [a, b, c = [x, x]]");
  CHECK(of("raise ValueError('no')") == "net.txt:8:5: the forward raises an error here [raise ValueError('no')]");
  CHECK(of("y = torch.add(x, x, out=x)") == "net.txt:8:15: out= is not supported [y = torch.add(x, x, out=x)]");
  CHECK(of("y = self(x)") == "net.txt:8:9: a module cannot call itself [y = self(x)]");
  CHECK(of("y = 'a' - x") == "net.txt:8:13: '-' cannot be applied to a string and a tensor [y = 'a' - x]");
  CHECK(of("y = x @ x").starts_with("net.txt:8:11: "));
  CHECK(of("y = torch.cat([x, self.act])") ==
        "net.txt:8:15: argument tensors must be a list of tensors, not a module [y = torch.cat([x, self.act])]");
  CHECK(of("y = self.act(x, x)") == "net.txt:8:14: act: ReLU: its forward takes at most 1 arguments, not 2 [y = self.act(x, x)]");
}

TEST_CASE("architecture refusals: an in-place operation under a view of its tensor") {
  auto shared = [](const std::string& by) {
    return "this value shares its elements with one that an in-place operation changed (" + by +
           " shows them); write that operation without in-place";
  };
  CHECK(of("y = x * 2\n    v = y.reshape(3, 2)\n    y += 1\n    x = x + v.sum()") ==
        "net.txt:11:13: " + shared("Tensor.reshape") + " [x = x + v.sum()]");
  CHECK(of("y = x * 2\n    v = y.view(3, 2)\n    y += 1\n    x = x + v.sum()") == "fine");
  CHECK(of("y = x * 2\n    v = y.expand(2, 2, 3)\n    v.add_(1)\n    x = x + y") == "net.txt:11:13: " + shared("Tensor.expand") + " [x = x + y]");
  CHECK(of("y = x * 2\n    v = y.t()\n    v.add_(1)\n    x = x + y") == "fine");
  CHECK(of("y = x * 2\n    v = y.t().contiguous()\n    v.add_(1)\n    x = x + y") ==
        "net.txt:11:13: " + shared("Tensor.contiguous") + " [x = x + y]");
  CHECK(of("y = x * 2\n    y.unsqueeze(0).t_()").starts_with("net.txt:9:"));
  CHECK(of("y = x * 2\n    v = y[0]\n    v.add_(1)\n    x = x + y") == "net.txt:11:13: " + shared("operator.getitem") + " [x = x + y]");
  CHECK(of("y = x * 2\n    v = y[0]\n    y.add_(1)\n    x = x + y") == "fine");  // v is not read again
  CHECK(of("y = x * 2\n    v = y.clone()[0]\n    y.add_(1)\n    x = x + v.sum()") == "fine");
  CHECK(of("y = x * 2\n    v = torch.index_select(y, 1, torch.tensor([0, 1]))\n    y.add_(1)\n    x = x + v.sum()") == "fine");
  CHECK(of("y = x * 2\n    a, b, c = y.chunk(3, 1)\n    a *= 2\n    x = x + b") == "fine");
  CHECK(of("y = x * 2\n    y.add_(x[0, 0] * torch.ones(4, 2, 3))").starts_with("net.txt:9:7: an in-place operation cannot change the shape"));
}

TEST_CASE("architecture files: odd but right ones") {
  const std::string chain = "Sequential(\n  (0): ReLU()\n)\n";
  auto fine = [](const std::string& text) {
    auto parsed = parse_architecture(text, "net.txt");
    REQUIRE_MESSAGE(parsed.ok(), parsed.error().message());
    REQUIRE(parsed->root);
    return print(*parsed->root) + "\n";
  };
  CHECK(fine(">>> print(model)\n" + chain) == chain);
  CHECK(fine(">>> model\n" + chain + ">>> \n# the end\n").starts_with("Sequential("));
  CHECK(fine("\xEF\xBB\xBF# a comment\r\n\r\nmodel\r\nSequential(\r\n  (0): ReLU()\r\n)\r\n") == chain);
  CHECK(fine("nn.Sequential(nn.ReLU(),)") == chain);
  CHECK(fine("Sequential((0): ReLU(),)") == chain);
  CHECK(fine("  Sequential(\n    (0): ReLU()\n  )\n") == chain);
  CHECK(fine("A(\n  (b): None\n  (c): ReLU()\n)\n") == "A(\n  b=None\n  (c): ReLU()\n)\n");
  CHECK(fine("A(x=(1), y=(1,), z=[], w=-1.5e-3, v=1_000, u=+2, t=0.100)\n") == "A(x=1, y=(1,), z=[], w=-0.0015, v=1000, u=2, t=0.1)\n");
  CHECK(fine("A(shape=torch.Size([1, 2]), f=<bound method A.b of <C>>, g='a\\'b')\n") == "A(shape=(1, 2), f=<bound method A.b of <C>>, g=\"a'b\")\n");
  CHECK(fine("ModuleList([ReLU(), Tanh()])") == "ModuleList(\n  (0): ReLU()\n  (1): Tanh()\n)\n");
  CHECK(fine("A(\n  (9-10): 2 x ReLU()\n)\n") == "A(\n  (9): ReLU()\n  (10): ReLU()\n)\n");
}

TEST_CASE("programs: names of self, parameters, and annotations") {
  auto parsed = parse_architecture(
      "class Net(nn.Module):\n"
      "    width: int = 3\n"
      "    def helper(self, x):\n        return self.inner(x)\n"
      "    def forward(self, x: f32[N, 2*seq+1, 3], *, mask: 'i64[N]' = None, n=-3, names=('a', 2.5)) -> Tensor:\n"
      "        y = self.a(x) if self.flag else self.b[self.c]\n"
      "        return getattr(self, 'd')(self.helper(y)) + self.a.weight\n",
      "net.txt");
  REQUIRE_MESSAGE(parsed.ok(), parsed.error().message());
  Module m;
  m.cls = "Net";
  const Function* f = parsed->program->find(m);
  REQUIRE(f != nullptr);
  const std::vector<std::string> names = parsed->program->names_of_self(m, *f);
  for (const char* name : {"a", "b", "c", "d", "flag", "inner", "helper"}) CHECK_MESSAGE(std::count(names.begin(), names.end(), name) == 1, name);
  CHECK(names.size() == 7);
  const std::vector<Parameter>& p = parsed->program->parameters(*f);
  REQUIRE(p.size() == 4);
  CHECK(p[0].name == "x");
  REQUIRE(p[0].type);
  CHECK(p[0].type->dtype == DType::f32);
  CHECK(p[0].type->shape.text() == "[N,2*seq+1,3]");
  CHECK(!p[0].fallback);
  CHECK(!p[1].type);  // quoted: an ordinary annotation
  CHECK((p[1].fallback && p[1].fallback->is_none()));
  CHECK(p[2].fallback->text() == "-3");
  CHECK(p[3].fallback->text() == "('a', 2.5)");
  CHECK(p[0].place.line == 5);
  CHECK(p[0].place.column == 23);
  m.cls = "Other";
  CHECK(parsed->program->find(m) == nullptr);
}

TEST_CASE("programs: the inputs of bare statements are the names that have no value") {
  auto parsed = parse_architecture(
      "a = [self.f(t) for t in (first, second)]\nb, c = a\nd = b + third * len(a)\nthird = d\nreturn torch.cat([c, fourth.abs()])\n", "net.txt");
  REQUIRE_MESSAGE(parsed.ok(), parsed.error().message());
  CHECK(!parsed->root);
  const Function& f = *parsed->program->functions.at("");
  std::string names;
  for (const Parameter& p : parsed->program->parameters(f)) names += p.name + " ";
  CHECK(names == "first second third fourth ");
}

// ---- hostile texts ----

namespace {

// Refused in one line, within five seconds of the processor and 64 MB beyond three times the text's own size.
std::string cheaply(const std::string& text) {
  const int64_t before = peak_kb();
  const std::clock_t start = std::clock();
  const std::string message = outcome(text);
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  CHECK(message.find('\n') == std::string::npos);
  CHECK(message.size() < 2000);
  if (!kSanitized) {
    CHECK(seconds < 5);
    CHECK(peak_kb() - before < 64 * 1024 + static_cast<int64_t>(3 * text.size() / 1024));
  }
  return message;
}

std::string repeat(const std::string& s, size_t n) {
  std::string all;
  for (size_t i = 0; i < n; ++i) all += s;
  return all;
}

}  // namespace

TEST_CASE("hostile architectures: deep nesting") {
  const std::string deep = "nests more than 100 deep";
  CHECK(cheaply("def forward(self, x):\n    return " + repeat("(", 100000) + "x" + repeat(")", 100000)).find(deep) != std::string::npos);
  CHECK(cheaply("def forward(self, x):\n    return " + repeat("[", 100000)).find(deep) != std::string::npos);
  CHECK(cheaply("def forward(self, x):\n    return " + repeat("-", 100000) + "x").find(deep) != std::string::npos);
  CHECK(cheaply("def forward(self, x):\n    return " + repeat("not ", 100000) + "x").find("too deep") != std::string::npos);
  CHECK(cheaply("def forward(self, x):\n    return x" + repeat("+x", 100000)).find(deep) != std::string::npos);
  CHECK(cheaply("def forward(self, x):\n    return x" + repeat(".x", 100000)).find(deep) != std::string::npos);
  CHECK(cheaply("def forward(self, x):\n    return x" + repeat("**x", 100000)).find(deep) != std::string::npos);
  CHECK(cheaply("def forward(self, x):\n    return x" + repeat(" if x else x", 100000)).find(deep) != std::string::npos);
  CHECK(cheaply("def forward(self, x):\n    return f" + repeat("(f", 100000)).find(deep) != std::string::npos);
  std::string blocks = "def forward(self, x):\n";
  for (size_t i = 1; i < 500; ++i) blocks += std::string(i, ' ') + "if x:\n";
  CHECK(cheaply(blocks) == "net.txt:100:100: more than 100 branches");
  CHECK(cheaply("def forward(self, x):\n    if x: pass\n" + repeat("    elif x: pass\n", 100000)).find("more than 100 branches") !=
        std::string::npos);
  CHECK(cheaply(repeat("A((a): ", 100000)).find("modules nest more than 100 deep") != std::string::npos);
  CHECK(cheaply("A(x=" + repeat("(", 100000)).find("net.txt:1:5: expected an argument") != std::string::npos);
}

TEST_CASE("hostile architectures: repeats and lengths") {
  CHECK(cheaply("A(\n  (0-99999999): 100000000 x B()\n)\n").find("net.txt:2:17: the tree has more than 100000 modules") != std::string::npos);
  CHECK(cheaply("A(\n  (0-18446744073709551614): 18446744073709551615 x B()\n)\n").starts_with("net.txt:2:29: a repeated module reads"));
  std::string nested = "B()";
  for (int i = 0; i < 10; ++i) nested = "B((0-9): 10 x " + nested + ")";
  CHECK(cheaply("A((a): " + nested + ")").find("the tree has more than 100000 modules") != std::string::npos);
  CHECK(cheaply("A((0-49999): 50000 x B(x='" + repeat("y", 5000) + "'))").find("the tree is too large") != std::string::npos);
  CHECK(cheaply("A(" + repeat("1,", 500000) + ")").find("too many arguments") != std::string::npos);
  CHECK(cheaply("A(" + repeat("(a),", 500000) + ")").find("too many arguments") != std::string::npos);
  CHECK(cheaply("A(" + repeat("(0): B()\n", flood(200000)) + ")").find("there are two modules 0") != std::string::npos);
  std::string many = "A(\n";
  for (size_t i = 0; i < flood(99000); ++i) many += "(" + std::to_string(i) + "): B(x=1)\n";
  CHECK(cheaply(many + ")").find("are not known") != std::string::npos);
  CHECK(cheaply("def forward(self, x):\n    return [" + repeat("x,", 500000) + "]").find("too many expressions") != std::string::npos);
  CHECK(cheaply("def forward(self, x):\n" + repeat("    pass\n", flood(500000))).find("no tree") != std::string::npos);
  CHECK(cheaply("A()\ndef forward(self, x):\n    y = [0]\n    for i in range(90):\n        y = y + y\n").find("a list of more than 100000 items") !=
        std::string::npos);
  CHECK(cheaply("A()\ndef forward(self, x):\n    y = [0] * 1000000000000").find("a list of more than 100000 items") != std::string::npos);
  CHECK(cheaply("A()\ndef forward(self, x):\n    y = []\n    for i in range(90):\n        y = [y]\n")
            .starts_with("net.txt:5:13: lists nest more than 16 deep"));
  CHECK(cheaply("A()\ndef forward(self, x):\n    y = []\n    for i in range(90):\n        y = [y, y]\n")
            .starts_with("net.txt:5:13: a list of more than 100000 items, those of lists in it counted"));
  CHECK(cheaply("A()\ndef forward(self, x):\n    y = 'a'\n    for i in range(90):\n        y = y + y\n").find("a string this long") !=
        std::string::npos);
  CHECK(cheaply("A()\ndef forward(self, x):\n    y = []\n    y.append(y)\n").find("cannot be put into another one") != std::string::npos);
  CHECK(cheaply("A()\ndef forward(self, x):\n    for i in range(10 ** 15):\n        pass\n").find("a range of more than 100000 numbers") !=
        std::string::npos);
  CHECK(
      cheaply("A()\ndef forward(self, x):\n    for i in range(5000):\n        for j in range(5000):\n            y = i\n").find("steps to unroll") !=
      std::string::npos);
  CHECK(cheaply("A()\ndef f(x):\n    return f(x)\ndef forward(self, x):\n    return f(x)\n").find("functions call each other more than 30 deep") !=
        std::string::npos);
  CHECK(cheaply(std::string(size_t(17) << 20, 'x')) == "net.txt: an architecture of more than 16 MB");
}

TEST_CASE("hostile architectures: a head of __init__ that is no Python ends the reading") {
  const std::string text = "Net(\n  (fc): Linear(2, 2)\n)\nclass Net(nn.Module):\n    def __init__(self) `x`:\n        pass\n";
  CHECK(outcome(text).starts_with("net.txt:5:24: "));
}

TEST_CASE("architecture refusals: lists that share are not walked as trees") {
  const std::string nest = "a = [0] * 100\n    b = [a] * 100\n    c = [b] * 100\n    d = [c] * 100\n    e = [d] * 100\n    f = [e] * 100";
  CHECK(of(nest).starts_with("net.txt:10:13: a list of more than 100000 items, those of lists in it counted"));
  CHECK(of("a = [0] * 100\n    b = [a] * 100\n    c = [b, b]") == "fine");
  CHECK(of("a = [0]\n    b = [a] * 1000\n    for i in range(200): a.append(i)\n    y = b == b").find("100000 items") != std::string::npos);
}

TEST_CASE("hostile architectures: junk") {
  for (const char* piece : {"(",     ")", "x", "x\n", "A(", "A()\n", "'",   "\"",   "\\\n", "#",   " ",    "\t\n",          "def ",     "class A:\n",
                            "(a): ", "0", "=", ",",   "[",  "?",     "(a)", "x=1,", "-",    "x x", "@x\n", "(0-1): 2 x A(", "\xC3\xA9", "\x01"}) {
    INFO(std::string(piece));
    const size_t most = flood(std::string_view(piece) == "A()\n" || piece[0] == '\'' ? (size_t(16) << 20) - 100 : size_t(1) << 20);
    std::string text;
    while (text.size() < most) text += piece;
    cheaply(text);
    cheaply("A(\n" + text);
    cheaply("def forward(self, x):\n    " + text);
  }
}

}  // namespace in_torch_arch_refused
