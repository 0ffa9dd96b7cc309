// A Graph as an ONNX file: the unoptimised graph becomes one self-contained model that other runtimes load. The file's opset is the
// lowest that has every operator as it is used, 18 at least; constants are initializers, each written once; dimensions keep their text;
// Graph::metadata goes to the fields and metadata_props that it is read from.
// Next: write.cpp (the bytes), graph_writer.h (names, nodes, branches), write_ops.cpp (opsets, and operators that ONNX spells differently).
#pragma once
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "runtime/graph.h"

namespace tern {

using ByteSink = std::function<Status(std::span<const std::byte>)>;

// A file ready to be written. It shares the constants of its graph; nothing large is copied.
class OnnxFile {
 public:
  // Preconditions: the graph is verified and its types are inferred.
  // Errors (unsupported): operators that only fusing makes; more bytes than one file may have (2 GiB).
  static Result<OnnxFile> of(const Graph& graph);

  int64_t opset() const { return opset_; }
  int64_t bytes() const { return bytes_; }
  // The bytes in order, in pieces. Errors: the sink's; memory short.
  Status write(const ByteSink& sink) const;

 private:
  // Bytes of the model, then the elements of one initializer, if any.
  struct Piece {
    std::string head;
    Tensor elements;
    bool transposed = false;  // [K,N] is written as [N,K]
  };
  int64_t opset_ = 0, bytes_ = 0;
  std::vector<Piece> pieces_;
};

// The whole file in memory.
Result<std::string> to_onnx(const Graph& graph);

}  // namespace tern
