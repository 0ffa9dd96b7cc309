// The C ABI over the C++ API. See runtime/include/tern/tern_c.h; it stands above the loaders because tern_load needs them.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <list>
#include <memory>
#include <new>
#include <vector>

#include "runtime/base/guarded.h"
#include "runtime/model.h"
#include "tern/flush_subnormals.h"
#include "tern/tern.h"
#include "tern/tern_c.h"

struct tern_model {
  explicit tern_model(tern::Model m) : model(std::move(m)), inputs(model.inputs()), outputs(model.outputs()) {}
  tern::Model model;
  std::vector<tern::Port> inputs, outputs;  // whose names callers hold
};
struct tern_session {
  tern::Session session;
  int threads;
};
struct tern_arrays {
  std::vector<tern::Array> arrays;
  std::vector<tern_array> views;  // of the arrays; what they point to is in the lists
  std::list<std::vector<const char*>> strings;
  std::list<std::vector<tern_array>> elements;
};

namespace {

void fill(tern_error* out, const tern::Error& error) {
  if (out == nullptr) return;
  out->code = static_cast<int32_t>(error.code());
  const size_t n = std::min(error.message().size(), sizeof out->message - 1);
  std::memcpy(out->message, error.message().data(), n);
  out->message[n] = '\0';
}

// Calls f, which gives a pointer; memory that runs short is an error like any other.
template <class F>
auto guarded(tern_error* error, F f) -> decltype(f()) {
  if (error != nullptr) *error = {};
  try {
    return f();
  } catch (const std::exception&) {
    fill(error, tern::out_of_memory());
    return nullptr;
  }
}

tern_model* keep(tern::Result<tern::Model> model, tern_error* error) {
  if (!model) {
    fill(error, model.error());
    return nullptr;
  }
  auto kept = std::make_unique<tern_model>(std::move(*model));
  const tern::Graph& graph = kept->model.state().graph;  // ports are empty when memory is short
  if (kept->inputs.size() != graph.inputs.size() || kept->outputs.size() != graph.outputs.size()) throw std::bad_alloc();
  return kept.release();
}

// What a caller of an older header left out keeps our defaults.
template <class T>
T whole(T defaults, const T* given) {
  if (given != nullptr) std::memcpy(&defaults, given, std::min(given->size, sizeof defaults));
  return defaults;
}

bool is_dtype(int32_t n) { return n >= 0 && n <= static_cast<int32_t>(tern::DType::string); }
bool is_rank(int32_t n) { return n >= 0 && n <= 8; }

tern::Result<tern::LoadOptions> options_of(const tern_load_options* given) {
  const tern_load_options c = whole<tern_load_options>(TERN_LOAD_OPTIONS_INIT, given);
  auto text = [](const char* s) { return std::string(s != nullptr ? s : ""); };
  tern::LoadOptions o;
  if (c.budget > 0) o.budget = c.budget;
  o.directory = text(c.directory);
  o.architecture = text(c.architecture);
  o.architecture_name = text(c.architecture_name);
  o.key = text(c.key);
  o.strict = c.strict != 0;
  o.map_files = c.map_files != 0;
  o.follow_links = c.follow_links != 0;
  o.signature = text(c.signature);
  for (size_t i = 0; i < c.output_count; ++i) o.outputs.push_back(text(c.outputs[i]));
  for (size_t i = 0; i < c.input_count; ++i) {
    const tern_model_port& p = c.inputs[i];
    if (!is_dtype(p.dtype) || !is_rank(p.rank)) return tern::usage("tern_load_options: input " + std::to_string(i) + " has no legal dtype or rank");
    tern::Port port{text(p.name), static_cast<tern::DType>(p.dtype), {}};
    for (int32_t d = 0; d < p.rank; ++d) port.shape.push_back(text(p.dims[d]));
    o.inputs.push_back(std::move(port));
  }
  for (size_t i = 0; i < c.overridable_count; ++i) o.overridable.push_back(text(c.overridable[i]));
  return o;
}

constexpr int32_t kSequence = 15;  // as a dtype of tern_array

tern::Result<tern::Array> tensor_of(const tern_array& c) {
  if (!is_dtype(c.dtype)) return tern::usage("tern_array: " + std::to_string(c.dtype) + " is no dtype");
  if (!is_rank(c.rank)) return tern::usage("tern_array: rank " + std::to_string(c.rank) + " is not between 0 and 8");
  if (c.data == nullptr && c.bytes > 0) return tern::usage("tern_array: data is null");
  tern::Array a{static_cast<tern::DType>(c.dtype), {c.dims, c.dims + c.rank}, {}, {}};
  if (a.dtype == tern::DType::string) {
    const auto* strings = static_cast<const char* const*>(c.data);
    a.strings.assign(strings, strings + c.bytes / sizeof *strings);
  } else {
    const auto* bytes = static_cast<const std::byte*>(c.data);
    a.bytes.assign(bytes, bytes + c.bytes);
  }
  return a;
}

tern::Result<tern::Array> array_of(const tern_array& c) {
  if (c.dtype != kSequence) return tensor_of(c);
  if (c.data == nullptr && c.bytes > 0) return tern::usage("tern_array: data is null");
  tern::Array a;
  a.sequence = true;
  const auto* elements = static_cast<const tern_array*>(c.data);
  for (size_t i = 0; i < c.bytes / sizeof *elements; ++i) {
    auto element = tensor_of(elements[i]);
    if (!element) return element;
    a.elements.push_back(std::move(*element));
  }
  return a;
}

// Points into `array` and into the lists of `keep`.
tern_array view_of(const tern::Array& array, tern_arrays& keep) {
  tern_array view = {};
  view.dtype = array.sequence ? kSequence : static_cast<int32_t>(array.dtype);
  view.rank = static_cast<int32_t>(array.dims.size());
  std::copy_n(array.dims.begin(), std::min<size_t>(array.dims.size(), 8), view.dims);
  view.data = array.bytes.data();
  view.bytes = array.bytes.size();
  auto point = [&](const auto& list) {
    view.data = list.data();
    view.bytes = list.size() * sizeof list[0];
  };
  if (array.sequence) {
    std::vector<tern_array> elements;
    for (const tern::Array& e : array.elements) elements.push_back(view_of(e, keep));
    point(keep.elements.emplace_back(std::move(elements)));
  } else if (array.dtype == tern::DType::string) {
    auto& pointers = keep.strings.emplace_back();
    for (const std::string& s : array.strings) pointers.push_back(s.c_str());
    point(pointers);
  }
  return view;
}

int32_t describe(const std::vector<tern::Port>& ports, size_t index, tern_model_port* out) {
  if (index >= ports.size() || out == nullptr) return static_cast<int32_t>(tern::Code::kUsage);
  const tern::Port& port = ports[index];
  *out = {};
  out->name = port.name.c_str();
  out->dtype = static_cast<int32_t>(port.dtype);
  out->rank = static_cast<int32_t>(port.shape.size());
  for (size_t i = 0; i < port.shape.size() && i < 8; ++i) out->dims[i] = port.shape[i].c_str();
  return 0;
}

int32_t kind_of(const std::vector<tern::Port>& ports, size_t index) { return index < ports.size() ? static_cast<int32_t>(ports[index].kind) : -1; }

int32_t describe(const tern::Session& session, std::span<const tern::Port> ports, size_t index, bool input, tern_port* out) {
  if (index >= ports.size() || out == nullptr) return static_cast<int32_t>(tern::Code::kUsage);
  const tern::Port& port = ports[index];
  *out = {};
  out->name = port.name.c_str();
  out->dtype = static_cast<int32_t>(port.dtype);
  out->rank = static_cast<int32_t>(port.shape.size());
  for (size_t i = 0; i < port.shape.size() && i < 8; ++i) out->dims[i] = std::strtoll(port.shape[i].c_str(), nullptr, 10);
  auto bytes = input ? std::span<const std::byte>(const_cast<tern::Session&>(session).input_bytes(port.name)) : session.output_bytes(port.name);
  out->data = const_cast<std::byte*>(bytes.data());
  out->bytes = bytes.size();
  return 0;
}

size_t index_of(std::span<const tern::Port> ports, const char* name) {
  for (size_t i = 0; name != nullptr && i < ports.size(); ++i) {
    if (ports[i].name == name) return i;
  }
  return ports.size();
}

tern::SessionOptions options_of(const tern_session_options* given) {
  const tern_session_options c = whole<tern_session_options>(TERN_SESSION_OPTIONS_INIT, given);
  tern::SessionOptions o;
  for (size_t i = 0; i < c.dim_count; ++i) o.dims[c.dims[i].name] = c.dims[i].value;
  o.threads = c.threads;
  for (size_t i = 0; i < c.cpu_count; ++i) o.cpus.push_back(c.cpus[i]);
  if (c.isa != nullptr) o.isa = c.isa;
  o.lock_memory = c.lock_memory != 0;
  o.huge_pages = c.huge_pages != 0;
  if (c.budget > 0) o.budget = c.budget;
  if (c.work > 0) o.work = c.work;
  if (c.device != nullptr) o.device = c.device;
  o.block_on_device = c.block_on_device != 0;
  if (c.weights != nullptr) o.weights = c.weights;
  o.warm = c.warm != 0;
  return o;
}

}  // namespace

