// tern.h: the whole C++ API. Load a model file, make a session, write inputs, run, read outputs.
//
//   tern::Result<tern::Model> model = tern::load("model.onnx");
//   if (!model) { std::fputs(model.error().message().c_str(), stderr); return 1; }
//   tern::Result<tern::Session> session = model->session({.dims = {{"batch", 1}}});
//   std::span<float> x = *session->try_input<float>("x");            // the arena itself: write in place, no copy
//   std::span<const float> y = *session->try_output<float>("y");     // stable address for the session's life
//   session->run();                                                  // noexcept, nothing but arithmetic
//
// No exceptions cross this API, nothing is global, and nothing is printed but when a failed Result is dereferenced (status.h). When memory runs
// short, what returns a Result gives the error "out of memory", and what returns a plain value (inputs(), layers(), text() …) an empty one. A
// Model may be shared by threads; a Session is used by one thread at a time. You are here: stop 2 of the tour. Next: runtime/graph.h.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "tern/dtype.h"
#include "tern/status.h"
#include "tern/version.h"

#pragma GCC visibility push(default)  // what libtern.so exports is what this header declares
namespace tern {

// The name, dtype and shape of an input or output. A dimension is a number ("3") or a symbol's text ("batch", "2*seq+1"). Of a sequence or an
// optional, which only evaluate() takes and gives, they are those of its elements: what all of them have, "?7" where they may differ.
struct Port {
  std::string name;
  DType dtype = DType::none;
  std::vector<std::string> shape;
  ValueKind kind = ValueKind::tensor;
};

// A value at the API's edge. A tensor: dtype, dims (row-major) and bytes; elements of dtype string lie in `strings` instead. A sequence: dtype and
// `elements`, which are tensors of it. An optional is what it holds, or of dtype none when that is nothing.
struct Array {
  DType dtype = DType::none;
  std::vector<int64_t> dims;
  std::vector<std::byte> bytes;
  std::vector<std::string> strings;
  bool sequence = false;
  std::vector<Array> elements = {};
};

struct LoadOptions {
  // Bytes that loading may allocate beyond a small multiple of the file's own size. Folding constants may do 4 operations for each of
  // them and 16 for each byte of constants; what would take more is left to run(). An f32 multiply-add is one operation, an element that
  // is read or written, or a multiply-add of another dtype, is 8.
  int64_t budget = int64_t(64) << 20;
  std::string directory = {};  // for load_bytes: where external data lies; empty: external data are refused
  // For files that hold weights only (a state_dict, safetensors): what `print(model)` prints, and forwards of custom classes as in Python.
  std::string architecture = {};
  std::string architecture_name = {};     // its file, for messages
  std::string key = {};                   // which weights of a checkpoint: "ema", "state_dict" …; empty: the only ones
  std::string signature = {};             // of a SavedModel: what is called; empty: serving_default
  std::vector<std::string> outputs = {};  // of a frozen graph of TensorFlow: nodes ("logits", "split:1"); empty: the only one that no other reads
  bool strict = true;                     // false: missing and unexpected weights are no error, as load_state_dict(strict=False) has it
  std::vector<Port> inputs = {};          // dtypes and shapes of the inputs, where neither file nor architecture say; by name, or by place
                                          // (of a SavedModel also first sizes that are not all the batch)
  // Initializers that the caller may replace (ONNX: those that the file lists as inputs too, IR 4 on). They become inputs that hold the
  // file's contents until others of the same dtype and shape are written, and are not folded into what they feed. Else they are constants.
  std::vector<std::string> overridable = {};
  bool optimize = true;  // false keeps the graph as the file has it (only `tern dump` and tests want that)
  // Files are copied while they are opened, into memory that nobody can change: what becomes of them afterwards neither ends the process nor
  // changes the model. true reads them in place instead, for files larger than memory: then they must not change while the model lives
  // (a truncated one ends the process with SIGBUS).
  bool map_files = false;
  // Shards and external data that are symbolic links are refused, but for those of a hub's cache (snapshots/REVISION/FILE → blobs/…). true
  // follows every link, wherever it leads: only for model files that you trust.
  bool follow_links = false;
};

// How long the threads of a session spin at most before they sleep (see Session::run).
constexpr int kSpinMicroseconds = 50;

struct SessionOptions {
  std::map<std::string, int64_t> dims = {};  // values for symbolic dimensions; each must be bound
  // 1: no thread is ever created. n > 1: n - 1 workers, owned by the session; at most as many threads as the CPUs that the process may use
  // (the affinity masks of the calling and the main thread; a quota of CPU time is not looked at), else usage.
  int threads = 1;
  std::vector<int> cpus = {};  // worker i + 1 is pinned to cpus[i], one of those CPUs (else usage); empty: not pinned
  std::string isa =
      {};  // "", "scalar", "avx2", "avx512", "neon": a cap, no error when this CPU has less; an error when its architecture has none such
  // "cpu"; "cuda" or "cuda:N", an NVIDIA GPU; "auto": the first GPU when there is one that can be used and every node has a kernel for it, else
  // the CPU. "cuda,cpu" or "cuda:N,cpu": nodes without such a kernel run on the CPU, and what the one side computes and the other reads is copied
  // between them; Session::text() shows it all. A session on a GPU computes the CPU's bits. Its inputs and outputs lie in pinned memory, which run()
  // copies in and out; run() calls the driver, always in the same way. Errors (unsupported): no driver or card, a build without such kernels, and but
  // for "cuda,cpu" nodes without one.
  std::string device = {};  // "": cpu
  // Never the default, and on a device that is named only (else usage): other arithmetic in f32 products and convolutions. "tf32", "f16", "bf16": factors
  // are rounded to 11, 11 and 8 bits for the tensor cores, sums stay f32; the error of each is stated in kernels/gemm/tensor.h. "" and "f32": none of it.
  std::string precision = {};
  std::string gemm = {};  // "cublas": those products by NVIDIA's library, in an order of sums that is its own; "" and "own": tern's kernels
  // Never the default, and on the CPU only (else usage): what constant weights of MatMul, Gemm, Linear, LSTM, GRU and RNN are kept in. "bf16": rounded to
  // 8 bits, and multiplied as f32. "int8": integers with a scale for each output, multiplied with 16-bit integers of each row of x. Recurrent layers round
  // inputs and states too, to bf16 or to 8 bits. kernels/gemm/weights.h states the errors; every ISA, batch and thread count gives the same bits. Few weights,
  // few columns with long rows, and other operators stay f32. A model without weights to be kept so is refused (unsupported). "" and "f32": none of it.
  std::string weights = {};
  bool warm = false;             // room for keep_warm(): as many bytes as the outputs have
  bool block_on_device = false;  // run() waits for the GPU asleep, in the driver, which takes some microseconds longer; false: it spins
  bool lock_memory = false;      // mlock the arena
  bool huge_pages = false;       // the arena begins and ends on 2 MB pages, however small it is; large arenas and packs ask for them by themselves
  // Most bytes of the arena and the packed weights together; a sixteenth of them for the tables that kernels read. 0: 1 GB, 16 bytes for
  // each byte of weights, and 64, up to 3 GB, for each byte of inputs whose sizes the caller chose (those that `dims` gives): a small file
  // gets no more by declaring large shapes.
  int64_t budget = 0;
  // Most operations (as in LoadOptions::budget) of one run, beyond 4096 for each byte of weights and inputs. Real models stay far below:
  // it refuses small files that ask for hours.
  int64_t work = int64_t(1) << 35;
};

// What one node became in a session's plan.
struct StepInfo {
  std::string node, op, kernel;  // "fc1", "Linear", "gemm/linear_f32/avx512"
  int64_t macs = 0;
  std::vector<int64_t> shape;  // of the first output
};

class SessionState;
class ModelState;

// One plan with its own arena. Used by one thread at a time; movable.
class Session {
 public:
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  // Elements of an input or output, in the session's arena, row-major. Errors: no such name, another dtype (usage), telling those that exist.
  // A bool is a byte: any but 0 that is written to an input is true; in outputs it is 0 or 1.
  template <class T>
  Result<std::span<T>> try_input(std::string_view name) {
    return tried<T>(check(name, true, dtype_of<std::remove_const_t<T>>()));
  }
  template <class T>
  Result<std::span<const T>> try_output(std::string_view name) const {
    return tried<const T>(check(name, false, dtype_of<T>()));
  }
  // The same, and empty where those are errors.
  template <class T>
  std::span<T> input(std::string_view name) {
    return typed<T>(find(name, true, dtype_of<std::remove_const_t<T>>()));
  }
  template <class T>
  std::span<const T> output(std::string_view name) const {
    return typed<const T>(find(name, false, dtype_of<T>()));
  }
  // The same for any dtype.
  std::span<std::byte> input_bytes(std::string_view name);
  std::span<const std::byte> output_bytes(std::string_view name) const;
  // Inputs and outputs with concrete shapes, in the model's order.
  std::span<const Port> inputs() const;
  std::span<const Port> outputs() const;
  // Dims of an input or output; empty for a scalar or an unknown name.
  std::vector<int64_t> dims(std::string_view name) const;

