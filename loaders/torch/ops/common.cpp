// See common.h.
#include "loaders/torch/ops/common.h"

namespace tern::torch {
namespace {

int kind_of(DType t) { return t == DType::boolean ? 0 : is_int(t) ? 1 : 2; }

}  // namespace

DType promote(DType a, DType b) {
  if (a == b || b == DType::none) return a;
  if (a == DType::none) return b;
  if (kind_of(a) != kind_of(b)) return kind_of(a) > kind_of(b) ? a : b;
  if (is_float(a)) {
    if (a == DType::f64 || b == DType::f64) return DType::f64;
    return DType::f32;  // two different ones of f32, f16, bf16
  }
  if (is_signed_int(a) == is_signed_int(b)) return size_of(a) > size_of(b) ? a : b;
  const DType with_sign = is_signed_int(a) ? a : b, without = is_signed_int(a) ? b : a;
  if (size_of(with_sign) > size_of(without)) return with_sign;
  return size_of(without) == 1 ? DType::i16 : size_of(without) == 2 ? DType::i32 : DType::i64;
}

DType result_type(Builder& b, std::initializer_list<const IValue*> operands) {
  DType dimensioned = DType::none, scalar = DType::none, number = DType::none;
  for (const IValue* o : operands) {
    if (o->is_tensor()) {
      DType& to = b.rank(o->id()) > 0 ? dimensioned : scalar;
      to = promote(to, b.dtype(o->id()));
    } else if (o->get<bool>() != nullptr) {
      number = promote(number, DType::boolean);
    } else if (o->get<Int>() != nullptr) {
      number = promote(number, DType::i64);
    } else if (o->get<double>() != nullptr) {
      number = promote(number, DType::f32);
    }
  }
  DType result = dimensioned;
  for (DType lower : {scalar, number}) {
    if (lower == DType::none) continue;
    if (result == DType::none || kind_of(lower) > kind_of(result)) result = lower;
  }
  return result;
}

ValueId operand(Builder& b, const IValue& value, DType dtype) {
  if (!b.ok()) return kNone;
  if (value.is_tensor()) return b.cast(value.id(), dtype);
  if (const auto* x = value.get<double>()) return b.scalar(dtype, *x);
  if (const auto* flag = value.get<bool>()) return b.scalar(dtype, *flag);
  if (const auto* n = value.get<Int>()) {
    return n->known() && dtype != DType::i64 ? b.scalar(dtype, static_cast<double>(n->value())) : b.cast(b.scalar(*n), dtype);
  }
  return b.fail(invalid(std::string("an operand must be a tensor or a number, not ") + value.kind()));
}

std::pair<ValueId, ValueId> pair_of(Builder& b, const IValue& x, const IValue& y, bool to_real) {
  DType type = result_type(b, {&x, &y});
  if (to_real && !is_float(type)) type = DType::f32;
  return {operand(b, x, type), operand(b, y, type)};
}

ValueId truncated(Builder& b, ValueId v) {
  return b.ok() && is_float(b.dtype(v)) ? b.emit("Mul", {b.emit("Sign", {v}), b.emit("Floor", {b.emit("Abs", {v})})}) : v;
}

ValueId real(Builder& b, ValueId v) { return is_float(b.dtype(v)) ? v : b.cast(v, DType::f32); }

ValueId with_rank(Builder& b, ValueId v, int rank) {
  const int from = b.rank(v);
  if (!b.ok() || from >= rank) return v;
  if (rank == 1) return unsqueeze(b, v, {0});
  if (rank == 2) return b.reshape(v, {Int(1), Int(-1)});
  return from == 2 ? unsqueeze(b, v, {2}) : b.reshape(v, {Int(1), Int(-1), Int(1)});
}

}  // namespace tern::torch
