// How wide bools.cu runs. See launch.h.
#include "kernels/movement/bools.h"

#include "kernels/launch.h"

namespace tern::cuda {

void launch_bools(const BoolArgs& args, Launches& to) {
  to.add("movement/bools", "copy_bools", {blocks_for(args.count, kBoolBlock)}, {kBoolBlock}, 0, args);
}

}  // namespace tern::cuda
