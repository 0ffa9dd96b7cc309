// NumPy's .npy (one array) and .npz (a ZIP file of them).
//   \x93NUMPY  u8 major  u8 minor  u16 (u32 from major 2) header bytes  "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"  elements
// Next: zip/zip.h.
#pragma once
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/tensor.h"

namespace tern {

// Big-endian and Fortran-ordered arrays are turned around; 'S' and 'U' arrays become strings. Errors: damaged or truncated
// (invalid), an element type that tern does not have (unsupported).
Result<Tensor> read_npy(std::span<const std::byte> bytes);
// The bytes of a .npy file. Strings are written as 'S' (bytes). bf16 has no NumPy type and is written as f32.
std::string write_npy(const Tensor& tensor);
// Arrays of a .npz by name, in the file's order, ".npy" removed. `key`: only this one, when not empty. Compressed arrays may take
// 32 MB and 8 times the file together, which is known before they are decompressed. Errors: also no such key, more than that (invalid).
Result<std::vector<std::pair<std::string, Tensor>>> read_npz(std::span<const std::byte> bytes, std::string_view key = {});

}  // namespace tern
