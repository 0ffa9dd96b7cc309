// See bundle.h.
#include "loaders/tensorflow/bundle/bundle.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "loaders/tensorflow/bundle/slices.h"
#include "loaders/tensorflow/graph/tensors.h"
#include "loaders/tensorflow/graph/types.h"
#include "loaders/tensorflow/wire.h"
#include "loaders/weights/piece.h"
#include "runtime/base/byte_reader.h"
#include "runtime/base/crc.h"
#include "runtime/base/printable.h"
#include "runtime/base/subnormals.h"

namespace tern::tensorflow {
namespace {

constexpr int32_t kVersion = 1;  // the newest that a reader must know
constexpr const char* kDamaged = "its checksum is wrong: the file is damaged";

std::span<const std::byte> bytes(const std::string& s) { return std::as_bytes(std::span(s)); }

}  // namespace

Result<Bundle> Bundle::open(const std::string& folder, const std::string& prefix, const FileOptions& how) {
  Bundle b;
  b.folder_ = folder;
  b.prefix_ = prefix;
  b.how_ = how;
  const std::string name = prefix + ".index";
  auto index = map_beneath(folder, name, how);
  if (!index) return index.error();
  auto table = read_table(index->bytes, how.budget);
  if (!table) return table.error().within(name);
  b.table_ = std::move(*table);
  const auto header = b.table_.find("");
  if (header == b.table_.end()) return invalid(name + ": it is a table without the header of a checkpoint");
  auto h = read_bundle_header(bytes(header->second));
  if (!h) return h.error().within(name);
  if (h->endianness() != 0)
    return unsupported(name + ": the checkpoint is of a big-endian machine, which is not supported; save it again on another one");
  if (h->version().min_consumer() > kVersion) {
    return unsupported(name + ": the checkpoint is of version " + std::to_string(h->version().producer()) + ", which is newer than " +
                       std::to_string(kVersion));
  }
  b.shards_ = h->num_shards();
  return b;
}

std::vector<std::string> Bundle::keys() const {
  std::vector<std::string> all;
  for (const auto& [key, entry] : table_) {
    if (!key.empty() && key[0] != '\0') all.push_back(key);
  }
  return all;
}

Result<FileParts*> Bundle::shard(int32_t number) {
  if (number < 0 || number >= shards_) return invalid("it lies in shard " + std::to_string(number) + " of " + std::to_string(shards_));
  if (const auto known = open_.find(number); known != open_.end()) return &known->second;
  char ending[48];
  std::snprintf(ending, sizeof ending, ".data-%05d-of-%05d", number, shards_);
  auto source = FileParts::open(folder_, prefix_ + ending, how_);
  if (!source) return source.error().within("a shard of the checkpoint");
  return &open_.emplace(number, std::move(*source)).first->second;
}

// The shard of an entry, which is inside.
Result<FileParts*> Bundle::shard_of(const tensorflow_pb::BundleEntry& e) {
  auto file = shard(e.shard_id());
  if (!file) return file;
  const int64_t size = (*file)->size();
  if (e.offset() < 0 || e.size() < 0 || e.offset() > size || e.size() > size - e.offset()) {
    return invalid("its bytes lie beyond the end of " + prefix_ + ", shard " + std::to_string(e.shard_id()) + " of " + std::to_string(size) +
                   " bytes");
  }
  return file;
}

Result<FileParts::Part> Bundle::bytes_of(const tensorflow_pb::BundleEntry& e, const FileParts::Visit& visit) {
  auto file = shard_of(e);
  if (!file) return file.error();
  auto part = (*file)->part(e.offset(), e.size(), visit);
  if (!part) return part.error().within("a shard of the checkpoint");
  return part;
}

Result<Tensor> Bundle::numbers(const tensorflow_pb::BundleEntry& e, const Dims& dims) {
  auto dtype = dtype_of(e.dtype());
  if (!dtype) return dtype.error();
  uint32_t crc = 0;
  bool normal = true;
  auto piece = bytes_of(e, [&](std::span<const std::byte> bytes) {
    crc = crc32c(bytes, crc);
    normal = normal && !any_subnormal(*dtype, bytes);
  });
  if (!piece) return piece.error();
  if (e.crc32c() != masked(crc)) return invalid(kDamaged);
  return dense_tensor(*dtype, dims, piece->bytes, *piece->source, normal);
}

// The length of each, a checksum of the lengths, the texts.
Result<std::vector<std::string>> Bundle::texts(const tensorflow_pb::BundleEntry& e, int64_t count) {
  auto part = bytes_of(e);
  if (!part) return part.error();
  const std::span<const std::byte> piece = part->bytes;
  const Error malformed = invalid("its texts are malformed");
  if (count > e.size()) return malformed;
  ByteReader in(piece);
  std::vector<uint64_t> lengths;
  uint32_t crc = 0;
  for (int64_t i = 0; i < count; ++i) {
    const auto n = in.varint();
    if (!n || *n > piece.size()) return malformed;
    lengths.push_back(*n);
    const auto narrow = static_cast<uint32_t>(*n);
    crc = *n <= UINT32_MAX ? crc32c(std::as_bytes(std::span(&narrow, 1)), crc) : crc32c(std::as_bytes(std::span(&*n, 1)), crc);
  }
  const auto stored = in.read<uint32_t>();
  if (!stored) return malformed;
  if (*stored != masked(crc)) return invalid(kDamaged);
  crc = crc32c(std::as_bytes(std::span(&*stored, 1)), crc);
  crc = crc32c(piece.subspan(in.position()), crc);
  if (e.crc32c() != masked(crc)) return invalid(kDamaged);
  std::vector<std::string> all;
  for (const uint64_t n : lengths) {
    const auto text = in.take(n);
    if (!text) return malformed;
    all.emplace_back(reinterpret_cast<const char*>(text->data()), text->size());
  }
  return in.done() ? Result<std::vector<std::string>>(std::move(all)) : malformed;
}

// A variable in parts.
Result<Tensor> Bundle::joined(const std::string& key, const tensorflow_pb::BundleEntry& whole, const Dims& dims) {
  std::vector<Slice> slices;
  std::vector<tensorflow_pb::BundleEntry> entries;
  int64_t bytes_there = 0;
  for (const auto& s : whole.slices()) {
    Slice slice;
    for (const auto& e : s.extent()) {
      slice.start.push_back(e.start());
      slice.length.push_back(e.has_length() ? e.length() : -1);
    }
    const auto at = table_.find(slice_key(key, slice));
    if (at == table_.end()) return invalid("a part of it is missing");
    auto entry = read_bundle_entry(bytes(at->second));
    if (!entry) return entry.error();
    if (entry->dtype() != whole.dtype()) return invalid("a part of it has another dtype");
    slices.push_back(std::move(slice));
    entries.push_back(std::move(*entry));
  }
  if (Status s = check_slices(slices, dims); !s) return s.error();
  auto dtype = dtype_of(whole.dtype());
  if (!dtype) return dtype.error();
  if (*dtype == DType::string) return unsupported("it holds texts in parts, which is not supported");
  Result<Tensor> tensor = Error();
  for (size_t i = 0; i < slices.size(); ++i) {  // all parts are there before memory is taken for the whole
    if (auto file = shard_of(entries[i]); !file) return file.error();
    bytes_there += entries[i].size();
  }
  const auto needs = storage_bytes(*dtype, dims);
  if (!needs || *needs != bytes_there)
    return invalid("its parts have " + std::to_string(bytes_there) + " bytes, not as many as its shape " + to_string(dims));
  tensor = Tensor::allocate(*dtype, dims);
  if (!tensor) return tensor;
  for (size_t i = 0; i < slices.size(); ++i) {
    auto part = numbers(entries[i], Dims(std::span<const int64_t>(slices[i].length)));
    if (!part) return part.error().within("part " + std::to_string(i));
    if (part->count() > 0) place_slice(*part, slices[i], *tensor);
  }
  return tensor;
}

Result<Tensor> Bundle::read(const std::string& key) {
  const auto at = table_.find(key);
  if (at == table_.end()) return invalid("the checkpoint has no " + printable(key, 200));
  auto entry = read_bundle_entry(bytes(at->second));
  if (!entry) return entry.error();
  auto dims = to_dims(entry->shape());
  if (!dims) return dims.error();
  if (entry->slices_size() > 0) return joined(key, *entry, *dims);
  if (entry->dtype() != kString) return numbers(*entry, *dims);
  auto list = texts(*entry, dims->count());
  return list ? Tensor::strings(*dims, *list) : Result<Tensor>(list.error());
}

Result<Tensor> Bundle::read_part(const std::string& key, const std::string& part) {
  const auto slice = parse_slice(part);
  if (!slice) return invalid("'" + printable(part, 80) + "' tells no part of a variable");
  const auto at = table_.find(slice_key(key, *slice));
  if (at == table_.end()) return invalid("the checkpoint has no part " + printable(part, 80) + " of " + printable(key, 200));
  auto entry = read_bundle_entry(bytes(at->second));
  if (!entry) return entry.error();
  auto dims = to_dims(entry->shape());
  return dims ? numbers(*entry, *dims) : dims.error();
}

Result<std::string> Bundle::text(const std::string& key) {
  const auto at = table_.find(key);
  if (at == table_.end()) return invalid("the checkpoint has no " + printable(key, 200));
  auto entry = read_bundle_entry(bytes(at->second));
  if (!entry) return entry.error();
  if (entry->dtype() != kString || entry->shape().dim_size() != 0) return invalid("it is no text");
  auto list = texts(*entry, 1);
  return list ? Result<std::string>(std::move(list->front())) : list.error();
}

}  // namespace tern::tensorflow