uint32_t tern_abi_version(void) { return TERN_ABI_VERSION; }
const char* tern_version(void) { return tern::version(); }

tern_model* tern_load_with(const char* path, const tern_load_options* options, tern_error* error) {
  return guarded(error, [&] {
    auto with = options_of(options);
    return keep(with ? tern::load(path, *with) : with.error(), error);
  });
}
tern_model* tern_load_bytes_with(const void* bytes, size_t count, const tern_load_options* options, tern_error* error) {
  return guarded(error, [&] {
    auto with = options_of(options);
    return keep(with ? tern::load_bytes({static_cast<const std::byte*>(bytes), count}, *with) : with.error(), error);
  });
}
tern_model* tern_load(const char* path, tern_error* error) { return tern_load_with(path, nullptr, error); }
tern_model* tern_load_bytes(const void* bytes, size_t count, tern_error* error) { return tern_load_bytes_with(bytes, count, nullptr, error); }
void tern_model_free(tern_model* model) { delete model; }

size_t tern_model_input_count(const tern_model* m) { return m->inputs.size(); }
size_t tern_model_output_count(const tern_model* m) { return m->outputs.size(); }
int32_t tern_model_input(const tern_model* m, size_t index, tern_model_port* port) { return describe(m->inputs, index, port); }
int32_t tern_model_output(const tern_model* m, size_t index, tern_model_port* port) { return describe(m->outputs, index, port); }
int32_t tern_model_input_kind(const tern_model* m, size_t index) { return kind_of(m->inputs, index); }
int32_t tern_model_output_kind(const tern_model* m, size_t index) { return kind_of(m->outputs, index); }
int32_t tern_model_data_dependent(const tern_model* m) { return m->model.data_dependent() ? 1 : 0; }
tern_model* tern_model_part(const tern_model* m, int32_t part, tern_error* error) {
  return guarded(error, [&]() -> tern_model* {
    auto parts = m->model.parts();
    if (!parts) return fill(error, parts.error()), nullptr;
    if (!*parts || part < -1 || part > 1) return nullptr;
    if (part == 0) return keep((*parts)->rest, error);
    const std::optional<tern::Model>& end = part < 0 ? (*parts)->before : (*parts)->after;
    return end ? keep(*end, error) : nullptr;
  });
}

