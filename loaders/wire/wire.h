// From the bytes of a file in protobuf's wire format to a small, clean message: the file is walked without recursion by tables of the fields that are
// read, every length is checked, what no table lists is left out, large payloads stay in the file, and the memory that parsing would take is counted
// before any is taken. Next: wire.cpp, then onnx/wire.cpp and tensorflow/wire.cpp, the tables.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "runtime/base/byte_reader.h"
#include "tern/status.h"

namespace tern::wire {

enum class Kind : uint8_t {
  scalar,   // varint, or a fixed width
  text,     // bytes that protobuf will hold
  flag,     // a message of which only the presence matters
  message,  // one of ours
  ints,     // varints, packed or not; cost: bytes of each when parsed
  floats,   // floats or doubles, packed or not
  raw       // stays in the file: fields kOffset and kSize tell where
};

struct Message;

struct Field {
  uint32_t number;
  Kind kind;
  const Message* message = nullptr;  // of kind message
  int cost = 0;                      // bytes that one of these costs once it is part of a Graph, beyond its content
};

struct Message {
  std::span<const Field> fields;
};

// The rows of tables. What a string costs in protobuf and later in the graph is measured, rounded up.
constexpr int kText = 56;
constexpr Field scalar(uint32_t number) { return {number, Kind::scalar}; }
constexpr Field text(uint32_t number, int cost = kText) { return {number, Kind::text, nullptr, cost}; }
constexpr Field flag(uint32_t number) { return {number, Kind::flag}; }
constexpr Field part(uint32_t number, const Message& message, int cost) { return {number, Kind::message, &message, cost}; }
constexpr Field ints(uint32_t number, int cost = 8) { return {number, Kind::ints, nullptr, cost}; }
constexpr Field floats(uint32_t number) { return {number, Kind::floats}; }
constexpr Field raw(uint32_t number) { return {number, Kind::raw}; }

// What is written in place of a raw field: its begin and its size in the file.
constexpr uint64_t kOffset = 1001, kSize = 1002;

// The serialised message, of the fields that its table lists. `what`: "a readable ONNX model", for errors.
// Errors (invalid): truncated, malformed or too deep, or so many small parts that objects would take more than `budget` bytes
// beyond a small multiple of the file's size.
Result<std::string> clean(std::span<const std::byte> file, const Message& whole, int64_t budget, const char* what);

// Where the first payload of `least` bytes or more begins that lies at this path of fields in an open file of protobuf's wire format, as far as its first
// fields tell; nothing where there is none, or the file is another. Only speed depends on it.
std::optional<int64_t> first_payload(int fd, int64_t size, std::span<const uint32_t> path, int64_t least);

// The fields of a clean message that carry their length (texts, messages), one by one, without parsing it.
class Payloads {
 public:
  struct Payload {
    uint64_t number;
    std::string_view bytes;
  };
  explicit Payloads(std::string_view message) : in_(std::as_bytes(std::span(message))) {}
  std::optional<Payload> next();  // nothing: no more

 private:
  ByteReader in_;
};

}  // namespace tern::wire
