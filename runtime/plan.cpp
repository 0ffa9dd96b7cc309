// See plan.h. Three walks over the same list of work: lower (who lives where and how long), measure (what each binding asks for), bind.
#include "runtime/plan.h"

#include <cstring>
#include <set>

#include "kernels/control/control.h"
#include "runtime/base/checked.h"
#include "runtime/base/mapping.h"
#include "runtime/base/printable.h"
#include "runtime/plan_memory.h"

namespace tern {
namespace {

constexpr int32_t kForever = INT32_MAX;

struct CopyArgs {
  const std::byte* from;
  std::byte* to;
  size_t bytes;
};
void copy_bytes(const CopyArgs& a) { std::memcpy(a.to, a.from, a.bytes); }
constexpr KernelRow kCopy = row<CopyArgs, copy_bytes>("copy/any/scalar", DType::none, Isa::scalar);

// An input of bools, which the caller may have filled with any bytes: steps read a copy, in which those that are not zero are one.
void copy_bools(const CopyArgs& a) {
  std::memcpy(a.to, a.from, a.bytes);
  normalize_elements(DType::boolean, a.to, static_cast<int64_t>(a.bytes));
}
constexpr KernelRow kCopyBools = row<CopyArgs, copy_bools>("copy/bool/scalar", DType::boolean, Isa::scalar);

struct IfArgs {
  const uint8_t* condition;  // the byte of one bool
  const Step* steps[2];
  int64_t counts[2];
};
void run_branch(const IfArgs& a) {
  const int taken = *a.condition != 0 ? 0 : 1;
  for (int64_t i = 0; i < a.counts[taken]; ++i) a.steps[taken][i].run(a.steps[taken][i].args);
}
constexpr KernelRow kBranch = row<IfArgs, run_branch>("if/any/scalar", DType::none, Isa::scalar);

// Of a tensor in a mapping, whose pages leave the process again as the copy goes on.
void copy_out(const Tensor& from, std::byte* to) {
  constexpr size_t kPiece = size_t(1) << 20;
  for (size_t done = 0; done < from.bytes(); done += kPiece) {
    const std::span<const std::byte> piece(from.raw() + done, std::min(kPiece, from.bytes() - done));
    std::memcpy(to + done, piece.data(), piece.size());
    release_pages(piece);
  }
}

// Where a value lies: in a buffer of the arena, or in a constant.
struct Place {
  int32_t buffer = kNone;
  const Tensor* constant = nullptr;
  bool none() const { return buffer == kNone && constant == nullptr; }
};

// One graph being lowered: the main graph, or a branch of an If.
struct Scope {
  const Graph* graph;
  std::vector<Place> places;
  std::vector<int32_t> uses;
  std::string where;  // the If nodes around it, for messages: "if1 (If): "
};

struct Work {
  enum class Kind { node, copy, branch } kind = Kind::node;
  size_t scope = 0;
  const Node* node = nullptr;
  int32_t position = 0;
  bool nested = false;
  Place from, to;                  // copy
  bool bools = false;              // copy: to bytes of 0 and 1
  int64_t copy_size = 0;
  std::vector<size_t> branches[2];  // branch: indices of work
  // One of each per part, filled by measure.
  std::vector<int64_t> table_bytes, workspace_bytes;
  std::vector<int32_t> workspace;   // buffers, kNone when none is needed
  std::vector<int32_t> faults;      // which word the part reports indices in that are out of range; kNone: it cannot
  uint32_t packed_inputs = 0;       // bit i: input i is packed, the others are read in place; measured too
  std::vector<Step> steps;          // filled by bind; run == null: this part has nothing to do
  const KernelRow* row = nullptr;
};

int64_t saturated(int64_t a, int64_t b) { return checked_add(a, b).value_or(INT64_MAX); }

class Planner {
 public:
  // `packs` null: to be measured only.
  Planner(const Graph& graph, PackStore* packs, const PlanOptions& options) : graph_(graph), packs_(packs), options_(options) {}

  // The bytes of the whole arena.
  Result<int64_t> size() {
    if (Status s = lower(); !s) return s.error();
    if (Status s = measure(); !s) return s.error();
    values_bytes_ = plan_memory(buffers_) + static_cast<int64_t>(kAlignment);
    const int64_t total = values_bytes_ + tables_bytes_;
    if (total > options_.budget || packed_bytes_ > options_.budget - total) {
      return unsupported("the arena needs " + std::to_string(total) + " bytes and the packed weights " + std::to_string(packed_bytes_) +
                         ", more than the budget of " + std::to_string(options_.budget) + ": bind smaller dimensions or raise SessionOptions::budget");
    }
    return total;
  }