  // Computes the outputs from the inputs. Allocates nothing, locks nothing, calls no system, throws nothing.
  // The exception, with threads > 1 only: a thread that has waited for the others for kSpinMicroseconds (less, down to a sixteenth, after
  // waits that were in vain) sleeps until they come, and they wake it by a system call (futex). So the first run() after a pause pays a
  // wake-up of some microseconds, and CPUs that are busy are shared with others instead of spun on. Runs that follow each other closely on
  // CPUs of their own never come to it.
  // Returns true when every index that an input held was in range (rows of an embedding, sequence lengths). When one was not, the
  // nearest legal one stood in, so that the outputs are of no use; status() says where.
  // On a GPU also false when the driver reports an error. A CUDA context does not recover from one: every later run of this session meets the same.
  bool run() noexcept;
  // What the last run met: ok, or the first node with an index out of range (invalid): "emb (Gather): an index was out of range [-5, 5)"; or the
  // error of the GPU (unsupported).
  Status status() const;

  // Runs once on the inputs as they are and puts outputs and status back to what they were: for the time between events, in which caches forget weights
  // and code, and CPUs rest. Costs a run and two copies of the outputs, and keeps all that run() promises; every 100 us it kept the first call after
  // 10 ms as fast as the one before it (README). Inputs may be half written. False, and nothing is done, without SessionOptions::warm.
  bool keep_warm() noexcept;
  // Runs once, timing every step: nanoseconds of step i into ns[i] (the size of steps()). Not for the hot path. Returns what run() does.
  bool run_timed(std::span<double> ns) noexcept;
  // In the order in which they run. Written down, and memory taken for it, by the first call; empty when memory is short.
  std::span<const StepInfo> steps() const;
  size_t arena_bytes() const;
  int64_t macs() const;
  std::string isa() const;
  // The plan as text: values with offsets, steps with kernels (`tern dump --after plan`).
  std::string text() const;

