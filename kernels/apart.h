// TERN_APART before a loop: its iterations do not depend on each other. What they write is either what they read, element by element, or apart
// from it; without this the compiler asks at run time, and takes one element after another where an operator works in place.
// Next: elementwise/wide.h.
#pragma once

#if defined(__clang__)
#define TERN_APART _Pragma("clang loop vectorize(assume_safety)")
#else
#define TERN_APART _Pragma("GCC ivdep")
#endif
