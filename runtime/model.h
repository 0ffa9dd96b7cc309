// What a Model holds, and how loaders make one. Next: session.cpp.
#pragma once
#include <map>
#include <mutex>

#include "kernels/pack_store.h"
#include "runtime/evaluator.h"
#include "runtime/graph.h"
#include "runtime/optimize.h"
#include "runtime/plan/plan.h"
#include "tern/tern.h"

namespace tern {

namespace cuda {
class Device;
class DeviceWeights;
}  // namespace cuda

// A graph with numbers for all its dims, as Model::evaluate runs it.
struct BoundGraph {
  std::vector<Dims> dims;  // of its inputs
  Graph graph;
  int64_t constants = 0;  // bytes
};

class ModelState {
 public:
  Graph graph;      // as the file has it, checked and inferred: what layers are told from
  Graph optimized;  // folded and fused: what sessions start from
  LoadOptions options;
  int64_t parameters = 0, weight_bytes = 0;
  int64_t fold_again = 0;  // LoadOptions::budget as optimize() takes it for sessions: what folding made backs no more of it
  bool data_dependent = false;
  mutable PackStore packs;    // packed weights, shared by all sessions
  mutable Programs programs;  // shared by sessions of the same shapes
  // The packed weights on devices, by SessionOptions::device, for as long as some session there lives.
  mutable std::mutex devices_mutex;
  mutable std::map<std::string, std::weak_ptr<cuda::DeviceWeights>> devices;
  // What the last evaluate() ran: the next one of the same dims runs it too.
  mutable std::mutex bound_mutex;
  mutable std::shared_ptr<const BoundGraph> bound;
};

// The session that Model::session makes for a device that is open already (of SessionOptions::device only whether it ends with ",cpu" is read): a simulated one.
Result<Session> session_on(const Model& model, const SessionOptions& options, std::shared_ptr<cuda::Device> device);

// Checks, infers, folds and fuses. Errors: as the passes give them.
Result<Model> make_model(Graph graph, const LoadOptions& options);

// The bytes that the arena of such a session has. Cheaper than a session: no weight is packed. The same errors.
Result<int64_t> arena_bytes(const Model& model, const SessionOptions& options);
// Session::text of such a session, which is not made.
Result<std::string> session_text(const Model& model, const SessionOptions& options);
// Of each step of such a session on the CPU: the bytes of what it reads and writes (step_bytes of plan/program.h).
Result<std::vector<int64_t>> bytes_of_steps(const Model& model, const SessionOptions& options);

// SessionOptions::budget, or what its 0 stands for when the inputs have these dims.
int64_t budget_of(const ModelState& model, int64_t budget, std::span<const Dims> inputs);

// Tensors at the API's edge and inside. in_place: elements stay where they are, and the array must outlive what comes of it.
Result<Tensor> to_tensor(const Array& array, bool in_place = false);
Array to_array(const Tensor& tensor);
// The same of what may be a sequence or nothing. `dtype`: of its elements.
Result<Datum> to_datum(const Array& array, bool in_place = false);
Array to_array(const Datum& datum, DType dtype);

}  // namespace tern
