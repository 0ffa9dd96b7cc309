// Fuzzes one serialized TensorProto, SequenceProto or OptionalProto, as the .pb files of test data are. See fuzz.sh.
#include <cstdlib>
#include <cstring>

#include "loaders/onnx/onnx.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  for (tern::ValueKind kind : {tern::ValueKind::sequence, tern::ValueKind::optional}) {
    auto value = tern::load_value_proto(std::as_bytes(std::span(data, size)), kind);
    if (!value && value.error().message().empty()) std::abort();
    if (value && value->bytes() < 0) std::abort();
  }
  auto t = tern::load_tensor_proto(std::as_bytes(std::span(data, size)));
  if (!t) {
    if (t.error().message().empty()) std::abort();
    return 0;
  }
  if (t->dtype() == tern::DType::string) {
    for (const tern::StringRef& s : t->span<tern::StringRef>()) {
      if (s.size > static_cast<int64_t>(size)) std::abort();
    }
  } else if (t->bytes() > 0 && std::memcmp(t->raw(), t->raw(), t->bytes()) != 0) {  // all of it can be read
    std::abort();
  }
  return 0;
}
