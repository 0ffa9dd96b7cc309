// onnxruntime's C API: a table of function pointers that only grows at its end, so its library is opened by path and nothing else of it is needed.
// The slots that are used are numbered here. Next: onnxruntime.cpp, onnxruntime_engine.cpp.
#pragma once
#include <dlfcn.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

class OnnxruntimeApi {
 public:
  enum Slot {
    kErrorMessage = 2,
    kCreateEnv = 3,
    kCreateSession = 7,
    kRun = 9,
    kCreateOptions = 10,
    kOptimization = 23,
    kIntraThreads = 24,
    kInterThreads = 25,
    kCreateOwnTensor = 48,
    kCreateTensor = 49,
    kTensorData = 51,
    kFillStrings = 52,
    kStringBytes = 53,
    kStringContent = 54,
    kElementCount = 64,
    kTensorShape = 65,
    kMemoryInfo = 69,
    kAllocator = 78,
    kReleaseValue = 96,
    kReleaseShape = 99
  };

  // Nothing, and a line on stderr, when the library cannot be opened.
  static std::optional<OnnxruntimeApi> open(const char* library) {
    struct Base {
      const void* const* (*get_api)(uint32_t version);
      const char* (*version)();
    };
    void* handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    auto* get = handle == nullptr ? nullptr : reinterpret_cast<const Base* (*)()>(dlsym(handle, "OrtGetApiBase"));
    if (get == nullptr) return std::fprintf(stderr, "%s\n", dlerror()), std::nullopt;
    OnnxruntimeApi api;
    api.version_ = get()->version();
    api.table_ = get()->get_api(17);
    return api;
  }
  const std::string& version() const { return version_; }

  // What is wrong; empty when nothing is.
  template <class... Args>
  std::string call(Slot slot, Args... args) const {
    void* status = reinterpret_cast<void* (*)(Args...)>(const_cast<void*>(table_[slot]))(args...);
    return status == nullptr ? "" : reinterpret_cast<const char* (*)(void*)>(const_cast<void*>(table_[kErrorMessage]))(status);
  }
  // A session of one thread.
  std::string load(const char* path, void** session) const {
    void *env = nullptr, *options = nullptr;
    call<int, const char*, void**>(kCreateEnv, 3, "tern", &env);
    call<void**>(kCreateOptions, &options);
    call<void*, int>(kOptimization, options, 99);
    call<void*, int>(kIntraThreads, options, 1);
    call<void*, int>(kInterThreads, options, 1);
    return call<void*, const char*, void*, void**>(kCreateSession, env, path, options, session);
  }
  // A tensor over memory of the caller's; `type` is ONNX's number of its dtype.
  std::string tensor(void* data, size_t bytes, const std::vector<int64_t>& dims, int type, void** value) const {
    void* memory = nullptr;
    call<int, int, void**>(kMemoryInfo, 0, 0, &memory);
    return call<void*, void*, size_t, const int64_t*, size_t, int, void**>(kCreateTensor, memory, data, bytes, dims.data(), dims.size(), type, value);
  }
  // A tensor of strings, which it copies.
  std::string strings(const std::vector<std::string>& elements, const std::vector<int64_t>& dims, void** value) const {
    std::vector<const char*> texts;
    for (const std::string& s : elements) texts.push_back(s.c_str());
    void* allocator = nullptr;
    call<void**>(kAllocator, &allocator);
    std::string why = call<void*, const int64_t*, size_t, int, void**>(kCreateOwnTensor, allocator, dims.data(), dims.size(), kString, value);
    return why.empty() ? call<void*, const char* const*, size_t>(kFillStrings, *value, texts.data(), texts.size()) : why;
  }
  // What a run has made of an output that was null before it: elements, their bytes (nothing of strings), and its end.
  size_t count(void* value) const {
    void* shape = nullptr;
    size_t count = 0;
    call<void*, void**>(kTensorShape, value, &shape);
    call<void*, size_t*>(kElementCount, shape, &count);
    release(kReleaseShape, shape);
    return count;
  }
  const std::byte* data(void* value) const {
    void* data = nullptr;
    call<void*, void**>(kTensorData, value, &data);
    return static_cast<const std::byte*>(data);
  }
  // All elements of a tensor of strings, one after another.
  std::string text(void* value) const {
    size_t bytes = 0;
    call<void*, size_t*>(kStringBytes, value, &bytes);
    std::string text(bytes, '\0');
    std::vector<size_t> offsets(count(value));
    call<void*, char*, size_t, size_t*, size_t>(kStringContent, value, text.data(), bytes, offsets.data(), offsets.size());
    return text;
  }
  void release(void* value) const { release(kReleaseValue, value); }

  std::string run(void* session, const std::vector<const char*>& in_names, const std::vector<void*>& in, const std::vector<const char*>& out_names,
                  std::vector<void*>& out) const {
    return call<void*, void*, const char* const*, void* const*, size_t, const char* const*, size_t, void**>(
        kRun, session, nullptr, in_names.data(), in.data(), in.size(), out_names.data(), out.size(), out.data());
  }

 private:
  static constexpr int kString = 8;  // ONNX's number
  void release(Slot slot, void* object) const { reinterpret_cast<void (*)(void*)>(const_cast<void*>(table_[slot]))(object); }

  std::string version_;
  const void* const* table_ = nullptr;
};
