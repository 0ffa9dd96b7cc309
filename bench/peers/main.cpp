// tern and its peers on one net, in one process, in turns, one thread each; a line of JSON for report.py.
// usage: bench_peers STEM [--onnxruntime LIBRARY] [--openvino LIBRARY] [--litert LIBRARY] [--plugin LIBRARY]... [--seconds N]
// The net is STEM.onnx; STEM.tflite and STEM.pt are the same in the formats of LiteRT and TorchScript.
//
// Two passes of rounds, in each of which every engine has its turn. The first times batches, so long that the clock's step and cost do not show:
// minimum and median. The second times single calls, in stretches as they come in a loop, for the percentiles; a control beside it, which
// reads the clock twice and does nothing, tells what of them is the machine's.
#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>

#include "engine.h"
#include "tern/tern.h"

namespace {

double now_ns() { return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

double percentile(std::vector<double>& v, double p) {
  const auto at = std::min(v.size() - 1, static_cast<size_t>(p * static_cast<double>(v.size())));
  std::nth_element(v.begin(), v.begin() + static_cast<long>(at), v.end());
  return v[at];
}

constexpr double kMostError = 1e-3;  // of the largest element: more is another net, which is not timed

struct Timed {
  std::string name;
  Engine* engine = nullptr;  // null: tern, or the control
  bool tern = false;
  int batch = 1;
  double load_ms = 1e9, error = 0;  // the least of some loads, each to a session that is ready
  std::vector<double> batches, calls;

  void run(tern::Session& session) const {
    if (tern) {
      session.run();
    } else if (engine != nullptr) {
      engine->run();
    }
  }
  double batch_ns(tern::Session& session) const {
    const double begin = now_ns();
    for (int i = 0; i < batch; ++i) run(session);
    return (now_ns() - begin) / batch;
  }
};

// The largest difference of any output, over its largest element: all must compute the same.
double difference(Engine& engine, const std::vector<Port>& outputs, const tern::Session& session) {
  double worst = 0;
  for (size_t o = 0; o < outputs.size(); ++o) {
    const auto mine = session.output<float>(outputs[o].name);
    const auto* theirs = static_cast<const float*>(engine.output(o));
    float top = 1e-30f;
    for (float x : mine) top = std::max(top, std::fabs(x));
    for (size_t i = 0; i < mine.size(); ++i) worst = std::max(worst, static_cast<double>(std::fabs(mine[i] - theirs[i]) / top));
  }
  return worst;
}

void measure(std::vector<Timed>& all, tern::Session& session, double seconds) {
  double round_ns = 0;
  for (Timed& t : all) {
    for (int i = 0; i < 3; ++i) t.run(session);
    const double once = t.batch_ns(session);
    t.batch = std::max(1, static_cast<int>(50'000 / std::max(once, 5.0)));
    round_ns += t.batch_ns(session) * t.batch;
  }
  const double half = seconds * 5e8;
  const int rounds = std::clamp(static_cast<int>(half / round_ns), 10, 5000);
  for (int i = 0; i < rounds; ++i) {
    for (Timed& t : all) t.batches.push_back(t.batch_ns(session));
  }
  const double end = now_ns() + half;
  do {
    for (Timed& t : all) {
      const int stretch = std::clamp(static_cast<int>(2e6 / t.batches[0]), 4, 128);
      for (int i = -2; i < stretch; ++i) {  // the first two find the caches that another engine left
        const double begin = now_ns();
        t.run(session);
        const double took = now_ns() - begin;
        if (i >= 0) t.calls.push_back(took);
      }
    }
  } while (now_ns() < end);
}

// The host of a virtual machine looks for memory when it is first touched: 5 ms for 2 MB, which take 0.2 ms ever after (Xeon, a machine just started).
// What was touched and given back is what the system hands out next.
void touch_memory() {
  const size_t free = static_cast<size_t>(::sysconf(_SC_AVPHYS_PAGES)) * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  const size_t bytes = std::min(free / 2, size_t(1) << 30);
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  ::madvise(memory, bytes, MADV_HUGEPAGE);
  for (size_t at = 0; at < bytes; at += 4096) static_cast<volatile char*>(memory)[at] = 1;
  ::munmap(memory, bytes);
}

// Loads three times, short ones up to twenty times. Nothing that was loaded is given back: each load finds memory that is new to it.
template <class F>
std::string load_times(Timed& t, F load) {
  std::string why;
  touch_memory();
  const double end = now_ns() + 1e8;
  for (int i = 0; why.empty() && (i < 3 || (i < 20 && now_ns() < end)); ++i) {
    const double begin = now_ns();
    why = load();
    t.load_ms = std::min(t.load_ms, (now_ns() - begin) / 1e6);
  }
  return why;
}

int fail(const std::string& why, int code) { return std::fprintf(stderr, "%s\n", why.c_str()), code; }

int compare(const std::string& stem, std::vector<std::unique_ptr<Engine>> engines, double seconds) {
  std::vector<tern::Model> models;
  std::vector<tern::Session> sessions;
  std::vector<Timed> all(1);
  all[0].name = "tern", all[0].tern = true;
  std::string why = load_times(all[0], [&]() -> std::string {
    auto model = tern::load(stem + ".onnx");
    auto made = model ? model->session() : tern::Result<tern::Session>(model.error());
    if (!made) return made.error().message();
    models.push_back(std::move(*model));
    sessions.push_back(std::move(*made));
    return "";
  });
  if (!why.empty()) return fail(stem + ": " + why, 3);
  tern::Session* session = &sessions.back();
  std::mt19937 random(1);
  std::vector<Port> inputs, outputs;
  std::vector<std::unique_ptr<std::byte[]>> memory;
  for (const bool in : {true, false}) {
    for (const auto& port : in ? session->inputs() : session->outputs()) {
      const auto bytes = in ? session->input_bytes(port.name).size() : session->output_bytes(port.name).size();
      memory.push_back(std::make_unique<std::byte[]>(bytes + 128));
      auto* aligned = reinterpret_cast<std::byte*>((reinterpret_cast<uintptr_t>(memory.back().get()) + 63) / 64 * 64);
      (in ? inputs : outputs).push_back({port.name, port.dtype == tern::DType::i64, session->dims(port.name), aligned, bytes});
      if (!in) continue;
      for (float& x : session->input<float>(port.name)) x = static_cast<float>(random()) / 2147483648.0f - 1;
      for (int64_t& id : session->input<int64_t>(port.name)) id = static_cast<int64_t>(random() % 5000);
      std::memcpy(aligned, session->input_bytes(port.name).data(), bytes);
    }
  }
  for (auto& engine : engines) {
    Timed t;
    t.name = engine->name(), t.engine = engine.get();
    why = load_times(t, [&] { return engine->load(stem, inputs, outputs); });
    if (!why.empty()) {
      std::fprintf(stderr, "%s, %s: %s\n", stem.c_str(), t.name.c_str(), why.c_str());
      continue;
    }
    engine->run();
    session->run();
    t.error = difference(*engine, outputs, *session);
    if (!(t.error < kMostError)) {
      std::fprintf(stderr, "%s, %s: not the same net: the outputs differ by %.2g of their largest element\n", stem.c_str(), t.name.c_str(), t.error);
      continue;
    }
    all.push_back(std::move(t));
  }
  all.emplace_back().name = "control";
  all.back().load_ms = 0;
  measure(all, *session, seconds);
  std::printf("{\"net\": \"%s\", \"engines\": [", stem.substr(stem.rfind('/') + 1).c_str());
  for (Timed& t : all) {
    std::printf(
        "%s{\"name\": \"%s\", \"load_ms\": %.3f, \"error\": %.2g, \"min\": %.2f, \"median\": %.2f, \"p50\": %.1f, \"p99\": %.1f, \"p999\": %.1f, "
        "\"calls\": %zu}",
        &t == all.data() ? "" : ", ", t.name.c_str(), t.load_ms, t.error, percentile(t.batches, 0), percentile(t.batches, 0.5),
        percentile(t.calls, 0.5), percentile(t.calls, 0.99), percentile(t.calls, 0.999), t.calls.size());
  }
  std::printf("]}\n");
  return 0;
}

}  // namespace

std::unique_ptr<Engine> open_plugin(const char* library) {
  void* handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  auto* open = handle == nullptr ? nullptr : reinterpret_cast<Engine* (*)()>(dlsym(handle, "open_engine"));
  if (open == nullptr) return std::fprintf(stderr, "%s\n", dlerror()), nullptr;
  return std::unique_ptr<Engine>(open());
}

int main(int argc, char** argv) {
  std::string stem;
  double seconds = 4;
  std::vector<std::unique_ptr<Engine>> engines;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (!word.starts_with("--")) {
      stem = word;
      continue;
    }
    if (++i == argc) return fail(word + " needs a value", 2);
    if (word == "--seconds") {
      seconds = std::atof(argv[i]);
      continue;
    }
    auto* open = word == "--onnxruntime" ? open_onnxruntime
                 : word == "--openvino"  ? open_openvino
                 : word == "--litert"    ? open_litert
                 : word == "--plugin"    ? open_plugin
                                         : nullptr;
    if (open == nullptr) return fail(word + " is no option", 2);
    auto engine = open(argv[i]);
    if (engine == nullptr) return 3;
    engines.push_back(std::move(engine));
  }
  if (stem.empty()) return fail("usage: bench_peers STEM [--onnxruntime|--openvino|--litert|--plugin LIBRARY]... [--seconds N]", 2);
  return compare(stem, std::move(engines), seconds);
}
