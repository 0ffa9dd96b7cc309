// LiteRT (STEM.tflite) through the C API of its library, whose few functions are declared here: nothing else of it is needed. Its CPU kernels are
// XNNPACK's. Checked with 2.3.0. See engine.h.
#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "engine.h"

namespace {

constexpr int kCpu = 1;         // a set of accelerators
constexpr int kInt32 = 2;       // an element type
struct alignas(8) TensorType {  // its element type, then its layout: 72 bytes that we only hand on
  int32_t element;
  std::array<int32_t, 31> rest;
};

class LiteRt : public Engine {
 public:
  LiteRt(void* library, std::string version) : library_(library), version_(std::move(version)) {}

  std::string name() const override { return "LiteRT " + version_; }

  std::string load(const std::string& stem, const std::vector<Port>& inputs, const std::vector<Port>& outputs) override {
    void *model = nullptr, *options = nullptr, *threads = nullptr, *signature = nullptr;
    if (environment_ == nullptr && call<int, const void*, void**>("LiteRtCreateEnvironment", 0, nullptr, &environment_)) return "no environment";
    if (call<void*, const char*, void**>("LiteRtCreateModelFromFile", environment_, (stem + ".tflite").c_str(), &model)) return "no .tflite";
    call<void**>("LiteRtCreateOptions", &options);
    call<void*, int>("LiteRtSetOptionsHardwareAccelerators", options, kCpu);
    call<const char*, void*, void (*)(void*), void**>("LiteRtCreateOpaqueOptions", "xnnpack", strdup("num_threads = 1\n"), std::free, &threads);
    call<void*, void*>("LiteRtAddOpaqueOptions", options, threads);
    if (call<void*, void*, void*, void**>("LiteRtCreateCompiledModel", environment_, model, options, &compiled_)) return "cannot compile";
    if (call<void*, size_t, void**>("LiteRtGetModelSignature", model, 0, &signature)) return "no signature";
    outputs_ = outputs;
    for (const bool in : {true, false}) {
      if (std::string why = bind(signature, in, in ? inputs : outputs, in ? in_ : out_); !why.empty()) return why;
    }
    run_ = function<int(void*, size_t, size_t, void**, size_t, void**)>("LiteRtRunCompiledModel");
    return run_(compiled_, 0, in_.size(), in_.data(), out_.size(), out_.data()) == 0 ? "" : "cannot run";
  }
  void run() override { run_(compiled_, 0, in_.size(), in_.data(), out_.size(), out_.data()); }
  const void* output(size_t i) override { return outputs_[i].data; }

 private:
  // A buffer over the memory of each port, in the order of the signature. Its names end with the port's number: args_0, output_0.
  std::string bind(void* signature, bool in, const std::vector<Port>& ports, std::vector<void*>& buffers) {
    buffers.assign(ports.size(), nullptr);
    for (size_t i = 0; i < ports.size(); ++i) {
      const char* name = "";
      void* tensor = nullptr;
      TensorType type{};
      call<void*, size_t, const char**>(in ? "LiteRtGetSignatureInputName" : "LiteRtGetSignatureOutputName", signature, i, &name);
      const char* number = std::strrchr(name, '_');
      const size_t at = number == nullptr ? i : static_cast<size_t>(std::atoi(number + 1));
      if (at >= ports.size()) return std::string("no port for ") + name;
      const Port& p = ports[at];
      call<void*, size_t, void**>(in ? "LiteRtGetSignatureInputTensorByIndex" : "LiteRtGetSignatureOutputTensorByIndex", signature, i, &tensor);
      call<void*, TensorType*>("LiteRtGetRankedTensorType", tensor, &type);
      std::byte* data = p.data;
      size_t bytes = p.bytes;
      if (p.ints && type.element == kInt32) {  // the converter's choice; what a caller would hand over then
        const auto* ids = reinterpret_cast<const int64_t*>(p.data);
        bytes /= 2;
        data = static_cast<std::byte*>(std::aligned_alloc(64, (bytes + 127) / 64 * 64));
        std::copy_n(ids, bytes / sizeof(int32_t), reinterpret_cast<int32_t*>(data));
      }
      if (call<const TensorType*, void*, size_t, void (*)(void*), void**>("LiteRtCreateTensorBufferFromHostMemory", &type, data, bytes, nullptr,
                                                                          &buffers[i])) {
        return "cannot bind " + p.name;
      }
    }
    return "";
  }
  template <class F>
  F* function(const char* symbol) const {
    return reinterpret_cast<F*>(dlsym(library_, symbol));
  }
  template <class... Args>
  int call(const char* symbol, Args... args) const {  // 0: done
    return function<int(Args...)>(symbol)(args...);
  }

  void* library_;
  std::string version_;
  void *environment_ = nullptr, *compiled_ = nullptr;
  int (*run_)(void*, size_t, size_t, void**, size_t, void**) = nullptr;
  std::vector<Port> outputs_;
  std::vector<void*> in_, out_;
};

// The library does not say its version; the package's folder beside its own does: ai_edge_litert-2.3.0.dist-info.
std::string version_beside(const std::filesystem::path& library) {
  constexpr std::string_view kStart = "ai_edge_litert-";
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(library.parent_path().parent_path(), none)) {
    const std::string name = entry.path().filename();
    if (name.starts_with(kStart)) return name.substr(kStart.size(), name.find(".dist-info") - kStart.size());
  }
  return "";
}

}  // namespace

std::unique_ptr<Engine> open_litert(const char* library) {
  void* handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return std::fprintf(stderr, "%s\n", dlerror()), nullptr;
  return std::make_unique<LiteRt>(handle, version_beside(library));
}
