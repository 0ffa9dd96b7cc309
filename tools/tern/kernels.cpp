// tern kernels: what this build can compute with, and what this machine would choose. See command.h.
#include "kernels/op.h"
#include "tools/tern/command.h"
#include "tools/tern/print.h"

namespace tern::command {

int kernels(const Options& options) {
  const Isa best = best_isa();
  Json j;
  std::vector<std::vector<Text>> rows = {{"operator", "kernel", "dtype", "isa", "runnable", "chosen"}};
  j.object().key("cpu").value(cpu_name()).key("kernels").array();
  for (const OpDef* op : all_ops()) {
    for (const KernelRow* row : op->kernels) {
      const bool can = runnable(row->isa), chosen = pick(op->kernels, row->dtype, best) == row;
      j.object().key("name").value(row->name).key("op").value(op->name).key("dtype").value(name(row->dtype)).key("isa").value(name(row->isa));
      j.key("runnable").value(can).key("chosen").value(chosen).end();
      rows.push_back({shown(op->name), shown(row->name), shown(name(row->dtype)), shown(name(row->isa)), can ? Text("yes") : Text("no"),
                      chosen ? Text("yes") : Text()});
    }
  }
  j.end().end();
  out(options.has("--json") ? j.text() : "cpu: " + shown(cpu_name()) + ", best ISA " + shown(name(best)) + "\n\n" + table(rows, 0));
  return kDone;
}

}  // namespace tern::command
