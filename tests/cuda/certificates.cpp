// What a clean run proves of a kernel: with no address and no decision that depends on data, that it is right in what the simulator checks for all
// inputs of these launches. certificates.txt says it of every kernel, so that one which begins to depend on data is noticed. Contract:
// tools/ptxsim/ptxsim.h.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>

#include "runtime/cuda/modules.h"
#include "tests/support/device.h"
#include "tests/support/op_test.h"
#include "tests/support/operator_cases.h"
#include "tools/ptxsim/device/device.h"

namespace tern::test::in_certificates {
namespace {

struct Certificate {
  std::set<std::string> shapes;                    // grid by block
  std::set<std::string> addresses, decisions, at;  // files, and the lines
  std::string verdict() const {
    if (shapes.empty()) return "not run";
    if (addresses.empty() && decisions.empty()) return "all inputs";
    const auto list = [](const char* what, const std::set<std::string>& files) {
      std::string text;
      for (const std::string& f : files) text += (text.empty() ? what + std::string(" of ") : ", ") + f;
      return text;
    };
    const std::string a = list("addresses", addresses), d = list("decisions", decisions);
    return "data: " + a + (a.empty() || d.empty() ? "" : "; ") + d;
  }
};
std::map<std::string, Certificate> certificates;

void keep(const Launch& l, const ptxsim::LaunchResult& r) {
  CHECK((r.completed && r.taint.ran));
  Certificate& c = certificates[l.kernel];
  const auto text = [](const auto& d) { return std::to_string(d.x) + (d.y * d.z == 1 ? "" : "," + std::to_string(d.y) + "," + std::to_string(d.z)); };
  c.shapes.insert(text(l.grid) + "x" + text(l.block));
  const auto add = [&](const std::vector<ptxsim::TaintReport::Place>& places, std::set<std::string>& files) {
    for (const auto& p : places) {
      const std::string file = p.file.substr(p.file.rfind('/') + 1);
      files.insert(file);
      c.at.insert(file + ":" + std::to_string(p.cu_line));
    }
  };
  add(r.taint.addresses, c.addresses);
  add(r.taint.decisions, c.decisions);
}

// The kernels that larger shapes lead to.
std::vector<Case> larger_cases() {
  const auto of = [](DType dtype, Dims dims) { return In{dims, dtype, false, {}}; };
  std::vector<Case> all;
  // products: few rows, dots, chains of partial sums; rows by fours and not
  for (const auto& [m, k, n] : std::vector<std::array<int64_t, 3>>{{33, 40, 97},
                                                                   {3, 40, 97},
                                                                   {2, 12, 3460},
                                                                   {2, 13, 3461},
                                                                   {1, 300, 1},
                                                                   {1729, 64, 4},
                                                                   {65, 36, 32},
                                                                   {65, 37, 31},
                                                                   {65, 36, 36},
                                                                   {65, 37, 35}}) {
    all.push_back({"MatMul", {x({m, k}), x({k, n})}});
    all.push_back({"Linear", {x({m, k}), x({k, n}), none(), x({m, n})}, {{"activation", std::string("Tanh")}}});
  }
  all.push_back({"Gemm", {x({97, 33}), x({96, 33})}, {{"transB", int64_t(1)}}});
  all.push_back({"Conv", {x({1, 8, 20, 20}), w({40, 8, 3, 3})}, {{"pads", Ints{1, 1, 1, 1}}}});
  all.push_back({"ConvTranspose", {x({1, 6, 9, 9}), w({6, 1, 3, 3})}, {{"strides", Ints{2, 2}}, {"group", int64_t(6)}}});
  // rows: in registers, in shared memory, in neither, across, down columns
  for (const int64_t n : {300, 1500, 20011}) {
    for (const char* op : {"Softmax", "LogSoftmax"}) all.push_back({op, {x({3, n})}});
    all.push_back({"LayerNormalization", {x({3, n}), w({n}), w({n})}});
    all.push_back({"RMSNormalization", {x({3, n}), w({n})}});
    all.push_back({"GroupNormalization", {x({2, 4, n / 2}), w({4}), w({4})}, {{"num_groups", int64_t(2)}}});
  }
  for (const char* op : {"Softmax", "LogSoftmax"}) all.push_back({op, {x({3, 17, 129})}, {{"axis", int64_t(1)}}});
  for (const char* op : {"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSum",
                         "ReduceLogSumExp"}) {
    all.push_back({op, {x({9, 33}), ints({1})}});
    all.push_back({op, {x({3, 5000}), ints({1})}});
    all.push_back({op, {x({33, 70}), ints({0})}});
  }
  for (const DType t : {DType::f32, DType::f64, DType::f16, DType::bf16, DType::i64, DType::i32, DType::i16, DType::i8, DType::u64, DType::u32,
                        DType::u16, DType::u8}) {
    all.push_back({"ArgMax", {of(t, {17, 70})}, {{"axis", int64_t(1)}}});
    all.push_back({"CumSum", {of(t, {17, 70}), {{}, DType::i64, true, {0}}}});
    all.push_back({"TopK", {of(t, {3, 3000}), ints({4})}, {}, 2});
    all.push_back({"Transpose", {of(t, {65, 33})}, {{"perm", Ints{1, 0}}}});
    all.push_back({"Concat", {of(t, {5, 3}), of(t, {5, 7})}, {{"axis", int64_t(1)}}});
    all.push_back({"Slice", {of(t, {33, 70}), ints({1, 3}), ints({30, 68}), ints({0, 1})}});
    all.push_back({"Pad", {of(t, {33, 7}), ints({1, 0, 0, 2})}, {{"mode", std::string("edge")}}});
    all.push_back({"Trilu", {of(t, {33, 7})}});
    all.push_back({"Gather", {of(t, {9, 5}), i64({2, 3})}});
    all.push_back({"Gather", {of(t, {9, 64}), i64({2, 3})}});
    all.push_back({"GatherElements", {of(t, {9, 5}), i64({2, 5})}});
    all.push_back({"GatherND", {of(t, {9, 5}), i64({3, 1})}});
    all.push_back({"GatherND", {of(t, {9, 64}), i64({3, 1})}});
    all.push_back({"ScatterElements", {of(t, {9, 5}), i64({2, 5}), of(t, {2, 5})}, {{"reduction", std::string("add")}}});
    all.push_back({"ReverseSequence", {of(t, {4, 3, 5}), ints({2, 1, 4})}});
    all.push_back({"ReverseSequence", {of(t, {4, 3, 8}), ints({2, 1, 4})}});
    all.push_back({"Einsum", {of(t, {5, 5})}, {{"equation", std::string("ii->i")}}});
    all.push_back({"Einsum", {of(t, {3, 4}), of(t, {4, 5}), of(t, {5, 2})}, {{"equation", std::string("ij,jk,kl->il")}}});
  }
  for (const int64_t axes : {1, 3}) {
    for (const char* mode : {"nearest", "linear", "cubic"}) {
      Dims image{1, 2}, places{1};
      for (int64_t d = 0; d < axes; ++d) image.push_back(4), places.push_back(3);
      places.push_back(axes);
      all.push_back({"GridSample", {x(image), x(places)}, {{"mode", std::string(mode)}}});
    }
  }
  all.push_back({"Resize",
                 {x({1, 2, 4, 4}), w({8}), none(), ints({1, 2, 8, 8})},
                 {{"mode", std::string("linear")}, {"coordinate_transformation_mode", std::string("tf_crop_and_resize")}}});
  all.push_back({"FusedAttention", {x({1, 2, 33, 16}), x({1, 2, 3000, 16}), x({1, 2, 3000, 17})}});
  for (const auto& [op, gates, outputs] : std::vector<std::tuple<const char*, int64_t, size_t>>{{"LSTM", 4, 3}, {"GRU", 3, 2}, {"RNN", 1, 2}}) {
    all.push_back(
        {op, {x({3, 9, 4}), w({1, gates * 300, 4}), w({1, gates * 300, 300}), w({1, 2 * gates * 300})}, {{"hidden_size", int64_t(300)}}, outputs});
    In lengths = {{9}, DType::i32, false, {3, 1, 2, 3, 3, 1, 2, 3, 1}};
    all.push_back({op,
                   {x({3, 9, 4}), w({1, gates * 16, 4}), w({1, gates * 16, 16}), w({1, 2 * gates * 16}), lengths},
                   {{"hidden_size", int64_t(16)}},
                   outputs});
  }
  return all;
}

// Kernels that take the same arguments as the one which is chosen for a small shape, and walk over all tiles whatever the grid is.
struct Form {
  const char *chosen, *kernel;
  uint32_t threads;
};
constexpr Form kForms[] = {{"gemm_32x32_f32", "gemm_64x64_f32", 256},
                           {"gemm_32x32_f32", "gemm_128x128_f32", 256},
                           {"gemm_32x32_narrow_f32", "gemm_64x64_narrow_f32", 256},
                           {"conv_32x32_f32", "conv_32x64_f32", 128},
                           {"conv_32x32_f32", "conv_64x64_f32", 256},
                           {"conv_32x32_f32", "conv_128x128_f32", 256},
                           {"conv_32x32_spread_f32", "conv_64x64_spread_f32", 256},
                           {"gemm_64x64_by_tf32", "gemm_16x64_by_tf32", 128},
                           {"gemm_64x64_by_tf32", "gemm_128x128_by_tf32", 256},
                           {"gemm_64x64_by_f16", "gemm_16x64_by_f16", 128},
                           {"gemm_64x64_by_f16", "gemm_128x128_by_f16", 256},
                           {"gemm_64x64_by_bf16", "gemm_16x64_by_bf16", 128},
                           {"gemm_64x64_by_bf16", "gemm_128x128_by_bf16", 256}};

void run(const Case& c, std::initializer_list<uint32_t> packed, const std::function<void(Launch&)>& change = {}, Products products = {}) {
  const OpDef& op = *find_op(c.op);
  const Attributes attrs = attributes_of(c);
  std::vector<Tensor> inputs;
  for (size_t i = 0; i < c.inputs.size(); ++i) inputs.push_back(tensor_of(c, i));
  const auto here = evaluate(op, attrs, inputs, c.outputs, {.isa = best_isa()});
  if (!here) return;  // of such dtypes there is no such operator
  for (const uint32_t constants : packed) run_on_device(op, attrs, inputs, *here, constants, change, products);
}

void run_all() {
  for (const Case& c : row_cases()) run(c, {0u, ~0u});
  for (const Case& c : larger_cases()) run(c, {~0u});
  const std::vector<Case> products = {{"MatMul", {x({70, 20}), x({20, 132})}},
                                      {"MatMul", {x({70, 19}), x({19, 131})}},
                                      {"Conv", {x({1, 8, 9, 17}), w({132, 8, 3, 3})}},
                                      {"Conv", {x({1, 8, 9, 17}), w({12, 8, 3, 3})}},
                                      {"ConvTranspose", {x({1, 8, 5, 7}), w({8, 66, 3, 3})}, {{"strides", Ints{2, 2}}}}};
  for (const Precision p : {Precision::f32, Precision::tf32, Precision::f16, Precision::bf16}) {
    for (const Case& c : products) {
      run(c, {2u}, {}, {.precision = p});
      for (const Form& f : kForms) {
        const std::string_view chosen = f.chosen;
        if ((chosen.find("_by_") != chosen.npos) != (p != Precision::f32) || chosen.starts_with("conv") == (c.op == std::string_view("MatMul")))
          continue;
        run(c, {2u},
            [&](Launch& l) {
              if (std::string_view(l.kernel) == f.chosen) l.kernel = f.kernel, l.block = {f.threads, 1, 1}, l.grid = {2, 1, 1};
            },
            {.precision = p});
      }
    }
  }
}

// The file: "kernel: verdict" a line, "#" begins a comment.
std::map<std::string, std::string> expected() {
  std::map<std::string, std::string> all;
  std::ifstream in(TERN_TEST_DATA "/../cuda/certificates.txt");
  for (std::string line; std::getline(in, line);) {
    const size_t colon = line.find(": ");
    if (!line.empty() && line[0] != '#' && colon != std::string::npos) all[line.substr(0, colon)] = line.substr(colon + 2);
  }
  return all;
}

}  // namespace

TEST_CASE("certificates: which kernels are right for all inputs when they are for one, and which depend on data") {
  if (cuda::ptx_modules().empty()) return;
  ptxsim::Options options;
  options.taint = true;
  auto device = cuda::simulated_device(options, cuda::ptx_modules(), keep);
  REQUIRE(device.ok());
  compute_on(*device);
  run_all();
  compute_on(nullptr);
  for (const cuda::DeviceModule& m : cuda::ptx_modules()) {
    const auto module = ptxsim::Module::parse({reinterpret_cast<const char*>(m.image.data()), m.image.size()}, m.name);
    REQUIRE(module.ok());
    for (const std::string& kernel : module->kernels()) certificates.try_emplace(kernel);
  }
  if (const char* to = std::getenv("TERN_CERTIFICATES")) {
    std::ofstream out(to);
    for (const auto& [kernel, c] : certificates) {
      out << kernel << ": " << c.verdict() << "\n";
      for (const std::string& s : c.shapes) out << "# " << s;
      for (const std::string& s : c.at) out << "# " << s;
      out << "\n";
    }
  }
  const std::map<std::string, std::string> wanted = expected();
  for (const auto& [kernel, c] : certificates) {
    std::string lines;
    for (const std::string& s : c.at) lines += " " + s;
    CAPTURE(kernel);
    CAPTURE(lines);
    REQUIRE_MESSAGE(wanted.count(kernel) == 1, "no line in certificates.txt");
    CHECK(c.verdict() == wanted.at(kernel));
  }
  for (const auto& [kernel, verdict] : wanted) CHECK_MESSAGE(certificates.count(kernel) == 1, kernel << " is no kernel any more");
}

}  // namespace tern::test::in_certificates