  Result<Plan> make() {
    auto total = size();
    if (!total) return total.error();
    auto arena = Arena::make(static_cast<size_t>(*total), options_.arena);
    if (!arena) return arena.error();
    plan_.arena = std::move(*arena);
    tables_ = plan_.arena.data() + values_bytes_;
    if (Status s = bind(); !s) return s.error();
    finish();
    return std::move(plan_);
  }

  // For people; measuring is enough for it.
  std::string text(int64_t total) {
    std::string t;
    auto place_text = [&](size_t scope, ValueId v) {
      if (v == kNone) return std::string("_");
      const Value& value = scopes_[scope].graph->value(v);
      const Place& p = place(scope, v);
      if (p.constant != nullptr) return "#" + value.name;
      return "%" + value.name + "@" + std::to_string(buffers_[static_cast<size_t>(p.buffer)].offset);
    };
    const auto port_text = [&](const std::string& port, ValueId v, int32_t buffer) {
      const TypeInfo& type = graph_.value(v).type;
      return "%" + printable(port) + "@" + std::to_string(buffers_[static_cast<size_t>(buffer)].offset) + ": " + name(type.dtype) +
             to_string(type.shape.concrete()) + "\n";
    };
    const auto steps = std::count_if(top_.begin(), top_.end(), [&](size_t i) { return work_[i].row != nullptr; });
    t += "plan: " + std::to_string(steps) + " steps, " + std::to_string(Arena::rounded(static_cast<size_t>(total), options_.arena)) +
         " arena bytes, isa " + name(options_.isa) + ", threads " + std::to_string(options_.threads) + "\n";
    for (size_t i = 0; i < graph_.inputs.size(); ++i) {
      t += "input  " + port_text(graph_.value(graph_.inputs[i]).name, graph_.inputs[i], inputs_[i]);
    }
    for (const Work& w : work_) {
      if (w.node == nullptr) {
        t += "  copy " + std::to_string(w.copy_size) + " bytes to @" + std::to_string(buffers_[static_cast<size_t>(w.to.buffer)].offset) + "\n";
        continue;
      }
      std::string line = w.nested ? "    " : "  ";
      for (size_t o = 0; o < w.node->outputs.size(); ++o) line += (o ? ", " : "") + place_text(w.scope, w.node->outputs[o]);
      line += std::string(" = ") + w.node->op->name + "(";
      for (size_t i = 0; i < w.node->inputs.size(); ++i) line += (i ? ", " : "") + place_text(w.scope, w.node->inputs[i]);
      line += ")";
      line += w.row == nullptr ? "  nothing to do" : std::string("  ") + w.row->name;
      t += printable(line) + "\n";
    }
    for (size_t o = 0; o < graph_.outputs.size(); ++o) t += "output " + port_text(graph_.output_names[o], graph_.outputs[o], outputs_[o]);
    return t;
  }

 private:
  // ---- lower ----

  Status lower() {
    scopes_.push_back({&graph_, {}, {}, {}});
    if (Status s = open_scope(0); !s) return s;
    for (ValueId v : graph_.inputs) {
      auto buffer = new_buffer(graph_, v);
      if (!buffer) return buffer.error();
      inputs_.push_back(*buffer);
      place(0, v).buffer = *buffer;
      pin(*buffer, true);
      backed_bytes_ = saturated(backed_bytes_, buffers_[static_cast<size_t>(*buffer)].bytes);
      if (graph_.value(v).type.dtype != DType::boolean) continue;
      auto settled = new_buffer(graph_, v);
      if (!settled) return settled.error();
      const size_t copy = add_copy(0, v, place(0, v), Place{*settled, nullptr}, false);
      work_[copy].bools = true;
      top_.push_back(copy);
      place(0, v).buffer = *settled;
    }
    if (Status s = lower_nodes(0, top_, false); !s) return s;
    for (ValueId v : graph_.outputs) {
      Place p = place(0, v);
      if (p.none()) return invalid("output " + graph_.value(v).name + " is never computed");
      if (p.constant != nullptr || is_input_[static_cast<size_t>(p.buffer)]) {
        auto to = new_buffer(graph_, v);
        if (!to) return to.error();
        pin(*to, false);
        top_.push_back(add_copy(0, v, p, Place{*to, nullptr}, false));
        p = Place{*to, nullptr};
      }
      pin(p.buffer, is_input_[static_cast<size_t>(p.buffer)]);
      outputs_.push_back(p.buffer);
    }
    return {};
  }

