// Inputs for a model: from files, tables, pictures, or made up. Next: arrays.cpp, make_array.cpp.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "runtime/base/shape.h"
#include "runtime/base/tensor.h"
#include "tools/tern/command.h"
#include "tools/tern/csv.h"

namespace tern::command {

// Pixels of a picture, row-major, `channels` interleaved (1 grey, 3 RGB), each 0..1.
struct Image {
  int64_t width = 0, height = 0, channels = 1;
  std::vector<float> pixels;
  std::string notes = {};  // what reading did to it: ", transparency over black"
};
constexpr int64_t kMostPixels = int64_t(1) << 26;
// The samples as they are stored, whatever the file says of gamma. The same errors as read_image.
Result<Image> read_png(std::span<const std::byte> bytes);
// .pgm .ppm .png by content. Errors: damaged (invalid), a build without libpng (unsupported).
Result<Image> read_image(const std::string& path);
// A picture as text, darker characters for more ink; at most 64 columns wide.
Text draw(const Image& image);
// The dims that a picture gives an input whose known ones are these (-1: open): channels first or last, as they fit; empty when neither does.
std::vector<int64_t> dims_of_image(const Image& image, const std::vector<int64_t>& known);

// What an --input names. Files of arrays have a shape of their own; the others take the input's.
struct Source {
  std::string text;
  std::optional<Array> array;
  std::optional<Image> image;
  std::shared_ptr<const Table> table;  // several inputs may have columns of one
  TablePart part;
};
Result<Source> read_source(const std::string& text);

// A model's inputs and the dimensions that they imply.
struct Inputs {
  std::vector<Port> ports;
  std::vector<Shape> shapes;  // of the ports: a name is a name there, whatever it looks like as text
  std::vector<Source> sources;
  std::map<std::string, int64_t> dims;
  bool zero_integers = false;  // what is random among integers is 0
};
// After an error of a run: what `random` made of integers may be no legal index (a table of one row). True: they are 0 now, and so told; try again.
bool retry_with_zeros(Inputs& inputs, const Error& error);
// "x=a.npy": "x" and "a.npy"; no name when there is none, or when the whole text is a file.
std::pair<std::string, std::string> split_input(const std::string& text);
// For commands that take --input for its shape alone. Errors: names that the model has not, or twice (usage).
Status check_input_names(const std::vector<Port>& ports, const Options& options);
// Is this array what the input takes, as far as these dims tell? `from`: where it comes from. Errors say what to do in NumPy (invalid).
Status check_array(const Array& array, const std::string& from, const Port& port, const Shape& shape, const std::map<std::string, int64_t>& dims);
// Matches --input with the model's inputs. `fallback`: the source of inputs that none names; empty: that is an error. What is in `read` is
// taken from there and not read again.
Result<Inputs> read_inputs(const Model& model, const Options& options, const std::string& fallback, Sources read);
std::vector<Shape> input_shapes(const Model& model);  // unranked of those that are no tensors
// The dims of a shape whose symbols have these values; -1 where one has none.
std::vector<int64_t> known_dims(const Shape& shape, const std::map<std::string, int64_t>& dims);
std::optional<std::vector<int64_t>> concrete(const Shape& shape, const std::map<std::string, int64_t>& dims);
// Dimensions that are still open become 1, or the least that the model allows, with a note when asked.
void default_dims(const Model& model, std::map<std::string, int64_t>& dims, bool tell);
// The array for an input; tells what became of a picture. Errors name the input.
Result<Array> make_array(const Inputs& inputs, size_t i);
// The same without its bytes where they are made up (random, zeros …): what a plan needs to know.
Result<Array> outline(const Inputs& inputs, size_t i);

// Computes the outputs: by a session's plan, or node by node when asked or when shapes depend on data.
struct Outputs {
  std::vector<Array> arrays;
  std::string isa, device = "cpu";
  bool evaluated = false;
  bool in_parts = false;  // text node by node, what is between by a plan
};
// Late: gives the contents of an input that has none yet (see outline), once it is known that the model runs within its budget.
using Late = std::function<Result<Array>(size_t)>;
Result<Outputs> compute(const Model& model, std::span<const Array> inputs, SessionOptions session, bool evaluate, const Late& late = {});

// .npy .npz:key .pb
Result<Array> read_array_file(const std::string& path, std::string_view key);

}  // namespace tern::command