 private:
  friend class Model;
  friend class SessionAccess;  // of session.cpp
  explicit Session(std::unique_ptr<SessionState> state);
  struct Block {
    void* data = nullptr;
    size_t bytes = 0;
  };
  Block find(std::string_view name, bool input, DType dtype) const;
  Result<Block> check(std::string_view name, bool input, DType dtype) const;
  template <class T>
  static std::span<T> typed(Block b) {
    return {static_cast<T*>(b.data), b.bytes / sizeof(T)};
  }
  template <class T>
  static Result<std::span<T>> tried(Result<Block> b) {
    return b ? Result<std::span<T>>(typed<T>(*b)) : std::move(b).error();
  }
  std::unique_ptr<SessionState> state_;
};

// A layer, as a Keras user expects to see it.
struct LayerInfo {
  std::string name, op;
  std::vector<std::string> shape;  // of the first output
  int64_t parameters = 0;
  std::optional<int64_t> macs;  // nothing when a dimension is not known
};

struct ModelParts;

// A loaded model: checked, inferred, folded, fused. Immutable; copies share it; safe to use from many threads.
class Model {
 public:
  std::vector<Port> inputs() const;
  std::vector<Port> outputs() const;
  std::string format() const;    // "onnx"
  std::string producer() const;  // "pytorch 2.3.0"
  int64_t opset() const;
  std::vector<std::pair<std::string, std::string>> metadata() const;  // what the file says of itself, as "license" and "MIT"
  std::vector<std::string> notes() const;  // what loading did that the file does not say: a prefix of names taken off, weights not used
  int64_t parameters() const;              // elements of all weights
  int64_t weight_bytes() const;
  std::vector<LayerInfo> layers(const std::map<std::string, int64_t>& dims = {}) const;

