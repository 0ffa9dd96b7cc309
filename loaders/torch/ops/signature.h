// Signatures of Python functions as our tables write them, for operators and for layers: "input, weight, bias=None, *, dtype=None".
// A default is None, True, False, a number, a quoted string, () or a tuple of these. Other names of a parameter follow with bars:
// "input|self". "*sizes" takes all positional arguments that remain; after a lone "*" only names count.
// "**options" takes what says where a new tensor lies, and is not read: layout, device, pin_memory, requires_grad, memory_format, out, names. Next: operator.h.
#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "loaders/torch/graph/value.h"

namespace tern::torch {

struct SignatureParameter {
  std::string_view name, others;             // "input", "self|x"
  std::optional<std::string_view> fallback;  // the text of its default
  bool rest = false, named_only = false, options = false;
  bool answers_to(std::string_view text) const;
};

std::vector<SignatureParameter> parse_signature(std::string_view text);
IValue parse_default(std::string_view text);

}  // namespace tern::torch
