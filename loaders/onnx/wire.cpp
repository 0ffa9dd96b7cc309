// The walk over the wire format. See wire.h; loaders/README.md draws the fields.
#include "loaders/onnx/wire.h"

#include <vector>

#include "runtime/base/byte_reader.h"

namespace tern::onnx {
namespace {

constexpr size_t kMaxDepth = 64;  // messages inside messages: an If inside an If takes three

enum class Message : uint8_t {
  opset,
  pair,
  tensor,
  sparse,
  sequence,
  optional,
  dimension,
  shape,
  tensor_type,
  element_type,
  type,
  value_info,
  attribute,
  node,
  graph,
  function,
  model
};
enum class Kind : uint8_t {
  scalar,   // varint, or a fixed width
  text,     // bytes that protobuf will hold
  flag,     // a message of which only the presence matters
  message,  // one of ours
  ints,     // varints, packed or not; cost: bytes of each when parsed
  floats,   // floats or doubles, packed or not
  raw       // raw_data: stays in the file
};

struct Field {
  uint32_t number;
  Kind kind;
  Message message = Message::model;
  int cost = 0;  // bytes that one of these costs once it is part of a Graph, beyond its content
};

// What a string or an object costs in protobuf and later in the graph; measured, rounded up.
constexpr int kText = 56, kValue = 400;

constexpr Field kOpset[] = {{1, Kind::text, {}, kText}, {2, Kind::scalar}};
constexpr Field kPair[] = {{1, Kind::text, {}, kText}, {2, Kind::text, {}, kText}};
constexpr Field kTensor[] = {{1, Kind::ints, {}, 8},
                             {2, Kind::scalar},
                             {4, Kind::floats},
                             {5, Kind::ints, {}, 4},
                             {6, Kind::text, {}, 2 * kText},
                             {7, Kind::ints, {}, 8},
                             {8, Kind::text, {}, kText},
                             {9, Kind::raw},
                             {10, Kind::floats},
                             {11, Kind::ints, {}, 8},
                             {13, Kind::message, Message::pair, 48},
                             {14, Kind::scalar}};
constexpr Field kSparse[] = {{1, Kind::message, Message::tensor, 600}, {2, Kind::message, Message::tensor, 600}, {3, Kind::ints, {}, 8}};
constexpr Field kSequence[] = {{2, Kind::scalar}, {3, Kind::message, Message::tensor, 700}};
constexpr Field kOptional[] = {{2, Kind::scalar}, {3, Kind::message, Message::tensor, 700}, {5, Kind::message, Message::sequence, 200}};
constexpr Field kDimension[] = {{1, Kind::scalar}, {2, Kind::text, {}, 2 * kText}};
constexpr Field kShape[] = {{1, Kind::message, Message::dimension, 96}};
constexpr Field kTensorType[] = {{1, Kind::scalar}, {2, Kind::message, Message::shape, 64}};
constexpr Field kElementType[] = {{1, Kind::message, Message::type, 80}};
constexpr Field kType[] = {{1, Kind::message, Message::tensor_type, 48},
                           {4, Kind::message, Message::element_type, 48},
                           {5, Kind::flag},
                           {8, Kind::flag},
                           {9, Kind::message, Message::element_type, 48}};
constexpr Field kValueInfo[] = {{1, Kind::text, {}, kText}, {2, Kind::message, Message::type, 80}};
constexpr Field kAttribute[] = {{1, Kind::text, {}, kText},
                                {2, Kind::scalar},
                                {3, Kind::scalar},
                                {4, Kind::text, {}, kText},
                                {5, Kind::message, Message::tensor, 600},
                                {6, Kind::message, Message::graph, 800},
                                {7, Kind::floats},
                                {8, Kind::ints, {}, 8},
                                {9, Kind::text, {}, 2 * kText},
                                {10, Kind::message, Message::tensor, 600},
                                {11, Kind::message, Message::graph, 800},
                                {14, Kind::message, Message::type, 80},
                                {20, Kind::scalar},
                                {21, Kind::text, {}, kText},
                                {22, Kind::message, Message::sparse, 200}};
constexpr Field kNode[] = {{1, Kind::text, {}, kText},
                           {2, Kind::text, {}, kValue},
                           {3, Kind::text, {}, kText},
                           {4, Kind::text, {}, kText},
                           {5, Kind::message, Message::attribute, 320},
                           {7, Kind::text, {}, kText},
                           {8, Kind::text, {}, kText}};
constexpr Field kGraph[] = {{1, Kind::message, Message::node, 480},
                            {2, Kind::text, {}, kText},
                            {5, Kind::message, Message::tensor, 700},
                            {10, Kind::text, {}, kText},
                            {11, Kind::message, Message::value_info, kValue + 80},
                            {12, Kind::message, Message::value_info, 200},
                            {15, Kind::message, Message::sparse, 700}};
constexpr Field kFunction[] = {{1, Kind::text, {}, kText},
                               {4, Kind::text, {}, kText},
                               {5, Kind::text, {}, kText},
                               {6, Kind::text, {}, kText},
                               {7, Kind::message, Message::node, 480},
                               {9, Kind::message, Message::opset, 80},
                               {10, Kind::text, {}, kText},
                               {11, Kind::message, Message::attribute, 320},
                               {13, Kind::text, {}, kText}};
constexpr Field kModel[] = {{1, Kind::scalar},
                            {2, Kind::text, {}, kText},
                            {3, Kind::text, {}, kText},
                            {4, Kind::text, {}, kText},
                            {5, Kind::scalar},
                            {6, Kind::text, {}, kText},
                            {7, Kind::message, Message::graph, 800},
                            {8, Kind::message, Message::opset, 80},
                            {14, Kind::message, Message::pair, 48 + 2 * kText},
                            {25, Kind::message, Message::function, 400}};

std::span<const Field> fields_of(Message m) {
  switch (m) {
    case Message::opset: return kOpset;
    case Message::pair: return kPair;
    case Message::tensor: return kTensor;
    case Message::sparse: return kSparse;
    case Message::sequence: return kSequence;
    case Message::optional: return kOptional;
    case Message::dimension: return kDimension;
    case Message::shape: return kShape;
    case Message::tensor_type: return kTensorType;
    case Message::element_type: return kElementType;
    case Message::type: return kType;
    case Message::value_info: return kValueInfo;
    case Message::attribute: return kAttribute;
    case Message::node: return kNode;
    case Message::graph: return kGraph;
    case Message::function: return kFunction;
    case Message::model: return kModel;
  }
  return {};
}

class Cleaner {
 public:
  Cleaner(std::span<const std::byte> file, Message whole, int64_t budget) : in_(file), limit_(budget + 12 * static_cast<int64_t>(file.size())) {
    open_.push_back({whole, file.size(), 0});
  }

