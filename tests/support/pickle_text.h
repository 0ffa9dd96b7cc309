// Pickles as text, both ways: hand-made bytes, and an object as Python would show it.
#pragma once
#include <string>

#include "loaders/torch/pickle/pickle.h"

namespace tern::test {

inline std::span<const std::byte> pickle_bytes(const std::string& s) { return std::as_bytes(std::span(s.data(), s.size())); }

// Calls as module.name(arguments){state}[extras]; at most `depth` deep.
inline std::string show(const torch::Pickle& p, torch::ObjectId id, int depth = 8) {
  using Kind = torch::Pickle::Kind;
  if (id == torch::kNoObject) return "-";
  if (depth < 0) return "…";
  auto list = [&](std::span<const torch::ObjectId> items, bool pairs) {
    std::string s;
    for (size_t i = 0; i < items.size(); ++i) s += (i == 0 ? "" : pairs && i % 2 == 1 ? ": " : ", ") + show(p, items[i], depth - 1);
    return s;
  };
  switch (p.kind(id)) {
    case Kind::none: return "None";
    case Kind::boolean: return p.integer(id) != 0 ? "True" : "False";
    case Kind::integer: return std::to_string(p.integer(id));
    case Kind::big_integer: return "big" + std::to_string(p.text(id).size());
    case Kind::real: {
      const std::string s = std::to_string(p.real(id));
      return s;
    }
    case Kind::text: return "'" + std::string(p.text(id)) + "'";
    case Kind::bytes: return "b'" + std::string(p.text(id)) + "'";
    case Kind::tuple: return "(" + list(p.items(id), false) + ")";
    case Kind::list: return "[" + list(p.items(id), false) + "]";
    case Kind::dict: return "{" + list(p.items(id), true) + "}";
    case Kind::set: return "set(" + list(p.items(id), false) + ")";
    case Kind::global: return p.qualified(id);
    case Kind::persistent: return "pid " + show(p, p.pid(id), depth - 1);
    case Kind::call: {
      std::string s = show(p, p.callable(id), depth - 1) + show(p, p.arguments(id), depth - 1);
      if (p.keywords(id) != torch::kNoObject) s += "**" + show(p, p.keywords(id), depth - 1);
      if (p.state(id) != torch::kNoObject) s += "<" + show(p, p.state(id), depth - 1) + ">";
      if (!p.extras(id).empty()) s += (p.extras_are_pairs(id) ? "+{" : "+[") + list(p.extras(id), p.extras_are_pairs(id)) + "]";
      return s;
    }
  }
  return "?";
}

// A whole pickle as text, or its error.
inline std::string show(const std::string& bytes) {
  size_t position = 0;
  auto p = torch::Pickle::read(pickle_bytes(bytes), position);
  if (!p) return "error: " + p.error().message();
  std::string s = show(*p, p->root());
  if (position != bytes.size()) s += " and " + std::to_string(bytes.size() - position) + " bytes";
  return s;
}

}  // namespace tern::test
