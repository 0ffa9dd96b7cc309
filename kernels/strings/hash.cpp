// StringHash. See strings.h and fingerprint.h.
#include "kernels/strings/fingerprint.h"
#include "kernels/strings/strings.h"
#include "kernels/strings/text.h"

namespace tern {
namespace {

Status infer_string_hash(InferContext& c) {
  if (c.attrs.i("buckets") < 1) return invalid("buckets is " + std::to_string(c.attrs.i("buckets")));
  if (const auto key = c.attrs.ints("key"); !key.empty() && key.size() != 2)
    return invalid("a key of " + std::to_string(key.size()) + " numbers: 2 make one");
  return infer_text_map(c, DType::i64);
}

Result<std::vector<Tensor>> compute_string_hash(const ComputeRequest& r) {
  const auto buckets = static_cast<uint64_t>(r.attrs.i("buckets"));
  const std::vector<int64_t> key = r.attrs.ints("key");
  const bool murmur = r.attrs.i("murmur") != 0;
  return map_numbers<int64_t>(r, [&](std::string_view x) {
    const uint64_t hash = murmur        ? murmur_hash(x)
                          : key.empty() ? farm_hash(x)
                                        : sip_hash(static_cast<uint64_t>(key[0]), static_cast<uint64_t>(key[1]), x);
    return Result<int64_t>(static_cast<int64_t>(hash % buckets));
  });
}

// key: two 64-bit numbers for SipHash-2-4; absent: FarmHash64, or MurmurHash64A.
constexpr AttrSpec kStringHashAttrs[] = {{"buckets", AttrKind::i, kRequired}, {"key", AttrKind::ints}, {"murmur", AttrKind::i, 0}};

}  // namespace

constinit const OpDef kStringHash = {.name = "StringHash",
                                     .inputs = {1, 1},
                                     .outputs = {1, 1},
                                     .attrs = kStringHashAttrs,
                                     .infer = infer_string_hash,
                                     .compute = compute_string_hash,
                                     .tern_only = true};

}  // namespace tern
