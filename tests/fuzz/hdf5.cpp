// Fuzzes the HDF5 reader: any bytes as a file, of which everything is read; and once more with checksums that are right. See fuzz.sh.
#include <cstdlib>

#include "tests/support/hdf5_walk.h"

using namespace tern;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto tell = [](const std::string& message) {
    if (message.empty() || message.find('\n') != message.npos) std::abort();
  };
  const std::string file(reinterpret_cast<const char*>(data), size);
  (void)test::walk_hdf5(test::bytes_of(file), 1 << 20, tell);
  (void)test::walk_hdf5(test::bytes_of(test::repaired(file, 3)), 1 << 20, tell);
  return 0;
}
