// Bindings hold no addresses, and link puts every one where it belongs. Contract: kernels/binding.h.
#include "kernels/binding.h"

#include <doctest/doctest.h>

#include <cstring>

#include "kernels/op.h"

namespace tern::test::in_binding {
namespace {

struct Entry {
  const float* to;
};
struct Args {
  const float *in, *packed, *number;
  float *out, *scratch, *second;
  const Entry* entries;
  uint32_t* fault;
  const float* absent;
  int64_t n;
};
void nothing(const Args&) {}
constexpr KernelRow kRow = row<Args, nothing>("nothing/f32/scalar", DType::f32, Isa::scalar);

TensorView of(Dims dims, const float* constant = nullptr) { return {DType::f32, dims, constant, constant != nullptr, constant != nullptr, {}}; }

template <class T>
T at(const void* base, size_t offset) {
  T value;
  std::memcpy(&value, static_cast<const std::byte*>(base) + offset, sizeof value);
  return value;
}

}  // namespace

TEST_CASE("binding: every space of addresses is linked to its own place, with its offset") {
  const float weight[] = {3, 4};
  const TensorView in[] = {of({8}), of({2}, weight)}, out[] = {of({8})};
  BindContext c({.inputs = in, .outputs = out});
  Args& a = c.args<Args>();
  a.n = 7;
  c.set(a.in, c.input<const float>(0) + 2);
  c.set(a.out, c.output<float>(0) + 1);
  const auto scratch = c.workspace<float>(3), second = c.workspace<float>(5);
  c.set(a.scratch, scratch);
  c.set(a.second, second + 4);
  c.set(a.number, c.table<float>(2, [](float* to) { to[1] = 2.5f; }) + 1);
  c.set(a.entries, c.table<Entry>(2, [&](Entry* to) { c.set(to[1].to, c.input<const float>(0) + 3); }));
  c.set(a.packed, c.packed<float>(1, "negated", 2, [](const float* from, float* to) { to[0] = -from[0], to[1] = -from[1]; }));
  c.set(a.fault, c.fault("a fault"));
  c.set(a.absent, c.input<const float>(2) + 100);  // there is none: it stays null
  c.run(kRow);
  auto b = std::move(c).finish();
  REQUIRE(b.ok());

  CHECK(b->fault == "a fault");
  CHECK_FALSE(b->split);
  CHECK(b->workspace_bytes == 128);
  CHECK(b->image_bytes() == 128 + 64 + 64);  // the arguments are 80 bytes
  std::vector<bool> read(2, false);
  b->mark_read(read);
  CHECK(read[0]);
  CHECK_FALSE(read[1]);  // packed only
  REQUIRE(b->packs.size() == 1);
  CHECK(b->packs[0].input == 1);
  CHECK(b->packs[0].tag == "negated");
  CHECK(b->packs[0].bytes == 64);
  float packed[2] = {};
  b->packs[0].fill(reinterpret_cast<std::byte*>(packed));
  CHECK(packed[1] == -4);

  alignas(64) std::byte image[256];
  alignas(64) float x[8], y[8], work[32];
  uint32_t fault = 0;
  const std::byte* inputs[] = {reinterpret_cast<std::byte*>(x), nullptr};
  std::byte* outputs[] = {reinterpret_cast<std::byte*>(y)};
  const std::byte* packs[] = {reinterpret_cast<std::byte*>(packed)};
  const Step step = link_step(*b, image, {inputs, outputs, packs, reinterpret_cast<std::byte*>(work), &fault});
  const auto linked = at<Args>(step.args, 0);
  CHECK((step.run == kRow.run));
  CHECK(linked.n == 7);
  CHECK(linked.in == x + 2);
  CHECK(linked.out == y + 1);
  CHECK(linked.scratch == work);
  CHECK(linked.second == work + 16 + 4);  // each workspace begins at a cache line
  CHECK(*linked.number == 2.5f);
  CHECK(linked.entries[0].to == nullptr);
  CHECK(linked.entries[1].to == x + 3);
  CHECK(linked.packed == packed);
  CHECK(linked.fault == &fault);
  CHECK(linked.absent == nullptr);

  // Another session of the same shapes is another patch of the same record.
  alignas(64) std::byte again[256];
  const std::byte* elsewhere[] = {reinterpret_cast<std::byte*>(work), nullptr};
  CHECK(at<Args>(link_step(*b, again, {elsewhere, outputs, packs, reinterpret_cast<std::byte*>(work), &fault}).args, 0).in == work + 2);
  CHECK(at<Args>(image, 0).in == x + 2);
}

TEST_CASE("binding: what a bind does wrong is an error and no stray write") {
  const TensorView in[] = {of({8})};
  {
    BindContext c({.inputs = in});
    Args elsewhere{};
    c.args<Args>();
    c.set(elsewhere.in, c.input<const float>(0));
    c.run(kRow);
    CHECK_FALSE(std::move(c).finish().ok());
  }
  {
    BindContext c({.inputs = in});
    c.run(kRow);
    CHECK_FALSE(std::move(c).finish().ok());
  }
  BindContext c({.inputs = in, .table_budget = 256});
  Args& a = c.args<Args>();
  bool filled = false;
  c.set(a.number, c.table<float>(int64_t(1) << 60, [&](float*) { filled = true; }));
  c.set(a.number, c.table<float>(INT64_MAX, [&](float*) { filled = true; }));
  c.run(kRow);
  CHECK_FALSE(filled);
  CHECK(std::move(c).finish().error().code() == Code::kUnsupported);
}

TEST_CASE("binding: the same request gives the same bytes") {
  Attributes attrs;
  const TensorView in[] = {of({3, 5})}, out[] = {of({3, 5})};
  auto bytes = [&] {
    auto b = bind_op(*find_op("Softmax"), {.attrs = {find_op("Softmax")->attrs, attrs}, .inputs = in, .outputs = out});
    REQUIRE(b.ok());
    std::string all;
    for (const Binding::Block& block : b->blocks) all.append(reinterpret_cast<const char*>(block.bytes.get()), static_cast<size_t>(block.size));
    for (const Binding::Reference& r : b->references)
      all += " " + std::to_string(r.block) + ":" + std::to_string(r.at) + ">" + std::to_string(r.to.offset);
    return all;
  };
  CHECK(bytes() == bytes());
}

}  // namespace tern::test::in_binding
