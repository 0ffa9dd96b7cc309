// See superblock.h.
#include "loaders/hdf5/superblock.h"

#include <algorithm>
#include <cstring>

#include "loaders/hdf5/object_header.h"

namespace tern::hdf5 {
namespace {

constexpr char kSignature[] = "\x89HDF\r\n\x1a\n";
constexpr size_t kSignatureBytes = 8;

bool is_size(int n) { return n == 2 || n == 4 || n == 8; }

// The one address that counts from the begin of the file.
Status check_end(const Space& space, size_t before, uint64_t end) {
  const uint64_t size = space.bytes().size() + before;
  if (end == kUndefined || end <= size) return {};
  return invalid("the HDF5 file is truncated: it has " + std::to_string(size) + " of " + std::to_string(end) + " bytes");
}

Error several() { return unsupported("the HDF5 file is one of several that belong together"); }

}  // namespace

std::optional<size_t> find_superblock(std::span<const std::byte> bytes) {
  for (size_t at = 0; at <= bytes.size() && bytes.size() - at >= kSignatureBytes; at = at == 0 ? 512 : 2 * at) {
    if (std::memcmp(bytes.data() + at, kSignature, kSignatureBytes) == 0) return at;
  }
  return std::nullopt;
}

Result<uint64_t> read_superblock(Space& space, size_t before) {
  Fields in = space.fields(space.bytes().first(std::min<size_t>(space.bytes().size(), 256)));
  in.skip(kSignatureBytes);
  const uint8_t version = in.u8();
  if (in.fits() && version > 3) return unsupported("the HDF5 file has a superblock of version " + std::to_string(version) + ", 0 to 3 are read");
  if (version < 2) in.skip(4);  // versions of its parts, and 0
  const int offset_size = in.u8(), length_size = in.u8();
  if (!in.fits()) return invalid("the HDF5 file is truncated");
  if (!is_size(offset_size) || !is_size(length_size)) {
    return unsupported("the HDF5 file has addresses of " + std::to_string(offset_size) + " and lengths of " + std::to_string(length_size) + " bytes");
  }
  space.set_sizes(offset_size, length_size);
  Fields rest = space.fields(space.bytes().first(std::min<size_t>(space.bytes().size(), 256)));
  rest.skip(in.position());
  uint64_t root = kUndefined;
  if (version < 2) {  // 0, shapes of trees, flags; addresses of itself, of free space, of the end, of a driver's block; the root's name and header
    rest.skip(version == 0 ? 9 : 13);
    rest.address();
    rest.address();
    const uint64_t end = rest.address(), driver = rest.address();
    rest.address();
    root = rest.address();
    if (!rest.fits()) return invalid("the HDF5 file is truncated");
    if (driver != kUndefined) return several();
    if (Status s = check_end(space, before, end); !s) return s.error();
  } else {  // flags; addresses of itself, of an extension, of the end, of the root's header; checksum
    rest.skip(1);
    rest.address();
    const uint64_t extension = rest.address(), end = rest.address();
    root = rest.address();
    rest.skip(4);
    if (!rest.fits()) return invalid("the HDF5 file is truncated");
    if (Status s = space.check_sum(space.bytes().first(rest.position()), 0, "superblock"); !s) return s.error();
    if (Status s = check_end(space, before, end); !s) return s.error();
    if (extension != kUndefined) {
      auto messages = read_messages(space, extension);
      if (!messages) return messages.error();
      if (find_message(*messages, MessageType::driver_info) != nullptr) return several();
    }
  }
  return root;
}

}  // namespace tern::hdf5