  Status open_scope(size_t s) {
    const Graph& g = *scopes_[s].graph;
    scopes_[s].places.resize(g.values.size());
    scopes_[s].uses = use_counts(g);
    for (size_t v = 0; v < g.values.size(); ++v) {
      if (g.values[v].constant.present()) scopes_[s].places[v].constant = &g.values[v].constant;
    }
    return {};
  }

  Place& place(size_t scope, ValueId v) { return scopes_[scope].places[static_cast<size_t>(v)]; }

  Result<int32_t> new_buffer(const Graph& g, ValueId v) {
    const Value& value = g.value(v);
    if (value.type.dtype == DType::string) return unsupported("value " + value.name + " holds strings: only evaluate() runs them");
    if (!value.type.shape.known()) {
      return unsupported("the shape of " + value.name + " is " + value.type.shape.text() + ": it is not known before the run");
    }
    if (value.type.shape.rank() > kMaxRank) return unsupported("value " + value.name + " has more than 8 dimensions");
    auto bytes = storage_bytes(value.type.dtype, value.type.shape.concrete(), value.layout);
    if (!bytes || *bytes > options_.budget) {
      return unsupported("value " + value.name + " of shape " + value.type.shape.text() + " needs more memory than the budget of " +
                         std::to_string(options_.budget) + " bytes: raise SessionOptions::budget");
    }
    return raw_buffer(*bytes);
  }

  int32_t raw_buffer(int64_t bytes) {
    buffers_.push_back({bytes, kForever, -1, 0});
    is_input_.push_back(false);
    pinned_.push_back(false);
    readers_.push_back(0);
    return static_cast<int32_t>(buffers_.size()) - 1;
  }
  void touch(int32_t buffer, int32_t position) {
    Buffer& b = buffers_[static_cast<size_t>(buffer)];
    b.first = std::min(b.first, position);
    b.last = std::max(b.last, position);
  }
  // Inputs keep their contents from run to run, outputs until the next run.
  void pin(int32_t buffer, bool input) {
    touch(buffer, kForever);
    pinned_[static_cast<size_t>(buffer)] = true;
    if (input) {
      touch(buffer, 0);
      is_input_[static_cast<size_t>(buffer)] = true;
    }
  }

  Status lower_nodes(size_t scope, std::vector<size_t>& list, bool nested) {
    const Graph& g = *scopes_[scope].graph;
    for (ValueId v : g.inputs) add_readers(scope, v);
    for (const Node& node : g.nodes) {
      Status s = node.op == &kIf ? lower_if(scope, node, list, nested) : lower_node(scope, node, list, nested);
      if (!s) return s.error().within(describe(g, node));
    }
    return {};
  }

  void add_readers(size_t scope, ValueId v) {
    const Place& p = place(scope, v);
    if (p.buffer != kNone) readers_[static_cast<size_t>(p.buffer)] += scopes_[scope].uses[static_cast<size_t>(v)];
  }

  // All reads of this node are done: fewer readers are left.
  void read_inputs(size_t scope, const Node& node, int32_t position) {
    for (ValueId v : node.inputs) {
      if (v == kNone) continue;
      const Place& p = place(scope, v);
      if (p.buffer == kNone) continue;
      touch(p.buffer, position);
      --readers_[static_cast<size_t>(p.buffer)];
    }
  }

  // The outputs of a node may lie on an input when nobody reads that any more.
  bool may_take_over(size_t scope, const Node& node, size_t i, bool view) {
    const Graph& g = *scopes_[scope].graph;
    if (i >= node.inputs.size() || node.inputs[i] == kNone || node.outputs[0] == kNone) return false;
    const Value& in = g.value(node.inputs[i]);
    const Value& out = g.value(node.outputs[0]);
    const Place& p = place(scope, node.inputs[i]);
    if (p.buffer == kNone || in.layout != out.layout || size_of(in.type.dtype) != size_of(out.type.dtype) || !out.type.shape.known()) return false;
    if (view) return true;  // both are the same memory, and stay so: later readers are counted together
    if (in.type.shape.concrete() != out.type.shape.concrete()) return false;
    int readings = 0;  // a kernel that writes its output while it still reads the same buffer as another input would read its own results
    for (ValueId v : node.inputs) readings += v != kNone && place(scope, v).buffer == p.buffer;
    if (readings != 1) return false;
    return readers_[static_cast<size_t>(p.buffer)] == 0 && !pinned_[static_cast<size_t>(p.buffer)];
  }

