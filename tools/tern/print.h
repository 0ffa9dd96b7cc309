// Tensors and tables as text and JSON. Next: print.cpp.
#pragma once
#include "tern/tern.h"
#include "tools/tern/json.h"

namespace tern::command {

// One element: the fewest digits that read back the same; strings quoted.
Text element(const Array& array, size_t i);
double as_double(const Array& array, size_t i);  // 0 for strings
size_t count(const Array& array);
// As NumPy prints: nested brackets, columns aligned; above 1000 elements three at each end of a dimension.
Text abridged(const Array& array);
// All elements in order.
void write_values(Json& json, const Array& array);
void write_port(Json& json, const Port& port);  // name, dtype, shape, and kind when it is no tensor, into an object
std::string type_text(const Port& port);        // "f32[batch,3]", "sequence of f32[?7,3]"
void write_shape(Json& json, const std::vector<std::string>& shape);
// "a, b, c": the first twenty names; "nothing" of none.
std::string joined(const std::vector<std::string>& names);
// What a file says of itself: as a member "metadata" of an object, the first of each key; and as lines, long ones abridged.
using Metadata = std::vector<std::pair<std::string, std::string>>;
void write_metadata(Json& json, const Metadata& metadata);
Text metadata_text(const Metadata& metadata);
std::string shape_text(const std::vector<std::string>& shape);
std::string shape_text(const std::vector<int64_t>& shape);
// Columns padded to their widest cell; the first row is the heading; columns whose bit is set in `right` are right-aligned.
Text table(const std::vector<std::vector<Text>>& rows, unsigned right);
Text grouped(int64_t n);   // 1,234,567
Text duration(double ns);  // "1.23 us"

}  // namespace tern::command
