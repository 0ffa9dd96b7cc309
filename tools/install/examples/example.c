/* The same in C: runs a model of f32 on an input of halves and prints its first output. Every symbolic dimension is 1.
 *   cc example.c $(pkg-config --cflags --libs tern) -o example                     with libtern.so
 *   cc -static example.c $(pkg-config --static --cflags --libs tern) -o example    with nothing but itself
 * Usage: example MODEL */
#include <stdio.h>
#include <tern/tern_c.h>

enum { kMostDims = 16 };

static size_t symbols(const tern_model* model, tern_dim* dims) {
  size_t count = 0;
  for (size_t i = 0; i < tern_model_input_count(model); ++i) {
    tern_model_port port;
    tern_model_input(model, i, &port);
    for (int d = 0; d < port.rank; ++d) {
      const char first = port.dims[d][0];
      if ((first < '0' || first > '9') && count < kMostDims) dims[count++] = (tern_dim){port.dims[d], 1};
    }
  }
  return count;
}

int main(int argc, char** argv) {
  tern_error error;
  tern_model* model = tern_load(argc > 1 ? argv[1] : "model.onnx", &error);
  if (model == NULL) return fprintf(stderr, "%s\n", error.message), 1;

  tern_dim dims[kMostDims];
  tern_session_options options = TERN_SESSION_OPTIONS_INIT;
  options.dims = dims;
  options.dim_count = symbols(model, dims);
  tern_session* session = tern_session_new(model, &options, &error);
  if (session == NULL) return fprintf(stderr, "%s\n", error.message), 1;

  tern_port x, y;
  if (tern_input(session, 0, &x) != 0 || tern_output(session, 0, &y) != 0 || x.dtype != 2 || y.dtype != 2) {
    return fprintf(stderr, "the model has no input and output of f32\n"), 1;
  }
  for (size_t i = 0; i < x.bytes / sizeof(float); ++i) ((float*)x.data)[i] = 0.5f;
  tern_run(session);
  for (size_t i = 0; i < y.bytes / sizeof(float); ++i) printf("%g\n", ((const float*)y.data)[i]);
  tern_session_free(session);
  tern_model_free(model);
  return 0;
}