  Status lower_node(size_t scope, const Node& node, std::vector<size_t>& list, bool nested) {
    const Graph& g = *scopes_[scope].graph;
    if (node.op->bind == nullptr) return unsupported("has no kernel");
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.op->value_inputs.has(i) && node.inputs[i] != kNone && !g.is_constant(node.inputs[i])) {
        return unsupported("input " + std::to_string(i) + " (" + g.value(node.inputs[i]).name + ") must be known before the run");
      }
    }
    const int32_t position = position_++;
    read_inputs(scope, node, position);
    const bool view = node.op->view && node.outputs.size() == 1 && may_take_over(scope, node, 0, true);
    if (view) {
      place(scope, node.outputs[0]) = place(scope, node.inputs[0]);
      add_readers(scope, node.outputs[0]);
      return {};
    }
    for (size_t o = 0; o < node.outputs.size(); ++o) {
      const ValueId v = node.outputs[o];
      if (v == kNone) continue;
      int32_t taken = kNone;
      for (size_t i = 0; o == 0 && i < node.inputs.size() && i < 32 && taken == kNone; ++i) {
        if ((node.op->inplace_inputs >> i & 1) && may_take_over(scope, node, i, false)) taken = place(scope, node.inputs[i]).buffer;
      }
      if (taken == kNone) {
        auto buffer = new_buffer(g, v);
        if (!buffer) return buffer.error();
        taken = *buffer;
      }
      place(scope, v).buffer = taken;
      touch(taken, position);
      add_readers(scope, v);
    }
    Work w;
    w.scope = scope;
    w.node = &node;
    w.position = position;
    w.nested = nested;
    list.push_back(add(std::move(w)));
    return {};
  }

  Status lower_if(size_t scope, const Node& node, std::vector<size_t>& list, bool nested) {
    const Graph& g = *scopes_[scope].graph;
    Work w;
    const Value& condition = g.value(node.inputs[0]);
    if (condition.type.dtype != DType::boolean || condition.type.shape.concrete().count() != 1) {
      return unsupported("the condition " + condition.name + " is not known to be one bool before the run");
    }
    w.kind = Work::Kind::branch;
    w.scope = scope;
    w.node = &node;
    w.position = position_++;
    w.nested = nested;
    for (ValueId v : node.inputs) {  // held until both branches are lowered
      if (place(scope, v).buffer != kNone) touch(place(scope, v).buffer, w.position);
    }
    for (ValueId v : node.outputs) {
      if (v == kNone) continue;
      auto buffer = new_buffer(g, v);
      if (!buffer) return buffer.error();
      place(scope, v).buffer = *buffer;
      touch(*buffer, w.position);
      add_readers(scope, v);
    }
    for (size_t b = 0; b < 2; ++b) {
      const Graph& branch = g.subgraphs[static_cast<size_t>(node.subgraphs[b])];
      scopes_.push_back({&branch, {}, {}, scopes_[scope].where + describe(g, node) + ": "});
      const size_t inner = scopes_.size() - 1;
      if (Status s = open_scope(inner); !s) return s;
      for (size_t i = 0; i < branch.inputs.size(); ++i) place(inner, branch.inputs[i]) = place(scope, node.inputs[i + 1]);
      if (Status s = lower_nodes(inner, w.branches[b], true); !s) return s;
      for (size_t o = 0; o < node.outputs.size(); ++o) {
        if (node.outputs[o] == kNone) continue;
        const Value& from = branch.value(branch.outputs[o]);
        const Value& to = g.value(node.outputs[o]);
        if (from.type != to.type) return unsupported("output " + to.name + " has another shape in each branch");
        const Place p = place(inner, branch.outputs[o]);
        w.branches[b].push_back(add_copy(inner, branch.outputs[o], p, place(scope, node.outputs[o]), true));
        if (p.buffer != kNone) --readers_[static_cast<size_t>(p.buffer)];
      }
    }
    read_inputs(scope, node, position_++);
    list.push_back(add(std::move(w)));
    return {};
  }

