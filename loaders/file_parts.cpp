// See file_parts.h.
#include "loaders/file_parts.h"

#include "runtime/base/checked.h"
#include "runtime/base/tensor.h"

namespace tern {
namespace {

using Bytes = std::shared_ptr<const std::byte>;

constexpr size_t kPiece = size_t(256) << 10;  // stays in the second cache

void visit_all(std::span<const std::byte> bytes, const FileParts::Visit& visit, bool release) {
  for (size_t at = 0; visit && at < bytes.size(); at += kPiece) {
    const auto piece = bytes.subspan(at, std::min(kPiece, bytes.size() - at));
    visit(piece);
    if (release) release_pages(piece);
  }
}

}  // namespace

// As many zeros as the file has bytes. Address space, until they are touched.
struct FileParts::Room {
  std::shared_ptr<std::byte> memory;  // null: there is none to be had
  size_t used = 0, size = 0;

  // Zeros for a part, of which as many may be read behind it as behind any tensor; null: no room is left.
  std::byte* take(size_t bytes) {
    const size_t needs = (bytes + 2 * kAlignment - 1) / kAlignment * kAlignment;
    if (needs > size - used) return nullptr;
    return memory.get() + std::exchange(used, used + needs);
  }
};

FileParts::~FileParts() {
  if (room_ != nullptr) protect(room_->memory);
}

// Small parts lie on the heap, which needs no mapping of its own.
Result<Bytes> FileParts::read(int64_t offset, size_t size, const Visit& visit) {
  std::byte* to = nullptr;
  std::shared_ptr<std::byte> own;
  if (size >= kWorthMapping) {
    if (room_ == nullptr) {
      room_ = std::make_shared<Room>();
      if (auto memory = map_memory(static_cast<size_t>(size_))) *room_ = Room{std::move(*memory), 0, static_cast<size_t>(size_)};
    }
    to = room_->take(size);
  }
  if (to == nullptr) {
    auto memory = size < kWorthMapping ? Result(allocate_aligned(size + kAlignment, true)) : map_memory(size + kAlignment);
    if (!memory) return memory.error();
    own = std::move(*memory);
    to = own.get();
  }
  for (size_t at = 0; at < size; at += kPiece) {
    const size_t bytes = visit ? std::min(kPiece, size - at) : size;
    if (Status s = read_into(file_.fd(), offset + static_cast<int64_t>(at), to + at, bytes, &known_); !s) return s.error();
    if (!visit) break;
    visit({to + at, bytes});
  }
  protect(own);
  return own != nullptr ? Bytes(std::move(own)) : hold(room_->memory, {to, size});
}

Result<int64_t> check_holes(const OpenFile& file, int64_t budget) {
  const int64_t holes = bytes_in_holes(file.fd(), file.size());
  if (holes <= budget) return holes;
  return unsupported(std::to_string(holes) + " of its " + std::to_string(file.size()) + " bytes are holes, more than the budget of " +
                     std::to_string(budget) + "; raise LoadOptions::budget if it is a model");
}

Result<FileParts> FileParts::open(const std::string& directory, const std::string& name, const FileOptions& how) {
  FileParts f;
  f.in_place_ = how.map;
  if (how.map) {
    auto whole = map_beneath(directory, name, how);
    if (!whole) return whole.error();
    f.whole_ = std::move(*whole);
    f.size_ = static_cast<int64_t>(f.whole_.bytes.size());
    return f;
  }
  const std::string path = directory + (directory.ends_with('/') ? "" : "/") + name;
  auto file = open_beneath(directory, name, how.follow_links);
  if (!file) return file.error().within(path);
  if (auto holes = check_holes(*file, how.budget); !holes) return holes.error().within(path);
  f.file_ = std::move(*file);
  f.size_ = f.file_.size();
  f.left_ = checked_add(f.size_, how.budget).value_or(INT64_MAX);
  return f;
}

Result<FileParts::Part> FileParts::part(int64_t offset, int64_t size, const Visit& visit) {
  const auto bytes = static_cast<size_t>(size);
  if (in_place_) {
    const auto part = whole_.bytes.subspan(static_cast<size_t>(offset), bytes);
    visit_all(part, visit, true);
    return Part{part, &whole_};
  }
  auto [at, fresh] = parts_.try_emplace({offset, size});
  Source& source = at->second;
  if (fresh) {
    auto made = [&]() -> Result<Bytes> {
      if (size > left_) return invalid("its parts lie over one another");
      left_ -= size;
      auto copy = read(offset, bytes, visit);
      if (copy && file_.changed()) return invalid("changed while it was read; load it again when it is whole");
      return copy;
    }();
    if (!made) {
      parts_.erase(at);
      return made.error();
    }
    source.bytes = {made->get(), bytes + kAlignment};
    source.owner = std::move(*made);
  } else {
    visit_all(source.bytes.first(bytes), visit, false);
  }
  return Part{source.bytes.first(bytes), &source};
}

}  // namespace tern
