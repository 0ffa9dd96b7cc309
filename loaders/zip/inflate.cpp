// See inflate.h. In pieces: zlib counts in 32 bits.
#include "loaders/zip/inflate.h"

#include <zlib.h>

#include <algorithm>

#include "runtime/base/mapping.h"

namespace tern {

Status inflate_exactly(std::span<const std::byte> from, std::span<std::byte> to, bool wrapped, bool once) {
  const size_t most = once ? size_t(1) << 20 : size_t(1) << 30;
  z_stream z{};
  if (inflateInit2(&z, wrapped ? MAX_WBITS : -MAX_WBITS) != Z_OK) return unsupported("no memory to decompress");
  size_t in = 0, done = 0;
  int state = Z_OK;
  std::byte nothing{};  // zlib wants a place even for zero bytes
  while (state == Z_OK) {
    const auto in_now = static_cast<uInt>(std::min(from.size() - in, most));
    const auto out_now = static_cast<uInt>(std::min<size_t>(to.size() - done, 1u << 30));
    z.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(from.data()) + in);
    z.avail_in = in_now;
    z.next_out = reinterpret_cast<Bytef*>(done == to.size() ? &nothing : to.data() + done);
    z.avail_out = out_now;
    state = inflate(&z, Z_NO_FLUSH);
    const size_t used = in_now - z.avail_in;
    if (once) release_pages(from.subspan(in, used));
    in += used;
    done += out_now - z.avail_out;
    if (state == Z_OK && in_now == z.avail_in && out_now == z.avail_out) state = Z_BUF_ERROR;
  }
  inflateEnd(&z);
  if (state != Z_STREAM_END || done != to.size()) return invalid("does not decompress to the size that it states");
  return {};
}

}  // namespace tern
