// Engine: one way to run a net, tern's or a peer's, behind the same few calls. Every engine gets the same bound inputs and outputs, one thread, and
// no copy that its users could leave out. A process loads one net, once in each engine. Next: main.cpp.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

// An input or output: f32 or i64 elements in memory of the caller.
struct Port {
  std::string name;
  bool ints = false;
  std::vector<int64_t> dims;
  std::byte* data = nullptr;
  size_t bytes = 0;
};

class Engine {
 public:
  virtual ~Engine() = default;
  virtual std::string name() const = 0;  // with its version: "onnxruntime 1.32.0"
  // The net STEM.onnx, or in the engine's own format beside it; an empty string, or why it cannot.
  virtual std::string load(const std::string& stem, const std::vector<Port>& inputs, const std::vector<Port>& outputs) = 0;
  virtual void run() = 0;
  // The elements of output i after run(): in the caller's memory where the engine can write there.
  virtual const void* output(size_t i) = 0;
};

// Each: null, and a line on stderr, when its library cannot be opened. A plugin exports `extern "C" Engine* open_engine()`: torchscript.cpp, which is
// built with its engine's headers.
std::unique_ptr<Engine> open_onnxruntime(const char* library);
std::unique_ptr<Engine> open_openvino(const char* library);
std::unique_ptr<Engine> open_litert(const char* library);
std::unique_ptr<Engine> open_plugin(const char* library);
