// Inputs and outputs of the graph that comes out. Next: load.cpp.
#pragma once
#include "loaders/tensorflow/graph/builder.h"
#include "tern/tern.h"
#include "tern_tensorflow.pb.h"

namespace tern::tensorflow {

// The type that a file declares: an extent that it leaves open is `first` on axis 0, else the name and the axis ("x_1").
// Errors: a dtype that tern lacks.
Result<TypeInfo> declared_type(const std::string& name, int dtype, const tensorflow_pb::ShapeProto& shape, const std::string& first = "batch");
// The input; a shape that the file does not know is taken from LoadOptions::inputs.
Result<ValueId> add_input(Builder& b, const std::string& name, TypeInfo type, const LoadOptions& options);
// The model, of outputs that were run. Errors: the builder's; operators without a row; an output that is no tensor.
Result<Graph> finish(Builder& b, const std::vector<std::pair<std::string, Value>>& outputs, const std::string& writer);

}  // namespace tern::tensorflow
