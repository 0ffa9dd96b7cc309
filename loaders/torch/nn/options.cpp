// See options.h.
#include "loaders/torch/nn/options.h"

#include <algorithm>

#include "loaders/torch/nn/layers.h"
#include "loaders/torch/ops/signature.h"

namespace tern::torch {
namespace {

constexpr int64_t kMost = int64_t(1) << 31;

// The literal that stands for a parameter; null when it was not written.
const Literal* written(const Module& module, const SignatureParameter& p, int index) {
  int position = 0;
  for (const auto& [key, literal] : module.args) {
    if (key.empty() ? position == index && !p.named_only : p.answers_to(key)) return &literal;
    position += key.empty();
  }
  return nullptr;
}

}  // namespace

Options::Options(const Module& module) : Options(*find_layer(module), module) {}

void Options::fail(const std::string& why) {
  if (status_.ok()) status_ = invalid(module_.cls + ": " + why);
}

IValue Options::operator[](std::string_view name) {
  int index = 0;
  for (const SignatureParameter& p : parse_signature(layer_.signature)) {
    const int at = index++;
    if (p.name != name) continue;
    if (const Literal* l = written(module_, p, module_.pickled ? -1 : at)) {
      if (l->kind() != Literal::Kind::name || std::get<Name>(l->value).text != "?") return from_literal(*l);
      fail(std::string(name) + " is still '?': write what it is");
      return {};
    }
    for (const Module::Own& own : module_.tensors) {
      if (own.name == name) return own.tensor != nullptr;
    }
    if (p.fallback) return parse_default(*p.fallback);
    const std::string missing(name);
    fail(module_.pickled ? "the file does not say " + missing : missing + " is missing; write " + module_.cls + "(" + missing + "=…)");
    return {};
  }
  return {};
}

bool Options::boolean(std::string_view name) {
  const IValue v = (*this)[name];
  if (const auto* flag = v.get<bool>()) return *flag;
  if (const auto* n = v.get<Int>(); n != nullptr && n->known()) return n->value() != 0;
  fail(std::string(name) + " must be a bool, not " + v.kind());
  return false;
}

int64_t Options::known(const IValue& v, std::string_view name) {
  const auto* n = v.get<Int>();
  if (n == nullptr || !n->known()) {
    fail(std::string(name) + " must be an int, not " + v.kind());
    return 0;
  }
  if (n->value() >= -kMost && n->value() < kMost) return n->value();
  fail(std::string(name) + "=" + std::to_string(n->value()) + " makes no sense");
  return 0;
}

int64_t Options::integer(std::string_view name) { return known((*this)[name], name); }

double Options::number(std::string_view name) {
  const IValue v = (*this)[name];
  if (const auto* x = v.get<double>()) return *x;
  if (const auto* flag = v.get<bool>()) return *flag;
  if (const auto* n = v.get<Int>(); n != nullptr && n->known()) return static_cast<double>(n->value());
  fail(std::string(name) + " must be a number, not " + v.kind());
  return 0;
}

std::string Options::string(std::string_view name) {
  const IValue v = (*this)[name];
  if (const auto* text = v.get<std::string>()) return *text;
  if (const auto* name_of = v.get<IValue::Callable>(); name_of != nullptr && !name_of->module)
    return name_of->name;  // padding_mode=circular, as printed
  fail(std::string(name) + " must be a string, not " + v.kind());
  return {};
}

std::vector<int64_t> Options::ints(std::string_view name, size_t count) {
  const IValue v = (*this)[name];
  std::vector<int64_t> out;
  if (v.items() == nullptr) out.push_back(known(v, name));
  else
    for (const IValue& item : *v.items()) out.push_back(known(item, name));
  if (out.size() == 1 && count > 1) out.resize(count, out[0]);
  if (count > 0 && out.size() != count)
    fail(std::string(name) + " must have " + std::to_string(count) + " numbers, not " + std::to_string(out.size()));
  if (count > 0) out.resize(count);
  return out;
}

Status check_arguments(const Layer& layer, const Module& module) {
  if (module.pickled) return {};
  const std::vector<SignatureParameter> signature = parse_signature(layer.signature);
  size_t places = 0, position = 0;
  bool any = false;  // *args
  for (const SignatureParameter& p : signature) {
    any = any || p.rest;
    places += !p.named_only;
  }
  for (const auto& [key, literal] : module.args) {
    if (any) break;
    if (key.empty() && ++position > places) {
      return invalid(module.cls + ": takes at most " + std::to_string(places) + " positional arguments");
    }
    if (!key.empty() && std::none_of(signature.begin(), signature.end(), [&key = key](const SignatureParameter& p) { return p.answers_to(key); })) {
      return invalid(module.cls + ": has no argument " + key);
    }
  }
  return {};
}

}  // namespace tern::torch
