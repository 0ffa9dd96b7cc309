// The rows. See option_table.h: what is added here is in the parser, --help, tern(1) and completion at once.
#include "tools/tern/option_table.h"

namespace tern::command {
namespace {

constexpr CommandRow kCommands[] = {
    {"inspect", "MODEL", "inputs, outputs, layers, parameters, memory",
     "Prints format, inputs, outputs, what the file says of itself, a table of layers and totals. Dimensions that are still open count as 1 in "
     "multiply-accumulates and memory. Of a file that holds weights only, its tensors: name, dtype, shape, bytes; then what the file lacks and how "
     "to give it.",
     inspect},
    {"run", "MODEL", "compute outputs from inputs", "Computes the outputs and prints them; long ones are abridged.", run},
    {"verify", "MODEL DATA", "compare outputs with recorded ones",
     "Compares outputs with recorded ones. DATA is a folder of ONNX test data (input_N.pb and output_N.pb, or test_data_set_* folders of them) or a "
     ".npz with arrays in_NAME and out_NAME. An element is the same when |actual - expected| <= A + R * |expected|, or when it lies within N units "
     "in "
     "the last place.",
     verify},
    {"bench", "MODEL", "the time of one call",
     "Measures every call of run() for some seconds and prints percentiles, with a control: the same loop around nothing, and the rate of a small "
     "kernel that touches no memory. Allocations and page faults during the measured calls are counted. A percentile p is n/a (null in JSON) with "
     "fewer than 1 / (1 - p) calls. Calls shorter than a microsecond are timed in batches, which is said, and told as the mean of each. The last "
     "line is \"machine: quiet\" or \"machine: disturbed\": disturbed when a burst of the small kernel is "
     "more "
     "than 10 % slower than their median, or when the control lost more than 1 % of its time to something else.",
     bench},
    {"conformance", "DIR", "every ONNX test case below a folder",
     "Runs every case below DIR that holds model.onnx and test_data_set_*, and compares as ONNX's own runner does (rtol 1e-3, atol 1e-7, shape and "
     "dtype exactly). The last line reads \"N passed, N failed, N skipped\".",
     conformance},
    {"dump", "MODEL", "the graph and the plan as text",
     "The graph as text after a pass; after plan (which needs every dimension) also kernels, arena offsets and steps.", dump},
    {"kernels", "", "the kernels of this build",
     "Every kernel of this build: operator, dtype, ISA, whether this CPU can run it, and which one is chosen.", kernels},
    {"convert", "MODEL", "write it as one self-contained ONNX file",
     "Writes the model as one self-contained ONNX file, at most 2 GiB, that onnxruntime and others run: operators in their newest forms, the opset "
     "the "
     "lowest that has them all (18 or more), every weight once, symbolic dimensions as dim_param. An ONNX model may be converted too. One line tells "
     "inputs, outputs, opset and bytes.",
     convert},
};

constexpr OptionRow kOptions[] = {
    {"--input", "NAME=SOURCE", " run ", "the value of an input, or of an initializer that is also an input", true},
    {"--input", "NAME=SOURCE", " bench ", "the value of an input, or of an initializer that is also an input; random when not given", true},
    {"--input", "NAME=SOURCE", " inspect dump convert ",
     "an array that tells the shape of an input, where neither layers nor forwards of an architecture tell it", true},
    {"--dim", "NAME=N", " inspect run verify dump ", "give a symbolic dimension a value; NAME is what inspect shows, all before the last =", true},
    {"--dim", "NAME=N", " bench ", "give a symbolic dimension a value; 1 when not given", true},
    {"--output-dir", "DIR", " run ", "also write DIR/NAME.npy for each output"},
    {"--top", "K", " run ", "the K largest elements of each row, instead of all"},
    {"--draw", "", " run ", "draw the pictures that are inputs, with characters"},
    {"--labels", "FILE", " run ", "names for them, one a line"},
    {"--rtol", "R", " verify ", "relative tolerance (1e-3; 0 when --ulp is given)"},
    {"--atol", "A", " verify ", "absolute tolerance (1e-7; 0 when --ulp is given)"},
    {"--ulp", "N", " verify ", "or within N units in the last place"},
    {"--seconds", "S", " bench ", "how long (2)"},
    {"--pin", "CPU", " bench ", "run on this CPU only; further threads on the next ones that the process may use"},
    {"--idle", "MICROSECONDS", " bench ", "wait between calls"},
    {"--keep-warm", "MICROSECONDS", " bench ", "while it waits, call keep_warm() so often: a run whose results are put back"},
    {"--per-node", "", " bench ",
     "a table of nodes: kernel, median time, share, how near its limit (both measured on the spot); with what is between them it adds up to the "
     "call"},
    {"--huge-pages", "", " bench ", "ask for 2 MB pages for the arena; says how many bytes got them"},
    {"--lock", "", " bench ", "lock the arena in memory; says how many bytes are locked"},
    {"--save", "FILE", " bench ", "keep what was measured, for --baseline"},
    {"--baseline", "FILE", " bench ",
     "compare with what --save kept: ratios of the medians of 32 blocks of time, with an interval that holds 95 % of their bootstrap samples"},
    {"--slower-than", "RATIO", " bench ",
     "exit 1 when the median of a call is slower than the baseline's by more than this ratio, its whole interval above it"},
    {"--svg", "FILE", " bench ", "write a picture of the distribution"},
    {"--only", "GLOB", " conformance ", "cases whose name matches"},
    {"--after", "load|infer|fold|transpose|fuse|narrow|plan", " dump ", "the pass (narrow)"},
    {"--dot", "FILE", " inspect ", "also write the graph for Graphviz"},
    {"--fused", "", " inspect ", "of --dot: the graph as sessions start from it, folded and fused"},
    {"--checksum", "", " inspect ", "list the tensors, each with the CRC-32 (zlib's) of its elements, row-major and little-endian"},
    {"--suggest-arch", "", " inspect ",
     "print a first draft of the architecture that the weights imply, with a ? for what names and shapes do not tell (activations, strides, heads)"},
    {"--arch", "FILE", " inspect run verify bench dump convert ",
     "the architecture of a file that holds weights only: what print(model) prints, then forwards of the model's own classes as in Python"},
    {"--key", "NAME", " inspect run verify bench dump convert ",
     "which weights of a checkpoint that holds several: ema, model.state_dict, or the last part of such a name"},
    {"--signature", "NAME", " inspect run verify bench dump convert ",
     "what is called of a SavedModel, whose signatures inspect lists (serving_default, or the only one)"},
    {"--output", "NAME", " inspect run verify bench dump convert ",
     "an output of a frozen TensorFlow graph: a node, or NODE:K for another than its first result (the only node that no other reads)", true},
    {"--no-strict", "", " inspect run verify bench dump convert ",
     "leave out weights that are missing or not expected, as load_state_dict(strict=False); sizes must still fit"},
    {"--follow-links", "", " inspect run verify bench dump convert ",
     "open shards and external data that are symbolic links or have other names (hard links), wherever they lie; those of a hub's cache need no such "
     "word"},
    {"--map", "", " inspect run verify bench dump convert ",
     "read the file in place instead of copying it into memory that nobody can change: for files larger than memory, which must not change "
     "meanwhile"},
    {"--device", "DEVICE", " run verify bench conformance dump ",
     "where to run (cpu): cuda or cuda:N, an NVIDIA GPU; cuda,cpu, a GPU and for nodes without a kernel there the CPU (tern dump --after plan shows "
     "which, and the copies between them); auto, a GPU when there is one with kernels for every node; ptxsim or ptxsim,cpu, the kernels of a GPU "
     "simulated on the CPU, to test them. The bits of the results do not depend on it"},
    {"--block", "", " run bench ", "wait for a GPU asleep, which takes some microseconds longer; without it the waiting spins"},
    {"--precision", "f32|tf32|f16|bf16", " run verify bench conformance dump ",
     "on a device that --device names: what the factors of MatMul, Gemm, Linear and of convolutions are rounded to, for its tensor cores (f32, not "
     "at all). tf32 and "
     "f16 "
     "keep 11 bits, bf16 keeps 8, and f16 ends at 65504; sums stay f32. Other bits than the CPU's"},
    {"--gemm", "own|cublas", " run verify bench conformance dump ",
     "on a device that --device names: who computes MatMul, Gemm and Linear (own); cublas, NVIDIA's library, where it is installed. Other bits than "
     "the "
     "CPU's"},
    {"--weights", "f32|bf16|int8", " run verify bench dump ",
     "what the constant weights of MatMul, Gemm, Linear, LSTM, GRU and RNN are kept in (f32). bf16 keeps 8 bits of each; int8 one of 255 steps of "
     "its "
     "column's largest, and 16 bits of the inputs. Other bits than f32's, the same ones for every ISA, batch and number of threads"},
    {"--threads", "N", " run verify bench conformance dump ",
     "threads of the session (1), at most the CPUs that this process may use; the bits of the results do not depend on them"},
    {"--isa", "scalar|avx2|avx512|neon", " run verify bench conformance dump ",
     "use at most this instruction set, which must be one of this machine's architecture; the bits of the results do not depend on it"},
    {"--budget", "MB", " run verify bench conformance dump ",
     "megabytes that values, tables and packed weights may take (1024, 16 for each of weights, and 64, up to 3072, for each of inputs that --dim "
     "sizes)"},
    {"--evaluate", "", " run verify conformance ", "node by node, without a plan: the same bits"},
    {"--json", "", " inspect run verify bench dump kernels ",
     "one JSON document on standard output; times in nanoseconds; NaN and infinities are null"},
    {"--json", "FILE", " conformance ", "also write the results as JSON (- for standard output, and nothing else there)"},
    {"-o", "OUT.onnx", " convert ", "the file to write; what was there is replaced when all went well"},
    {"--help", "", " inspect run verify bench conformance dump kernels convert ", "this text"},
};

constexpr Section kSections[] = {
    {"Sources", " run bench ",
     "A SOURCE is a .npy, .npz:KEY, .pb (ONNX TensorProto), .csv, .txt, .pgm, .ppm or .png file, or text:WORDS, random[:SEED], zeros, ones, iota. "
     "NAME= may be left "
     "out when the model has one input.\n"
     "Of a .csv a row is one sample, and its fields, separated by commas, semicolons or tabs, are the elements of that sample: an input [batch,n] "
     "has n "
     "columns, [batch,a,b] a*b, and one of a single axis is one column or one row. Other numbers of columns, empty fields and what the dtype "
     "cannot hold are errors with line and column. A first row of words is a heading; where it names an input (x, or x_0, x_1 or x[0], x[1] ...) "
     "that "
     "input takes those columns, and --input table.csv without a name gives every input that the heading names. For inputs of strings a first row "
     "is a heading only when it names one.\n"
     "Of a .txt each line is one sample, and text:WORDS is one: --input \"text:the cat sat\". A model that works on text or chooses boxes runs in "
     "parts: that "
     "node "
     "by node, and the rest by a plan; tern inspect shows where, and tern bench times the plan alone.\n"
     "A picture must have the size that the model wants. Its values become 0..1 for inputs of floats, 0..255 for integers; what was done is told on "
     "standard error."},
    {"Models", "",
     "An ONNX file; a torch.export program (.pt2); a whole module (torch.save(model)); or weights: a state_dict or a checkpoint with one inside (the "
     "zip form, the legacy form), safetensors, an index of safetensors shards. Formats are told apart by content, never by name. Nothing in a file "
     "is "
     "executed.\n"
     "Weights need an architecture, given by --arch FILE: what print(model) prints, and where the model is more than a chain the forward of each of "
     "its own classes, written as in Python:\n"
     "    Net(\n"
     "      (conv): Conv2d(1, 8, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))\n"
     "      (fc): Linear(in_features=6272, out_features=10, bias=True)\n"
     "    )\n"
     "    class Net:\n"
     "        def forward(self, x):\n"
     "            x = F.relu(self.conv(x))\n"
     "            return self.fc(x.flatten(1))\n"
     "A whole module has its own tree and needs the forwards alone, and only those of classes that are not torch.nn's. Loading is strict as "
     "load_state_dict is: missing and unexpected names and sizes that differ are all told. A prefix of all names (module., _orig_mod., model.) is "
     "taken "
     "off or put on when everything matches then, with a note."},
    {"Exit status", "",
     "0 done; 1 compared and different; 2 wrong usage; 3 the file or its data cannot be used; 4 understood but not supported. Results go to standard "
     "output, everything else to standard error."},
    {"Environment", "",
     "TERN_ISA caps the instruction set everywhere: scalar, avx2, avx512, neon. The command refuses one that is unknown or not of this machine; the "
     "library ignores it, and says so in the model's notes.\n"
     "NO_COLOR: no colours, also on a terminal."},
    {"Examples", "",
     "    tern run model.onnx --input image=seven.png --top 3\n"
     "    tern bench model.onnx --dim batch=1 --seconds 5 --pin 2 --svg latency.svg\n"
     "    tern inspect weights.pth --suggest-arch > net.txt\n"
     "    tern run weights.pth --arch net.txt --input x.npy\n"
     "    tern convert weights.pth --arch net.txt -o model.onnx"},
};

}  // namespace

std::span<const CommandRow> command_rows() { return kCommands; }
std::span<const OptionRow> option_rows() { return kOptions; }
std::span<const Section> sections() { return kSections; }

}  // namespace tern::command
