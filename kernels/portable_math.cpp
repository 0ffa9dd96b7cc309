// See portable_math.h.
#include "kernels/portable_functions.h"