  size_t add_copy(size_t scope, ValueId v, Place from, Place to, bool nested) {
    Work w;
    w.kind = Work::Kind::copy;
    w.scope = scope;
    w.position = position_++;
    w.nested = nested;
    w.from = from;
    w.to = to;
    const Value& value = scopes_[scope].graph->value(v);
    w.copy_size = *storage_bytes(value.type.dtype, value.type.shape.concrete(), value.layout);
    if (from.buffer != kNone) touch(from.buffer, w.position);
    touch(to.buffer, w.position);
    return add(std::move(w));
  }

  size_t add(Work w) {
    work_.push_back(std::move(w));
    return work_.size() - 1;
  }

  // ---- measure and bind ----

  struct Views {
    std::vector<TensorView> in, out;
    std::vector<const Tensor*> constants;
  };

  TensorView view(size_t scope, ValueId v) {
    if (v == kNone) return {};
    const Value& value = scopes_[scope].graph->value(v);
    const Place& p = place(scope, v);
    if (p.constant != nullptr) return p.constant->view(true);
    return {value.type.dtype, value.type.shape.concrete(), address(p), false, false, value.layout};
  }
  std::byte* address(const Place& p) const {
    if (p.constant != nullptr) return const_cast<std::byte*>(p.constant->raw());
    return plan_.arena.data() == nullptr ? nullptr : plan_.arena.data() + buffers_[static_cast<size_t>(p.buffer)].offset;
  }
  Views views(const Work& w) {
    Views v;
    for (ValueId i : w.node->inputs) {
      v.in.push_back(view(w.scope, i));
      v.constants.push_back(i == kNone ? nullptr : place(w.scope, i).constant);
    }
    v.out.reserve(w.node->outputs.size());  // thousands of them, of a Split
    for (ValueId o : w.node->outputs) v.out.push_back(view(w.scope, o));
    return v;
  }
  int parts(const Work& w) const { return w.nested ? 1 : options_.threads; }

  Status measure() {
    for (Work& w : work_) {
      if (w.kind != Work::Kind::node) {
        w.row = w.kind == Work::Kind::branch ? &kBranch : w.bools ? &kCopyBools : &kCopy;
        tables_bytes_ += round_up(w.kind == Work::Kind::copy ? sizeof(CopyArgs) : sizeof(IfArgs), kAlignment);
        for (const auto& branch : w.branches) tables_bytes_ += round_up(static_cast<int64_t>(branch.size() * sizeof(Step)), kAlignment);
        continue;
      }
      const Views v = views(w);
      const Graph& g = *scopes_[w.scope].graph;
      for (int p = 0; p < parts(w); ++p) {
        BindContext c(w.node->attrs, options_.isa, v.in, v.out, v.constants, {}, p, parts(w));
        if (Status s = bind_op(*w.node->op, c); !s) return s.error().within(describe(g, *w.node));
        if (p > 0 && !c.split()) break;
        w.packed_inputs |= c.packed_inputs();
        w.table_bytes.push_back(c.table_bytes());
        w.workspace_bytes.push_back(c.workspace_bytes());
        w.workspace.push_back(kNone);
        w.faults.push_back(kNone);
        if (!c.fault_text().empty()) {
          w.faults.back() = static_cast<int32_t>(plan_.fault_texts.size());
          plan_.fault_texts.push_back(scopes_[w.scope].where + describe(g, *w.node) + ": " + c.fault_text());
        }
        tables_bytes_ = saturated(tables_bytes_, c.table_bytes());
        for (const BindContext::Pack& pack : c.packs()) {  // nodes and parts that ask for the same share it
          if (packs_seen_.emplace(pack.of, pack.bytes).second) packed_bytes_ = saturated(packed_bytes_, pack.bytes);
        }
        if (c.workspace_bytes() > 0) {
          if (c.workspace_bytes() > options_.budget) return over(g, *w.node);
          w.workspace.back() = raw_buffer(c.workspace_bytes());
          touch(w.workspace.back(), w.position);
        }
        if (tables_bytes_ > options_.budget / kTablesOfBudget || packed_bytes_ > options_.budget) return over(g, *w.node);
        if (w.row == nullptr) w.row = c.row();
      }
      work_done_ = saturated(work_done_, work_of(*w.node->op, w.node->attrs, v.in, v.out));
      if (w.node->op->macs != nullptr && !w.nested) plan_.macs += w.node->op->macs(w.node->attrs, v.in, v.out);
    }
    tables_bytes_ = saturated(tables_bytes_, round_up(static_cast<int64_t>(plan_.fault_texts.size() * sizeof(uint32_t)), kAlignment));
    for (const Tensor* t : constants(graph_)) backed_bytes_ = saturated(backed_bytes_, static_cast<int64_t>(t->bytes()));
    const int64_t work = saturated(options_.work, checked_mul(backed_bytes_, kWorkPerByte).value_or(INT64_MAX));
    if (work_done_ > work) {
      return unsupported("one run takes " + std::to_string(work_done_) + " operations, more than the budget of " + std::to_string(work) +
                          " for these weights and inputs: bind smaller dimensions or raise SessionOptions::work");
    }
    return {};
  }

