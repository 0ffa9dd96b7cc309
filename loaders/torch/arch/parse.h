// The architecture file: what `print(model)` shows, and forwards as in Python. Either may be missing: a chain needs no forward, a whole
// pickled module brings its own tree. Grammar and examples: arch/README.md. Next: program.h.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "loaders/torch/arch/program.h"
#include "loaders/torch/module/module.h"

namespace tern::torch {

struct Architecture {
  std::shared_ptr<Module> root;      // null: the file gives forwards only
  std::shared_ptr<Program> program;  // never null; perhaps empty
};

// Errors (usage would blame the command; these are invalid): "net.txt:7:12: …; allowed here: …". Memory and time are bounded by the
// text's size; depth by kMaxModuleDepth; texts of more than 16 MB are refused.
Result<Architecture> parse_architecture(std::string_view text, const std::string& file);

}  // namespace tern::torch
