// The command's arguments of a kernel: "i32:5", "f32:0.5", "buffer:1024f32=iota". Next: arguments.cpp.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "tools/ptxsim/ptxsim.h"

namespace ptxsim {

struct Argument {
  char type[4] = "f32";  // i32 u32 i64 u64 f32 f64 f16 u8 ...: of the value, or of a buffer's elements
  bool buffer = false;
  uint64_t count = 0;            // elements
  std::vector<std::byte> bytes;  // the value, or the initial contents; empty: uninitialised
  uint64_t address = 0;          // of a buffer, once allocated
};

Result<Argument> parse_argument(std::string_view);
size_t element_bytes(const Argument&);
std::string element_text(const Argument&, const std::byte* at);  // a number, as people read it

}  // namespace ptxsim
