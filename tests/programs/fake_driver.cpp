// A libcuda.so.1 for machines without a GPU: the driver's entry points that tern calls (runtime/cuda/driver_api.h), with ptxsim behind them. So the code that
// talks to the driver runs in the tests, to its end and into every error. It checks what a driver would not forgive: calls in another order, memory that is
// not its own, captures left open. Under the name libcublas.so.13 the same file is a cuBLAS (runtime/cuda/cublas.h), whose products are plain C++ on that
// memory, in graphs too. TERN_FAKE_CUDA says what is wrong with this machine:
//   no_device  old_driver  old_card  turing (compute capability 7.5)  no_cublas  no_memory (allocations beyond 4 KB)
//   refused_module  failing_launch (the third launch of a graph, and no other)
//   TERN_FAKE_CUDA_LOG=FILE   every call, a line each
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/cuda/modules.h"
#include "tools/ptxsim/ptxsim.h"

namespace {

constexpr int kInvalid = 1, kOutOfMemory = 2, kNoDevice = 100, kNotFound = 500, kLaunchFailed = 719, kNotSupported = 801;

struct Function {
  const ptxsim::Module* module;
  std::string name;
  size_t bytes;
  int most_shared = 48 * 1024;
};
struct Work {  // of a stream, a captured graph
  enum { kernel, to_device, to_host, within, fill, product } kind;
  const Function* function = nullptr;
  ptxsim::Dim3 grid = {}, block = {};
  unsigned shared = 0;
  std::vector<std::byte> params = {};
  uint64_t device = 0, other = 0;
  void* host = nullptr;
  size_t bytes = 0;
  unsigned char value = 0;
  struct Product {
    int transposed_a, transposed_b, m, n, k, lda, ldb, ldc, batches;
    float alpha;
    uint64_t a, b, c;
    long long step_a, step_b, step_c;
  } blas = {};
};
using Graph = std::vector<Work>;
struct Event {
  unsigned flags;
  bool recorded;
};

struct State {
  ptxsim::Machine machine;
  std::map<std::string, ptxsim::Module> modules;
  std::map<void*, size_t> pinned;
  std::vector<std::unique_ptr<Function>> functions;
  std::unique_ptr<Graph> capture;
  int contexts = 0, launches = 0;
  bool retained = false;
  std::FILE* log = nullptr;
};
State& state() {
  static State s;
  return s;
}

bool wrong(const char* what) {
  const char* wanted = std::getenv("TERN_FAKE_CUDA");
  return wanted != nullptr && std::strcmp(wanted, what) == 0;
}
void say(const char* format, ...) {
  static const char* const path = std::getenv("TERN_FAKE_CUDA_LOG");
  if (path == nullptr) return;
  if (state().log == nullptr) state().log = std::fopen(path, "w");
  va_list arguments;
  va_start(arguments, format);
  std::vfprintf(state().log, format, arguments);
  va_end(arguments);
  std::fflush(state().log);
}
[[noreturn]] void misuse(const char* what) {
  std::fprintf(stderr, "fake driver: %s\n", what);
  std::abort();
}
void needs_context() {
  if (state().contexts == 0) misuse("no context is current");
}
bool is_pinned(const void* p, size_t bytes) {
  const auto at = reinterpret_cast<uintptr_t>(p);
  for (const auto& [begin, size] : state().pinned) {
    if (at >= reinterpret_cast<uintptr_t>(begin) && at + bytes <= reinterpret_cast<uintptr_t>(begin) + size) return true;
  }
  return false;
}

// Column-major c = alpha a b, in double.
int multiply(ptxsim::Machine& m, const Work::Product& p) {
  const auto at = [](uint64_t base, long long step, int batch, long long index) { return base + 4 * static_cast<uint64_t>(step * batch + index); };
  for (int batch = 0; batch < p.batches; ++batch) {
    for (int i = 0; i < p.m; ++i) {
      for (int j = 0; j < p.n; ++j) {
        double sum = 0;
        for (int k = 0; k < p.k; ++k) {
          float a = 0, b = 0;
          const long long ai = p.transposed_a ? k + 1LL * i * p.lda : i + 1LL * k * p.lda,
                          bi = p.transposed_b ? j + 1LL * k * p.ldb : k + 1LL * j * p.ldb;
          if (!m.read(&a, at(p.a, p.step_a, batch, ai), 4) || !m.read(&b, at(p.b, p.step_b, batch, bi), 4)) return kInvalid;
          sum += static_cast<double>(a) * static_cast<double>(b);
        }
        const auto c = static_cast<float>(static_cast<double>(p.alpha) * sum);
        if (!m.write(at(p.c, p.step_c, batch, i + 1LL * j * p.ldc), &c, 4)) return kInvalid;
      }
    }
  }
  return 0;
}

int execute(const Work& w) {
  ptxsim::Machine& m = state().machine;
  switch (w.kind) {
    case Work::kernel: {
      auto result = m.launch(*w.function->module, w.function->name, w.grid, w.block, w.shared, w.params, {});
      if (!result) return std::fprintf(stderr, "fake driver: %s\n", result.error().message().c_str()), kLaunchFailed;
      for (const auto& f : result->findings) std::fprintf(stderr, "fake driver: %s\n", f.to_text().c_str());
      return result->findings.empty() ? 0 : kLaunchFailed;
    }
    case Work::product: return multiply(m, w.blas);
    case Work::to_device: return m.write(w.device, w.host, w.bytes) ? 0 : kInvalid;
    case Work::to_host: return m.read(w.host, w.device, w.bytes) ? 0 : kInvalid;
    case Work::within: {
      std::vector<std::byte> between(w.bytes);
      return m.read(between.data(), w.other, w.bytes) && m.write(w.device, between.data(), w.bytes) ? 0 : kInvalid;
    }
    case Work::fill: {
      const std::vector<unsigned char> bytes(w.bytes, w.value);
      return m.write(w.device, bytes.data(), w.bytes) ? 0 : kInvalid;
    }
  }
  return kInvalid;
}
int enqueue(Work w) {
  needs_context();
  if (state().capture == nullptr) return execute(w);
  if ((w.kind == Work::to_device || w.kind == Work::to_host) && !is_pinned(w.host, w.bytes)) misuse("a captured copy of memory that is not pinned");
  state().capture->push_back(std::move(w));
  return 0;
}

}  // namespace

