/* The C ABI through dlopen, compiled as C. Usage: c_api libtern.so model.onnx (digits_mlp: image [batch,1,8,8] to probabilities [batch,10]). */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "tern/tern_c.h"

static int failed = 0, passed = 0;

static void check(int ok, const char* what) {
  if (ok) {
    ++passed;
  } else {
    ++failed;
    fprintf(stderr, "FAILED: %s\n", what);
  }
}

#define FIND(name)                                   \
  __typeof__(&name) p_##name;                        \
  *(void**)&p_##name = dlsym(library, #name);        \
  if (p_##name == NULL) return fprintf(stderr, "no symbol %s\n", #name), 1

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  void* library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) return fprintf(stderr, "%s\n", dlerror()), 1;
  FIND(tern_abi_version);
  FIND(tern_version);
  FIND(tern_load);
  FIND(tern_load_bytes);
  FIND(tern_model_free);
  FIND(tern_session_new);
  FIND(tern_session_free);
  FIND(tern_input_count);
  FIND(tern_output_count);
  FIND(tern_input);
  FIND(tern_output);
  FIND(tern_find_input);
  FIND(tern_find_output);
  FIND(tern_run);

  check(p_tern_abi_version() == TERN_ABI_VERSION, "the ABI is the header's");
  check(strlen(p_tern_version()) >= 5, "there is a version");

  tern_error error;
  memset(&error, 0x55, sizeof error);
  check(p_tern_load("/nonexistent.onnx", &error) == NULL && error.code == 3, "a missing file is error 3");
  check(memchr(error.message, 0, sizeof error.message) != NULL && strstr(error.message, "nonexistent") != NULL, "the message ends and names the file");
  check(p_tern_load("/nonexistent.onnx", NULL) == NULL, "the error may be null");
  check(p_tern_load_bytes("garbage", 7, &error) == NULL && error.code == 3, "bytes that are no model are error 3");

  tern_model* model = p_tern_load(argv[2], &error);
  if (model == NULL) return fprintf(stderr, "%s\n", error.message), 1;
  check(p_tern_session_new(model, NULL, &error) == NULL && error.code == 2, "an unbound dimension is error 2");
  tern_dim batch = {"batch", 2};
  tern_session_options options = TERN_SESSION_OPTIONS_INIT;
  options.dims = &batch;
  options.dim_count = 1;
  tern_session* session = p_tern_session_new(model, &options, &error);
  if (session == NULL) return fprintf(stderr, "%s\n", error.message), 1;
  p_tern_model_free(model); /* the session keeps what it needs */

  tern_port x, y, other;
  check(p_tern_input_count(session) == 1 && p_tern_output_count(session) == 1, "one input, one output");
  check(p_tern_find_input(session, "image", &x) == 0, "the input is found");
  check(p_tern_find_output(session, "probabilities", &y) == 0, "the output is found");
  check(p_tern_find_input(session, "nothing", &other) == 2, "an unknown name is 2");
  check(p_tern_input(session, 0, &other) == 0 && other.data == x.data && strcmp(other.name, "image") == 0, "index and name agree");
  check(p_tern_output(session, 1, &other) == 2, "an index past the end is 2");
  check(x.dtype == 2 && x.rank == 4 && x.dims[0] == 2 && x.dims[3] == 8 && x.bytes == 2 * 64 * sizeof(float), "the input's type and shape");
  check(y.rank == 2 && y.dims[1] == 10 && y.bytes == 20 * sizeof(float), "the output's shape");
  float* in = x.data;
  const float* out = y.data;
  for (int i = 0; i < 128; ++i) in[i] = (float)(i % 64) / 64.0f;
  p_tern_run(session);
  for (int row = 0; row < 2; ++row) {
    double sum = 0;
    for (int i = 0; i < 10; ++i) sum += out[row * 10 + i];
    check(sum > 0.99999 && sum < 1.00001, "probabilities add up to 1");
  }
  check(memcmp(out, out + 10, 10 * sizeof(float)) == 0, "equal rows give equal bits");
  p_tern_session_free(session);
  p_tern_session_free(NULL);
  p_tern_model_free(NULL);
  printf("%d passed, %d failed\n", passed, failed);
  return failed != 0;
}
