// Uses an installed tern from outside of its tree. See install.sh.
#include <tern/tern.h>

#include <cstdio>

int main(int, char** argv) {
  auto model = tern::load(argv[1]);
  if (!model) return std::fprintf(stderr, "%s\n", model.error().message().c_str()), 1;
  auto session = model->session({.dims = {{"batch", 1}}});
  if (!session) return std::fprintf(stderr, "%s\n", session.error().message().c_str()), 1;
  session->run();
  std::printf("%zu probabilities\n", session->output<float>("probabilities").size());
}
