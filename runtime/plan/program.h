// Program: how a graph runs, without an arena, and the stages that fill it in, each a function over it.
//   lower           the graph as a list of work in order; every value in a buffer with a lifetime, or in a constant
//   select_kernels  one Binding for each work and part: which kernel, what arguments and tables, how much scratch (no address anywhere)
//   split           for a device: which work runs there and which on the CPU, and what is copied between them
//   lay_out         (select_kernels.cpp) plan_memory: where every buffer lies; the size of the arena
//   link_steps      the bindings as one image of an arena's end, in which only that arena's own address is missing
//   plan_text       what became of it, for people; needs lay_out only
// From then on it does not change: sessions of the same shapes share it, and place() makes a Plan for each.
// You are here: stop 10 of the tour. Next: lowering.h, select_kernels.cpp, split.cpp, plan_memory.h, link_steps.cpp, plan_text.cpp.
#pragma once
#include <unordered_map>

#include "kernels/pack_store.h"
#include "runtime/control/control.h"
#include "runtime/graph.h"
#include "runtime/plan/plan.h"
#include "runtime/plan/plan_memory.h"

namespace tern {

// Where a value lies: in a buffer of the arena, or in a constant.
struct Place {
  int32_t buffer = kNone;
  const Tensor* constant = nullptr;
  bool none() const { return buffer == kNone && constant == nullptr; }
};

// One graph being lowered: the main graph, or a subgraph.
struct Scope {
  const Graph* graph;
  std::vector<Place> places;
  std::vector<int32_t> uses;
  std::string where;  // the nodes around it, for messages: "if1 (If): "
};

struct RolledLoop;  // runtime/control/rolled_loop.cpp

// What the work of a control operator holds beside that of other nodes.
struct ControlWork {
  const ControlDef* def = nullptr;
  struct List {  // indices of work, in the lists that its step runs
    std::vector<size_t> work = {};
    size_t version = 0;  // 1: as linked for every other iteration
  };
  std::vector<List> lists;
  std::vector<Place> places;  // what its step reads and writes itself
  std::shared_ptr<const RolledLoop> loop;
  int64_t times = -1;       // of a loop: how many iterations, at most
  size_t first_nested = 0;  // the work from there up to this one is nested in it

  std::vector<TensorView> place_views() const { return std::vector<TensorView>(places.size(), {DType::u8, Dims{1}, nullptr, false, false, {}}); }
};

// As small as it can be: a program keeps one for each node.
struct Work {
  size_t scope = 0;
  const Node* node = nullptr;            // null: a copy
  std::unique_ptr<ControlWork> control;  // null: a kernel, or a copy
  Place from, to;                        // copy
  int64_t copy_size = 0;
  // In a loop: how often it runs for one run of the session, and which buffers trade places in every other iteration.
  int64_t repeats = 1;
  int64_t cost = 0;         // copy and control: what one execution adds to the work of a run
  int32_t swap = kNone;     // which of Program::swaps
  int32_t position = 0;     // in time, as buffers count it
  int32_t first_fault = 0;  // how many fault_texts there were before it (select_kernels)
  bool certain = true;      // it runs in every run, as often as `repeats` says
  bool nested = false;      // in a subgraph: one part, and no step of its own in the plan
  bool bools = false;       // copy: to bytes of 0 and 1
  // select_kernels: one of each per part, until link_steps has put them into the image.
  struct Part {
    Binding binding;
    int32_t workspace = kNone;  // a buffer
    int32_t fault = kNone;      // which of Program::fault_texts
  };
  std::vector<Part> parts;
  const KernelRow* row = nullptr;  // of the first part that has something to do

