// See btree.h. Nodes wait in a list instead of on the stack. A child is one level below its parent, so no tree contains itself.
#include "loaders/hdf5/btree.h"

#include <algorithm>
#include <bit>
#include <vector>

namespace tern::hdf5 {
namespace {

constexpr uint16_t kMostDepth = 32;

// Bytes that hold numbers up to `most`, as the library counts them.
size_t bytes_for(uint64_t most) { return most == 0 ? 1 : static_cast<size_t>(std::bit_width(most) - 1) / 8 + 1; }

// What a node of version 2 is, which the header decides for every level; 0 is the leaves'.
struct Level {
  uint64_t most_records = 0;  // in the node
  uint64_t most_below = 0;    // in it and below it
  size_t pointer = 0;         // bytes of one pointer to a child, of three parts: address, records, records below
  size_t records_bytes = 0, below_bytes = 0;
};

struct Shape {
  uint8_t type = 0;
  uint64_t record = 0, node = 0;  // bytes
  std::vector<Level> levels;
};

struct TreeNode {
  uint64_t address = 0, records = 0;
  uint16_t level = 0;
};

constexpr uint64_t kOverhead = 10;  // signature, version, type; checksum

// Errors: sizes in which no record fits, or that overflow.
Status measure(Space& space, uint64_t at, Shape& shape, uint16_t depth) {
  if (shape.record == 0 || shape.node < kOverhead + shape.record || depth > kMostDepth) return space.damaged("B-tree", at);
  shape.levels.resize(size_t(depth) + 1);
  shape.levels[0].most_records = shape.levels[0].most_below = (shape.node - kOverhead) / shape.record;
  for (size_t i = 1; i <= depth; ++i) {
    Level& l = shape.levels[i];
    l.records_bytes = bytes_for(shape.levels[0].most_records);
    l.below_bytes = i == 1 ? 0 : bytes_for(shape.levels[i - 1].most_below);
    l.pointer = static_cast<size_t>(space.offset_size()) + l.records_bytes + l.below_bytes;
    if (shape.node < kOverhead + l.pointer) return space.damaged("B-tree", at);
    l.most_records = (shape.node - kOverhead - l.pointer) / (shape.record + l.pointer);
    uint64_t below;
    if (__builtin_mul_overflow(l.most_records + 1, shape.levels[i - 1].most_below, &below) ||
        __builtin_add_overflow(below, l.most_records, &l.most_below)) {
      return space.damaged("B-tree", at, "is deeper than its nodes allow");
    }
  }
  return {};
}

// The records of one node to `visit`, its children to `waiting`.
Status visit_node(Space& space, const Shape& shape, const TreeNode& node, const VisitRecord& visit, std::vector<TreeNode>& waiting) {
  const Level& level = shape.levels[node.level];
  if (node.records > level.most_records) return space.damaged("B-tree node", node.address, "has more records than fit");
  const uint64_t children = node.level > 0 ? node.records + 1 : 0;
  const uint64_t size = kOverhead + node.records * shape.record + children * level.pointer;  // at most shape.node, which has 32 bits
  auto bytes = space.at(node.address, size, "B-tree node", node.level > 0 ? "BTIN" : "BTLF");
  if (!bytes) return bytes.error();
  if (Status s = space.check_sum(*bytes, node.address, "B-tree node"); !s) return s;
  Fields in = space.fields(*bytes);
  in.skip(4);
  const uint8_t version = in.u8(), type = in.u8();
  if (version != 0 || type != shape.type) return space.damaged("B-tree node", node.address, "is of another version or type");
  for (uint64_t i = 0; i < node.records; ++i) {
    if (Status s = visit(in.part(shape.record)); !s) return s;
  }
  for (uint64_t i = 0; i < children; ++i) {
    TreeNode child;
    child.address = in.address();
    child.records = in.number(level.records_bytes);
    child.level = static_cast<uint16_t>(node.level - 1);
    in.skip(level.below_bytes);
    waiting.push_back(child);
  }
  return {};
}

}  // namespace

Status walk_btree_v1(Space& space, uint64_t root, uint8_t type, size_t key_bytes, const VisitEntry& visit) {
  struct Waiting {
    uint64_t address;
    int level;  // -1: the root's, whatever it is
  };
  const size_t offset = static_cast<size_t>(space.offset_size()), head = 8 + 2 * offset;
  std::vector<Waiting> waiting = {{root, -1}};
  while (!waiting.empty()) {
    const Waiting node = waiting.back();
    waiting.pop_back();
    auto start = space.at(node.address, head, "B-tree node", "TREE");
    if (!start) return start.error();
    Fields prefix = space.fields(*start);
    prefix.skip(4);
    const uint8_t its_type = prefix.u8();
    const int level = prefix.u8();
    const uint64_t entries = prefix.u16();
    if (its_type != type) return space.damaged("B-tree node", node.address, "is of another type");
    if (node.level >= 0 && level != node.level) return space.damaged("B-tree node", node.address, "is not one level below its parent");
    auto body = space.at(node.address + head, entries * (key_bytes + offset) + key_bytes, "B-tree node");
    if (!body) return body.error();
    Fields in = space.fields(*body);
    const size_t first = waiting.size();
    for (uint64_t i = 0; i < entries; ++i) {
      const Fields key = in.part(key_bytes);
      const uint64_t child = in.address();
      if (level > 0) {
        waiting.push_back({child, level - 1});
      } else if (Status s = visit(key, child); !s) {
        return s;
      }
    }
    std::reverse(waiting.begin() + static_cast<int64_t>(first), waiting.end());
  }
  return {};
}

Status walk_btree_v2(Space& space, uint64_t header, uint8_t type, const VisitRecord& visit) {
  const uint64_t size = 22 + static_cast<uint64_t>(space.offset_size() + space.length_size());
  auto bytes = space.at(header, size, "B-tree", "BTHD");
  if (!bytes) return bytes.error();
  if (Status s = space.check_sum(*bytes, header, "B-tree"); !s) return s;
  Fields in = space.fields(*bytes);
  in.skip(4);
  const uint8_t version = in.u8();
  Shape shape;
  shape.type = in.u8();
  shape.node = in.u32();
  shape.record = in.u16();
  const uint16_t depth = in.u16();
  in.skip(2);  // when nodes are split and merged
  TreeNode root;
  root.address = in.address();
  root.records = in.u16();
  root.level = depth;
  const uint64_t total = in.length();
  if (version != 0 || shape.type != type) return space.damaged("B-tree", header, "is of another version or type");
  if (Status s = measure(space, header, shape, depth); !s) return s;
  if (root.address == kUndefined) return total == 0 ? Status() : space.damaged("B-tree", header, "has records and no root");
  uint64_t seen = 0;  // so that what is made of the records is no more than the file has of them
  std::vector<TreeNode> waiting = {root};
  while (!waiting.empty()) {
    const TreeNode node = waiting.back();
    waiting.pop_back();
    seen += node.records;
    if (seen > total || total > space.bytes().size() / shape.record) return space.damaged("B-tree", header, "has more records than it says");
    if (Status s = visit_node(space, shape, node, visit, waiting); !s) return s;
  }
  if (seen != total) return space.damaged("B-tree", header, "has fewer records than it says");
  return {};
}

}  // namespace tern::hdf5