tern_arrays* tern_evaluate(const tern_model* model, const tern_array* inputs, size_t input_count, const char* isa, tern_error* error) {
  return guarded(error, [&]() -> tern_arrays* {
    std::vector<tern::Array> arrays;
    for (size_t i = 0; i < input_count; ++i) {
      auto array = array_of(inputs[i]);
      if (!array) return fill(error, array.error()), nullptr;
      arrays.push_back(std::move(*array));
    }
    auto results = model->model.evaluate(arrays, isa != nullptr ? isa : "");
    if (!results) return fill(error, results.error()), nullptr;
    auto kept = std::make_unique<tern_arrays>();
    kept->arrays = std::move(*results);
    for (const tern::Array& a : kept->arrays) kept->views.push_back(view_of(a, *kept));
    return kept.release();
  });
}
size_t tern_arrays_count(const tern_arrays* a) { return a->arrays.size(); }
int32_t tern_arrays_get(const tern_arrays* a, size_t index, tern_array* out) {
  if (index >= a->views.size() || out == nullptr) return static_cast<int32_t>(tern::Code::kUsage);
  *out = a->views[index];
  return 0;
}
void tern_arrays_free(tern_arrays* arrays) { delete arrays; }

tern_session* tern_session_new(const tern_model* model, const tern_session_options* options, tern_error* error) {
  return guarded(error, [&]() -> tern_session* {
    const tern::SessionOptions with = options_of(options);
    auto session = model->model.session(with);
    if (!session) return fill(error, session.error()), nullptr;
    return new tern_session{std::move(*session), with.threads};
  });
}
void tern_session_free(tern_session* session) { delete session; }

