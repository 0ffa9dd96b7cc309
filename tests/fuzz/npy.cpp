// Fuzzes NumPy's files: an array, or an archive of arrays; what was read is written and reads as the same. See fuzz.sh.
#include "loaders/npy/npy.h"

#include <cstdlib>
#include <cstring>

using namespace tern;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  if (size > 1 && data[0] == 'P' && data[1] == 'K') {
    (void)read_npz(bytes);
    (void)read_npz(bytes, "x");
    return 0;
  }
  auto t = read_npy(bytes);
  if (!t || t->dtype() == DType::string || t->dtype() == DType::bf16) return 0;  // those have no type of NumPy's
  const std::string written = write_npy(*t);
  auto again = read_npy(std::as_bytes(std::span(written.data(), written.size())));
  if (!again || again->dtype() != t->dtype() || !(again->dims() == t->dims())) std::abort();
  if (t->bytes() > 0 && std::memcmp(t->raw(), again->raw(), t->bytes()) != 0) std::abort();
  return 0;
}
