// Comparing outputs with recorded ones, and reading recordings. Next: compare.cpp.
#pragma once
#include <optional>

#include "tern/tern.h"

namespace tern::command {

struct Tolerance {
  double rtol = 1e-3, atol = 1e-7;  // |actual - expected| <= atol + rtol * |expected|: what ONNX's own test runner uses
  int64_t ulp = 0;                  // or so close in units in the last place (floats only)
};

struct Difference {
  bool same = true;
  std::string reason;  // why not: dtype, shape, or the first element outside the tolerance
  double worst_absolute = 0, worst_relative = 0;
  int64_t worst_ulp = 0;
  std::vector<int64_t> where;  // of the worst absolute error
};
// NaN equals NaN, infinities their equals; strings, integers and booleans by the same rule (strings exactly); sequences element by element.
Difference compare(const Array& actual, const Array& expected, const Tolerance& tolerance);

// Recorded inputs and outputs, by position. Absent: nothing recorded for it.
struct Recording {
  std::string name;
  std::vector<std::string> found;  // arrays of the .npz, files of the folder: for messages
  std::vector<std::optional<Array>> inputs, outputs;
};
// A folder with input_N.pb and output_N.pb, a folder of such folders test_data_set_*, or a .npz with in_NAME and out_NAME.
// Errors: nothing recorded there, unreadable (invalid).
Result<std::vector<Recording>> read_recordings(const std::string& path, const Model& model);
// Names in a folder, sorted; empty when it cannot be read.
std::vector<std::string> list_folder(const std::string& path);
bool is_folder(const std::string& path);

}  // namespace tern::command
