// StringHash and HashCross. See strings.h and fingerprint.h.
#include "kernels/strings/fingerprint.h"
#include "kernels/strings/strings.h"
#include "kernels/strings/text.h"

namespace tern {
namespace {

Status infer(InferContext& c) {
  if (c.attrs.i("buckets") < 1) return invalid("buckets is " + std::to_string(c.attrs.i("buckets")));
  if (const auto key = c.attrs.ints("key"); !key.empty() && key.size() != 2)
    return invalid("a key of " + std::to_string(key.size()) + " numbers: 2 make one");
  return infer_text_map(c, DType::i64);
}

Result<std::vector<Tensor>> compute(const ComputeRequest& r) {
  const auto buckets = static_cast<uint64_t>(r.attrs.i("buckets"));
  const std::vector<int64_t> key = r.attrs.ints("key");
  return map_numbers<int64_t>(r, [&](std::string_view x) {
    const uint64_t hash = key.empty() ? farm_hash(x) : sip_hash(static_cast<uint64_t>(key[0]), static_cast<uint64_t>(key[1]), x);
    return Result<int64_t>(static_cast<int64_t>(hash % buckets));
  });
}

// ---- HashCross ----

// TensorFlow's FingerprintCat64.
uint64_t joined(uint64_t a, uint64_t b) {
  constexpr uint64_t kMul = 0xc6a4a7935bd1e995;
  auto shift = [](uint64_t v) { return v ^ v >> 47; };
  return shift(shift((a ^ kMul ^ shift(b * kMul) * kMul) * kMul) * kMul);
}

Status infer_cross(InferContext& c) {
  if (c.attrs.i("buckets") < 0) return invalid("buckets is " + std::to_string(c.attrs.i("buckets")));
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    if (c.dtype(i) != DType::string && !is_int(c.dtype(i))) return bad_dtype(c.dtype(i));
    if (c.shape(i).known() && c.shape(0).known() && c.shape(i) != c.shape(0))
      return invalid("inputs of " + c.shape(0).text() + " and " + c.shape(i).text() + " are crossed: they must have one shape");
  }
  c.set(0, DType::i64, c.shape(0));
  return {};
}

Result<std::vector<Tensor>> cross(const ComputeRequest& r) {
  const auto key = static_cast<uint64_t>(r.attrs.i("hash_key")), buckets = static_cast<uint64_t>(r.attrs.i("buckets"));
  const auto count = static_cast<size_t>(r.inputs[0].count());
  std::vector<uint64_t> hashes(count, key);
  for (const Tensor& x : r.inputs) {
    if (x.dims() != r.inputs[0].dims()) return invalid("inputs of different shapes are crossed");
    if (x.dtype() == DType::string) {
      for (size_t i = 0; i < count; ++i) hashes[i] = joined(hashes[i], farm_hash(strings_of(x)[i].view()));
      continue;
    }
    const auto values = *as_ints(x.view());
    for (size_t i = 0; i < count; ++i) hashes[i] = joined(hashes[i], static_cast<uint64_t>(values[i]));
  }
  auto out = Tensor::allocate(DType::i64, r.inputs[0].dims());
  if (!out) return out.error();
  for (size_t i = 0; i < count; ++i)
    out->mutable_data<int64_t>()[i] = static_cast<int64_t>(hashes[i] % (buckets > 0 ? buckets : uint64_t(INT64_MAX)));
  return std::vector<Tensor>{std::move(*out)};
}

constexpr int64_t kCrossKey = 0xDECAFCAFFE;  // TensorFlow's default
constexpr AttrSpec kCrossAttrs[] = {{"buckets", AttrKind::i, 0}, {"hash_key", AttrKind::i, kCrossKey}};
// key: two 64-bit numbers for SipHash-2-4; absent: FarmHash64.
constexpr AttrSpec kAttrs[] = {{"buckets", AttrKind::i, kRequired}, {"key", AttrKind::ints}};

}  // namespace

constinit const OpDef kStringHash = {
    .name = "StringHash", .inputs = {1, 1}, .outputs = {1, 1}, .attrs = kAttrs, .infer = infer, .compute = compute, .tern_only = true};

constinit const OpDef kHashCross = {
    .name = "HashCross", .inputs = {1, -1}, .outputs = {1, 1}, .attrs = kCrossAttrs, .infer = infer_cross, .compute = cross, .tern_only = true};

}  // namespace tern