  Result<std::string> run() {
    for (;;) {
      while (in_.position() == open_.back().end) {
        if (open_.size() == 1) return std::move(out_);
        close();
      }
      if (!field()) return error_;
    }
  }

 private:
  struct Open {
    Message message;
    size_t end;     // in the file
    size_t length;  // where its length stands in out_: five bytes, written when it ends
  };

  size_t left() const { return open_.back().end - in_.position(); }
  bool fail(const char* why) {
    error_ = invalid("not a readable ONNX model: " + std::string(why) + " at byte " + std::to_string(in_.position()));
    return false;
  }
  bool spend(uint64_t bytes) {
    spent_ += static_cast<int64_t>(bytes);
    return spent_ <= limit_ || fail("so many small parts that they would take more memory than LoadOptions::budget allows,");
  }

  void put(uint64_t v) {
    for (; v >= 0x80; v >>= 7) out_.push_back(static_cast<char>(v | 0x80));
    out_.push_back(static_cast<char>(v));
  }
  void put(std::span<const std::byte> bytes) { out_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size()); }
  void close() {
    const size_t slot = open_.back().length;
    uint64_t length = out_.size() - slot - 5;
    for (size_t i = 0; i < 5; ++i, length >>= 7) out_[slot + i] = static_cast<char>((length & 0x7f) | (i < 4 ? 0x80 : 0));
    open_.pop_back();
  }

