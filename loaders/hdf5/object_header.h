// An object's header: the messages that say what it is, in one piece or several. Next: groups.h.
#pragma once
#include <vector>

#include "loaders/hdf5/space.h"

namespace tern::hdf5 {

// The messages that are read, by the number in their header.
enum class MessageType : uint16_t {
  nothing = 0,
  dataspace = 1,
  link_info = 2,
  datatype = 3,
  old_fill = 4,
  fill = 5,
  link = 6,
  external_files = 7,
  layout = 8,
  filters = 11,
  attribute = 12,
  continuation = 16,
  symbol_table = 17,
  driver_info = 20,
  attribute_info = 21,
};

struct Message {
  MessageType type = MessageType::nothing;
  bool shared = false;  // the body says where the message is: see resolve()
  std::span<const std::byte> body;
};

// The messages of the object at `address`, versions 1 and 2, in file order. Errors: damaged, more than 65536 messages (invalid); a message
// that a reader must know and this one does not, another version (unsupported).
Result<std::vector<Message>> read_messages(Space& space, uint64_t address);

// The first message of a type; null when there is none.
const Message* find_message(const std::vector<Message>& messages, MessageType type);

// The body of a message, which may lie in another object's header (a committed datatype). Errors: damaged (invalid); in a heap that the whole
// file shares (unsupported).
Result<std::span<const std::byte>> resolve(Space& space, const Message& message);

}  // namespace tern::hdf5
