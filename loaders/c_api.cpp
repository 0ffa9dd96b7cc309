// The C ABI over the C++ API. See runtime/include/tern/tern_c.h; it stands above the loaders because tern_load needs them.
#include "tern/tern_c.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <exception>

#include "tern/tern.h"

struct tern_model {
  tern::Model model;
};
struct tern_session {
  tern::Session session;
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
    fill(error, tern::unsupported("no memory"));
    return nullptr;
  }
}

tern_model* keep(tern::Result<tern::Model> model, tern_error* error) {
  if (!model) {
    fill(error, model.error());
    return nullptr;
  }
  return new tern_model{std::move(*model)};
}

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
  tern_session_options c = TERN_SESSION_OPTIONS_INIT;
  if (given != nullptr) std::memcpy(&c, given, std::min(given->size, sizeof c));  // a shorter, older struct keeps our defaults
  tern::SessionOptions o;
  for (size_t i = 0; i < c.dim_count; ++i) o.dims[c.dims[i].name] = c.dims[i].value;
  o.threads = c.threads;
  for (size_t i = 0; i < c.cpu_count; ++i) o.cpus.push_back(c.cpus[i]);
  if (c.isa != nullptr) o.isa = c.isa;
  o.lock_memory = c.lock_memory != 0;
  o.huge_pages = c.huge_pages != 0;
  if (c.budget > 0) o.budget = c.budget;
  return o;
}

}  // namespace

uint32_t tern_abi_version(void) { return TERN_ABI_VERSION; }
const char* tern_version(void) { return tern::version(); }

tern_model* tern_load(const char* path, tern_error* error) {
  return guarded(error, [&] { return keep(tern::load(path), error); });
}
tern_model* tern_load_bytes(const void* bytes, size_t count, tern_error* error) {
  return guarded(error, [&] { return keep(tern::load_bytes({static_cast<const std::byte*>(bytes), count}), error); });
}
void tern_model_free(tern_model* model) { delete model; }

tern_session* tern_session_new(const tern_model* model, const tern_session_options* options, tern_error* error) {
  return guarded(error, [&]() -> tern_session* {
    auto session = model->model.session(options_of(options));
    if (!session) {
      fill(error, session.error());
      return nullptr;
    }
    return new tern_session{std::move(*session)};
  });
}
void tern_session_free(tern_session* session) { delete session; }

size_t tern_input_count(const tern_session* s) { return s->session.inputs().size(); }
size_t tern_output_count(const tern_session* s) { return s->session.outputs().size(); }
int32_t tern_input(const tern_session* s, size_t index, tern_port* port) { return describe(s->session, s->session.inputs(), index, true, port); }
int32_t tern_output(const tern_session* s, size_t index, tern_port* port) { return describe(s->session, s->session.outputs(), index, false, port); }
int32_t tern_find_input(const tern_session* s, const char* name, tern_port* port) {
  return tern_input(s, index_of(s->session.inputs(), name), port);
}
int32_t tern_find_output(const tern_session* s, const char* name, tern_port* port) {
  return tern_output(s, index_of(s->session.outputs(), name), port);
}

void tern_run(tern_session* s) { s->session.run(); }
