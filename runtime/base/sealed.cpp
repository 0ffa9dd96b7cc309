// See sealed.h.
#include "runtime/base/sealed.h"

#include <utility>

#include "runtime/base/mapping.h"

namespace tern {

Tensor sealed(Tensor t) {
  if (!t.present() || t.dtype() == DType::string || t.bytes() < kWorthSealing || is_mapped(t.storage())) return t;
  auto file = SealedFile::make(t.bytes());
  if (!file || !file->write(t.raw(), 0, t.bytes())) return t;
  auto bytes = std::move(*file).seal();
  return bytes && is_mapped(*bytes) ? Tensor(t.dtype(), t.dims(), std::move(*bytes)) : t;
}

void release_pages(const Tensor& t) {
  if (t.present() && is_mapped(t.storage())) release_pages({t.raw(), t.bytes()});
}

}  // namespace tern