size_t tern_input_count(const tern_session* s) { return s->session.inputs().size(); }
size_t tern_output_count(const tern_session* s) { return s->session.outputs().size(); }
int32_t tern_input(const tern_session* s, size_t index, tern_port* port) { return describe(s->session, s->session.inputs(), index, true, port); }
int32_t tern_output(const tern_session* s, size_t index, tern_port* port) { return describe(s->session, s->session.outputs(), index, false, port); }
int32_t tern_find_input(const tern_session* s, const char* name, tern_port* port) { return tern_input(s, index_of(s->session.inputs(), name), port); }
int32_t tern_find_output(const tern_session* s, const char* name, tern_port* port) {
  return tern_output(s, index_of(s->session.outputs(), name), port);
}

int32_t tern_run(tern_session* s) { return s->session.run() ? 0 : static_cast<int32_t>(tern::Code::kInvalid); }
int32_t tern_keep_warm(tern_session* s) { return s->session.keep_warm() ? 0 : static_cast<int32_t>(tern::Code::kUsage); }
uint64_t tern_flush_subnormals(void) { return tern::FlushSubnormals::begin(); }
void tern_restore_subnormals(uint64_t mode) { tern::FlushSubnormals::end(mode); }
int32_t tern_status(const tern_session* s, tern_error* error) {
  try {
    const tern::Status status = s->session.status();
    fill(error, status.error());
    return static_cast<int32_t>(status.error().code());
  } catch (const std::exception&) {  // memory for the message
    fill(error, tern::invalid("an index was out of range"));
    return static_cast<int32_t>(tern::Code::kInvalid);
  }
}

size_t tern_step_count(const tern_session* s) { return s->session.steps().size(); }
int32_t tern_step_get(const tern_session* s, size_t index, tern_step* out) {
  const auto steps = s->session.steps();
  if (index >= steps.size() || out == nullptr || out->size < sizeof(out->size)) return static_cast<int32_t>(tern::Code::kUsage);
  const tern::StepInfo& info = steps[index];
  tern_step step = {};
  step.size = out->size;
  step.node = info.node.c_str();
  step.op = info.op.c_str();
  step.kernel = info.kernel.c_str();
  step.macs = info.macs;
  step.rank = static_cast<int32_t>(info.shape.size());
  std::copy_n(info.shape.begin(), std::min<size_t>(info.shape.size(), 8), step.dims);
  std::memcpy(out, &step, std::min(out->size, sizeof step));  // an older caller gets what it knows
  return 0;
}
int32_t tern_run_timed(tern_session* s, double* ns, size_t count) {
  if (s->threads != 1 || count < s->session.steps().size()) return static_cast<int32_t>(tern::Code::kUsage);
  return s->session.run_timed({ns, count}) ? 0 : static_cast<int32_t>(tern::Code::kInvalid);
}