  Error over(const Graph& g, const Node& node) {
    return unsupported(describe(g, node) + ": its workspace, tables (at most a sixteenth) and packed weights need more than the budget of " +
                       std::to_string(options_.budget) + " bytes: raise SessionOptions::budget");
  }

  // What a step may read of a constant. One in a mapping is copied: reading it may fault a page, and its file may change.
  const std::byte* resident(const Tensor& constant) {
    if (!is_mapped(constant.storage())) return constant.raw();
    const std::string tag = "in place/" + std::to_string(constant.bytes());
    return packs_->find_or_make(constant, tag, constant.bytes(), [&](std::byte* to) { copy_out(constant, to); });
  }

  void make_resident(const Work& w, Views& v) {
    for (size_t i = 0; i < v.in.size(); ++i) {
      const bool packed = i < 32 && (w.packed_inputs >> i & 1) != 0;
      if (packed || v.constants[i] == nullptr || v.in[i].data == nullptr) continue;
      v.in[i].data = const_cast<std::byte*>(resident(*v.constants[i]));
    }
  }

  std::byte* take_table(int64_t bytes) {
    std::byte* p = tables_;
    tables_ += round_up(bytes, kAlignment);
    return p;
  }

  Status bind() {
    const size_t faults = plan_.fault_texts.size();
    plan_.faults = {reinterpret_cast<uint32_t*>(take_table(static_cast<int64_t>(faults * sizeof(uint32_t)))), faults};
    for (Work& w : work_) {
      if (w.kind == Work::Kind::copy) {
        auto* args = reinterpret_cast<CopyArgs*>(take_table(sizeof(CopyArgs)));
        const std::byte* from = w.from.constant == nullptr ? address(w.from) : resident(*w.from.constant);
        *args = {from, address(w.to), static_cast<size_t>(w.copy_size)};
        w.steps.push_back({w.row->run, args});
      } else if (w.kind == Work::Kind::branch) {
        bind_branch(w);
      } else {
        Views v = views(w);
        make_resident(w, v);
        for (size_t p = 0; p < w.table_bytes.size(); ++p) {
          std::byte* workspace = w.workspace[p] == kNone ? nullptr : plan_.arena.data() + buffers_[static_cast<size_t>(w.workspace[p])].offset;
          uint32_t* fault = w.faults[p] == kNone ? nullptr : &plan_.faults[static_cast<size_t>(w.faults[p])];
          BindContext c(w.node->attrs, options_.isa, v.in, v.out, v.constants, {tables_, workspace, packs_, fault}, static_cast<int>(p), parts(w));
          if (Status s = bind_op(*w.node->op, c); !s) return s.error().within(describe(*scopes_[w.scope].graph, *w.node));
          if (c.table_bytes() != w.table_bytes[p] || c.workspace_bytes() != w.workspace_bytes[p]) return other_memory(w);
          take_table(w.table_bytes[p]);
          w.steps.push_back(c.step());
        }
      }
    }
    return {};
  }

  // A fault of the operator: it told from its pointers, which are null while measuring, what it needs.
  Error other_memory(const Work& w) const {
    return invalid("binding asked for other memory than measuring did").within(describe(*scopes_[w.scope].graph, *w.node));
  }

