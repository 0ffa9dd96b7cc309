/* The C ABI through dlopen, compiled as C. Usage: c_api libtern.so model.onnx (digits_mlp: image [batch,1,8,8] to probabilities [batch,10]). */
#include <dlfcn.h>
#include <float.h>
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

#define FIND(name)                            \
  __typeof__(&name) p_##name;                 \
  *(void**)&p_##name = dlsym(library, #name); \
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
  FIND(tern_load_with);
  FIND(tern_load_bytes_with);
  FIND(tern_model_input_count);
  FIND(tern_model_output_count);
  FIND(tern_model_input);
  FIND(tern_model_output);
  FIND(tern_model_data_dependent);
  FIND(tern_model_part);
  FIND(tern_model_input_kind);
  FIND(tern_model_output_kind);
  FIND(tern_evaluate);
  FIND(tern_arrays_count);
  FIND(tern_arrays_get);
  FIND(tern_arrays_free);
  FIND(tern_step_count);
  FIND(tern_step_get);
  FIND(tern_run_timed);
  FIND(tern_status);
  FIND(tern_keep_warm);
  FIND(tern_flush_subnormals);
  FIND(tern_restore_subnormals);

  check(p_tern_abi_version() == TERN_ABI_VERSION, "the ABI is the header's");
  check(strcmp(p_tern_version(), TERN_VERSION) == 0, "the version is the header's");

  tern_error error;
  memset(&error, 0x55, sizeof error);
  check(p_tern_load("/nonexistent.onnx", &error) == NULL && error.code == 3, "a missing file is error 3");
  check(memchr(error.message, 0, sizeof error.message) != NULL && strstr(error.message, "nonexistent") != NULL,
        "the message ends and names the file");
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
  options.device = "gpu";
  check(p_tern_session_new(model, &options, &error) == NULL && error.code == 2 && strstr(error.message, "gpu") != NULL,
        "a device that is none is error 2");
  options.size = offsetof(tern_session_options, device); /* an older caller's: what lies behind is not read */
  tern_session* older = p_tern_session_new(model, &options, &error);
  check(older != NULL, "session options of an older version");
  p_tern_session_free(older);
  options.size = sizeof options;
  options.device = "auto";
  options.block_on_device = 1;
  tern_session* anywhere = p_tern_session_new(model, &options, &error);
  check(anywhere != NULL && p_tern_run(anywhere) == 0 && p_tern_status(anywhere, &error) == 0, "a session on a GPU or the CPU");
  p_tern_session_free(anywhere);

  options.device = NULL;
  options.warm = 1;
  options.weights = "int4";
  check(p_tern_session_new(model, &options, &error) == NULL && error.code == 2 && strstr(error.message, "int4") != NULL,
        "a form of weights that is none is error 2");
  options.weights = "f32";
  tern_session* warm = p_tern_session_new(model, &options, &error);
  check(warm != NULL && p_tern_run(warm) == 0 && p_tern_keep_warm(warm) == 0, "a session is kept warm");
  p_tern_session_free(warm);

  tern_model_port declared;
  check(p_tern_model_input_count(model) == 1 && p_tern_model_output_count(model) == 1, "the model has one input, one output");
  check(p_tern_model_input(model, 0, &declared) == 0 && strcmp(declared.name, "image") == 0 && declared.dtype == 2 && declared.rank == 4,
        "its input");
  check(strcmp(declared.dims[0], "batch") == 0 && strcmp(declared.dims[3], "8") == 0, "its input's dims, as the file has them");
  check(p_tern_model_output(model, 0, &declared) == 0 && strcmp(declared.name, "probabilities") == 0, "its output");
  check(p_tern_model_output(model, 1, &declared) == 2, "an index past the end of the model's outputs is 2");
  check(p_tern_model_data_dependent(model) == 0, "no shape depends on contents");
  check(p_tern_model_part(model, 0, &error) == NULL && error.code == 0, "a model without strings has no parts");
  float pixels[128];
  for (int i = 0; i < 128; ++i) pixels[i] = (float)(i % 64) / 64.0f;
  tern_array image = {2, 4, {2, 1, 8, 8}, pixels, sizeof pixels}, result;
  tern_arrays* evaluated = p_tern_evaluate(model, &image, 1, NULL, &error);
  check(evaluated != NULL && p_tern_arrays_count(evaluated) == 1 && p_tern_arrays_get(evaluated, 1, &result) == 2, "it evaluates");
  if (evaluated == NULL || p_tern_arrays_get(evaluated, 0, &result) != 0) return fprintf(stderr, "%s\n", error.message), 1;
  check(result.dtype == 2 && result.rank == 2 && result.dims[1] == 10 && result.bytes == 20 * sizeof(float), "the result's type and shape");
  image.bytes = 4;
  check(p_tern_evaluate(model, &image, 1, NULL, &error) == NULL && error.code == 3, "bytes that are not the shape's are error 3");
  image.dtype = 99;
  check(p_tern_evaluate(model, &image, 1, NULL, &error) == NULL && error.code == 2, "what is no dtype is error 2");
  image.dtype = 2, image.rank = 9;
  check(p_tern_evaluate(model, &image, 1, NULL, &error) == NULL && error.code == 2, "a rank above 8 is error 2");
  check(p_tern_evaluate(model, &image, 0, NULL, &error) == NULL && error.code == 2, "another number of inputs is error 2");

  check(p_tern_model_input_kind(model, 0) == 0 && p_tern_model_input_kind(model, 1) == -1, "a tensor, and none past the end");

  /* SequenceInsert of a sequence s and x: f32[2]. */
  static const char insert[] =
      "\x08\x08\x3a\x4d\x0a\x19\x0a\x01s\x0a\x01x\x12\x01t\x22\x0eSequenceInsert\x12\x01g\x5a\x0d\x0a\x01s\x12\x08\x22\x06\x0a\x04\x0a\x02"
      "\x08\x01\x5a\x0f\x0a\x01x\x12\x0a\x0a\x08\x08\x01\x12\x04\x0a\x02\x08\x02\x62\x0d\x0a\x01t\x12\x08\x22\x06\x0a\x04\x0a\x02\x08\x01\x42\x04"
      "\x0a\x00\x10\x12";
  tern_model* lists = p_tern_load_bytes(insert, sizeof insert - 1, &error);
  if (lists == NULL) return fprintf(stderr, "%s\n", error.message), 1;
  check(p_tern_model_input_kind(lists, 0) == 1 && p_tern_model_input_kind(lists, 1) == 0 && p_tern_model_output_kind(lists, 0) == 1,
        "which are sequences");
  tern_array element = {2, 1, {1}, pixels + 7, 4}, list_and_row[2] = {{15, 0, {0}, &element, sizeof element}, {2, 1, {2}, pixels, 8}};
  tern_array listed;
  tern_arrays* list = p_tern_evaluate(lists, list_and_row, 2, NULL, &error);
  if (list == NULL || p_tern_arrays_get(list, 0, &listed) != 0) return fprintf(stderr, "%s\n", error.message), 1;
  check(listed.dtype == 15 && listed.rank == 0 && listed.bytes == 2 * sizeof(tern_array), "a sequence of two");
  const tern_array* elements = listed.data;
  check(elements[0].dims[0] == 1 && *(const float*)elements[0].data == pixels[7] && elements[1].dims[0] == 2, "its elements");
  p_tern_arrays_free(list);
  element.dtype = 15;
  check(p_tern_evaluate(lists, list_and_row, 2, NULL, &error) == NULL && error.code == 2, "a sequence of sequences is error 2");
  list_and_row[0].data = NULL;
  check(p_tern_evaluate(lists, list_and_row, 2, NULL, &error) == NULL && error.code == 2, "a sequence of nothing is error 2");
  list_and_row[0].dtype = 0, list_and_row[0].bytes = 0;
  check(p_tern_evaluate(lists, list_and_row, 2, NULL, &error) == NULL && error.code == 3, "nothing is no sequence");
  p_tern_model_free(lists);

  tern_load_options with = TERN_LOAD_OPTIONS_INIT;
  with.key = "ema";
  tern_model* other_model = p_tern_load_with(argv[2], &with, &error);
  check(other_model != NULL, "options that the format does not need");
  p_tern_model_free(other_model);
  with.size = sizeof with.size; /* an older caller's: the rest keeps the defaults */
  other_model = p_tern_load_with(argv[2], &with, &error);
  check(other_model != NULL, "options of an older version");
  p_tern_model_free(other_model);
  check(p_tern_load_bytes_with("garbage", 7, NULL, &error) == NULL && error.code == 3, "bytes with options");
  p_tern_model_free(model); /* the session keeps what it needs */

  tern_step step = {sizeof step, NULL, NULL, NULL, 0, 0, {0}};
  const size_t steps = p_tern_step_count(session);
  double ns[64] = {0};
  check(steps > 0 && steps <= 64 && p_tern_step_get(session, 0, &step) == 0 && step.macs > 0 && strchr(step.kernel, '/') != NULL, "the first step");
  check(p_tern_step_get(session, steps, &step) == 2, "an index past the last step is 2");
  check(p_tern_run_timed(session, ns, steps) == 0 && ns[0] > 0, "steps are timed");
  check(p_tern_run_timed(session, ns, steps - 1) == 2, "too little room for times is 2");

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
  check(p_tern_run(session) == 0 && p_tern_status(session, &error) == 0, "every index is in range: there is none");
  check(p_tern_keep_warm(session) == 2, "no room was asked for to keep a session warm");
  volatile float least = FLT_MIN, flushed, kept;
  const uint64_t mode = p_tern_flush_subnormals();
  flushed = least / 4;
  p_tern_restore_subnormals(mode);
  kept = least / 4;
  check(flushed == 0 && kept > 0, "subnormals are zero until the mode is restored");
  for (int row = 0; row < 2; ++row) {
    double sum = 0;
    for (int i = 0; i < 10; ++i) sum += out[row * 10 + i];
    check(sum > 0.99999 && sum < 1.00001, "probabilities add up to 1");
  }
  check(memcmp(out, out + 10, 10 * sizeof(float)) == 0, "equal rows give equal bits");
  check(memcmp(out, result.data, result.bytes) == 0, "plan and evaluator give equal bits");
  p_tern_arrays_free(evaluated);
  p_tern_arrays_free(NULL);
  p_tern_session_free(session);
  p_tern_session_free(NULL);
  p_tern_model_free(NULL);
  printf("%d passed, %d failed\n", passed, failed);
  return failed != 0;
}
