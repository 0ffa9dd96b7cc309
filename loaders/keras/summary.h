// What model.summary() prints of a Keras file: a row for each layer of the outermost model. For people, so it is told apart from loading and
// costs as much again. Next: keras.cpp.
#pragma once
#include <string>
#include <vector>

#include "loaders/content.h"
#include "runtime/base/shape.h"
#include "tern/tern.h"

namespace tern::keras {

struct SummaryRow {
  std::string name, type;           // "dense_1", "Dense"
  std::vector<Shape> shapes;        // of its outputs, of its first call
  int64_t parameters = 0;           // elements of its weights
  int64_t fixed = 0;                // of them, those that training does not change
  std::vector<std::string> inputs;  // what feeds it: "dense[0][0]", output 0 of call 0
};

// Nothing for files that are not Keras'. Errors: those of loading.
Result<std::vector<SummaryRow>> summary_of(const Content& content, const LoadOptions& options);

}  // namespace tern::keras
