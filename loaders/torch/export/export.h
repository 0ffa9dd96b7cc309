// .pt2: programs that torch.export saved (schema majors 5 to 8; torch 2.3 to today), in both archive layouts. See the table in
// loaders/README.md. Next: archive.h (files and weights), program.h (the signature), run.h (nodes).
#pragma once
#include "loaders/content.h"
#include "runtime/graph.h"
#include "tern/tern.h"

namespace tern::torch {

// A ZIP archive whose directory says that it is one.
bool looks_like_export(const Content& content);
// Inputs and outputs are named as the program's signature names them (dict keys, tuple places); symbolic dimensions keep their ranges'
// names. Errors: damaged (invalid); a schema, an operator or a payload that tern does not know (unsupported), all operators in one line.
Result<Graph> load_export(const Content& content, const LoadOptions& options);

}  // namespace tern::torch
