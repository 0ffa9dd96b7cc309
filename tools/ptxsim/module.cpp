#include "tools/ptxsim/module.h"

#include <set>

namespace ptxsim {
namespace {

struct TypeRow {
  std::string_view name;
  Type type;
  uint32_t size;
};
constexpr TypeRow kTypes[] = {{"pred", Type::pred, 0},   {"b8", Type::b8, 1},       {"u8", Type::u8, 1},         {"s8", Type::s8, 1},
                              {"b16", Type::b16, 2},     {"u16", Type::u16, 2},     {"s16", Type::s16, 2},       {"f16", Type::f16, 2},
                              {"bf16", Type::bf16, 2},   {"b32", Type::b32, 4},     {"u32", Type::u32, 4},       {"s32", Type::s32, 4},
                              {"f32", Type::f32, 4},     {"f16x2", Type::f16x2, 4}, {"bf16x2", Type::bf16x2, 4}, {"u16x2", Type::u16x2, 4},
                              {"s16x2", Type::s16x2, 4}, {"tf32", Type::tf32, 4},   {"b64", Type::b64, 8},       {"u64", Type::u64, 8},
                              {"s64", Type::s64, 8},     {"f64", Type::f64, 8},     {"b128", Type::b128, 16}};

// Headers that come with CUDA: a line in them says nothing to a user.
bool is_cuda_header(std::string_view path) {
  return path.find("/include/") != std::string_view::npos &&
         (path.find("/targets/") != std::string_view::npos || path.find("cuda") != std::string_view::npos ||
          path.find("nvidia") != std::string_view::npos);
}

}  // namespace

Type type_named(std::string_view name) {
  for (const TypeRow& row : kTypes) {
    if (row.name == name) return row.type;
  }
  return Type::none;
}

uint32_t size_of(Type type) {
  for (const TypeRow& row : kTypes) {
    if (row.type == type) return row.size;
  }
  return 0;
}

SourcePlace place_of(const ModuleData& module, const Statement& statement) {
  if (statement.location < 0) return {};
  Location at = module.locations[size_t(statement.location)];
  SourcePlace first;
  for (int depth = 0; depth < 64; ++depth) {
    const auto file = module.files.find(at.file);
    const std::string path = file == module.files.end() ? std::string() : file->second;
    if (depth == 0) first = {path, at.line};
    if (at.line != 0 && !path.empty() && !is_cuda_header(path)) return {path, at.line};
    if (at.at_file == 0) break;
    // The place it was inlined at may be inlined itself: an earlier .loc of that place says where.
    Location outer{at.at_file, at.at_line, at.at_column};
    for (int i = statement.location; i >= 0; --i) {
      const Location& candidate = module.locations[size_t(i)];
      if (candidate.file == outer.file && candidate.line == outer.line && candidate.column == outer.column && candidate.at_file != 0) {
        outer = candidate;
        break;
      }
      if (statement.location - i > 4096) break;
    }
    at = outer;
  }
  return first;
}

}  // namespace ptxsim
