// read_in_place: which copies are not made, and that the plan on strides has the bits of the evaluator on copies.
#include "runtime/read_in_place.h"

#include <doctest/doctest.h>

#include <limits>

#include "runtime/evaluator.h"
#include "runtime/infer_shapes.h"
#include "tests/support/graph_builder.h"
#include "tests/support/plans.h"

namespace tern::test::in_read_in_place {
namespace {

using Ints = std::vector<int64_t>;

// The graph after the pass, whose plans have the bits of the evaluator on it as it was.
Graph check_in_place(Graph g, const std::vector<Tensor>& inputs) {
  REQUIRE(infer_shapes(g).ok());
  auto expected = evaluate_graph(g, inputs, {});
  REQUIRE_MESSAGE(expected.ok(), (expected.ok() ? "" : expected.error().message()));
  read_in_place(g);
  check_plans(g, inputs, *expected);
  REQUIRE(infer_shapes(g).ok());
  return g;
}
int64_t copies(const Graph& g) {
  int64_t n = 0;
  for (const char* op : {"Expand", "Gather", "Slice", "Split", "Tile", "Transpose"}) n += GraphBuilder::count(g, op);
  return n;
}

// [B,T,H*D] as [B,H,T,D].
ValueId heads(GraphBuilder& b, ValueId x, Ints shape) {
  return b.node("Transpose", {b.node("Reshape", {x, b.ints(shape)})}, {{"perm", Ints{0, 2, 1, 3}}});
}
ValueId merged(GraphBuilder& b, ValueId y, Ints shape) {
  return b.node("Reshape", {b.node("Transpose", {y}, {{"perm", Ints{0, 2, 1, 3}}}), b.ints(shape)});
}

}  // namespace

TEST_CASE("read in place: heads are split and merged by strides") {
  for (int64_t batch : {1, 2}) {
    for (int64_t width : {4, 16}) {
      GraphBuilder b;
      const ValueId q = b.input("q", {batch, 7, 3 * 8}), k = b.input("k", {batch, 5, 3 * 8}), v = b.input("v", {batch, 5, 3 * width});
      const ValueId y = b.node("FusedAttention", {heads(b, q, {batch, 7, 3, 8}), heads(b, k, {batch, 5, 3, 8}), heads(b, v, {batch, 5, 3, width})},
                               {{"scale", 0.3f}});
      b.output(merged(b, y, {batch, 7, 3 * width}));
      const Graph g = check_in_place(b.graph, {random_f32({batch, 7, 24}, 1), random_f32({batch, 5, 24}, 2), random_f32({batch, 5, 3 * width}, 3)});
      CHECK(copies(g) == 0);
    }
  }
}

TEST_CASE("read in place: q, k and v are columns of one product, however they are cut from it") {
  const int64_t B = 2, T = 7, H = 3, D = 16;
  const auto attend = [&](GraphBuilder& b, std::vector<ValueId> qkv) {
    b.output(merged(b, b.node("FusedAttention", std::move(qkv), {{"scale", 0.25f}}), {B, T, H * D}));
    return check_in_place(b.graph, {random_f32({B, T, 3 * H * D}, 1)});
  };
  {
    GraphBuilder b;  // as timm has it
    const ValueId x = b.node("Reshape", {b.input("x", {B, T, 3 * H * D}), b.ints(Ints{B, T, 3, H, D})});
    const ValueId each = b.node("Transpose", {x}, {{"perm", Ints{2, 0, 3, 1, 4}}});
    std::vector<ValueId> qkv;
    for (int64_t i = 0; i < 3; ++i) qkv.push_back(b.node("Gather", {each, b.constant(Tensor::scalar(i))}));
    CHECK(copies(attend(b, qkv)) == 0);
  }
  {
    GraphBuilder b;
    const std::vector<ValueId> parts = b.nodes("Split", {b.input("x", {B, T, 3 * H * D})}, 3, {{"axis", int64_t(-1)}, {"num_outputs", int64_t(3)}});
    CHECK(copies(attend(b, {heads(b, parts[0], {B, T, H, D}), heads(b, parts[1], {B, T, H, D}), heads(b, parts[2], {B, T, H, D})})) == 0);
  }
  {
    GraphBuilder b;  // every other place of the keys and values, from the end of the columns
    const ValueId x = b.input("x", {B, T, 3 * H * D});
    const auto columns = [&](int64_t from, int64_t to) { return b.node("Slice", {x, b.ints(Ints{from}), b.ints(Ints{to}), b.ints(Ints{-1})}); };
    const auto odd = [&](ValueId v) { return b.node("Slice", {v, b.ints(Ints{1}), b.ints(Ints{INT64_MAX}), b.ints(Ints{1}), b.ints(Ints{2})}); };
    const ValueId k = odd(columns(-2 * H * D, -H * D)), v = odd(columns(-H * D, INT64_MAX));
    CHECK(copies(attend(b, {heads(b, columns(0, H * D), {B, T, H, D}), heads(b, k, {B, T / 2, H, D}), heads(b, v, {B, T / 2, H, D})})) == 0);
  }
}

TEST_CASE("read in place: places come first, as PyTorch's attention has them") {
  const int64_t T = 6, H = 2, D = 8;
  for (int64_t B : {1, 3}) {
    GraphBuilder b;
    const auto by_head = [&](const char* name) {  // [T,B,H*D] -> [T,B*H,D] -> [B*H,T,D] -> [B,H,T,D]
      const ValueId flat = b.node("Reshape", {b.input(name, {T, B, H * D}), b.ints(Ints{T, B * H, D})});
      return b.node("Reshape", {b.node("Transpose", {flat}, {{"perm", Ints{1, 0, 2}}}), b.ints(Ints{B, H, T, D})});
    };
    const ValueId q = by_head("q"), k = by_head("k"), v = by_head("v");
    const ValueId y = b.node("FusedAttention", {q, k, v}, {{"scale", 0.25f}});
    b.output(b.node("Reshape", {b.node("Transpose", {y}, {{"perm", Ints{2, 0, 1, 3}}}), b.ints(Ints{T * B, H * D})}));
    CHECK(copies(check_in_place(b.graph, {random_f32({T, B, 16}, 1), random_f32({T, B, 16}, 2), random_f32({T, B, 16}, 3)})) == 0);
  }
}

TEST_CASE("read in place: keys and values that heads share are there once") {
  const int64_t H = 6, D = 8, S = 5;
  for (int64_t B : {1, 2}) {
    for (int64_t T : {1, 7}) {
      for (int64_t KV : {1, 2, 3}) {
        for (const char* as : {"Expand", "Tile", "places first", "cut"}) {
          INFO(std::string(as) << ", batch " << B << ", " << T << " rows, " << KV << " of " << H << " heads");
          GraphBuilder b;
          const int64_t G = H / KV, rows = as == std::string("cut") ? S + 2 : S;
          const auto repeated = [&](const char* name) {
            ValueId x = b.input(name, {B, rows, KV * D});
            if (rows > S) x = b.node("Slice", {x, b.ints(Ints{1}), b.ints(Ints{S + 1}), b.ints(Ints{1})});
            if (as == std::string("places first")) {  // [B,S,KV,D] -> [B,S,KV,G,D] -> [B,S,H,D] -> [B,H,S,D]
              const ValueId each = b.node("Expand", {b.node("Reshape", {x, b.ints(Ints{B, S, KV, 1, D})}), b.ints(Ints{B, S, KV, G, D})});
              return heads(b, each, {B, S, H, D});
            }
            const ValueId once = b.node("Unsqueeze", {heads(b, x, {B, S, KV, D}), b.ints(Ints{2})});
            const ValueId each = as == std::string("Tile") ? b.node("Tile", {once, b.ints(Ints{1, 1, G, 1, 1})})
                                                           : b.node("Expand", {once, b.ints(Ints{1, 1, G, 1, 1})});
            return b.node("Reshape", {each, b.ints(Ints{B, H, S, D})});
          };
          const ValueId q = heads(b, b.input("q", {B, T, H * D}), {B, T, H, D}), k = repeated("k"), v = repeated("v"),
                        mask = b.input("mask", {H, T, S});
          b.output(merged(b, b.node("FusedAttention", {q, k, v, mask}, {{"scale", 0.25f}}), {B, T, H * D}));
          const Graph g = check_in_place(
              b.graph, {random_f32({B, T, H * D}, 1), random_f32({B, rows, KV * D}, 2), random_f32({B, rows, KV * D}, 3), random_f32({H, T, S}, 4)});
          CHECK(copies(g) == (T == 1 ? 1 : 0));  // of one row, which simplify would have taken for a view
        }
      }
    }
  }
  GraphBuilder b;  // a cache that all heads share, as it lies; then a batch that shares it too
  const ValueId q = b.input("q", {2, H, 3, D}), k = b.input("k", {1, 1, S, D}), v = b.node("Expand", {k, b.ints(Ints{2, H, S, D})});
  b.output(b.node("FusedAttention", {q, v, v}, {{"scale", 0.5f}}));
  CHECK(copies(check_in_place(b.graph, {random_f32({2, H, 3, D}, 1), random_f32({1, 1, S, D}, 2)})) == 0);
}

TEST_CASE("read in place: what a constant mask hides behind a diagonal is left out") {
  const int64_t H = 2, D = 4;
  for (int64_t T : {1, 5, 40}) {
    for (int64_t past : {0, 3, 20}) {
      for (int64_t window : {0, 2}) {  // 0: all that is before
        INFO(T << " rows, " << past << " before them, window " << window);
        const int64_t S = T + past;
        Tensor mask = *Tensor::allocate(DType::boolean, {1, 1, T, S});
        for (int64_t i = 0; i < T * S; ++i) {
          const int64_t behind = i / S + past - i % S;
          mask.mutable_data<uint8_t>()[i] = behind >= 0 && (window == 0 || behind <= window);
        }
        GraphBuilder b;
        const ValueId q = b.input("q", {1, H, T, D}), k = b.input("k", {1, H, S, D});
        b.output(b.node("FusedAttention", {q, k, k, b.constant(mask)}, {{"scale", 0.5f}}));
        const Graph g = check_in_place(b.graph, {random_f32({1, H, T, D}, 1), random_f32({1, H, S, D}, 2)});
        CHECK(g.nodes[0].attrs.i("after") == past);
      }
    }
  }
}

TEST_CASE("read in place: of the masks of several heads the one that shows most says what is left out") {
  const int64_t H = 3, T = 40, D = 4;
  for (int64_t widest = 0; widest < H; ++widest) {
    Tensor mask = *Tensor::allocate(DType::boolean, {1, H, T, T});
    for (int64_t i = 0; i < H * T * T; ++i) mask.mutable_data<uint8_t>()[i] = i % T <= i / T % T + (i / T / T == widest ? 5 : 0);
    GraphBuilder b;
    const ValueId q = b.input("q", {1, H, T, D});
    b.output(b.node("FusedAttention", {q, q, q, b.constant(mask)}, {{"scale", 0.5f}}));
    const Graph g = check_in_place(b.graph, {random_f32({1, H, T, D}, 1)});
    CHECK(g.nodes[0].attrs.i("after") == 5);
  }
}

TEST_CASE("read in place: so is what a mask of numbers puts far below all others, where it is that of each key and its row shows something") {
  const int64_t H = 2, T = 40, D = 4, S = T + 3;
  const float inf = std::numeric_limits<float>::infinity(), lowest = std::numeric_limits<float>::lowest();
  for (float low : {-inf, lowest, -1e30f, -1e4f}) {
    for (int like = 0; like < 4; ++like) {  // added to a bias of its own; a row that hides all; one column for all keys; one row that shows all
      INFO(low << ", " << like);
      const Dims dims = like == 2 ? Dims{T, 1} : like == 3 ? Dims{1, S} : Dims{T, S};
      const Tensor bias = random_f32(dims, 4, -2, 2);
      Tensor mask = *Tensor::allocate(DType::f32, dims);
      for (int64_t i = 0; i < mask.count(); ++i) {
        const bool seen = like == 2 ? i == 0 : like == 3 || (i % S <= i / S + 3 && (like == 0 || i / S != 20));
        mask.mutable_data<float>()[i] = seen ? bias.data<float>()[i] : low;
      }
      GraphBuilder b;
      const ValueId q = b.input("q", {1, H, T, D}), k = b.input("k", {1, H, S, D});
      b.output(b.node("FusedAttention", {q, k, k, b.constant(mask)}, {{"scale", 0.5f}}));
      const Graph g = check_in_place(b.graph, {random_f32({1, H, T, D}, 1), random_f32({1, H, S, D}, 2)});
      const AttrReader attrs = g.nodes[0].read();
      const int64_t after = attrs.has("after") ? attrs.i("after") : S;
      CHECK((after == 3) == (like == 0 && low < -1e29f));
    }
  }
}

TEST_CASE("read in place: what repeats no heads, or not those of both, is copied") {
  const int64_t B = 2, H = 4, S = 4, D = 4;
  const auto in = [&](GraphBuilder& b, const char* name, Ints once, Ints each, Ints perm = {0, 1, 2, 3}) {
    const ValueId x = b.node("Reshape", {b.node("Expand", {b.input(name, Shape(Dims(once))), b.ints(each)}), b.ints(Ints{B, H, S, D})});
    return b.node("Transpose", {x}, {{"perm", perm}});
  };
  const Ints alternating = {B, 1, 2, S, D}, places = {B, H, 2, 1, D}, heads_of = {B, 2, 1, S, D};
  for (int i = 0; i < 5; ++i) {
    INFO(i);
    GraphBuilder b;
    std::vector<Tensor> inputs = {random_f32({B, H, 3, D}, 1)};
    const ValueId q = b.input("q", {B, H, 3, D});
    const auto add = [&](const char* name, const Ints& once, const Ints& each, const Ints& perm = {0, 1, 2, 3}) {
      inputs.push_back(random_f32(Dims(once), static_cast<uint32_t>(inputs.size())));
      return in(b, name, once, each, perm);
    };
    const auto shared = [&](const char* name) { return add(name, heads_of, {B, 2, 2, S, D}); };
    ValueId k = kNone, v = kNone;
    if (i == 0) k = add("k", alternating, {B, 2, 2, S, D}), v = shared("v");             // heads 0 1 0 1
    if (i == 1) k = add("k", places, {B, H, 2, 2, D}), v = shared("v");                  // places
    if (i == 2) k = shared("k"), v = b.input("v", {B, H, S, D});                         // of keys alone
    if (i == 3) k = add("k", heads_of, {B, 2, 2, S, D}, {0, 2, 1, 3}), v = shared("v");  // heads become places
    if (i == 4) k = add("k", heads_of, {B, 2, 2, S, D}, {0, 1, 3, 2}), v = shared("v");  // D does not lie together
    if (i == 2) inputs.push_back(random_f32({B, H, S, D}, 9));
    b.output(b.node("FusedAttention", {q, k, v}, {{"scale", 0.5f}}));
    CHECK(copies(check_in_place(b.graph, inputs)) > 0);
  }
}

TEST_CASE("read in place: what strides cannot say stays, and so does what others read") {
  const int64_t T = 6, H = 4, D = 4;
  {
    GraphBuilder b;  // D does not lie together
    const ValueId q = b.node("Transpose", {b.input("q", {1, H, D, T})}, {{"perm", Ints{0, 1, 3, 2}}});
    b.output(b.node("FusedAttention", {q, q, q}, {{"scale", 0.25f}}));
    CHECK(copies(check_in_place(b.graph, {random_f32({1, H, D, T}, 1)})) == 1);
  }
  {
    GraphBuilder b;  // a head is parts of two rows
    const ValueId x = b.node("Transpose", {b.input("x", {H * D, T})}, {{"perm", Ints{1, 0}}});
    const ValueId q = b.node("Reshape", {x, b.ints(Ints{1, H, T, D})});
    b.output(b.node("FusedAttention", {q, q, q}, {{"scale", 0.25f}}));
    CHECK(copies(check_in_place(b.graph, {random_f32({H * D, T}, 1)})) == 1);
  }
  {
    GraphBuilder b;  // y is read as it is, too
    const ValueId q = heads(b, b.input("q", {1, T, H * D}), {1, T, H, D});
    const ValueId y = b.node("FusedAttention", {q, q, q}, {{"scale", 0.25f}});
    b.output(merged(b, y, {1, T, H * D}));
    b.output(y);
    CHECK(copies(check_in_place(b.graph, {random_f32({1, T, H * D}, 1)})) == 1);
  }
  {
    GraphBuilder b;  // one attention reads another through the Transpose that is where it writes
    const ValueId q = heads(b, b.input("q", {2, T, H * D}), {2, T, H, D});
    const ValueId y = b.node("FusedAttention", {q, q, q}, {{"scale", 0.25f}});
    const ValueId z = heads(b, merged(b, y, {2, T, H * D}), {2, T, H, D});
    b.output(merged(b, b.node("FusedAttention", {z, z, q}, {{"scale", 0.5f}}), {2, T, H * D}));
    CHECK(copies(check_in_place(b.graph, {random_f32({2, T, H * D}, 1)})) == 0);
  }
  {
    GraphBuilder b;  // the same, with nothing between them but strides
    const Ints perm = {0, 2, 1, 3};
    const ValueId q = heads(b, b.input("q", {2, T, H * D}), {2, T, H, D});
    const ValueId y = b.node("Transpose", {b.node("FusedAttention", {q, q, q}, {{"scale", 0.25f}})}, {{"perm", perm}});
    const ValueId z = b.node("Transpose", {b.node("Slice", {y, b.ints(Ints{2}), b.ints(Ints{5}), b.ints(Ints{1})})}, {{"perm", perm}});
    b.output(b.node("FusedAttention", {q, z, z}, {{"scale", 0.5f}}));
    CHECK(copies(check_in_place(b.graph, {random_f32({2, T, H * D}, 1)})) == 0);
  }
  {
    GraphBuilder b;  // places of two axes that do not lie behind each other
    const ValueId x = b.node("Transpose", {b.input("q", {T, H, D})}, {{"perm", Ints{1, 0, 2}}});
    const ValueId q = b.node("Reshape", {x, b.ints(Ints{1, 1, H * T, D})});
    b.output(b.node("FusedAttention", {q, q, q}, {{"scale", 0.25f}}));
    CHECK(copies(check_in_place(b.graph, {random_f32({T, H, D}, 1)})) == 1);
  }
  {
    GraphBuilder b;  // nothing to attend with
    const ValueId q = heads(b, b.input("q", {1, 0, H * D}), {1, 0, H, D});
    b.output(b.node("FusedAttention", {q, q, q}, {{"scale", 0.25f}}));
    check_in_place(b.graph, {random_f32({1, 0, H * D}, 1)});
  }
}

// Chains of random moves before q, k and v, and of Transposes behind y.
TEST_CASE("read in place: random chains of what moves elements give the same bits") {
  uint32_t state = 1;
  const auto pick = [&](uint32_t n) { return static_cast<int64_t>((state = state * 1664525u + 1013904223u) >> 16) % n; };
  int64_t before = 0, after = 0;
  for (int round = 0; round < 150; ++round) {
    GraphBuilder b;
    std::vector<Tensor> inputs;
    const int64_t B = 1 + pick(2), H = 1 + pick(3), D = 1 + pick(9), rows[] = {1 + pick(8), 1 + pick(8)};
    // From the value that attention reads back to an input.
    const auto operand = [&](const std::string& name, int64_t places) {
      Ints dims = {B, H, places, D};
      struct Move {
        int64_t kind, a, c;
        Ints to;
      };
      std::vector<Move> moves;
      for (int64_t left = pick(4); left > 0; --left) {
        const Ints to = dims;
        const auto rank = static_cast<int64_t>(dims.size());
        const int64_t kind = pick(5), at = pick(static_cast<uint32_t>(rank)), other = pick(static_cast<uint32_t>(rank));
        if (kind == 0) std::swap(dims[static_cast<size_t>(at)], dims[static_cast<size_t>(other)]);
        if (kind == 1) dims[static_cast<size_t>(at)] = 2 * dims[static_cast<size_t>(at)] + 1;  // every other one from 1 on
        if (kind == 2 && at + 1 < rank) {                                                      // two axes as one
          dims[static_cast<size_t>(at)] *= dims[static_cast<size_t>(at + 1)];
          dims.erase(dims.begin() + at + 1);
        }
        if (kind == 3 && rank < 6) dims.insert(dims.begin() + at, 1 + pick(2) * 2);  // one of several
        if (kind == 4 && rank < 6 && dims[static_cast<size_t>(at)] % 2 == 0) {       // one axis from two
          dims[static_cast<size_t>(at)] /= 2;
          dims.insert(dims.begin() + at, 2);
        }
        moves.push_back({kind, at, other, to});
        if (kind == 3 && rank >= 6) moves.pop_back();
      }
      inputs.push_back(random_f32(Dims(dims), static_cast<uint32_t>(round * 8) + static_cast<uint32_t>(inputs.size())));
      ValueId v = b.input(name, Shape(Dims(dims)));
      auto now = static_cast<int64_t>(dims.size());
      for (size_t i = moves.size(); i-- > 0;) {
        const Move& m = moves[i];
        if (m.kind == 0) {
          Ints perm;
          for (int64_t k = 0; k < now; ++k) perm.push_back(k == m.a ? m.c : k == m.c ? m.a : k);
          v = b.node("Transpose", {v}, {{"perm", perm}});
        }
        if (m.kind == 1) v = b.node("Slice", {v, b.ints(Ints{1}), b.ints(Ints{INT64_MAX}), b.ints(Ints{m.a}), b.ints(Ints{2})});
        if (m.kind == 2 || m.kind == 4) v = b.node("Reshape", {v, b.ints(m.to)});
        if (m.kind == 3) v = b.node("Gather", {v, b.constant(Tensor::scalar(int64_t(-1)))}, {{"axis", m.a}});
        now = static_cast<int64_t>(m.to.size());
      }
      return v;
    };
    const ValueId q = operand("q", rows[0]), k = operand("k", rows[1]), v = operand("v", rows[1]);
    ValueId y = b.node("FusedAttention", {q, k, v}, {{"scale", 0.5f}});
    constexpr int64_t kPerms[][4] = {{0, 2, 1, 3}, {2, 0, 1, 3}, {1, 2, 0, 3}, {0, 1, 3, 2}};
    const auto& perm = kPerms[pick(4)];
    y = b.node("Transpose", {y}, {{"perm", Ints(perm, perm + 4)}});
    b.output(y);
    before += copies(b.graph);
    after += copies(check_in_place(b.graph, inputs));
  }
  CHECK(after < before / 2);  // the others move D, or cut across rows
}

}  // namespace tern::test::in_read_in_place
