// onnxruntime through its C API, a table of function pointers that only grows at its end: nothing but its library is needed. See engine.h.
#include <dlfcn.h>

#include <cstdio>

#include "engine.h"

namespace {

struct ApiBase {
  const void* const* (*get_api)(uint32_t version);
  const char* (*version)();
};
enum Slot {
  kErrorMessage = 2,
  kCreateEnv = 3,
  kCreateSession = 7,
  kRun = 9,
  kCreateOptions = 10,
  kOptimization = 23,
  kIntraThreads = 24,
  kInterThreads = 25,
  kCreateTensor = 49,
  kMemoryInfo = 69
};

class Onnxruntime : public Engine {
 public:
  explicit Onnxruntime(const ApiBase& base) : version_(base.version()), table_(base.get_api(17)) {}

  std::string name() const override { return "onnxruntime " + version_; }

  std::string load(const std::string& stem, const std::vector<Port>& inputs, const std::vector<Port>& outputs) override {
    void *env = nullptr, *options = nullptr;
    call<int, const char*, void**>(kCreateEnv, 3, "tern", &env);
    call<int, int, void**>(kMemoryInfo, 0, 0, &memory_);
    call<void**>(kCreateOptions, &options);
    call<void*, int>(kOptimization, options, 99);
    call<void*, int>(kIntraThreads, options, 1);
    call<void*, int>(kInterThreads, options, 1);
    std::string why = call<void*, const char*, void*, void**>(kCreateSession, env, (stem + ".onnx").c_str(), options, &session_);
    if (!why.empty()) return why;
    inputs_ = inputs;
    outputs_ = outputs;
    for (const Port& p : inputs_) bind(p, in_names_, in_);
    for (const Port& p : outputs_) bind(p, out_names_, out_);
    return call_run();
  }
  void run() override { call_run(); }
  const void* output(size_t i) override { return outputs_[i].data; }

 private:
  template <class... Args>
  std::string call(Slot slot, Args... args) {
    void* status = reinterpret_cast<void* (*)(Args...)>(const_cast<void*>(table_[slot]))(args...);
    return status == nullptr ? "" : reinterpret_cast<const char* (*)(void*)>(const_cast<void*>(table_[kErrorMessage]))(status);
  }
  void bind(const Port& p, std::vector<const char*>& names, std::vector<void*>& values) {
    void* value = nullptr;
    call<void*, void*, size_t, const int64_t*, size_t, int, void**>(kCreateTensor, memory_, p.data, p.bytes, p.dims.data(), p.dims.size(),
                                                                    p.ints ? 7 : 1, &value);
    names.push_back(p.name.c_str());
    values.push_back(value);
  }
  std::string call_run() {
    return call<void*, void*, const char* const*, void* const*, size_t, const char* const*, size_t, void**>(
        kRun, session_, nullptr, in_names_.data(), in_.data(), in_.size(), out_names_.data(), out_.size(), out_.data());
  }

  std::string version_;
  const void* const* table_;
  void *memory_ = nullptr, *session_ = nullptr;
  std::vector<Port> inputs_, outputs_;
  std::vector<const char*> in_names_, out_names_;
  std::vector<void*> in_, out_;
};

}  // namespace

std::unique_ptr<Engine> open_onnxruntime(const char* library) {
  void* handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  auto* get = handle == nullptr ? nullptr : reinterpret_cast<const ApiBase* (*)()>(dlsym(handle, "OrtGetApiBase"));
  if (get == nullptr) return std::fprintf(stderr, "%s\n", dlerror()), nullptr;
  return std::make_unique<Onnxruntime>(*get());
}
