// PyTorch files by hand: pieces of pickles, and the containers around them. All pieces are protocol 2.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "loaders/torch/pickle/checkpoint.h"
#include "tests/support/zip_writer.h"

namespace tern::test {

using Ints = std::vector<int64_t>;
using Named = std::vector<std::pair<std::string, std::string>>;

inline std::string text(const std::string& s) { return "X" + ZipWriter::text<uint32_t>(s.size()) + s; }
inline std::string integer(int64_t n) { return std::string("\x8a\x08") + ZipWriter::text<uint64_t>(static_cast<uint64_t>(n)); }
inline std::string integers(const Ints& ns) {
  std::string s = "(";
  for (int64_t n : ns) s += integer(n);
  return s + "t";
}
inline std::string global(const std::string& module, const std::string& name) { return "c" + module + "\n" + name + "\n"; }
inline std::string storage(const std::string& cls, const std::string& key, int64_t elements) {
  return "(" + text("storage") + global("torch", cls) + text(key) + text("cpu") + integer(elements) + "tQ";
}
inline std::string tensor(const std::string& storage, int64_t offset, const Ints& sizes, const Ints& strides) {
  return global("torch._utils", "_rebuild_tensor_v2") + "(" + storage + integer(offset) + integers(sizes) + integers(strides) + "\x89" +
         global("collections", "OrderedDict") + ")RtR";
}
// Four floats of storage 0.
inline std::string four() { return tensor(storage("FloatStorage", "0", 4), 0, {4}, {1}); }
inline std::string dict(const Named& items) {
  std::string s = "}(";
  for (const auto& [key, value] : items) s += text(key) + value;
  return s + "u";
}
inline std::string list(const std::vector<std::string>& items) {
  std::string s = "](";
  for (const std::string& item : items) s += item;
  return s + "e";
}
// A module of torch.nn, or of any other place.
inline std::string module(const std::string& file, const std::string& cls, const Named& parameters, const Named& children,
                          const Named& attributes = {}, const Named& buffers = {}) {
  Named state = {{"training", "\x89"}, {"_parameters", dict(parameters)}, {"_buffers", dict(buffers)}, {"_modules", dict(children)}};
  state.insert(state.end(), attributes.begin(), attributes.end());
  return global(file, cls) + ")\x81" + dict(state) + "b";
}

inline std::string pickled(const std::string& object) { return "\x80\x02" + object + "."; }

// The archive that torch.save makes; its name is `folder`.
inline std::string torch_zip(const std::string& object, const Named& storages = {{"0", std::string(16, '\x3f')}}, const ZipWriter::Options& o = {}) {
  ZipWriter zip;
  zip.add("archive/data.pkl", pickled(object), o);
  zip.add("archive/byteorder", "little", o);
  for (const auto& [key, data] : storages) zip.add("archive/data/" + key, data, o);
  zip.add("archive/version", "3\n", o);
  return zip.finish(true);
}

// The form before 1.6. Storages: key, and elements with their bytes.
struct LegacyStorage {
  std::string key;
  int64_t elements;
  std::string bytes;
};
inline std::string torch_legacy(const std::string& object, const std::vector<LegacyStorage>& storages = {{"0", 4, std::string(16, '\x3f')}}) {
  std::string s = pickled("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19") + pickled(integer(1001)) + pickled(dict({{"little_endian", "\x88"}})) +
                  pickled(object);
  std::string keys = "](";
  for (const LegacyStorage& storage : storages) keys += text(storage.key);
  s += pickled(keys + "e");
  for (const LegacyStorage& storage : storages) s += ZipWriter::text<uint64_t>(static_cast<uint64_t>(storage.elements)) + storage.bytes;
  return s;
}

inline Source source_of(const std::string& file) { return {std::as_bytes(std::span(file.data(), file.size())), nullptr, {}, {}}; }

}  // namespace tern::test
