// See weights_file.h.
#include "loaders/torch/weights_file.h"

#include "loaders/safetensors/safetensors.h"
#include "loaders/weights/shards.h"

namespace tern::torch {

Result<StateDict> load_shard(const Source& shard) {
  if (looks_like_safetensors(shard.bytes)) return load_safetensors(shard);
  if (!looks_like_checkpoint(shard.bytes)) return invalid("is neither a safetensors file nor a checkpoint");
  auto checkpoint = Checkpoint::open(shard);
  if (!checkpoint) return checkpoint.error();
  auto candidate = checkpoint->select("");
  if (!candidate) return candidate.error();
  return checkpoint->state_dict(*candidate);
}

bool WeightsFile::recognises(const Content& content) {
  const auto bytes = content.source.bytes;
  return looks_like_safetensors(bytes) || looks_like_shard_index(bytes) || looks_like_checkpoint(bytes);
}

Result<WeightsFile> WeightsFile::open(const Content& content) {
  const Source& source = content.source;
  WeightsFile f;
  if (looks_like_safetensors(source.bytes) || looks_like_shard_index(source.bytes)) {
    const bool index = looks_like_shard_index(source.bytes);
    auto tensors = index ? load_shards(source, load_shard) : load_safetensors(source);
    if (!tensors) return tensors.error();
    f.format_ = index ? "safetensors (sharded)" : "safetensors";
    f.tensors_ = std::move(*tensors);
    return f;
  }
  if (content.damage.code() != Code::kOk) return content.damage;
  auto checkpoint = content.zip ? Checkpoint::open(source, content.zip) : Checkpoint::open(source);
  if (!checkpoint) return checkpoint.error();
  if (checkpoint->format() == "pickle" && !checkpoint->has_weights()) {
    return unsupported("a pickle that holds no tensors, so neither weights nor a module; save the model's with torch.save(model.state_dict(), ...)");
  }
  f.format_ = checkpoint->format();
  f.checkpoint_ = std::move(*checkpoint);
  return f;
}

Result<StateDict> WeightsFile::list() const {
  if (!checkpoint_) return tensors_;
  return checkpoint_->list();
}

std::vector<WeightsFile::Candidate> WeightsFile::candidates() const {
  if (!checkpoint_) return {{"", tensors_.entries.size(), false}};
  std::vector<Candidate> out;
  for (const Checkpoint::Candidate& c : checkpoint_->candidates()) out.push_back({c.path, c.tensors, checkpoint_->is_module(c.id)});
  return out;
}

Result<StateDict> WeightsFile::select(std::string_view key) const {
  if (!checkpoint_) return key.empty() ? Result<StateDict>(tensors_) : usage("a safetensors file has no keys to choose from");
  auto candidate = checkpoint_->select(key);
  if (!candidate) return candidate.error();
  return checkpoint_->state_dict(*candidate);
}

Result<std::shared_ptr<Module>> WeightsFile::module(std::string_view key) const {
  if (!checkpoint_) return std::shared_ptr<Module>();
  auto candidate = checkpoint_->select(key);
  if (!candidate) return candidate.error();
  if (!checkpoint_->is_module(candidate->id)) return std::shared_ptr<Module>();
  return checkpoint_->module(candidate->id);
}

std::vector<std::string> WeightsFile::never_executed() const { return checkpoint_ ? checkpoint_->unknown_globals() : std::vector<std::string>(); }

Advice advice_for_weights() {
  return {"This file holds weights only: a state_dict has neither layers nor a forward, so it cannot run by itself.",
          "Write what print(model) prints and give it in LoadOptions::architecture."};
}

}  // namespace tern::torch
