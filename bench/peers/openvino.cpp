// OpenVINO through its C API, whose few functions are declared here: nothing but its library is needed. See engine.h.
#include <dlfcn.h>

#include <cstdio>

#include "engine.h"

namespace {

struct Version {
  const char *build, *description;
};
struct Shape {
  int64_t rank;
  int64_t* dims;
};
constexpr int kF32 = 4, kI64 = 10;  // element types

class OpenVino : public Engine {
 public:
  explicit OpenVino(void* library) : library_(library) {}

  std::string name() const override {
    Version v{};
    function<int(Version*)>("ov_get_openvino_version")(&v);
    const std::string build = v.build == nullptr ? "" : v.build;
    return "OpenVINO " + build.substr(0, build.find('-'));
  }

  std::string load(const std::string& stem, const std::vector<Port>& inputs, const std::vector<Port>& outputs) override {
    void *core = nullptr, *compiled = nullptr;
    if (function<int(void**)>("ov_core_create")(&core) != 0) return "no core";
    const auto compile = function<int(void*, const char*, const char*, size_t, void**, ...)>("ov_core_compile_model_from_file");
    const int status = compile(core, (stem + ".onnx").c_str(), "CPU", 8, &compiled, "INFERENCE_NUM_THREADS", "1", "NUM_STREAMS", "1",
                               "INFERENCE_PRECISION_HINT", "f32", "PERFORMANCE_HINT", "LATENCY");
    if (status != 0) return "cannot compile: status " + std::to_string(status);
    if (function<int(void*, void**)>("ov_compiled_model_create_infer_request")(compiled, &request_) != 0) return "no request";
    infer_ = function<int(void*)>("ov_infer_request_infer");
    outputs_ = outputs;
    for (const auto* list : {&inputs, &outputs}) {
      for (const Port& p : *list) {
        std::vector<int64_t> dims = p.dims;
        void* tensor = nullptr;
        function<int(int, Shape, void*, void**)>("ov_tensor_create_from_host_ptr")(p.ints ? kI64 : kF32,
                                                                                   {static_cast<int64_t>(dims.size()), dims.data()}, p.data, &tensor);
        if (function<int(void*, const char*, const void*)>("ov_infer_request_set_tensor")(request_, p.name.c_str(), tensor) != 0) {
          return "cannot bind " + p.name;
        }
      }
    }
    return infer_(request_) == 0 ? "" : "cannot run";
  }
  void run() override { infer_(request_); }
  const void* output(size_t i) override { return outputs_[i].data; }

 private:
  template <class F>
  F* function(const char* symbol) const {
    return reinterpret_cast<F*>(dlsym(library_, symbol));
  }
  void *library_, *request_ = nullptr;
  int (*infer_)(void*) = nullptr;
  std::vector<Port> outputs_;
};

}  // namespace

std::unique_ptr<Engine> open_openvino(const char* library) {
  void* handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return std::fprintf(stderr, "%s\n", dlerror()), nullptr;
  return std::make_unique<OpenVino>(handle);
}
