// Which kernels of where.cu, pow.cu and variadic.cu run. See launch.h.
#include "kernels/elementwise/device_launch.h"
#include "kernels/elementwise/pow.h"
#include "kernels/elementwise/variadic.h"
#include "kernels/elementwise/where.h"

namespace tern::cuda {
namespace {

void launch(const WhereArgs& args, size_t bytes, Launches& to) {
  const char* kernel = bytes == 1 ? "where_8" : bytes == 2 ? "where_16" : bytes == 4 ? "where_32" : "where_64";
  for_chunks(args.nest, [&](const Chunk& c) {
    WhereLaunch l;
    l.condition = element(args.condition, c.from[0], 1);
    l.a = element(args.a, c.from[1], bytes);
    l.b = element(args.b, c.from[2], bytes);
    l.y = element(args.y, c.at, bytes);
    const OperandAt operands[] = {{l.condition, 1}, {l.a, bytes}, {l.b, bytes}};
    l.nest = device_nest(c, bytes <= 4 && can_be_wide(c, operands, {l.y, bytes}));  // 16 bytes are the most that a thread loads at once
    to.add("elementwise/where", kernel, {blocks_for(l.nest.items, kElementBlock)}, {kElementBlock}, 0, l);
  });
}
template <class T>
constexpr KernelRow where_row() {
  return device_row<WhereArgs, [](const WhereArgs& args, Launches& to) { launch(args, sizeof(T), to); }>(
      kRowName<"where", dtype_of<T>(), Isa::cuda>.data(), dtype_of<T>());
}

bool is_integer(DType t) { return t >= DType::i8; }

template <class T>
void launch_pow(const PowArgs& args, Launches& to) {
  const char* kernel = std::is_integral_v<T> && is_integer(args.exponent) ? "pow_int" : "pow_float";
  for_chunks(args.binary.nest, [&](const Chunk& c) {
    PowLaunch l;
    l.binary.a = element(args.binary.a, c.from[0], sizeof(T));
    l.binary.b = element(args.binary.b, c.from[1], size_of(args.exponent));
    l.binary.y = element(args.binary.y, c.at, sizeof(T));
    l.binary.dtype = dtype_of<T>();
    l.binary.nest = device_nest(c, false);
    l.exponent = args.exponent;
    to.add("elementwise/pow", kernel, {blocks_for(l.binary.nest.items, kElementBlock)}, {kElementBlock}, 0, l);
  });
}
template <class T>
constexpr KernelRow pow_row() {
  return device_row<PowArgs, launch_pow<T>>(kRowName<"pow", dtype_of<T>(), Isa::cuda>.data(), dtype_of<T>());
}

template <Text kName, class T>
constexpr KernelRow variadic_row() {
  return device_row<VariadicArgs, [](const VariadicArgs& a, Launches& to) {
    to.add("elementwise/variadic", kName.s, {blocks_for(a.elements, kElementBlock)}, {kElementBlock}, 0, VariadicLaunch{a, dtype_of<T>()});
  }>(kRowName<kName, dtype_of<T>(), Isa::cuda>.data(), dtype_of<T>());
}

}  // namespace

constinit const KernelRow kWhere[13] = {where_row<float>(),   where_row<double>(),   where_row<f16>(),      where_row<bf16>(),
                                        where_row<int8_t>(),  where_row<int16_t>(),  where_row<int32_t>(),  where_row<int64_t>(),
                                        where_row<uint8_t>(), where_row<uint16_t>(), where_row<uint32_t>(), where_row<uint64_t>(),
                                        where_row<bool>()};
constinit const KernelRow kPow[8] = {pow_row<float>(),  pow_row<double>(),  pow_row<f16>(),     pow_row<bf16>(),
                                     pow_row<int8_t>(), pow_row<int16_t>(), pow_row<int32_t>(), pow_row<int64_t>()};
constinit const KernelRow kMaxOf[12] = {variadic_row<"max_of", float>(),    variadic_row<"max_of", double>(),   variadic_row<"max_of", f16>(),
                                        variadic_row<"max_of", bf16>(),     variadic_row<"max_of", int8_t>(),   variadic_row<"max_of", int16_t>(),
                                        variadic_row<"max_of", int32_t>(),  variadic_row<"max_of", int64_t>(),  variadic_row<"max_of", uint8_t>(),
                                        variadic_row<"max_of", uint16_t>(), variadic_row<"max_of", uint32_t>(), variadic_row<"max_of", uint64_t>()};
constinit const KernelRow kMinOf[12] = {variadic_row<"min_of", float>(),    variadic_row<"min_of", double>(),   variadic_row<"min_of", f16>(),
                                        variadic_row<"min_of", bf16>(),     variadic_row<"min_of", int8_t>(),   variadic_row<"min_of", int16_t>(),
                                        variadic_row<"min_of", int32_t>(),  variadic_row<"min_of", int64_t>(),  variadic_row<"min_of", uint8_t>(),
                                        variadic_row<"min_of", uint16_t>(), variadic_row<"min_of", uint32_t>(), variadic_row<"min_of", uint64_t>()};
constinit const KernelRow kSumOf[4] = {variadic_row<"sum_of", float>(), variadic_row<"sum_of", double>(), variadic_row<"sum_of", f16>(),
                                       variadic_row<"sum_of", bf16>()};

}  // namespace tern::cuda
