// A program for people. As text: inputs, one line a step with the arena offsets of its values and its kernel, outputs (`tern dump --after plan`). See
// program.h.
#include <map>

#include "runtime/base/printable.h"
#include "runtime/plan/program.h"

namespace tern {
namespace {

StepInfo info(const Program& p, const Work& w) {
  StepInfo s;
  s.kernel = w.row->name;
  if (w.node == nullptr) {
    s.op = "Copy";
    return s;
  }
  const Graph& g = *p.scopes[w.scope].graph;
  s.node = w.node->name;
  const bool first = !w.node->outputs.empty() && w.node->outputs[0] != kNone;
  if (s.node.empty() && first) s.node = "@" + g.value(w.node->outputs[0]).name;
  s.op = w.node->op->name;
  if (first) {
    const Dims dims = g.value(w.node->outputs[0]).type.shape.concrete();
    s.shape.assign(dims.span().begin(), dims.span().end());
  }
  if (w.node->op->macs != nullptr) {
    const Program::Views v = p.views(w);
    s.macs = w.node->op->macs(w.node->read(), v.in, v.out);
  }
  return s;
}

}  // namespace

std::vector<StepInfo> step_infos(const Program& p) {
  std::vector<StepInfo> infos;
  for (size_t i : p.top) {
    if (p.work[i].row != nullptr) infos.push_back(info(p, p.work[i]));
  }
  return infos;
}

std::vector<int64_t> step_bytes(const Program& p) {
  std::vector<int64_t> bytes;
  for (size_t i : p.top) {
    const Work& w = p.work[i];
    if (w.row == nullptr) continue;
    if (w.node == nullptr) {
      bytes.push_back(2 * w.copy_size);
      continue;
    }
    const Program::Views v = p.views(w);
    const auto sum = [](const std::vector<TensorView>& views, int64_t most) {
      int64_t all = 0;
      for (const TensorView& t : views) {
        if (t.present()) all = saturated(all, std::min(storage_bytes(t.dtype, t.dims, t.layout).value_or(0), t.constant ? most : INT64_MAX));
      }
      return all;
    };
    const int64_t out = sum(v.out, INT64_MAX);
    bytes.push_back(saturated(out, sum(v.in, w.node->op->macs == nullptr ? out : INT64_MAX)));
  }
  return bytes;
}

std::string isa_text(const PlanOptions& options) { return name(options.isa) + (options.beside ? "," + std::string(name(*options.beside)) : ""); }

std::string plan_text(const Program& p, size_t arena_bytes) {
  // In the arena of the device, or in the CPU's side.
  auto at = [&](int32_t buffer, bool there) {
    return "@" + std::to_string(there ? p.on_device->offsets[static_cast<size_t>(buffer)] : p.buffer(buffer).offset);
  };
  auto value_text = [&](size_t scope, ValueId v, bool there) {
    if (v == kNone) return std::string("_");
    const std::string& name = p.scopes[scope].graph->value(v).name;
    const Place& place = p.place(scope, v);
    return place.constant != nullptr ? "#" + name : "%" + name + at(place.buffer, there);
  };
  auto port_text = [&](const std::string& port, ValueId v, int32_t buffer) {
    const TypeInfo& type = p.graph.value(v).type;
    return "%" + printable(port) + at(buffer, false) + ": " + name(type.dtype) + to_string(type.shape.concrete()) + "\n";
  };
  auto step_text = [&](const Work& w) {
    std::string line;
    for (size_t o = 0; o < w.node->outputs.size(); ++o) line += (o ? ", " : "") + value_text(w.scope, w.node->outputs[o], w.on_device());
    line += std::string(" = ") + w.node->op->name + "(";
    for (size_t i = 0; i < w.node->inputs.size(); ++i) line += (i ? ", " : "") + value_text(w.scope, w.node->inputs[i], w.on_device());
    line += std::string(")  ") + (w.row == nullptr ? "nothing to do" : w.row->name);
    return w.control == nullptr || w.control->times < 0 ? line : line + ", " + std::to_string(w.control->times) + " times";
  };
  const auto steps = std::count_if(p.top.begin(), p.top.end(), [&](size_t i) { return p.work[i].row != nullptr; });
  std::string t = "plan: " + std::to_string(steps) + " steps, " + std::to_string(arena_bytes) + " arena bytes, isa " + isa_text(p.options) +
                  ", threads " + std::to_string(p.options.threads) + ", packed weights of " + std::to_string(p.packed_bytes) + " bytes\n";
  const Graph& g = p.graph;
  for (size_t i = 0; i < g.inputs.size(); ++i) t += "input  " + port_text(g.value(g.inputs[i]).name, g.inputs[i], p.inputs[i]);
  // What is said before and after a work: where it runs, and what is copied there.
  std::map<size_t, std::string> before, after;
  auto moves_text = [&](const std::vector<Stretch::Move>& moves, bool up) {
    std::string lines;
    for (const Stretch::Move& m : moves) {
      const std::string what = m.value == kNone ? "" : "%" + printable(p.graph.value(m.value).name);
      lines += (up ? "  upload " : "  download ") + what + at(m.buffer, !up) + " to " + at(m.buffer, up) + ", " +
               std::to_string(p.buffer(m.buffer).bytes) + " bytes\n";
    }
    return lines;
  };
  for (size_t s = 0; p.on_device && s < p.on_device->stretches.size(); ++s) {
    const Stretch& stretch = p.on_device->stretches[s];
    if (stretch.first < stretch.cpu) before[p.top[stretch.first]] = "on the device:\n" + moves_text(stretch.uploads, true);
    std::string& then = stretch.first < stretch.cpu ? after[p.top[stretch.cpu - 1]] : before[0];
    then = moves_text(stretch.downloads, false) + (stretch.cpu < stretch.last ? "on the CPU:\n" : "");
  }
  for (size_t i = 0; i < p.work.size(); ++i) {
    const Work& w = p.work[i];
    if (before.contains(i)) t += before[i];
    if (w.node == nullptr) t += "  copy " + std::to_string(w.copy_size) + " bytes to " + at(w.to.buffer, w.on_device()) + "\n";
    else t += (w.nested ? "    " : "  ") + printable(step_text(w)) + "\n";
    if (after.contains(i)) t += after[i];
  }
  for (size_t o = 0; o < g.outputs.size(); ++o) t += "output " + port_text(g.output_names[o], g.outputs[o], p.outputs[o]);
  return t;
}

}  // namespace tern
