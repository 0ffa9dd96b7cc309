// Signatures: what a SavedModel can be called for, and with what. Next: signature.cpp.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "loaders/tensorflow/tensorflow.h"
#include "tern_tensorflow.pb.h"

namespace tern::tensorflow {

struct SignatureInput {
  std::string name;
  const tensorflow_pb::TensorInfo* info;
  const tensorflow_pb::TensorProto* preset;  // what stands in when the caller gives nothing; null: nothing does
  bool ragged;                               // a part of a ragged tensor: its size is no other's
};
struct ChosenSignature {
  std::string name;
  std::vector<SignatureInput> inputs;  // by name
  std::vector<std::pair<std::string, const tensorflow_pb::TensorInfo*>> outputs;
};

// wanted: its name; empty: serving_default, or the only one. Errors: there is none of that name (usage, all are listed), none at all (invalid), one with
// inputs that are no tensors (unsupported).
Result<ChosenSignature> choose_signature(const tensorflow_pb::MetaGraph& meta, const std::string& wanted);
// By name, as are their inputs and outputs.
std::vector<Signature> all_signatures(const tensorflow_pb::MetaGraph& meta);

}  // namespace tern::tensorflow
