// See control.h: schemas only. What the operators do is in runtime/control.
#include "kernels/control/control.h"

#include "kernels/op.h"

namespace tern {

namespace {

constexpr AttrSpec kScanAttrs[] = {{"num_scan_inputs", AttrKind::i, kRequired},
                                   {"scan_input_axes", AttrKind::ints},
                                   {"scan_input_directions", AttrKind::ints},
                                   {"scan_output_axes", AttrKind::ints},
                                   {"scan_output_directions", AttrKind::ints}};

}  // namespace

constinit const OpDef kIf = {.name = "If", .inputs = {1, -1}, .outputs = {0, -1}};
constinit const OpDef kLoop = {.name = "Loop", .inputs = {2, -1}, .outputs = {0, -1}};
constinit const OpDef kScan = {.name = "Scan", .inputs = {1, -1}, .outputs = {0, -1}, .attrs = kScanAttrs};

}  // namespace tern
