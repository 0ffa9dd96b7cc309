// The archive of a .pt2 file, in its two forms: the program's JSON, and the weights by name. See the table in loaders/README.md.
//   torch <= 2.7   serialized_exported_program.json, serialized_state_dict.pt, serialized_constants.pt (whole torch.save archives)
//   torch >= 2.8   ROOT/models/M.json, ROOT/data/{weights,constants}/: M_{weights,constants}_config.json with raw storages beside it,
//                  or M.pt (torch.save)
// Next: program.h.
#pragma once
#include <map>
#include <string>

#include "loaders/source.h"
#include "loaders/weights/tensors.h"
#include "loaders/zip/zip.h"

namespace tern::torch {

bool looks_like_export(const ZipArchive& zip);

struct ExportArchive {
  std::string program;                                       // JSON
  std::map<std::string, StoredTensor, std::less<>> tensors;  // parameters, buffers, constants
};

// `key` names one of several programs. Errors: damaged (invalid); compiled code without a program (unsupported); several programs (usage).
Result<ExportArchive> open_export(const Source& source, const ZipArchive& zip, const std::string& key);

}  // namespace tern::torch