extern "C" {
int cuInit(unsigned) { return say("cuInit\n"), wrong("no_device") ? kNoDevice : 0; }
int cuDriverGetVersion(int* version) { return *version = wrong("old_driver") ? 11040 : 12040, 0; }
int cuGetErrorName(int r, const char** name) {
  *name = r == kOutOfMemory    ? "CUDA_ERROR_OUT_OF_MEMORY"
          : r == kNoDevice     ? "CUDA_ERROR_NO_DEVICE"
          : r == kLaunchFailed ? "CUDA_ERROR_LAUNCH_FAILED"
                               : "CUDA_ERROR_OTHER";
  return 0;
}
int cuGetErrorString(int, const char** text) { return *text = "as the fake driver was told", 0; }
int cuDeviceGetCount(int* count) { return *count = 1, 0; }
int cuDeviceGet(int* device, int index) { return *device = index, index == 0 ? 0 : kInvalid; }
int cuDeviceGetName(char* name, int size, int) { return std::snprintf(name, static_cast<size_t>(size), "Fake GPU"), 0; }
int cuDeviceGetAttribute(int* value, int attribute, int) {
  const bool turing = wrong("turing");
  return *value = attribute == 75 ? (wrong("old_card") ? 6 : turing ? 7 : 8) : turing ? 5 : 0, 0;
}
int cuDevicePrimaryCtxSetFlags_v2(int, unsigned) { return 0; }
int cuDevicePrimaryCtxRetain(void** context, int) { return *context = &state(), state().retained = true, 0; }
int cuDevicePrimaryCtxRelease_v2(int) {
  if (state().contexts != 0) misuse("the context is released while it is current");
  return 0;
}
int cuCtxPushCurrent_v2(void* context) {
  if (context != &state() || !state().retained) misuse("a context that nobody retained");
  return ++state().contexts, 0;
}
int cuCtxPopCurrent_v2(void** context) {
  needs_context();
  return *context = &state(), --state().contexts, 0;
}
int cuMemAlloc_v2(unsigned long long* p, size_t bytes) {
  needs_context();
  say("cuMemAlloc %zu\n", bytes);
  if (wrong("no_memory") && bytes > 4096) return kOutOfMemory;
  auto at = state().machine.allocate(bytes);
  if (!at) return kOutOfMemory;
  return *p = *at, 0;
}
int cuMemFree_v2(unsigned long long p) {
  needs_context();
  return state().machine.free(p), 0;
}
int cuMemHostAlloc(void** p, size_t bytes, unsigned) {
  needs_context();
  *p = std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  return state().pinned[*p] = bytes, 0;
}
int cuMemFreeHost(void* p) {
  if (state().pinned.erase(p) == 0) misuse("freeing host memory that is not pinned");
  return std::free(p), 0;
}
int cuMemcpyHtoD_v2(unsigned long long to, const void* from, size_t bytes) {
  needs_context();
  say("cuMemcpyHtoD %zu\n", bytes);
  return state().machine.write(to, from, bytes) ? 0 : kInvalid;
}
int cuMemcpyHtoDAsync_v2(unsigned long long to, const void* from, size_t bytes, void*) {
  Work w{Work::to_device};
  w.device = to, w.host = const_cast<void*>(from), w.bytes = bytes;
  return enqueue(std::move(w));
}
int cuMemcpyDtoHAsync_v2(void* to, unsigned long long from, size_t bytes, void*) {
  Work w{Work::to_host};
  w.device = from, w.host = to, w.bytes = bytes;
  return enqueue(std::move(w));
}
int cuMemcpyDtoDAsync_v2(unsigned long long to, unsigned long long from, size_t bytes, void*) {
  Work w{Work::within};
  w.device = to, w.other = from, w.bytes = bytes;
  return enqueue(std::move(w));
}
int cuMemsetD8Async(unsigned long long to, unsigned char value, size_t bytes, void*) {
  Work w{Work::fill};
  w.device = to, w.value = value, w.bytes = bytes;
  return enqueue(std::move(w));
}
// The image's own kernels cannot be told apart here: a function is looked for in the PTX of all modules. Names are unique in the project.
int cuModuleLoadData(void** module, const void* image) {
  needs_context();
  constexpr unsigned kFatbin = 0xba55ed50u;
  unsigned magic = 0;
  std::memcpy(&magic, image, sizeof magic);
  if (magic != kFatbin) misuse("a module that is no fat binary");
  if (wrong("refused_module")) return kNotSupported;
  return *module = const_cast<void*>(image), 0;
}
int cuModuleUnload(void*) { return 0; }
int cuModuleGetFunction(void** function, void*, const char* name) {
  for (const auto& m : wrong("turing") ? tern::cuda::ptx_modules_75() : tern::cuda::ptx_modules()) {
    const std::string_view text(reinterpret_cast<const char*>(m.image.data()), m.image.size());
    if (text.find(".entry " + std::string(name) + "(") == text.npos) continue;
    auto at = state().modules.find(m.name);
    if (at == state().modules.end()) {
      auto parsed = ptxsim::Module::parse(text, m.name);
      if (!parsed) return kInvalid;
      at = state().modules.emplace(m.name, std::move(*parsed)).first;
    }
    auto info = at->second.find(name);
    if (!info) return kInvalid;
    state().functions.push_back(std::make_unique<Function>(Function{&at->second, name, info->parameter_bytes}));
    return *function = state().functions.back().get(), 0;
  }
  return kNotFound;
}
int cuFuncSetAttribute(void* function, int, int value) { return static_cast<Function*>(function)->most_shared = value, 0; }
int cuLaunchKernel(void* function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, void*,
                   void** params, void**) {
  auto* f = static_cast<Function*>(function);
  if (shared > static_cast<unsigned>(f->most_shared) || gx == 0 || gy == 0 || gz == 0 || gy > 65535 || gz > 65535 || bx * by * bz > 1024)
    return kInvalid;
  Work w{Work::kernel};
  w.function = f;
  w.grid = {gx, gy, gz}, w.block = {bx, by, bz}, w.shared = shared;
  const auto* bytes = static_cast<const std::byte*>(params[0]);
  w.params.assign(bytes, bytes + f->bytes);
  return enqueue(std::move(w));
}
int cuStreamCreate(void** stream, unsigned) {
  needs_context();
  return *stream = new char, 0;
}
int cuStreamDestroy_v2(void* stream) { return delete static_cast<char*>(stream), 0; }
int cuStreamBeginCapture_v2(void*, int) {
  if (state().capture != nullptr) misuse("a capture within a capture");
  return state().capture = std::make_unique<Graph>(), 0;
}
int cuStreamEndCapture(void*, void** graph) {
  if (state().capture == nullptr) misuse("no capture to end");
  return *graph = state().capture.release(), 0;
}
int cuStreamSynchronize(void*) { return say("cuStreamSynchronize\n"), 0; }
int cuGraphInstantiateWithFlags(void** executable, void* graph, unsigned long long) {
  return *executable = new Graph(*static_cast<Graph*>(graph)), 0;
}
int cuGraphUpload(void*, void*) { return 0; }
int cuGraphLaunch(void* executable, void*) {
  needs_context();
  say("cuGraphLaunch of %zu\n", static_cast<Graph*>(executable)->size());
  if (wrong("failing_launch") && ++state().launches == 3) return kLaunchFailed;
  for (const Work& w : *static_cast<Graph*>(executable)) {
    if (int r = execute(w); r != 0) return r;
  }
  return 0;
}
int cuGraphExecDestroy(void* executable) { return delete static_cast<Graph*>(executable), 0; }
int cuGraphDestroy(void* graph) { return delete static_cast<Graph*>(graph), 0; }
int cuEventCreate(void** event, unsigned flags) {
  needs_context();
  return *event = new Event{flags, false}, 0;
}
int cuEventRecord(void* event, void*) { return static_cast<Event*>(event)->recorded = true, 0; }
int cuEventSynchronize(void* event) {
  auto* e = static_cast<Event*>(event);
  if ((e->flags & 1) == 0) misuse("waiting asleep for an event that was not made for it");
  if (!std::exchange(e->recorded, false)) misuse("waiting for an event that was not recorded");
  return say("cuEventSynchronize\n"), 0;
}
int cuEventElapsedTime(float* milliseconds, void*, void*) { return *milliseconds = 0.001f, 0; }
int cuEventDestroy_v2(void* event) { return delete static_cast<Event*>(event), 0; }

// ---- cuBLAS: a handle says which stream and workspace it was given ----

struct Handle {
  void *stream = nullptr, *workspace = nullptr;
};
int cublasCreate_v2(void** handle) {
  needs_context();
  say("cublasCreate\n");
  return *handle = new Handle, wrong("no_cublas") ? 1 : 0;
}
int cublasDestroy_v2(void* handle) {
  needs_context();
  return delete static_cast<Handle*>(handle), 0;
}
int cublasSetStream_v2(void* handle, void* stream) { return *static_cast<Handle*>(handle) = {stream, nullptr}, 0; }
int cublasSetWorkspace_v2(void* handle, void* workspace, size_t) { return static_cast<Handle*>(handle)->workspace = workspace, 0; }
int cublasGemmStridedBatchedEx(void* handle, int ta, int tb, int m, int n, int k, const void* alpha, const void* a, int type_a, int lda,
                               long long step_a, const void* b, int type_b, int ldb, long long step_b, const void* beta, void* c, int type_c, int ldc,
                               long long step_c, int batches, int compute, int algorithm) {
  const auto* h = static_cast<Handle*>(handle);
  say("cublasGemmStridedBatchedEx %d %d %d batches %d compute %d\n", m, n, k, batches, compute);
  if (h->stream == nullptr || h->workspace == nullptr) misuse("a product without a stream or a workspace");
  if (m < 1 || n < 1 || k < 1 || batches < 1 || type_a != 0 || type_b != 0 || type_c != 0 || algorithm != -1 ||
      *static_cast<const float*>(beta) != 0 || lda < (ta ? k : m) || ldb < (tb ? n : k) || ldc < m) {
    return kInvalid;
  }
  Work w{Work::product};
  w.blas = {ta,
            tb,
            m,
            n,
            k,
            lda,
            ldb,
            ldc,
            batches,
            *static_cast<const float*>(alpha),
            reinterpret_cast<uint64_t>(a),
            reinterpret_cast<uint64_t>(b),
            reinterpret_cast<uint64_t>(c),
            step_a,
            step_b,
            step_c};
  return enqueue(std::move(w));
}
}
