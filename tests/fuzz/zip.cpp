// Fuzzes the ZIP reader: any bytes as an archive, every member read in place and as a copy. See fuzz.sh.
#include "loaders/zip/zip.h"

#include <cstdlib>

using tern::ZipArchive;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  for (const bool zero_crc_unset : {false, true}) {
    auto zip = ZipArchive::open(bytes, {.in_place = false, .zero_crc_unset = zero_crc_unset});
    if (!zip) continue;
    for (const ZipArchive::Entry& e : zip->entries()) {
      if (zip->find(e.name) != &e) std::abort();  // every name is there once
      auto read = zip->read(e, 1 << 20);
      auto view = zip->view(e);
      if (read && read->size() != e.size) std::abort();
      if (view && (!read || !std::equal(view->begin(), view->end(), read->begin(), read->end()))) std::abort();
      if (view && (view->data() < bytes.data() || view->data() + view->size() > bytes.data() + bytes.size())) std::abort();
    }
  }
  return 0;
}
