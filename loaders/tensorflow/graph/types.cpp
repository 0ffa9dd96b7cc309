// See types.h.
#include "loaders/tensorflow/graph/types.h"

namespace tern::tensorflow {
namespace {

struct Type {
  const char* name;
  DType dtype;  // none: tern does not compute with it
};
constexpr Type kTypes[] = {{"invalid", DType::none},
                           {"float", DType::f32},
                           {"double", DType::f64},
                           {"int32", DType::i32},
                           {"uint8", DType::u8},
                           {"int16", DType::i16},
                           {"int8", DType::i8},
                           {"string", DType::string},
                           {"complex64", DType::none},
                           {"int64", DType::i64},
                           {"bool", DType::boolean},
                           {"qint8", DType::none},
                           {"quint8", DType::none},
                           {"qint32", DType::none},
                           {"bfloat16", DType::bf16},
                           {"qint16", DType::none},
                           {"quint16", DType::none},
                           {"uint16", DType::u16},
                           {"complex128", DType::none},
                           {"half", DType::f16},
                           {"resource", DType::none},
                           {"variant", DType::none},
                           {"uint32", DType::u32},
                           {"uint64", DType::u64},
                           {"float8_e5m2", DType::none},
                           {"float8_e4m3fn", DType::none},
                           {"float8_e4m3fnuz", DType::none},
                           {"float8_e4m3b11fnuz", DType::none},
                           {"float8_e5m2fnuz", DType::none},
                           {"int4", DType::none},
                           {"uint4", DType::none}};

const Type* type_of(int number) {
  if (number > kRef) number -= kRef;
  return number > 0 && number < static_cast<int>(std::size(kTypes)) ? &kTypes[number] : nullptr;
}

}  // namespace

std::string type_name(int number) {
  const Type* type = type_of(number);
  return type == nullptr ? "type " + std::to_string(number) : type->name;
}

Result<DType> dtype_of(int number) {
  const Type* type = type_of(number);
  if (number == 0) return invalid("it has no dtype");
  if (type == nullptr || type->dtype == DType::none) return unsupported("dtype " + type_name(number) + " is not supported");
  return type->dtype;
}

}  // namespace tern::tensorflow
