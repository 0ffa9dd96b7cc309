// See dim_names.h.
#include "loaders/onnx/dim_names.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace tern::onnx {
namespace {

bool is_digits(std::string_view s) {
  return !s.empty() && std::all_of(s.begin(), s.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

// skl2onnx writes None, shape inference unk__7 (and so do files that were cut out of its results), others a question mark or a number.
bool means_unknown(std::string_view s) {
  constexpr std::array<std::string_view, 8> kWords = {"", "none", "null", "nan", "unknown", "unk", "dynamic", "*"};
  std::string lower(s);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return std::find(kWords.begin(), kWords.end(), lower) != kWords.end() || s.starts_with('?') || is_digits(s) ||
         (s.starts_with('-') && is_digits(s.substr(1))) || (s.starts_with("unk__") && is_digits(s.substr(5)));
}

}  // namespace

Dim DimNames::read(const std::string& dim_param, std::string own) const {
  auto declared = [&](const std::string& name) { return count_.contains(name); };
  while (declared(own)) own += '_';
  if (means_unknown(dim_param)) {
    // One that stands alone may keep its text, so that a caller can bind what `inspect` shows; but not one that would read as something else.
    auto it = count_.find(dim_param);
    const bool alone = it != count_.end() && it->second == 1 && !dim_param.empty() && dim_param[0] != '?' && !is_digits(dim_param);
    return Dim::symbol(alone ? dim_param : own);
  }
  // Its words first: most texts are no expression, and reading one that adds up thousands of names takes its time.
  auto is_word = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '.' || c == '?' || c == ':'; };
  for (auto at = dim_param.begin(); at != dim_param.end();) {
    const auto begin = std::find_if(at, dim_param.end(), is_word), end = std::find_if_not(begin, dim_param.end(), is_word);
    const std::string word(begin, end);
    if (!word.empty() && !is_digits(word) && (!declared(word) || means_unknown(word))) return Dim::symbol(dim_param);
    at = end;
  }
  auto expression = parse_dim(dim_param);
  return expression && !expression->known() ? *expression : Dim::symbol(dim_param);
}

}  // namespace tern::onnx
