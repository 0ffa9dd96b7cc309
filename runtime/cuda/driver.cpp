// The NVIDIA driver behind Device: memory, modules, and a plan captured into one CUDA graph. See device.h, driver_api.h.
#include <dlfcn.h>

#include <cstring>
#include <map>
#include <mutex>

#include "runtime/cuda/cublas.h"
#include "runtime/cuda/device.h"
#include "runtime/cuda/driver_api.h"

namespace tern::cuda {
namespace {

constexpr int kOldestDriver = 12000;  // CUDA 12.0: PTX of nvcc 12, instantiating graphs with flags
constexpr int kOldestCard = 75;       // Turing

// "CUDA_ERROR_OUT_OF_MEMORY (out of memory)"
std::string text_of(const DriverApi& api, CuResult result) {
  const char *name = nullptr, *text = nullptr;
  if (api.cuGetErrorName(result, &name) != 0 || name == nullptr) name = "an unknown error";
  if (api.cuGetErrorString(result, &text) != 0) text = nullptr;
  return std::string(name) + (text != nullptr ? " (" + std::string(text) + ")" : "");
}

// The library stays open as long as the process: the driver does not like to be unloaded.
Result<DriverApi> open_driver() {
  void* library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return unsupported("there is no NVIDIA driver on this machine (libcuda.so.1 was not found): run on the CPU");
  DriverApi api;
#define TERN_FIND(name, ...)                                              \
  api.name = reinterpret_cast<decltype(api.name)>(dlsym(library, #name)); \
  if (api.name == nullptr) return unsupported("the NVIDIA driver is too old, it has no " #name ": CUDA 12.0 or newer is needed");
  TERN_CUDA_DRIVER(TERN_FIND)
#undef TERN_FIND
  return api;
}

// What the objects of one device share.
struct Context {
  DriverApi api;
  CuDevice device = 0;
  CuContext context = nullptr;
  ~Context() {
    if (context != nullptr) api.cuDevicePrimaryCtxRelease_v2(device);
  }
};
using SharedContext = std::shared_ptr<Context>;

// The calling thread works on this device as long as it lives.
class Current {
 public:
  explicit Current(const Context& c) : c_(c) { c_.api.cuCtxPushCurrent_v2(c_.context); }
  Current(const Current&) = delete;
  Current& operator=(const Current&) = delete;
  ~Current() {
    CuContext old;
    c_.api.cuCtxPopCurrent_v2(&old);
  }

 private:
  const Context& c_;
};

CuPointer address(const std::byte* p) { return reinterpret_cast<CuPointer>(p); }

class DriverRun : public DeviceRun {
 public:
  DriverRun(SharedContext context, bool block) : c_(std::move(context)), block_(block) {}
  ~DriverRun() override {
    const Current current(*c_);
    cublas_.reset();
    if (executable_ != nullptr) c_->api.cuGraphExecDestroy(executable_);
    for (CuEvent e : {events_[0], events_[1], done_}) {
      if (e != nullptr) c_->api.cuEventDestroy_v2(e);
    }
    if (stream_ != nullptr) c_->api.cuStreamDestroy_v2(stream_);
  }

  struct Node {
    Launch launch;
    CuFunction function = nullptr;
  };
  // `workspace`: of cuBLAS, null where nothing is computed by it.
  Status make(std::vector<Node> nodes, Memory workspace) {
    nodes_ = std::move(nodes);
    workspace_ = std::move(workspace);
    const DriverApi& api = c_->api;
    if (CuResult r = api.cuStreamCreate(&stream_, kCuNonBlocking); r != 0) return failed("a stream", r);
    if (workspace_ != nullptr) {
      auto cublas = Cublas::open(stream_, workspace_.get());
      if (!cublas) return cublas.error();
      cublas_ = std::move(*cublas);
    }
    if (CuResult r = api.cuStreamBeginCapture_v2(stream_, kCuCaptureThreadLocal); r != 0) return failed("capturing the plan", r);
    CuResult worst = 0;
    std::string where;
    for (const Node& n : nodes_) {
      if (worst != 0) break;
      worst = enqueue(n);
      where = n.launch.kind == Launch::Kind::kernel ? n.launch.kernel : n.launch.kind == Launch::Kind::product ? "a product by cuBLAS" : "a copy";
    }
    CuGraph graph = nullptr;
    const CuResult ended = api.cuStreamEndCapture(stream_, &graph);
    if (worst != 0) return failed(where, worst);
    if (ended != 0) return failed("capturing the plan", ended);
    CuResult r = api.cuGraphInstantiateWithFlags(&executable_, graph, 0);
    api.cuGraphDestroy(graph);
    if (r == 0) r = api.cuGraphUpload(executable_, stream_);
    if (r == 0) r = api.cuStreamSynchronize(stream_);
    if (r == 0 && block_) r = api.cuEventCreate(&done_, kCuBlockingSync | kCuDisableTiming);
    return r == 0 ? Status() : failed("the graph of the plan", r);
  }

  bool run() noexcept override {
    if (last_ != 0) return false;
    const Current current(*c_);
    last_ = c_->api.cuGraphLaunch(executable_, stream_);
    if (!block_) {
      if (last_ == 0) last_ = c_->api.cuStreamSynchronize(stream_);  // spins: so the context was made
      return last_ == 0;
    }
    if (last_ == 0) last_ = c_->api.cuEventRecord(done_, stream_);
    if (last_ == 0) last_ = c_->api.cuEventSynchronize(done_);
    return last_ == 0;
  }

  bool run_timed(std::span<double> ns) noexcept override {
    if (last_ != 0) return false;
    const Current current(*c_);
    const DriverApi& api = c_->api;
    for (size_t i = 0; i < 2; ++i) {
      if (events_[i] == nullptr && (last_ = api.cuEventCreate(&events_[i], 0)) != 0) return false;
    }
    for (size_t i = 0; i < nodes_.size() && i < ns.size(); ++i) {
      float milliseconds = 0;
      last_ = api.cuEventRecord(events_[0], stream_);
      if (last_ == 0) last_ = enqueue(nodes_[i]);
      if (last_ == 0) last_ = api.cuEventRecord(events_[1], stream_);
      if (last_ == 0) last_ = api.cuStreamSynchronize(stream_);
      if (last_ == 0) last_ = api.cuEventElapsedTime(&milliseconds, events_[0], events_[1]);
      if (last_ != 0) return false;
      ns[i] = 1e6 * static_cast<double>(milliseconds);
    }
    return true;
  }

  Status status() const override { return last_ == 0 ? Status() : failed("the last run", last_); }

 private:
  Error failed(const std::string& what, CuResult r) const { return unsupported("the GPU refused " + what + ": " + text_of(c_->api, r)); }

  CuResult enqueue(const Node& n) noexcept {
    const Launch& l = n.launch;
    const DriverApi& api = c_->api;
    const auto bytes = static_cast<size_t>(l.bytes);
    switch (l.kind) {
      case Launch::Kind::kernel: {
        void* parameter = const_cast<std::byte*>(l.args.data());
        return api.cuLaunchKernel(n.function, l.grid.x, l.grid.y, l.grid.z, l.block.x, l.block.y, l.block.z, l.shared, stream_, &parameter, nullptr);
      }
      case Launch::Kind::product: {
        CublasProduct product;
        std::memcpy(&product, l.args.data(), sizeof product);
        return cublas_->multiply(product) == 0 ? 0 : kCuUnknown;
      }
      case Launch::Kind::copy: return api.cuMemcpyDtoDAsync_v2(address(l.to), address(l.from), bytes, stream_);
      case Launch::Kind::zero: return api.cuMemsetD8Async(address(l.to), 0, bytes, stream_);
      case Launch::Kind::upload: return api.cuMemcpyHtoDAsync_v2(address(l.to), l.from, bytes, stream_);
      case Launch::Kind::download: return api.cuMemcpyDtoHAsync_v2(l.to, address(l.from), bytes, stream_);
    }
    return 0;
  }

  SharedContext c_;
  std::vector<Node> nodes_;
  Memory workspace_;
  std::unique_ptr<Cublas> cublas_;
  CuStream stream_ = nullptr;
  CuGraphExec executable_ = nullptr;
  const bool block_;
  CuEvent events_[2] = {nullptr, nullptr};
  CuEvent done_ = nullptr;  // of a run that blocks
  CuResult last_ = 0;
};

class DriverDevice : public Device {
 public:
  DriverDevice(SharedContext context, std::string name, std::span<const DeviceModule> images)
      : c_(std::move(context)), name_(std::move(name)), images_(images) {}
  ~DriverDevice() override {
    const Current current(*c_);
    for (const auto& [name, module] : modules_) c_->api.cuModuleUnload(module);
  }
  std::string name() const override { return name_; }

  Result<Memory> allocate(size_t bytes) override {
    const Current current(*c_);
    CuPointer p = 0;
    if (CuResult r = c_->api.cuMemAlloc_v2(&p, std::max<size_t>(bytes, 1)); r != 0) return no_memory(bytes, "", r);
    return Memory(reinterpret_cast<std::byte*>(p), [c = c_](std::byte* at) {
      const Current current(*c);
      c->api.cuMemFree_v2(address(at));
    });
  }
  Result<Memory> allocate_host(size_t bytes) override {
    const Current current(*c_);
    void* p = nullptr;
    if (CuResult r = c_->api.cuMemHostAlloc(&p, std::max<size_t>(bytes, 1), 0); r != 0) return no_memory(bytes, "pinned ", r);
    std::memset(p, 0, bytes);
    return Memory(static_cast<std::byte*>(p), [c = c_](std::byte* at) {
      const Current current(*c);
      c->api.cuMemFreeHost(at);
    });
  }
  Status upload(std::byte* to, std::span<const std::byte> from) override {
    if (from.empty()) return {};
    const Current current(*c_);
    const CuResult r = c_->api.cuMemcpyHtoD_v2(address(to), from.data(), from.size());
    return r == 0 ? Status() : unsupported("the GPU refused an upload of " + std::to_string(from.size()) + " bytes: " + text_of(c_->api, r));
  }
  Result<std::unique_ptr<DeviceRun>> prepare(std::span<const Launch> launches, bool block) override {
    const Current current(*c_);
    std::vector<DriverRun::Node> nodes;
    bool products = false;
    for (const Launch& l : launches) {
      auto f = l.kind == Launch::Kind::kernel ? function(l) : Result<CuFunction>(nullptr);
      if (!f) return f.error();
      nodes.push_back({l, *f});
      products = products || l.kind == Launch::Kind::product;
    }
    auto workspace = products ? allocate(kCublasWorkspace) : Result<Memory>(nullptr);
    if (!workspace) return workspace.error();
    auto run = std::make_unique<DriverRun>(c_, block);
    if (Status s = run->make(std::move(nodes), std::move(*workspace)); !s) return s.error();
    return std::unique_ptr<DeviceRun>(std::move(run));
  }

 private:
  Error no_memory(size_t bytes, const char* kind, CuResult r) const {
    return unsupported(name_ + " gave no " + std::to_string(bytes) + " bytes of " + kind + "memory: " + text_of(c_->api, r) +
                       "; bind smaller dimensions or run on the CPU");
  }

  Result<CuFunction> function(const Launch& l) {
    std::lock_guard lock(mutex_);
    auto& module = modules_[l.module];
    if (module == nullptr) {
      const DeviceModule* image = nullptr;
      for (const DeviceModule& m : images_) {
        if (std::string_view(m.name) == l.module) image = &m;
      }
      if (image == nullptr) return unsupported("this build carries no module " + std::string(l.module));
      if (CuResult r = c_->api.cuModuleLoadData(&module, image->image.data()); r != 0) {
        module = nullptr;
        return unsupported(name_ + " refused the module " + l.module + ": " + text_of(c_->api, r));
      }
    }
    CuFunction f = nullptr;
    CuResult r = c_->api.cuModuleGetFunction(&f, module, l.kernel);
    if (r == 0 && l.shared > 48 * 1024) r = c_->api.cuFuncSetAttribute(f, kCuMaxDynamicShared, static_cast<int>(l.shared));
    if (r == kCuNotFound)
      return unsupported(std::string("the kernel ") + l.kernel + " needs compute capability 8.0, more than " + name_ +
                         " has: choose another precision");
    if (r != 0) return unsupported(name_ + " refused the kernel " + l.kernel + ": " + text_of(c_->api, r));
    return f;
  }

  SharedContext c_;
  std::string name_;
  std::span<const DeviceModule> images_;
  std::mutex mutex_;
  std::map<std::string, CuModule> modules_;
};

}  // namespace

Result<std::shared_ptr<Device>> open_device(std::string_view name, std::span<const DeviceModule> modules) {
  if (modules.empty()) return unsupported("this build has no CUDA kernels: build it where nvcc is (TERN_CUDA=ON), or run on the CPU");
  auto api = open_driver();
  if (!api) return api.error();
  const auto failed = [&](const char* what, CuResult r) { return unsupported(std::string(what) + ": " + text_of(*api, r) + "; run on the CPU"); };
  if (CuResult r = api->cuInit(0); r != 0) return failed(r == kCuNoDevice ? "there is no NVIDIA GPU" : "the NVIDIA driver does not start", r);
  int version = 0, count = 0;
  if (CuResult r = api->cuDriverGetVersion(&version); r != 0) return failed("the NVIDIA driver does not tell its version", r);
  const auto dotted = [](int v) { return std::to_string(v / 1000) + "." + std::to_string(v % 1000 / 10); };
  if (version < kOldestDriver)
    return unsupported("the NVIDIA driver is of CUDA " + dotted(version) + ": " + dotted(kOldestDriver) + " or newer is needed");
  if (CuResult r = api->cuDeviceGetCount(&count); r != 0) return failed("the NVIDIA driver counts no GPUs", r);
  const size_t colon = name.find(':');
  const int index = colon == std::string_view::npos ? 0 : std::atoi(std::string(name.substr(colon + 1)).c_str());
  if (index >= count) return unsupported("there is no device cuda:" + std::to_string(index) + ": this machine has " + std::to_string(count));

  auto c = std::make_shared<Context>();
  c->api = *api;
  char text[256] = {};
  int major = 0, minor = 0;
  CuResult r = api->cuDeviceGet(&c->device, index);
  if (r == 0) r = api->cuDeviceGetName(text, sizeof text - 1, c->device);
  if (r == 0) r = api->cuDeviceGetAttribute(&major, kCuMajor, c->device);
  if (r == 0) r = api->cuDeviceGetAttribute(&minor, kCuMinor, c->device);
  if (r != 0) return failed("the GPU cannot be used", r);
  if (10 * major + minor < kOldestCard) {
    return unsupported(std::string(text) + " has compute capability " + std::to_string(major) + "." + std::to_string(minor) +
                       ": 7.5 or newer is needed");
  }
  api->cuDevicePrimaryCtxSetFlags_v2(c->device,
                                     kCuScheduleSpin);  // refused where another part of the process uses the device: then its way of waiting holds
  if (r = api->cuDevicePrimaryCtxRetain(&c->context, c->device); r != 0) return failed("the GPU cannot be used", r);
  return std::shared_ptr<Device>(std::make_shared<DriverDevice>(std::move(c), std::string(text) + ", driver of CUDA " + dotted(version), modules));
}

}  // namespace tern::cuda
