// See agree.h.
#include "loaders/torch/module/agree.h"

#include <optional>

namespace tern::torch {
namespace {

// (3, 3) is 3, and 1 is 1.0: ways to write one argument.
bool same(const Literal& a, const Literal& b) {
  const auto *many = std::get_if<Literals>(&a.value), *others = std::get_if<Literals>(&b.value);
  if (many != nullptr && others == nullptr) {
    for (const Literal& item : *many) {
      if (!same(item, b)) return false;
    }
    return !many->empty();
  }
  if (others != nullptr && many == nullptr) return same(b, a);
  if (many != nullptr) {
    if (many->size() != others->size()) return false;
    for (size_t i = 0; i < many->size(); ++i) {
      if (!same((*many)[i], (*others)[i])) return false;
    }
    return true;
  }
  auto number = [](const Literal& l) -> std::optional<double> {
    if (const auto* n = std::get_if<int64_t>(&l.value)) return static_cast<double>(*n);
    if (const auto* x = std::get_if<double>(&l.value)) return *x;
    return std::nullopt;
  };
  if (const auto x = number(a), y = number(b); x && y) return *x == *y;
  auto text = [](const Literal& l) { return l.kind() == Literal::Kind::string ? std::get<std::string>(l.value) : l.text(); };
  return text(a) == text(b);
}

Status differ(const std::string& path, const std::string& what) {
  return invalid("its module tree is not the file's: " + (path.empty() ? "the root" : path) + " " + what +
                 "; leave the tree out, the file has its own");
}

Status check(const Module& file, const Module& written, const std::string& path) {  // at most kMaxModuleDepth deep
  if (file.cls != written.cls) return differ(path, "is " + written.cls + ", and " + file.cls + " in the file");
  for (const auto& [name, literal] : written.args) {
    const Literal* other = name.empty() ? nullptr : file.arg(name);
    if (other != nullptr && !same(literal, *other))
      return differ(path, "has " + name + "=" + literal.text() + ", and " + other->text() + " in the file");
  }
  if (written.children.empty()) return {};  // TransformerEncoderLayer(d_model=…): its children follow from it
  for (const auto& [name, child] : written.children) {
    const std::string inner = (path.empty() ? "" : path + ".") + name;
    const Module* other = file.child(name);
    if (other == nullptr) return differ(inner, "is not in the file");
    if (Status s = check(*other, *child, inner); !s) return s;
  }
  for (const auto& [name, child] : file.children) {
    if (written.child(name) == nullptr) return differ((path.empty() ? "" : path + ".") + name, "is missing here");
  }
  return {};
}

}  // namespace

Status check_agreement(const Module& file, const Module& written) { return check(file, written, ""); }

}  // namespace tern::torch