  // One field: checked, then copied, opened or dropped.
  bool field() {
    const size_t start = in_.position();
    auto tag = in_.varint();
    if (!tag || in_.position() > open_.back().end) return fail("the file ends within a field");
    const uint64_t number = *tag >> 3;
    if (number == 0 || number > 0x1fffffff) return fail("a field number is out of range");
    const Field* known = nullptr;
    for (const Field& f : fields_of(open_.back().message)) {
      if (f.number == number) known = &f;
    }
    switch (*tag & 7) {
      case 0: {
        if (!in_.varint() || in_.position() > open_.back().end) return fail("a number runs past the end of its message");
        break;
      }
      case 1:
      case 5: {
        const size_t n = (*tag & 7) == 1 ? 8 : 4;
        if (n > left()) return fail("a number runs past the end of its message");
        in_.seek(in_.position() + n);
        break;
      }
      case 2: return payload(*tag, known);
      default: return fail("an unknown wire type");
    }
    if (known == nullptr) return true;
    if (known->kind != Kind::scalar && known->kind != Kind::ints && known->kind != Kind::floats) return fail("a field has the wrong wire type");
    if (known->kind != Kind::scalar && !spend(8)) return false;
    const size_t end = in_.position();
    in_.seek(start);
    put(*in_.take(end - start));
    return true;
  }

  // Varints among the next n bytes: each ends in a byte below 0x80.
  uint64_t count_varints(size_t n) {
    const size_t begin = in_.position();
    uint64_t count = 0;
    const std::span<const std::byte> varints = *in_.take(n);
    for (std::byte b : varints) count += b < std::byte{0x80};
    in_.seek(begin);
    return count;
  }

  // A field that carries its length.
  bool payload(uint64_t tag, const Field* known) {
    auto length = in_.varint();
    if (!length || in_.position() > open_.back().end) return fail("a length runs past the end of its message");
    if (*length > left()) return fail("a length points past the end of its message");
    const size_t begin = in_.position(), n = static_cast<size_t>(*length);
    if (known == nullptr) return in_.seek(begin + n);
    if (known->kind != Kind::ints && !spend(static_cast<uint64_t>(known->cost))) return false;
    switch (known->kind) {
      case Kind::scalar: return fail("a field has the wrong wire type");
      case Kind::message:
        if (open_.size() >= kMaxDepth) return fail("messages nest more than 64 deep");
        put(tag);
        open_.push_back({known->message, begin + n, out_.size()});
        out_.append(5, '\0');
        return true;
      case Kind::raw:
        put(uint64_t{1001} << 3);
        put(begin);
        put(uint64_t{1002} << 3);
        put(n);
        return in_.seek(begin + n);
      case Kind::flag:
        put(tag);
        put(uint64_t{0});
        return in_.seek(begin + n);
      case Kind::ints:
        if (!spend(static_cast<uint64_t>(known->cost) * count_varints(n))) return false;
        break;
      case Kind::floats:
      case Kind::text:
        if (!spend(n)) return false;
        break;
    }
    put(tag);
    put(uint64_t{n});
    put(*in_.take(n));
    return true;
  }

  ByteReader in_;
  std::string out_;
  std::vector<Open> open_;
  int64_t spent_ = 0, limit_;
  Error error_;
};

}  // namespace

Result<std::string> clean_model(std::span<const std::byte> file, int64_t budget) { return Cleaner(file, Message::model, budget).run(); }
Result<std::string> clean_tensor(std::span<const std::byte> file, int64_t budget) { return Cleaner(file, Message::tensor, budget).run(); }
Result<std::string> clean_sequence(std::span<const std::byte> file, int64_t budget) { return Cleaner(file, Message::sequence, budget).run(); }
Result<std::string> clean_optional(std::span<const std::byte> file, int64_t budget) { return Cleaner(file, Message::optional, budget).run(); }

}  // namespace tern::onnx