  size_t versions() const { return swap == kNone ? 1 : 2; }
  bool on_device() const { return row != nullptr && row->isa == Isa::cuda; }
};

// What runs without a change of sides: launches on the device, as one graph with the copies around them, and then steps of the CPU.
struct Stretch {
  struct Move {
    int32_t buffer;
    ValueId value;  // of the main graph, what lies there; kNone: not known
  };
  std::vector<Move> uploads, downloads;  // before and after the launches
  size_t first, cpu, last;               // Program::top from first up to cpu: the device; up to last: the CPU
};

// The end of an arena that begins `values_bytes` before it: faults, arguments and tables. Another arena's is a copy with `addresses` moved.
struct Image {
  std::shared_ptr<std::byte> bytes;
  std::vector<int64_t> addresses;        // where in it addresses of the arena are
  std::vector<std::vector<Step>> steps;  // as Plan::steps, their arguments in it
};

struct Program {
  Program(Graph g, const PlanOptions& o) : graph(std::move(g)), options(o) {}
  Program(const Program&) = delete;  // its scopes refer to the graph
  const Graph graph;
  const PlanOptions options;
  std::vector<Scope> scopes;  // the main graph first
  std::vector<Work> work;     // what lists hold before the control operator that runs them
  std::vector<size_t> top;    // the work of the main graph, in order
  std::vector<Buffer> buffers;
  // Buffers that lie in others, `at` bytes from their beginning: what a ConcatBlocks would have copied there. A whole one comes after its parts.
  struct Inside {
    int32_t part, whole;
    int64_t at;
  };
  std::vector<Inside> insides;
  using Swap = std::unordered_map<int32_t, int32_t>;
  std::vector<Swap> swaps;               // of a loop: which buffer stands for which in every other iteration
  std::vector<int32_t> inputs, outputs;  // buffers of the graph's
  std::vector<std::string> fault_texts;
  int64_t macs = 0;
  int64_t values_bytes = 0, image_bytes = 0, packed_bytes = 0;  // buffers; faults, arguments and tables; packed weights
  Image image;
  size_t arena_bytes() const { return static_cast<size_t>(values_bytes + image_bytes); }
  // For a device, which has an arena of its own; what is above is then the CPU's side.
  struct OnDevice {
    std::vector<Stretch> stretches;
    std::vector<bool> here, there;  // which buffers the CPU touches, inputs and outputs among them, and which the device
    std::vector<int64_t> offsets;   // of buffers
    int64_t values_bytes = 0, image_bytes = 0;
    size_t arena_bytes() const { return static_cast<size_t>(values_bytes + image_bytes); }
  };
  std::unique_ptr<OnDevice> on_device;  // null: on the CPU

  Place& place(size_t scope, ValueId v) { return scopes[scope].places[static_cast<size_t>(v)]; }
  const Place& place(size_t scope, ValueId v) const { return scopes[scope].places[static_cast<size_t>(v)]; }
  Buffer& buffer(int32_t b) { return buffers[static_cast<size_t>(b)]; }
  const Buffer& buffer(int32_t b) const { return buffers[static_cast<size_t>(b)]; }
  int32_t add_buffer(int64_t bytes) {
    buffers.push_back({bytes, INT32_MAX, -1, 0});
    return static_cast<int32_t>(buffers.size()) - 1;
  }
  void touch(int32_t b, int32_t position) {
    buffer(b).first = std::min(buffer(b).first, position);
    buffer(b).last = std::max(buffer(b).last, position);
  }
  // "if1 (If): fc2 (Gemm)"
  std::string describe(const Work& w) const { return scopes[w.scope].where + tern::describe(*scopes[w.scope].graph, *w.node); }
  // How many works of a list have something to do. Precondition: they are nested, and have their kernels.
  int64_t step_count(const std::vector<size_t>& list) const;
  // The types of a node's inputs and outputs, and the contents of constants.
  struct Views {
    std::vector<TensorView> in, out;
  };
  Views views(const Work& w) const;
};

// What stands in for a kernel where a plan copies; bools on a CPU have one (kernels/elementwise/bits.h).
extern const KernelRow kPlanCopy;
namespace cuda {
extern const KernelRow kPlanCopy, kPlanCopyBools;
}  // namespace cuda
struct PlanCopyArgs {
  const std::byte* from;
  std::byte* to;
  size_t bytes;
};
Status lower(Program& program);
Status select_kernels(Program& program);
void split(Program& program);
// Over budget is an error (unsupported).
Status lay_out(Program& program);
void link_steps(Program& program, PackStore& packs);
std::string plan_text(const Program& program, size_t arena_bytes);
// "avx2", "cuda", "cuda,avx2"
std::string isa_text(const PlanOptions& options);
// What the steps are to the user, one for each of a thread.
std::vector<StepInfo> step_infos(const Program& program);
// Of each: the bytes of what it reads and writes, each once; of a table that it looks things up in as many as it writes.
std::vector<int64_t> step_bytes(const Program& program);

// a + b, INT64_MAX when that is more.
int64_t saturated(int64_t a, int64_t b);

}  // namespace tern
