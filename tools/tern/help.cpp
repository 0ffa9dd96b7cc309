// What --help says. See command.h; tern.1 tells the same at length.
#include "tools/tern/command.h"

namespace tern::command {
namespace {

struct Text {
  const char *name, *text;
};

constexpr const char* kSource = R"(
SOURCE is a .npy, .npz:KEY, .pb (ONNX TensorProto), .csv, .pgm, .ppm or .png file, or
random[:SEED], zeros, ones, iota. NAME= may be left out when the model has one input.
)";

constexpr const char* kArch = R"(
Files that hold weights only (a state_dict, a checkpoint, safetensors) need an architecture:
  --arch FILE     what print(model) prints, then forwards of the model's own classes as in Python
  --key NAME      which weights of a checkpoint, when it holds several
  --no-strict     leave out weights that are missing or not expected, as load_state_dict(strict=False)
  --input NAME=SOURCE   an array that tells the shape of an input, where neither layers nor forwards do
)";

constexpr Text kTexts[] = {
    {"", R"(tern: loads trained models and runs them with low, steady latency

usage: tern COMMAND [OPTION]...

  inspect MODEL        inputs, outputs, layers, parameters, memory
  run MODEL            compute outputs from inputs
  verify MODEL DATA    compare outputs with recorded ones
  bench MODEL          the time of one call
  conformance DIR      every ONNX test case below a folder
  dump MODEL           the graph and the plan as text
  kernels              the kernels of this build
  convert MODEL        write it as one self-contained ONNX file

MODEL is an ONNX file, or a file of PyTorch: a torch.export program, a whole module, or weights
with --arch FILE. tern COMMAND --help tells more; tern --version, the version.
Exit codes: 0 done, 1 compared and different, 2 wrong usage, 3 the file or its data cannot
be used, 4 understood but not supported.
)"},
    {"inspect", R"(usage: tern inspect MODEL [--dim NAME=N]... [--json] [--dot FILE]

Prints format, inputs, outputs, a table of layers and totals; of a file that holds weights only, its tensors.
  --dim NAME=N     give a symbolic dimension a value
  --json           one JSON document
  --dot FILE       also write the graph for Graphviz
  --checksum       list the tensors, each with the CRC-32 of its elements (row-major, little-endian)
  --suggest-arch   print a first draft of the architecture that the weights imply, with a ? for what
                   they do not tell
)"},
    {"run", R"(usage: tern run MODEL --input NAME=SOURCE... [OPTION]...

Computes the outputs and prints them.
  --input NAME=SOURCE    the value of an input
  --dim NAME=N           give a symbolic dimension a value
  --output-dir DIR       also write DIR/NAME.npy for each output
  --top K                the K largest elements of each row
  --labels FILE          names for them, one a line
  --device cpu|cuda|auto
  --threads N            threads of the session (1)
  --isa NAME             at most scalar, avx2, avx512 or neon
  --evaluate             node by node, without a plan: the same bits
  --json                 one JSON document
)"},
    {"verify", R"(usage: tern verify MODEL DATA [--rtol R] [--atol A] [--ulp N]

Compares outputs with recorded ones. DATA is a folder of ONNX test data (input_N.pb and
output_N.pb, or test_data_set_* folders of them) or a .npz with arrays in_NAME and out_NAME.
  --rtol R, --atol A     |actual - expected| <= A + R * |expected|   (1e-3, 1e-7)
  --ulp N                or within N units in the last place
  --dim, --device, --threads, --isa, --evaluate, --json   as in tern run
)"},
    {"bench", R"(usage: tern bench MODEL [--input NAME=SOURCE]... [OPTION]...

Measures every call of run() for some seconds, and beside it the same loop around nothing.
  --input NAME=SOURCE    random when not given
  --dim NAME=N           give a symbolic dimension a value (1 when not given)
  --seconds S            how long (2)
  --pin CPU              run on this CPU only
  --idle MICROSECONDS    wait between calls
  --per-node             a table of nodes: kernel, share of time
  --svg FILE             a picture of the distribution
  --device, --threads, --isa, --json   as in tern run
)"},
    {"conformance", R"(usage: tern conformance DIR [--only GLOB] [--device D] [--evaluate] [--json FILE]

Runs every case below DIR that holds model.onnx and test_data_set_*, and compares as ONNX's own
runner does (rtol 1e-3, atol 1e-7, shape and dtype exactly).
  --only GLOB   cases whose name matches
  --evaluate    node by node, without a plan
  --json FILE   the results as JSON (- for standard output)
)"},
    {"dump", R"(usage: tern dump MODEL [--after load|infer|fold|fuse|plan] [--dim NAME=N]... [--json]

The graph as text after a pass; after plan (which needs every dimension) also kernels, offsets and steps.
)"},
    {"kernels", R"(usage: tern kernels [--json]

Every kernel of this build: operator, dtype, ISA, whether this CPU can run it, and which one is chosen.
)"},
    {"convert", R"(usage: tern convert MODEL [--arch FILE] -o OUT.onnx

Writes the model as one self-contained ONNX file that onnxruntime and others run. Operators have their
newest forms, and the opset is the lowest that has them all (18 or more). An ONNX model may be converted too.
  -o OUT.onnx    the file to write; what was there is replaced when all went well
)"},
};

}  // namespace

std::string help(std::string_view name) {
  for (const Text& t : kTexts) {
    if (name != t.name) continue;
    const bool loads = name != "" && name != "conformance" && name != "kernels";
    return std::string(t.text) + (name == "run" || name == "bench" ? kSource : "") + (loads ? kArch : "");
  }
  return {};
}

}  // namespace tern::command
