// Splitting: the work of a plan for a device in stretches, each launches on the device and then steps of the CPU, and what is copied where the sides
// change. A buffer's contents are known to be on either side or on both; what a side reads and has not is copied there, once. The copies of a stretch
// stand before and after its launches, so that they are nodes of its one graph. Inputs come from the CPU's side and outputs are left there: a plan of
// nothing but launches is one stretch. See program.h. Next: link_steps.cpp, ../cuda/link_launches.cpp.
#include "runtime/plan/program.h"

namespace tern {
namespace {

class Splitting {
 public:
  explicit Splitting(Program& program) : p_(program), d_(*program.on_device), here_(program.buffers.size(), false), there_(here_) {
    d_.here = d_.there = here_;
  }

  void run() {
    for (int32_t b : p_.inputs) here_[index(b)] = d_.here[index(b)] = true;
    for (size_t t = 0; t < p_.top.size(); ++t) {
      const size_t i = p_.top[t];
      if (p_.work[i].row == nullptr) continue;
      const bool device = p_.work[i].on_device();
      if (d_.stretches.empty() || (device && now().cpu < now().last)) d_.stretches.push_back({{}, {}, t, t, t});
      now().last = t + 1;
      if (device) now().cpu = t + 1;
      note(i, device);
    }
    for (size_t o = 0; o < p_.outputs.size(); ++o) {
      d_.here[index(p_.outputs[o])] = true;
      fetch(p_.outputs[o], p_.graph.outputs[o], false);
    }
  }

 private:
  static size_t index(int32_t buffer) { return static_cast<size_t>(buffer); }
  Stretch& now() { return d_.stretches.back(); }

  // What lies in a buffer is to be on this side.
  void fetch(int32_t b, ValueId v, bool device) {
    std::vector<bool>&wanted = device ? there_ : here_, &other = device ? here_ : there_;
    if (wanted[index(b)] || !other[index(b)]) return;
    (device ? now().uploads : now().downloads).push_back({b, v});
    wanted[index(b)] = true;
  }

  // A work of the main graph, with all that is nested in it, reads and writes.
  void note(size_t i, bool device) {
    const Work& w = p_.work[i];
    reads_.clear();
    writes_.clear();
    for (size_t n = w.control != nullptr ? w.control->first_nested : i; n < i; ++n) {
      if (p_.work[n].nested) collect(p_.work[n]);
    }
    collect(w);
    std::vector<bool>& touched = device ? d_.there : d_.here;
    for (int32_t b : reads_) {
      touched[index(b)] = true;
      fetch(b, name_of(w, b), device);
    }
    for (int32_t b : writes_) {
      touched[index(b)] = true;
      (device ? there_ : here_)[index(b)] = true;
      (device ? here_ : there_)[index(b)] = false;
    }
    for (size_t n = w.control != nullptr ? w.control->first_nested : i; n <= i; ++n) {
      for (const Work::Part& part : p_.work[n].parts) {
        if (part.workspace != kNone && (n == i || p_.work[n].nested)) touched[index(part.workspace)] = true;
      }
    }
  }

  // A control operator may leave as it is what it says that it writes, a branch that is not taken too: all that may be written is fetched first.
  void collect(const Work& w) {
    if (w.row == nullptr) return;
    const Program::Swap* swap = w.swap == kNone ? nullptr : &p_.swaps[static_cast<size_t>(w.swap)];
    auto add = [&](std::vector<int32_t>& to, const Place& place) {
      if (place.buffer == kNone) return;
      to.push_back(place.buffer);
      if (swap == nullptr) return;
      if (const auto other = swap->find(place.buffer); other != swap->end()) to.push_back(other->second);
    };
    auto may_write = [&](const Place& place) {
      add(writes_, place);
      if (w.nested || w.control != nullptr) add(reads_, place);
    };
    if (w.node == nullptr) {
      add(reads_, w.from);
      return may_write(w.to);
    }
    if (w.control != nullptr) {
      for (const Place& place : w.control->places) may_write(place);
      return;
    }
    std::vector<bool> read(w.node->inputs.size(), false);
    for (const Work::Part& part : w.parts) part.binding.mark_read(read);
    for (size_t k = 0; k < read.size(); ++k) {
      if (read[k]) add(reads_, p_.place(w.scope, w.node->inputs[k]));
    }
    for (ValueId v : w.node->outputs) may_write(v == kNone ? Place() : p_.place(w.scope, v));
  }

  ValueId name_of(const Work& w, int32_t buffer) const {
    if (w.node == nullptr) return kNone;
    for (ValueId v : w.node->inputs) {
      if (v != kNone && p_.place(w.scope, v).buffer == buffer) return v;
    }
    return kNone;
  }

  Program& p_;
  Program::OnDevice& d_;
  std::vector<bool> here_, there_;  // of buffers: its contents are on the CPU's side, on the device
  std::vector<int32_t> reads_, writes_;
};

}  // namespace

void split(Program& program) { Splitting(program).run(); }

}  // namespace tern
