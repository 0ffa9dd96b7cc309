// onnxruntime as an engine of bench_peers. See engine.h.
#include "engine.h"
#include "onnxruntime_api.h"

namespace {

class Onnxruntime : public Engine {
 public:
  explicit Onnxruntime(OnnxruntimeApi api) : api_(std::move(api)) {}

  std::string name() const override { return "onnxruntime " + api_.version(); }

  std::string load(const std::string& stem, const std::vector<Port>& inputs, const std::vector<Port>& outputs) override {
    if (std::string why = api_.load((stem + ".onnx").c_str(), &session_); !why.empty()) return why;
    inputs_ = inputs;
    outputs_ = outputs;
    for (auto* names : {&in_names_, &out_names_}) names->clear();  // of an earlier load
    for (auto* values : {&in_, &out_}) values->clear();
    for (const Port& p : inputs_) bind(p, in_names_, in_);
    for (const Port& p : outputs_) bind(p, out_names_, out_);
    return api_.run(session_, in_names_, in_, out_names_, out_);
  }
  void run() override { api_.run(session_, in_names_, in_, out_names_, out_); }
  const void* output(size_t i) override { return outputs_[i].data; }

 private:
  void bind(const Port& p, std::vector<const char*>& names, std::vector<void*>& values) {
    void* value = nullptr;
    api_.tensor(p.data, p.bytes, p.dims, p.ints ? 7 : 1, &value);
    names.push_back(p.name.c_str());
    values.push_back(value);
  }

  OnnxruntimeApi api_;
  void* session_ = nullptr;
  std::vector<Port> inputs_, outputs_;
  std::vector<const char*> in_names_, out_names_;
  std::vector<void*> in_, out_;
};

}  // namespace

std::unique_ptr<Engine> open_onnxruntime(const char* library) {
  auto api = OnnxruntimeApi::open(library);
  return api ? std::make_unique<Onnxruntime>(std::move(*api)) : nullptr;
}
