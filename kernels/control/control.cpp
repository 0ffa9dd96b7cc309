// See control.h: schemas only. What the operators do is in runtime/control.
#include "kernels/control/control.h"

#include "kernels/op.h"

namespace tern {

constinit const OpDef kIf = {.name = "If", .inputs = {1, -1}, .outputs = {0, -1}};

}  // namespace tern
