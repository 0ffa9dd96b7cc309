// Pickle: what a Python pickle describes, as inert data. The stack machine of protocols 0 to 5 without any of its powers: a call is a
// record of what would have been called. Objects lie in one flat array and refer to each other by index, so that shared, cyclic and
// deeply nested ones cost nothing special; nothing here recurses. Next: pickle.cpp, then checkpoint.h.
#pragma once
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tern/status.h"

namespace tern::torch {

using ObjectId = uint32_t;
constexpr ObjectId kNoObject = 0xffffffff;

class Pickle {
 public:
  enum class Kind : uint8_t { none, boolean, integer, big_integer, real, text, bytes, tuple, list, dict, set, global, call, persistent };

  // Reads one pickle that begins at `position`, and moves it past the STOP. `bytes` must outlive the result. Memory is bounded by 32 MB and
  // 16 bytes for each byte of the pickle. Errors: damaged, an opcode that makes no sense, too large (invalid), naming opcode and byte.
  static Result<Pickle> read(std::span<const std::byte> bytes, size_t& position);

  ObjectId root() const { return root_; }
  size_t size() const { return objects_.size(); }
  size_t bytes() const { return bytes_; }  // that it has in the file: bounds of what is made of it are multiples of this
  Kind kind(ObjectId id) const { return objects_[id].kind; }
  bool is(ObjectId id, Kind k) const { return id != kNoObject && kind(id) == k; }
  int64_t integer(ObjectId id) const { return static_cast<int64_t>(objects_[id].word); }  // boolean and integer
  double real(ObjectId id) const;
  // text (UTF-8), bytes; big_integer: two's complement, little-endian, or the digits where the file has those
  std::string_view text(ObjectId id) const { return {reinterpret_cast<const char*>(objects_[id].word), objects_[id].count}; }
  // tuple, list, set: the items. dict: key, value, key, value …
  std::span<const ObjectId> items(ObjectId id) const;
  // The value of a text key, the last one as in Python; kNoObject when there is none (or it is no dict).
  ObjectId get(ObjectId dict, std::string_view key) const;
  // global: "torch._utils", "_rebuild_tensor_v2", with Python 2's names brought to Python 3's. Both joined by a dot: qualified.
  std::string_view module(ObjectId id) const { return globals_[objects_[id].word].module; }
  std::string_view name(ObjectId id) const { return globals_[objects_[id].word].name; }
  std::string qualified(ObjectId id) const { return std::string(module(id)) + "." + std::string(name(id)); }
  // call: what would have been called, with what (a tuple), then what BUILD, APPENDS and SETITEMS put on the result.
  ObjectId callable(ObjectId id) const { return at(id)[0]; }
  ObjectId arguments(ObjectId id) const { return at(id)[1]; }
  ObjectId state(ObjectId id) const { return at(id)[2]; }     // kNoObject: none
  ObjectId keywords(ObjectId id) const { return at(id)[3]; }  // a dict; kNoObject: none
  std::span<const ObjectId> extras(ObjectId id) const { return {at(id) + 4, objects_[id].count - 4}; }
  bool extras_are_pairs(ObjectId id) const { return objects_[id].pairs; }
  // Is it a call of this global?
  bool is_call_of(ObjectId id, std::string_view qualified_name) const;
  // persistent: the id that stands for something outside.
  ObjectId pid(ObjectId id) const { return static_cast<ObjectId>(objects_[id].word); }

  struct Global {
    std::string module, name;
    bool called = false;  // REDUCE, NEWOBJ … would have run it
  };
  // In the order of their first appearance, each once.
  const std::vector<Global>& globals() const { return globals_; }

 private:
  friend class PickleMachine;
  struct Object {  // 16 bytes
    Kind kind = Kind::none;
    bool pairs = false;  // of a call: its extras are keys and values
    bool grown = false;  // its items have room for the next power of two
    uint32_t count = 0;  // bytes of a text, items of a container; of a call: 4 and its extras
    uint64_t word = 0;   // number, address of text or items, index into globals_
  };
  const ObjectId* at(ObjectId id) const { return reinterpret_cast<const ObjectId*>(objects_[id].word); }
  std::deque<Object> objects_;                       // a deque never holds more than it needs, not even while it grows
  std::vector<std::unique_ptr<ObjectId[]>> blocks_;  // the items of all containers
  std::vector<Global> globals_;
  std::deque<std::string> owned_;  // texts that had to be decoded
  ObjectId root_ = 0;
  size_t bytes_ = 0;
};

}  // namespace tern::torch