  // A plan for these dims. Errors: an unbound or unknown symbol (usage), shapes that depend on data (unsupported: use evaluate),
  // an operator without a kernel for a dtype (unsupported), more memory or work than the budgets (unsupported).
  // Planning is what takes its time: while a session of the same dims, threads, ISA and budgets lives, another one shares its plan.
  Result<Session> session(const SessionOptions& options = {}) const;
  // Runs node by node without a plan; the same bits; any shapes that the model accepts. Inputs in the model's order; an Array of
  // dtype none stands for the default contents of an overridable input. `budget`: as in SessionOptions, for all tensors that exist at the same
  // time; the budget of work is that which SessionOptions has by default. Inputs are read where they lie: nobody may change them until it returns.
  // An index out of range is an error (invalid), with the text that Session::status() has for it.
  Result<std::vector<Array>> evaluate(std::span<const Array> inputs, std::string_view isa = {}, int64_t budget = 0) const;
  // True when only evaluate() can run the model, as far as that is known before dims are: some shape depends on the contents of an input, as does
  // how often some loop runs, or some value is a sequence or an optional.
  bool data_dependent() const;
  // Of a model with strings, or shapes that depend on data: its parts, made anew at each call. Nothing when it has none of these, or little else.
  Result<std::optional<ModelParts>> parts() const;
  // The graph as text (`tern dump`).
  std::string text() const;

  explicit Model(std::shared_ptr<const ModelState> state);
  const ModelState& state() const { return *state_; }
  const std::shared_ptr<const ModelState>& shared_state() const { return state_; }

 private:
  std::shared_ptr<const ModelState> state_;
};

// What has a plan and what has none, apart. `before` and `after` only evaluate() runs; `rest` has sessions, with all that run() promises. What one
// part computes and another reads is an output of the one and an input of the other, by one name; inputs of the whole
// are inputs of every part that reads them, and each output of the whole is an output of one part.
//   auto parts = *model->parts();                                       // strings in, an Embedding and what follows, numbers out
//   auto ids = parts->before->evaluate(texts);                          // per call: may allocate
//   auto session = parts->rest.session({.dims = {{"batch", 1}}});       // once
struct ModelParts {
  std::optional<Model> before;  // strings that become numbers, shapes that data tell; and what else its results come from
  Model rest;
  std::optional<Model> after;  // numbers that become strings; boxes that are chosen, and what comes from them
};

// Loads a model file; the format is told by its content. Errors name the file, the place and what to do.
Result<Model> load(const std::string& path, const LoadOptions& options = {});
// The same from memory, which may go away afterwards.
Result<Model> load_bytes(std::span<const std::byte> bytes, const LoadOptions& options = {});

// TERN_VERSION of the library: "0.1.0"
const char* version();

}  // namespace tern
#pragma GCC visibility pop
