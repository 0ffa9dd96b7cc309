// TensorFlow's files: the folder of a SavedModel, and graphs that were frozen. wire.cpp reads the bytes, run/ goes from what is wanted back to what it
// needs, ops/ has the operators, bundle/ the variables. Next: load.cpp, then graph/value.h and run/run.h.
#pragma once
#include "loaders/content.h"
#include "runtime/graph.h"

namespace tern::tensorflow {

// saved_model.pb, with variables/ and assets/ beside it. Calls LoadOptions::signature (serving_default); Graph::signatures lists all. Errors: no meta
// graph for serving, no such signature (usage), variables that are missing or damaged (invalid), operators (unsupported).
Result<Graph> load_saved_model(const Content& content, const LoadOptions& options);
// A GraphDef whose variables are constants. Its outputs are LoadOptions::outputs, or the only node that no other reads.
Result<Graph> load_frozen_graph(const Content& content, const LoadOptions& options);

}  // namespace tern::tensorflow
