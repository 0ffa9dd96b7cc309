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
 * outlive nothing: sessions keep what they need of it. A session is used by one thread at a time. No argument may be null but those that
 * say so.
 *
 * The ABI only grows. TERN_ABI_VERSION rises by one with every release that adds to it, and nothing is ever taken away or given another
 * meaning: a program that was compiled with version n runs with every libtern.so.0 whose tern_abi_version() is at least n. Structs with a
 * `size` field, which the caller sets to their sizeof, may grow at their end; those without never change. */
#ifndef TERN_C_H
#define TERN_C_H

#include <stddef.h>
#include <stdint.h>

#include "tern/version.h"

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

/* 2: load options, model inputs, evaluate, steps and their times; 3: sequences and optionals; 4: devices; 5: parts; 6: weights, keep_warm, subnormals */
#define TERN_ABI_VERSION 6

typedef struct tern_model tern_model;
typedef struct tern_session tern_session;

/* code: 0 done, 2 wrong usage, 3 the file or its data cannot be used, 4 not supported. message: one line, zero-terminated. */
typedef struct tern_error {
  int32_t code;
  char message[1020];
} tern_error;

/* f64 1, f32 2, f16 3, bf16 4, i8 5, i16 6, i32 7, i64 8, u8 9, u16 10, u32 11, u64 12, bool 13, string 14 */
typedef struct tern_port {
  const char* name; /* lives as long as the session */
  int32_t dtype;
  int32_t rank;
  int64_t dims[8];
  void* data; /* in the session's arena; outputs are to be read only */
  size_t bytes;
} tern_port;

/* An input or output of a model; of a sequence or an optional (tern_model_input_kind), what its elements have in common.
 * A dimension is a number ("3") or a symbol's text ("batch", "2*seq+1"). */
typedef struct tern_model_port {
  const char* name; /* lives as long as the model, as the dims do */
  int32_t dtype;    /* 0: not told */
  int32_t rank;
  const char* dims[8];
} tern_model_port;

/* Row-major elements. Of dtype string (14): pointers to zero-terminated strings. A sequence has dtype 15, rank 0, and in data its elements, which are
 * tern_arrays. An optional is what it holds, or of dtype 0 when that is nothing. */
typedef struct tern_array {
  int32_t dtype;
  int32_t rank;
  int64_t dims[8];
  const void* data;
  size_t bytes;
} tern_array;

typedef struct tern_load_options {
  size_t size;                   /* sizeof(tern_load_options) */
  int64_t budget;                /* bytes that loading may allocate beyond a small multiple of the file's own size; 0: the default */
  const char* directory;         /* for tern_load_bytes: where external data lies; null: they are refused */
  const char* architecture;      /* for weights only: what print(model) prints, and forwards as in Python; null: none */
  const char* architecture_name; /* its file, for messages; may be null */
  const char* key;               /* which weights of a checkpoint; null: the only ones */
  int32_t strict;                /* 0: missing and unexpected weights are no error */
  const tern_model_port* inputs; /* dtypes and shapes of inputs that neither file nor architecture tell */
  size_t input_count;
  const char* const* overridable; /* names of initializers that shall be inputs, which hold the file's contents until others are written */
  size_t overridable_count;
  int32_t map_files;          /* 1: files are read in place, and must not change while the model lives; 0: they are copied */
  int32_t follow_links;       /* 1: links of shards and external data are followed wherever they lead */
  const char* signature;      /* of a SavedModel: what is called; null: serving_default */
  const char* const* outputs; /* of a frozen graph of TensorFlow: its outputs; none: the only node that no other reads */
  size_t output_count;
} tern_load_options;

#define TERN_LOAD_OPTIONS_INIT \
  { sizeof(tern_load_options), 0, NULL, NULL, NULL, NULL, 1, NULL, 0, NULL, 0, 0, 0, NULL, NULL, 0 }

/* What one node became in a session's plan. */
typedef struct tern_step {
  size_t size;                    /* sizeof(tern_step) */
  const char *node, *op, *kernel; /* live as long as the session */
  int64_t macs;
  int32_t rank; /* of its first output */
  int64_t dims[8];
} tern_step;

typedef struct tern_arrays tern_arrays; /* what tern_evaluate computed */

typedef struct tern_dim {
  const char* name;
  int64_t value;
} tern_dim;

