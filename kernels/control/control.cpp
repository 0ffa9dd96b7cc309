// See control.h: the schema only; runtime/infer_shapes.cpp infers it and the runtime runs it.
#include "kernels/control/control.h"

#include "kernels/op.h"

namespace tern {

constinit const OpDef kIf = {.name = "If", .inputs = {1, -1}, .outputs = {0, -1}};

}  // namespace tern
