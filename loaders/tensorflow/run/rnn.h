// Keras' LSTM and GRU: functions that say of themselves that they compute one (api_implements) become the catalog's operators, and their loops are never
// looked at. Next: rnn.cpp.
#pragma once
#include "loaders/tensorflow/run/special.h"

namespace tern::tensorflow {

// The outputs of such a function; nothing where it is none, or one with a mask, whose loop is then run as any other.
std::optional<Values> keras_rnn(Call& c, const Index& function);

}  // namespace tern::tensorflow
