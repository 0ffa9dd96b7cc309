// tern beside onnxruntime in one process, in interleaved rounds, one thread each: the ratio of minima and of medians.
// Usage: peer_onnxruntime LIBONNXRUNTIME.SO MODEL.onnx...      (the library of the onnxruntime package; nothing of it is needed to build)
// Inputs are random, or what lies beside the model: MODEL.in, the bytes of one after another, a zero after each string.
// What has no session (strings, sequences, shapes that depend on data) is timed in Model::evaluate; onnxruntime allocates its outputs then, too.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <utility>

#include "onnxruntime_api.h"
#include "runtime/base/half.h"
#include "tern/tern.h"

namespace {

// Ends the process when something is wrong.
void must(const std::string& why) {
  if (why.empty()) return;
  std::fprintf(stderr, "onnxruntime: %s\n", why.c_str());
  std::exit(3);
}

void* tensor(const OnnxruntimeApi& ort, void* data, size_t bytes, const std::vector<int64_t>& dims, tern::DType dtype) {
  // ONNX's numbers of the dtypes, in the order of DType: none f64 f32 f16 bf16 i8 i16 i32 i64 u8 u16 u32 u64 bool
  constexpr int kTypes[] = {0, 11, 1, 10, 16, 3, 5, 6, 7, 2, 4, 12, 13, 9};
  void* value = nullptr;
  must(ort.tensor(data, bytes, dims, kTypes[static_cast<size_t>(dtype)], &value));
  return value;
}

double now_ns() { return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// Nanoseconds a call, several calls a sample so that the clock does not show.
template <class F>
void sample(F f, int calls, std::vector<double>& into) {
  const double begin = now_ns();
  for (int i = 0; i < calls; ++i) f();
  into.push_back((now_ns() - begin) / calls);
}

double median(std::vector<double> v) {
  std::nth_element(v.begin(), v.begin() + static_cast<long>(v.size() / 2), v.end());
  return v[v.size() / 2];
}

// Inputs as the file beside the model has them; false when there is none.
bool fill_from_file(tern::Session& session, const char* path) {
  std::ifstream file(std::filesystem::path(path).replace_extension(".in"), std::ios::binary);
  for (const auto& port : session.inputs()) {
    auto to = session.input_bytes(port.name);
    if (!file.read(reinterpret_cast<char*>(to.data()), static_cast<std::streamsize>(to.size()))) return false;
  }
  return true;
}
void fill_at_random(tern::Session& session) {
  std::mt19937 engine(1);
  for (const auto& port : session.inputs()) {
    for (float& x : session.input<float>(port.name)) x = static_cast<float>(engine()) / 2147483648.0f - 1;
    for (int64_t& id : session.input<int64_t>(port.name)) id = static_cast<int64_t>(engine() % 5000);
  }
}

double element(const std::byte* at, tern::DType dtype, size_t i) {
  double v = 0;
  tern::visit(dtype, [&]<class T>() {
    if constexpr (std::is_same_v<T, tern::f16> || std::is_same_v<T, tern::bf16>) v = tern::to_f32(reinterpret_cast<const T*>(at)[i]);
    else if constexpr (std::is_arithmetic_v<T>) v = static_cast<double>(reinterpret_cast<const T*>(at)[i]);
  });
  return v;
}
// The largest difference, relative to the largest finite element: both must compute the same.
double difference(const std::byte* mine, const std::byte* theirs, tern::DType dtype, size_t count) {
  double top = 1e-30, worst = 0;
  for (size_t i = 0; i < count; ++i) {
    const double v = std::fabs(element(theirs, dtype, i));
    if (std::isfinite(v)) top = std::max(top, v);
  }
  for (size_t i = 0; i < count; ++i) {
    const double a = element(mine, dtype, i), b = element(theirs, dtype, i);
    if (!(a == b || (a != a && b != b))) worst = std::max(worst, std::fabs(a - b) / top);
  }
  return worst;
}

// Interleaved rounds of both, and a line about them.
template <class Mine, class Theirs>
void report(const char* path, Mine run_tern, Theirs run_peer, double worst) {
  std::vector<double> a, b, probe;
  sample(run_peer, 5, probe);
  const int calls = std::max(1, static_cast<int>(100000 / std::max(1.0, probe[0])));
  for (int round = 0; round < 100; ++round) {
    sample(run_tern, calls, a);
    sample(run_peer, calls, b);
  }
  const double min_a = *std::min_element(a.begin(), a.end()), min_b = *std::min_element(b.begin(), b.end());
  std::printf("%-16s tern %9.3f us (median %9.3f)   onnxruntime %9.3f us (median %9.3f)   ratio of minima %.3f, of medians %.3f   error %.1e\n",
              std::filesystem::path(path).stem().c_str(), min_a / 1e3, median(a) / 1e3, min_b / 1e3, median(b) / 1e3, min_a / min_b,
              median(a) / median(b), worst);
}

// One input as both take it: elements of a model without a session.
tern::Array read_input(std::ifstream& file, const tern::Port& port) {
  tern::Array x{.dtype = port.dtype, .dims = {}, .bytes = {}, .strings = {}};
  size_t count = 1;
  for (const std::string& dim : port.shape) {
    x.dims.push_back(std::atoll(dim.c_str()));
    count *= static_cast<size_t>(x.dims.back());
  }
  if (port.dtype == tern::DType::string) {
    x.strings.resize(count);
    for (std::string& s : x.strings) std::getline(file, s, '\0');
  } else {
    x.bytes.resize(count * tern::size_of(port.dtype));
    file.read(reinterpret_cast<char*>(x.bytes.data()), static_cast<std::streamsize>(x.bytes.size()));
  }
  return x;
}
double difference(const OnnxruntimeApi& ort, const tern::Array& mine, void* theirs) {
  const bool text = mine.dtype == tern::DType::string;
  const size_t count = text ? mine.strings.size() : mine.bytes.size() / tern::size_of(mine.dtype);
  if (count != ort.count(theirs)) return HUGE_VAL;
  if (!text) return difference(mine.bytes.data(), ort.data(theirs), mine.dtype, count);
  std::string joined;
  for (const std::string& s : mine.strings) joined += s;
  return joined == ort.text(theirs) ? 0 : HUGE_VAL;
}
int compare_evaluated(const OnnxruntimeApi& ort, const tern::Model& model, const char* path) {
  std::ifstream file(std::filesystem::path(path).replace_extension(".in"), std::ios::binary);
  const auto inputs = model.inputs(), outputs = model.outputs();
  std::vector<tern::Array> arrays;
  std::vector<const char*> in_names, out_names;
  std::vector<void*> in(inputs.size());
  for (const auto& port : inputs) arrays.push_back(read_input(file, port));
  if (!file) return std::fprintf(stderr, "%s has no session, and no inputs beside it\n", path), 4;
  for (size_t i = 0; i < inputs.size(); ++i) {
    tern::Array& x = arrays[i];
    in_names.push_back(inputs[i].name.c_str());
    if (x.dtype == tern::DType::string) must(ort.strings(x.strings, x.dims, &in[i]));
    else in[i] = tensor(ort, x.bytes.data(), x.bytes.size(), x.dims, x.dtype);
  }
  for (const auto& port : outputs) out_names.push_back(port.name.c_str());
  void* peer = nullptr;
  must(ort.load(path, &peer));
  std::vector<void*> out(outputs.size());
  must(ort.run(peer, in_names, in, out_names, out));
  auto mine = model.evaluate(arrays);
  if (!mine) return std::fprintf(stderr, "%s: %s\n", path, mine.error().message().c_str()), 4;
  double worst = 0;
  for (size_t o = 0; o < out.size(); ++o) worst = std::max(worst, difference(ort, (*mine)[o], out[o]));
  auto run_peer = [&] {
    for (void*& value : out) ort.release(std::exchange(value, nullptr));
    must(ort.run(peer, in_names, in, out_names, out));
  };
  report(
      path, [&] { mine = model.evaluate(arrays); }, run_peer, worst);
  return 0;
}

int compare(const OnnxruntimeApi& ort, const char* path) {
  auto model = tern::load(path);
  if (!model) return std::fprintf(stderr, "%s\n", model.error().message().c_str()), 3;
  auto session = model->session();
  if (!session && session.error().code() == tern::Code::kUnsupported) return compare_evaluated(ort, *model, path);
  if (!session) return std::fprintf(stderr, "%s: %s\n", path, session.error().message().c_str()), 4;
  if (!fill_from_file(*session, path)) fill_at_random(*session);
  std::vector<const char*> in_names, out_names;
  std::vector<void*> in, out;
  std::vector<std::vector<std::byte>> buffers;
  buffers.reserve(64);
  for (const auto& port : session->inputs()) {
    auto bytes = session->input_bytes(port.name);
    buffers.emplace_back(bytes.begin(), bytes.end());
    in_names.push_back(port.name.c_str());
    in.push_back(tensor(ort, buffers.back().data(), bytes.size(), session->dims(port.name), port.dtype));
  }
  for (const auto& port : session->outputs()) {
    buffers.emplace_back(session->output_bytes(port.name).size());
    out_names.push_back(port.name.c_str());
    out.push_back(tensor(ort, buffers.back().data(), buffers.back().size(), session->dims(port.name), port.dtype));
  }
  void* peer = nullptr;
  must(ort.load(path, &peer));
  auto run_peer = [&] { must(ort.run(peer, in_names, in, out_names, out)); };
  auto run_tern = [&] { session->run(); };
  run_tern();
  run_peer();
  double worst = 0;
  for (size_t o = 0; o < out.size(); ++o) {
    const auto mine = session->output_bytes(out_names[o]);
    const tern::DType dtype = session->outputs()[o].dtype;
    worst = std::max(worst, difference(mine.data(), buffers[in.size() + o].data(), dtype, mine.size() / tern::size_of(dtype)));
  }
  report(path, run_tern, run_peer, worst);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return std::fprintf(stderr, "usage: peer_onnxruntime LIBONNXRUNTIME.SO MODEL.onnx...\n"), 2;
  const auto ort = OnnxruntimeApi::open(argv[1]);
  if (!ort) return 3;
  std::printf("onnxruntime %s\n", ort->version().c_str());
  int worst = 0;
  for (int i = 2; i < argc; ++i) worst = std::max(worst, compare(*ort, argv[i]));
  return worst;
}
