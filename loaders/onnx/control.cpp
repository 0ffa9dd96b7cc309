// The table of control operators. See control.h.
#include "loaders/onnx/control.h"

namespace tern::onnx {
namespace {

constexpr const char* kBranches[] = {"then_branch", "else_branch"};

constexpr const char* kBody[] = {"body"};

constexpr ControlForm kForms[] = {
    {"If", kBranches},
    {"SequenceMap", kBody},
};

}  // namespace

const ControlForm* control_form(std::string_view op) {
  for (const ControlForm& form : kForms) {
    if (op == form.op) return &form;
  }
  return nullptr;
}

}  // namespace tern::onnx
