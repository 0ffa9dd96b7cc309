// Branches and loops as TensorFlow 1 writes them, made what TensorFlow 2 has: If and While with functions, which calls.cpp and loop.cpp run.
//
//   branch   Switch(data, p) sends to output 0 or 1; what depends on either is of that side; Merge(no, yes) takes what comes. All that lies between the
//            Switches of a condition and the Merges that end it becomes the two functions of one If.
//   loop     Enter -> Merge -> Switch(., LoopCond) -> Exit, and from the Switch through the body to NextIteration, and back to the Merge. Each such Merge
//            is a variable of one While, an Enter that is constant is one that the body leaves alone, LoopCond's input is the condition.
// Next: conditions.h, frames.cpp.
#pragma once
#include "loaders/tensorflow/run/index.h"

namespace tern::tensorflow {

// A graph that has_frames(), its nodes under their old numbers, others added behind. `wanted` are edges of it, and of the new graph afterwards; what they do not need is
// left as it is. Functions that it makes go to `functions`. Errors: a loop that is none (invalid, one line), too much of everything (unsupported).
Result<Index> without_frames(const Index& graph, std::vector<Edge>& wanted, Functions& functions);

}  // namespace tern::tensorflow