typedef struct tern_session_options {
  size_t size; /* sizeof(tern_session_options) */
  const tern_dim* dims;
  size_t dim_count;
  int32_t threads;     /* 1: no thread is ever created */
  const int32_t* cpus; /* worker i + 1 is pinned to cpus[i] */
  size_t cpu_count;
  const char* isa; /* null, "scalar", "avx2", "avx512" or "neon" */
  int32_t lock_memory;
  int32_t huge_pages;
  int64_t budget;          /* most bytes of the arena and of packed weights; 0: the default */
  int64_t work;            /* most operations of one run beyond what weights and inputs back (SessionOptions::work); 0: the default */
  const char* device;      /* null, "cpu", "cuda", "cuda:N", "auto", "cuda,cpu" or "cuda:N,cpu" (SessionOptions::device) */
  int32_t block_on_device; /* 1: tern_run waits for the GPU asleep; 0: it spins */
  const char* weights;     /* null, "f32", "bf16" or "int8": what constant weights of products are kept in (SessionOptions::weights) */
  int32_t warm;            /* 1: room for tern_keep_warm */
} tern_session_options;

#define TERN_SESSION_OPTIONS_INIT \
  { sizeof(tern_session_options), NULL, 0, 1, NULL, 0, NULL, 0, 0, 0, 0, NULL, 0, NULL, 0 }

uint32_t tern_abi_version(void); /* TERN_ABI_VERSION of the library */
const char* tern_version(void);  /* "0.1.0" */

tern_model* tern_load(const char* path, tern_error* error);
tern_model* tern_load_bytes(const void* bytes, size_t count, tern_error* error);
/* options may be null. */
tern_model* tern_load_with(const char* path, const tern_load_options* options, tern_error* error);
tern_model* tern_load_bytes_with(const void* bytes, size_t count, const tern_load_options* options, tern_error* error);
void tern_model_free(tern_model* model); /* null is allowed */

size_t tern_model_input_count(const tern_model* model);
size_t tern_model_output_count(const tern_model* model);
/* 0 when *port is filled, 2 when the index is past the end. */
int32_t tern_model_input(const tern_model* model, size_t index, tern_model_port* port);
int32_t tern_model_output(const tern_model* model, size_t index, tern_model_port* port);
/* What it is: 0 a tensor, 1 a sequence of tensors, 2 an optional tensor, 3 an optional sequence; -1 when the index is past the end. */
int32_t tern_model_input_kind(const tern_model* model, size_t index);
int32_t tern_model_output_kind(const tern_model* model, size_t index);
/* 1 when only tern_evaluate can run the model: some shape depends on the contents of an input, or some value is no tensor. */
int32_t tern_model_data_dependent(const tern_model* model);
/* Of a model with strings, or shapes that depend on data, a part (ModelParts), itself a model: -1 before, 0 the rest, which has sessions, 1 after.
 * Null with code 0 when there is no such part. */
tern_model* tern_model_part(const tern_model* model, int32_t part, tern_error* error);

/* Runs node by node without a session: any shapes that the model accepts, the same bits. Inputs in the model's order; isa may be null. */
tern_arrays* tern_evaluate(const tern_model* model, const tern_array* inputs, size_t input_count, const char* isa, tern_error* error);
size_t tern_arrays_count(const tern_arrays* arrays);
/* 0 when *array is filled, which lives as long as `arrays`; 2 when the index is past the end. */
int32_t tern_arrays_get(const tern_arrays* arrays, size_t index, tern_array* array);
void tern_arrays_free(tern_arrays* arrays); /* null is allowed */

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

/* The hot path: computes the outputs from the inputs; allocates nothing, locks nothing, calls no system.
 * 0 when every index that an input held was in range; else 3: the nearest legal ones stood in, and tern_status says where. Also 3 when a GPU failed, as
 * every later run then does. */
int32_t tern_run(tern_session* session);
/* What the last run met: 0, or 3 and *error names the first node with an index out of range, or 4 and it is the GPU's. error may be null. */
int32_t tern_status(const tern_session* session, tern_error* error);

/* Runs once and puts outputs and status back to what they were, for the time between events (Session::keep_warm): costs a run, and keeps what tern_run
 * promises. 0; 2, and nothing is done, without tern_session_options.warm. */
int32_t tern_keep_warm(tern_session* session);
/* This thread treats subnormals as zero from here on, as every tern_run does while it runs: around a stretch of calls it saves each of them setting and
 * restoring that, some nanoseconds. Returns the mode that was, for tern_restore_subnormals, which the same thread calls. What else the thread computes
 * between the two flushes subnormals, too. */
uint64_t tern_flush_subnormals(void);
void tern_restore_subnormals(uint64_t mode);

/* The steps of a session, in the order in which they run. 0 when *step is filled; 2 when the index is past the end, or step->size is not set.
   The first call of either takes memory for them; when that is short, there are none. */
size_t tern_step_count(const tern_session* session);
int32_t tern_step_get(const tern_session* session, size_t index, tern_step* step);
/* Runs once, with the nanoseconds of step i in ns[i], and returns what tern_run does; 2, and no run, when count is less than the steps are or
 * threads is not 1. Not for the hot path. */
int32_t tern_run_timed(tern_session* session, double* ns, size_t count);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif
