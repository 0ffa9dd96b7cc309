// Running one operator on every ISA and comparing: what the tests of kernels are written with.
//   auto y = run_op("Softmax", {{"axis", int64_t(-1)}}, {f32({2, 3}, {...})});      all ISAs and 1, 2, 3 parts; same bits required
//   check_close(y[0], expected, 4);                                                  within 4 ULP, NaN equals NaN
#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "kernels/evaluate.h"

namespace tern::test {

using Attrs = std::initializer_list<std::pair<const char*, Attributes::Value>>;

Tensor f32(Dims dims, std::vector<float> values);
Tensor i64(Dims dims, std::vector<int64_t> values);
Tensor boolean(Dims dims, std::vector<bool> values);
// Seeded values in [low, high).
Tensor random_f32(Dims dims, uint32_t seed, float low = -1, float high = 1);
// Converts elements of a f32 tensor to another numeric dtype.
Tensor cast(const Tensor& f32, DType to);
inline Tensor absent() { return {}; }

// The ISAs that this machine can run, scalar first.
std::vector<Isa> runnable_isas();

// Evaluates on every runnable ISA, with inputs as values and as constants, in 1, 2 and 3 parts, and REQUIREs the same bytes
// from all; with sanitizers in one of these numbers of parts, in turn. Where device.h has a device, it is compared with one ISA instead. Returns the
// outputs. Fails the test when evaluation does.
std::vector<Tensor> run_op(const char* op, Attrs attrs, std::vector<Tensor> inputs, size_t output_count = 1);
// The error of evaluating (message; empty when it succeeded).
std::string op_error(const char* op, Attrs attrs, std::vector<Tensor> inputs, size_t output_count = 1);

// Distance in units in the last place; 0 for NaN against NaN, huge for NaN against a number.
int64_t ulp_distance(float a, float b);
// Same dims and dtype f32; every element within `ulp` of expected, or within `atol` absolutely.
void check_close(const Tensor& actual, const Tensor& expected, int64_t ulp, float atol = 0);
// Same dtype, dims and bytes; a NaN equals any NaN (the sign and payload of a NaN are not part of the numbers contract).
void check_same(const Tensor& actual, const Tensor& expected);

}  // namespace tern::test
