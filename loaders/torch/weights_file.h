// WeightsFile: any file that holds tensors by name (a checkpoint of PyTorch, safetensors, an index of shards), as `tern inspect` lists it
// and as an architecture finds its weights in it. Next: pickle/checkpoint.h, ../safetensors/safetensors.h.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "loaders/content.h"
#include "loaders/torch/pickle/checkpoint.h"

namespace tern::torch {

class WeightsFile {
 public:
  // Errors: as the format's reader gives them.
  static Result<WeightsFile> open(const Content& content);
  // Is this its business? Also of .pt2 archives, which hold a graph and are told before.
  static bool recognises(const Content& content);

  const std::string& format() const { return format_; }
  // What the file says of itself, as "license" and "MIT".
  const std::vector<std::pair<std::string, std::string>>& metadata() const { return tensors_.metadata; }
  // Every tensor of the file, also those of an optimizer.
  Result<StateDict> list() const;
  struct Candidate {
    std::string path;
    size_t tensors;
    bool module = false;  // a whole one, with its tree
  };
  std::vector<Candidate> candidates() const;
  // The weights that `key` names, or the only ones. Errors: none, several (usage), naming them.
  Result<StateDict> select(std::string_view key) const;
  // The tree, when what `key` names is a whole module; null when it is a dictionary.
  Result<std::shared_ptr<Module>> module(std::string_view key) const;
  // Globals that another reader would have called: "os.system".
  std::vector<std::string> never_executed() const;

 private:
  std::string format_;
  std::optional<Checkpoint> checkpoint_;
  StateDict tensors_;  // of the formats that are nothing but tensors
};

// One file of a sharded set: safetensors, or a checkpoint with one set of weights.
Result<StateDict> load_shard(const Source& shard);

// What to tell of a file that holds weights and no architecture: what it lacks, and how to give it. A sentence each.
struct Advice {
  const char *what, *how;
};
Advice advice_for_weights();

}  // namespace tern::torch
