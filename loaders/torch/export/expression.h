// Sizes as programs write them: sympy's srepr ("Mul(Integer(2), Symbol('s0', positive=True, integer=True))") in files of torch 2.4 and
// newer, its str ("2*s0") in older ones. Next: treespec.h.
#pragma once
#include <optional>
#include <string_view>

#include "runtime/base/shape.h"

namespace tern::torch {

// The size, when it is linear in its symbols; nothing when it is understood but not linear (FloorDiv, Max, products of symbols).
// Errors: no expression, more than 4096 bytes, nested more than 64 deep (invalid).
Result<std::optional<Dim>> parse_expression(std::string_view text);

}  // namespace tern::torch
