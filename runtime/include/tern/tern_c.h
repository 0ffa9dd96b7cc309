/* tern_c.h: the C ABI. The same surface as tern.h with opaque handles and a caller-owned error struct; usable through dlopen.
 *
 *   tern_error error;
 *   tern_model* model = tern_load("model.onnx", &error);
 *   tern_dim batch = {"batch", 1};
 *   tern_session_options options = TERN_SESSION_OPTIONS_INIT;
 *   options.dims = &batch; options.dim_count = 1;
 *   tern_session* session = tern_session_new(model, &options, &error);
 *   tern_port x, y;
 *   tern_find_input(session, "x", &x);  tern_find_output(session, "y", &y);
 *   ((float*)x.data)[0] = 1.0f;  tern_run(session);  printf("%f\n", ((const float*)y.data)[0]);
 *
 * Functions that return a pointer return null on failure and fill *error (which may be null). A model may be shared by threads and must
 * outlive nothing: sessions keep what they need of it. A session is used by one thread at a time.
 * Structs only ever grow at their end; `size` fields tell which version the caller was compiled with. */
#ifndef TERN_C_H
#define TERN_C_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TERN_ABI_VERSION 1

typedef struct tern_model tern_model;
typedef struct tern_session tern_session;

/* code: 0 done, 2 wrong usage, 3 the file or its data cannot be used, 4 not supported. message: one line, zero-terminated. */
typedef struct tern_error {
  int32_t code;
  char message[1020];
} tern_error;

/* f64 1, f32 2, f16 3, bf16 4, i8 5, i16 6, i32 7, i64 8, u8 9, u16 10, u32 11, u64 12, bool 13 */
typedef struct tern_port {
  const char* name; /* lives as long as the session */
  int32_t dtype;
  int32_t rank;
  int64_t dims[8];
  void* data; /* in the session's arena; outputs are to be read only */
  size_t bytes;
} tern_port;

typedef struct tern_dim {
  const char* name;
  int64_t value;
} tern_dim;

typedef struct tern_session_options {
  size_t size; /* sizeof(tern_session_options) */
  const tern_dim* dims;
  size_t dim_count;
  int32_t threads; /* 1: no thread is ever created */
  const int32_t* cpus; /* worker i + 1 is pinned to cpus[i] */
  size_t cpu_count;
  const char* isa; /* null, "scalar", "avx2" or "avx512" */
  int32_t lock_memory;
  int32_t huge_pages;
  int64_t budget; /* most bytes of the arena; 0: the default */
} tern_session_options;

#define TERN_SESSION_OPTIONS_INIT {sizeof(tern_session_options), NULL, 0, 1, NULL, 0, NULL, 0, 0, 0}

uint32_t tern_abi_version(void); /* TERN_ABI_VERSION of the library */
const char* tern_version(void);  /* "0.1.0" */

tern_model* tern_load(const char* path, tern_error* error);
tern_model* tern_load_bytes(const void* bytes, size_t count, tern_error* error);
void tern_model_free(tern_model* model); /* null is allowed */

/* options may be null. */
tern_session* tern_session_new(const tern_model* model, const tern_session_options* options, tern_error* error);
void tern_session_free(tern_session* session); /* null is allowed */

size_t tern_input_count(const tern_session* session);
size_t tern_output_count(const tern_session* session);
/* 0 when found and *port is filled; 2 when there is no such input or output. */
int32_t tern_input(const tern_session* session, size_t index, tern_port* port);
int32_t tern_output(const tern_session* session, size_t index, tern_port* port);
int32_t tern_find_input(const tern_session* session, const char* name, tern_port* port);
int32_t tern_find_output(const tern_session* session, const char* name, tern_port* port);

/* The hot path: computes the outputs from the inputs; allocates nothing, locks nothing, calls no system. */
void tern_run(tern_session* session);

#ifdef __cplusplus
}
#endif

#endif
