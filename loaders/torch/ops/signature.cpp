// See signature.h. Signatures are ours, so nothing here can be malformed.
#include "loaders/torch/ops/signature.h"

#include <algorithm>
#include <charconv>

namespace tern::torch {
namespace {

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
  while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
  return s;
}

// The piece up to the next comma outside of parentheses; moves `s` past it.
std::string_view next_piece(std::string_view& s) {
  int depth = 0;
  size_t i = 0;
  for (; i < s.size(); ++i) {
    depth += (s[i] == '(') - (s[i] == ')');
    if (s[i] == ',' && depth == 0) break;
  }
  const std::string_view piece = trimmed(s.substr(0, i));
  s.remove_prefix(std::min(i + 1, s.size()));
  return piece;
}

}  // namespace

bool SignatureParameter::answers_to(std::string_view text) const {
  if (text == name) return true;
  if (options) {
    constexpr std::string_view kOptions[] = {"layout", "device", "pin_memory", "requires_grad", "memory_format", "out", "names"};
    return std::find(std::begin(kOptions), std::end(kOptions), text) != std::end(kOptions);
  }
  for (std::string_view rest = others; !rest.empty();) {
    const size_t bar = std::min(rest.find('|'), rest.size());
    if (rest.substr(0, bar) == text) return true;
    rest.remove_prefix(std::min(bar + 1, rest.size()));
  }
  return false;
}

std::vector<SignatureParameter> parse_signature(std::string_view text) {
  std::vector<SignatureParameter> out;
  bool named_only = false;
  while (!trimmed(text).empty()) {
    std::string_view piece = next_piece(text);
    if (piece == "*") {
      named_only = true;
      continue;
    }
    SignatureParameter p;
    p.named_only = named_only;
    p.options = piece == "**options";
    p.rest = piece.front() == '*' && !p.options;
    if (p.rest) piece.remove_prefix(1);
    const size_t equals = piece.find('=');
    if (equals != piece.npos) p.fallback = piece.substr(equals + 1);
    const std::string_view names = piece.substr(0, equals);
    const size_t bar = names.find('|');
    p.name = names.substr(0, bar);
    if (bar != names.npos) p.others = names.substr(bar + 1);
    out.push_back(p);
  }
  return out;
}

IValue parse_default(std::string_view text) {
  if (text == "None") return {};
  if (text == "True" || text == "False") return text == "True";
  if (text.front() == '\'') return std::string(text.substr(1, text.size() - 2));
  if (text.front() == '(') {
    IValues items;
    for (std::string_view rest = text.substr(1, text.size() - 2); !trimmed(rest).empty();) items.push_back(parse_default(next_piece(rest)));
    return IValue::tuple(std::move(items));
  }
  if (text.find_first_of(".en") == text.npos) {
    int64_t n = 0;
    std::from_chars(text.data(), text.data() + text.size(), n);
    return Int(n);
  }
  double d = 0;
  std::from_chars(text.data(), text.data() + text.size(), d);
  return d;
}

}  // namespace tern::torch
