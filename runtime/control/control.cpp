// The table of control operators, one line each. See control.h.
#include "runtime/control/control.h"

namespace tern {

const ControlDef* find_control(const OpDef* op) {
  static constexpr const ControlDef* kControls[] = {
      &kConcatFromSequenceControl,
      &kIfControl,
      &kLoopControl,
      &kOptionalControl,
      &kOptionalGetElementControl,
      &kOptionalHasElementControl,
      &kScanControl,
      &kSequenceAtControl,
      &kSequenceConstructControl,
      &kSequenceEmptyControl,
      &kSequenceEraseControl,
      &kSequenceInsertControl,
      &kSequenceLengthControl,
      &kSequenceMapControl,
      &kSplitToSequenceControl,
  };
  if (op->bind != nullptr || op->compute != nullptr) return nullptr;  // it has kernels, or works on text
  for (const ControlDef* control : kControls) {
    if (control->op == op) return control;
  }
  return nullptr;
}

}  // namespace tern
