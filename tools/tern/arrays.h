// Inputs for a model: from files, pictures, or made up. Next: arrays.cpp, images.cpp.
#pragma once
#include <optional>

#include "runtime/base/tensor.h"
#include "tools/tern/command.h"

namespace tern::command {

// Pixels of a picture, row-major, `channels` interleaved (1 grey, 3 RGB), each 0..1.
struct Image {
  int64_t width = 0, height = 0, channels = 1;
  std::vector<float> pixels;
};
// .pgm .ppm .png by content. Errors: damaged (invalid), a build without libpng (unsupported).
Result<Image> read_image(const std::string& path);
// A picture as text, darker characters for more ink; at most 64 columns wide.
std::string draw(const Image& image);

// What an --input names. Files of arrays have a shape of their own; the others take the input's.
struct Source {
  std::string text;
  std::optional<Array> array;
  std::optional<Image> image;
  std::vector<double> numbers;  // of a .csv
  bool csv = false;
};
Result<Source> read_source(const std::string& text);

// A model's inputs and the dimensions that they imply.
struct Inputs {
  std::vector<Source> sources;  // one for each input
  std::map<std::string, int64_t> dims;
};
// Matches --input with the model's inputs. `fallback`: the source of inputs that none names; empty: that is an error.
Result<Inputs> read_inputs(const Model& model, const Options& options, const std::string& fallback);
// What dimensions follow when an input has these dims; existing entries stay. Dimensions of generated inputs that are still
// open become 1, with a note.
void infer_dims(const Port& port, std::span<const int64_t> given, std::map<std::string, int64_t>& dims);
void default_dims(const Model& model, std::map<std::string, int64_t>& dims, bool tell);
// The dims of an input whose symbols have these values; nothing when one has none.
std::optional<std::vector<int64_t>> concrete(const Port& port, const std::map<std::string, int64_t>& dims);
// The array for an input whose dims may use the symbols in `dims`. Errors name the input.
Result<Array> make_array(const Source& source, const Port& port, const std::map<std::string, int64_t>& dims);

// Computes the outputs: by a session's plan, or node by node when asked or when shapes depend on data.
struct Outputs {
  std::vector<Array> arrays;
  std::string isa;
  bool evaluated = false;
};
Result<Outputs> compute(const Model& model, std::span<const Array> inputs, SessionOptions session, bool evaluate);

// .npy .npz:key .pb
Result<Array> read_array_file(const std::string& path, std::string_view key);

}  // namespace tern::command
