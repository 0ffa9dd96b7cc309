// Hash tables out of text files, a row a line. Next: vocabulary.cpp.
#pragma once
#include "loaders/tensorflow/graph/program.h"

namespace tern::tensorflow {

constexpr int64_t kWholeLine = -2, kLineNumber = -1;

struct VocabularyFormat {
  int64_t key, value;  // a column, kWholeLine or kLineNumber
  int64_t most;        // lines; -1: all
  std::string delimiter;
  int64_t skipped;  // lines at the beginning
};

// `file` lies beneath the folder assets of the model. Errors: a name that leads elsewhere, a line with too few columns or no number (invalid).
Status fill_from_file(LookupTable& table, Program& program, const std::string& file, const VocabularyFormat& format);

}  // namespace tern::tensorflow
