// See sealed.h.
#include "runtime/base/sealed.h"

#include <cstring>
#include <utility>

namespace tern {

Tensor sealed(Tensor t) {
  if (!t.present() || t.dtype() == DType::string || t.bytes() < kWorthMapping) return t;
  if (!is_mapped(t.storage())) {
    auto memory = map_memory(t.bytes());
    if (!memory) return t;
    std::memcpy(memory->get(), t.raw(), t.bytes());
    t = Tensor(t.dtype(), t.dims(), std::move(*memory));
  }
  protect(t.storage());
  return t;
}

bool make_writable(Tensor& t) {
  if (!t.present()) return false;
  Tensor alone = t.reshaped(t.dims());  // when t goes, who else has the tensor shows
  t = Tensor();
  const bool writable = unprotect(alone.storage());
  t = std::move(alone);
  return writable;
}

Tensor place_over(Tensor& t) { return make_writable(t) ? t : *Tensor::allocate(t.dtype(), t.dims()); }

void retire(const Tensor& t) {
  if (t.present()) retire(t.storage(), {t.raw(), t.bytes()});
}

}  // namespace tern