  // The branches come before their If in work_, so their steps are bound already.
  void bind_branch(Work& w) {
    auto* args = reinterpret_cast<IfArgs*>(take_table(sizeof(IfArgs)));
    args->condition = reinterpret_cast<const uint8_t*>(address(place(w.scope, w.node->inputs[0])));
    for (int b = 0; b < 2; ++b) {
      auto* steps = reinterpret_cast<Step*>(take_table(static_cast<int64_t>(w.branches[b].size() * sizeof(Step))));
      args->steps[b] = steps;
      args->counts[b] = 0;
      for (size_t i : w.branches[b]) {
        if (!work_[i].steps.empty() && work_[i].steps[0].run != nullptr) steps[args->counts[b]++] = work_[i].steps[0];
      }
    }
    w.steps.push_back({w.row->run, args});
  }

  // ---- the result ----

  void finish() {
    plan_.steps.resize(static_cast<size_t>(options_.threads));
    for (size_t i : top_) {
      const Work& w = work_[i];
      bool any = false;
      for (const Step& s : w.steps) any = any || s.run != nullptr;
      if (!any) continue;
      for (size_t t = 0; t < plan_.steps.size(); ++t) plan_.steps[t].push_back(t < w.steps.size() ? w.steps[t] : Step{});
      plan_.infos.push_back(info(w));
    }
    auto port = [&](const std::string& name, ValueId v, int32_t buffer) {
      const Value& value = graph_.value(v);
      const Dims dims = value.type.shape.concrete();
      return PlanPort{name, value.type.dtype, dims, address({buffer, nullptr}), *storage_bytes(value.type.dtype, dims)};
    };
    for (size_t i = 0; i < graph_.inputs.size(); ++i) {
      plan_.inputs.push_back(port(graph_.value(graph_.inputs[i]).name, graph_.inputs[i], inputs_[i]));
    }
    for (size_t o = 0; o < graph_.outputs.size(); ++o) plan_.outputs.push_back(port(graph_.output_names[o], graph_.outputs[o], outputs_[o]));
  }

  StepInfo info(const Work& w) {
    StepInfo s;
    s.kernel = w.row == nullptr ? "" : w.row->name;
    if (w.node == nullptr) {
      s.op = "Copy";
      return s;
    }
    const Graph& g = *scopes_[w.scope].graph;
    s.node = w.node->name;
    const bool first = !w.node->outputs.empty() && w.node->outputs[0] != kNone;
    if (s.node.empty() && first) s.node = "@" + g.value(w.node->outputs[0]).name;
    s.op = w.node->op->name;
    if (first) {
      const Dims dims = g.value(w.node->outputs[0]).type.shape.concrete();
      s.shape.assign(dims.span().begin(), dims.span().end());
    }
    if (w.kind == Work::Kind::node && w.node->op->macs != nullptr) {
      const Views v = views(w);
      s.macs = w.node->op->macs(w.node->attrs, v.in, v.out);
    }
    return s;
  }

  const Graph& graph_;
  PackStore* packs_;
  const PlanOptions& options_;
  Plan plan_;
  std::vector<Scope> scopes_;
  std::vector<Work> work_;
  std::vector<size_t> top_;
  std::vector<Buffer> buffers_;
  std::vector<bool> is_input_, pinned_;
  std::vector<int64_t> readers_;
  std::vector<int32_t> inputs_, outputs_;  // buffers
  int32_t position_ = 1;
  int64_t tables_bytes_ = 0, values_bytes_ = 0, packed_bytes_ = 0;
  std::set<std::pair<const std::byte*, int64_t>> packs_seen_;
  int64_t backed_bytes_ = 0, work_done_ = 0;  // bytes of constants and inputs; operations of one run
  std::byte* tables_ = nullptr;
};

}  // namespace

Result<Plan> make_plan(const Graph& graph, PackStore& packs, const PlanOptions& options) { return Planner(graph, &packs, options).make(); }

Result<int64_t> measure_plan(const Graph& graph, const PlanOptions& options) {
  auto size = Planner(graph, nullptr, options).size();
  if (!size) return size;
  return static_cast<int64_t>(Arena::rounded(static_cast<size_t>(*size), options.arena));
}

Result<std::string> plan_text(const Graph& graph, const PlanOptions& options) {
  Planner planner(graph, nullptr, options);
  auto size = planner.size();
  if (!size) return size.error();
  return planner.text(*size);
}

}  // namespace tern
