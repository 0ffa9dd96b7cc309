// See snappy.h.
#include "loaders/tensorflow/bundle/snappy.h"

#ifdef TERN_SNAPPY
#include <snappy-c.h>
#endif

namespace tern::tensorflow {

#ifdef TERN_SNAPPY
Result<std::vector<std::byte>> snappy_uncompressed(std::span<const std::byte> block, int64_t most) {
  constexpr size_t kMostRatio = 64;  // three bytes copy at most 64
  const char* from = reinterpret_cast<const char*>(block.data());
  size_t size = 0;
  if (snappy_uncompressed_length(from, block.size(), &size) != SNAPPY_OK || size / kMostRatio > block.size()) {
    return invalid("it is not compressed as Snappy compresses");
  }
  if (size > static_cast<uint64_t>(most)) return invalid("it takes more memory than LoadOptions::budget allows");
  std::vector<std::byte> plain(size);
  if (snappy_uncompress(from, block.size(), reinterpret_cast<char*>(plain.data()), &size) != SNAPPY_OK || size != plain.size()) {
    return invalid("it is not compressed as Snappy compresses");
  }
  return plain;
}
#else
Result<std::vector<std::byte>> snappy_uncompressed(std::span<const std::byte>, int64_t) {
  return unsupported("it is compressed with Snappy, which this build does not read: build tern where libsnappy is (the package libsnappy-dev)");
}
#endif

}  // namespace tern::tensorflow
