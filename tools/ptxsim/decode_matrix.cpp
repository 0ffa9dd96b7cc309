// ldmatrix, stmatrix, movmatrix, mma.sync, wmma; mbarrier.
#include "tools/ptxsim/decode.h"
#include "tools/ptxsim/handlers.h"

namespace ptxsim {

bool Decoder::matrix(Op&) { return false; }

}  // namespace ptxsim
