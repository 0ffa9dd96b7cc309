// See object_header.h.
#include "loaders/hdf5/object_header.h"

#include <algorithm>
#include <cstring>

namespace tern::hdf5 {
namespace {

constexpr size_t kMostMessages = 65536;  // their indices have 16 bits
constexpr uint16_t kLastKnown = 23;      // of the format's third version; those that are not in the enumeration do not change what is read

struct Block {
  uint64_t address, size;
};

// What the version decides: how a message's own header is laid out.
struct Form {
  bool second;           // version 2
  bool creation_orders;  // version 2 with the messages' indices
  size_t message_header() const { return !second ? 8 : creation_orders ? 6 : 4; }
};

// Reads the messages of one block, and appends the blocks that continue it.
Status read_block(Space& space, Fields in, const Form& form, uint64_t address, std::vector<Message>& out, std::vector<Block>& blocks) {
  while (in.left() >= form.message_header()) {
    const auto type = static_cast<uint16_t>(form.second ? in.u8() : in.u16());
    const uint16_t size = in.u16();
    const uint8_t flags = in.u8();
    in.skip(form.second ? form.creation_orders ? 2 : 0 : 3);
    const Message message{static_cast<MessageType>(type), (flags & 2) != 0, in.take(size)};
    if (!in.fits()) return space.damaged("object header", address, "has a message that reaches beyond it");
    if ((flags & 0x80) != 0 && type > kLastKnown) {
      return unsupported("has a message of type " + std::to_string(type) + ", which this reader does not know and may not pass over");
    }
    if (message.type == MessageType::nothing) continue;
    if (message.type != MessageType::continuation) {
      if (out.size() == kMostMessages) return space.damaged("object header", address, "has more than 65536 messages");
      out.push_back(message);
      continue;
    }
    Fields where = space.fields(message.body);
    const uint64_t next = where.address(), length = where.length();
    if (!where.fits()) return space.damaged("object header", address, "has a continuation without an address");
    blocks.push_back({next, length});
  }
  return {};
}

// The first block of version 2, without its checksum: signature, version, flags, times, limits of attributes, size.
Result<Fields> first_block(Space& space, uint64_t address, Form& form) {
  auto start = space.at(address, 6, "object header", "OHDR");
  if (!start) return start.error();
  Fields prefix = space.fields(*start);
  prefix.skip(4);
  const uint8_t version = prefix.u8(), flags = prefix.u8();
  if (version != 2) return unsupported("has an object header of version " + std::to_string(version) + ", 1 and 2 are read");
  form = {true, (flags & 4) != 0};
  const uint64_t skipped = 6 + ((flags & 0x20) != 0 ? 16 : 0) + ((flags & 0x10) != 0 ? 4 : 0), width = uint64_t(1) << (flags & 3);
  auto head = space.at(address, skipped + width, "object header");
  if (!head) return head.error();
  prefix = space.fields(*head);
  prefix.skip(skipped);
  const uint64_t size = prefix.number(width);
  if (size > space.bytes().size()) return space.damaged("object header", address, "is longer than the file");
  auto whole = space.at(address, skipped + width + size + 4, "object header");
  if (!whole) return whole.error();
  if (Status s = space.check_sum(*whole, address, "object header"); !s) return s.error();
  return space.fields(whole->subspan(skipped + width, size));
}

Result<Fields> first_block_v1(Space& space, uint64_t address) {
  auto head = space.at(address, 16, "object header");  // version, 0, messages, references, size, and 4 bytes up to a multiple of 8
  if (!head) return head.error();
  Fields prefix = space.fields(*head);
  if (prefix.u8() != 1) return space.damaged("object header", address, "is none");
  prefix.skip(7);
  auto body = space.at(address + 16, prefix.u32(), "object header");
  if (!body) return body.error();
  return space.fields(*body);
}

Result<Fields> next_block(Space& space, const Block& block, const Form& form) {
  if (!form.second) {
    auto body = space.at(block.address, block.size, "object header's continuation");
    if (!body) return body.error();
    return space.fields(*body);
  }
  auto whole = space.at(block.address, block.size, "object header's continuation", "OCHK");
  if (!whole) return whole.error();
  if (block.size < 8) return space.damaged("object header's continuation", block.address);
  if (Status s = space.check_sum(*whole, block.address, "object header's continuation"); !s) return s.error();
  return space.fields(whole->subspan(4, block.size - 8));
}

}  // namespace

Result<std::vector<Message>> read_messages(Space& space, uint64_t address) {
  auto signature = space.at(address, 4, "object header");
  if (!signature) return signature.error();
  Form form{};
  auto first = std::memcmp(signature->data(), "OHDR", 4) == 0 ? first_block(space, address, form) : first_block_v1(space, address);
  if (!first) return first.error();
  std::vector<Message> out;
  std::vector<Block> blocks;
  if (Status s = read_block(space, *first, form, address, out, blocks); !s) return s.error();
  for (size_t i = 0; i < blocks.size(); ++i) {
    const Block block = blocks[i];
    // A header that continues in itself ends here too.
    if (block.size == 0 || blocks.size() > kMostMessages) return space.damaged("object header", address, "continues without an end");
    auto body = next_block(space, block, form);
    if (!body) return body.error();
    if (Status s = read_block(space, *body, form, address, out, blocks); !s) return s.error();
  }
  return out;
}

const Message* find_message(const std::vector<Message>& messages, MessageType type) {
  const auto it = std::find_if(messages.begin(), messages.end(), [&](const Message& m) { return m.type == type; });
  return it == messages.end() ? nullptr : &*it;
}

// A shared message: version, how, and in versions 1 (after 6 bytes of nothing) and 2, or 3 with how = 2, the address of the other header.
Result<std::span<const std::byte>> resolve(Space& space, const Message& message) {
  if (!message.shared) return message.body;
  Fields in = space.fields(message.body);
  const uint8_t version = in.u8(), how = in.u8();
  if (version == 1) in.skip(6);
  if (version == 3 && how == 1) return unsupported("has a message in a heap that the whole file shares");
  if (version == 0 || version > 3) return unsupported("has a shared message of version " + std::to_string(version));
  const uint64_t address = in.address();
  if (!in.fits()) return invalid("has a shared message without an address");
  auto messages = read_messages(space, address);
  if (!messages) return messages.error();
  const Message* there = find_message(*messages, message.type);
  if (there == nullptr) return space.damaged("object header", address, "lacks the message that another one shares");
  if (there->shared) return space.damaged("object header", address, "shares a message that is shared itself");
  return there->body;
}

}  // namespace tern::hdf5
