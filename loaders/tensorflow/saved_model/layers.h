// What Keras wrote of a model's layers into a SavedModel, for the summary. Next: layers.cpp.
#pragma once
#include <vector>

#include "loaders/source.h"
#include "runtime/graph.h"
#include "tern_tensorflow.pb.h"

namespace tern::tensorflow {

// A row for each layer of the outermost model: classes, names and what they are connected to out of keras_metadata.pb (TensorFlow 2.5 and later) or the
// objects themselves, parameters of the variables, output shapes of the functions that were traced. Empty where that is not written, as in exports of
// Keras 3, or broken: nothing is computed of it.
std::vector<SummaryRow> layers_of(const tensorflow_pb::MetaGraph& meta, const Source& model);

}  // namespace tern::tensorflow
