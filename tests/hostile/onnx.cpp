// Hostile ONNX files: an error in one line, fast, within 64 MB beyond the file's size; never a crash. What loads is planned, run and
// evaluated too. Runs under sanitizers as well.
#include <doctest/doctest.h>

#include <ctime>
#include <random>

#include "tests/support/cheap.h"
#include "tests/support/exercise.h"
#include "tests/support/onnx_writer.h"

namespace tern::test::in_onnx {
namespace {

// Goes as far as it can, from loading to running; whatever comes must be an answer, or exit code 3 or 4 with one printable line.
bool survives(const std::string& file) {
  const Exercise e = exercise(bytes(file));
  CHECK_MESSAGE(e.fault == "", e.fault);
  return e.loaded;
}

// An error, under a second and 64 MB beyond what stood before and the file's size.
void refused_cheaply(const std::string& file, const std::string& part = "") {
  const std::string message = test::refused_cheaply(
      file.size(), [&] { return load_bytes(bytes(file)); }, 1);
  CHECK_MESSAGE(message.find(part) != std::string::npos, message);
}

// A model or an error, at the same cost.
void settled_cheaply(const std::string& file) {
  const int64_t before = peak_kb();
  const std::clock_t start = std::clock();
  auto model = load_bytes(bytes(file));
  if (!model) CHECK((model.error().code() == Code::kInvalid || model.error().code() == Code::kUnsupported));
  if (kSanitized) return;
  CHECK(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC < 2);
  CHECK(peak_kb() - before < 96 * 1024 + static_cast<int64_t>(file.size() / 1024));
}

// A bit of everything that the loader reads.
std::string sample() {
  const Proto branch_a = graph({node("Relu", {"h"}, {"t"})}, {}, {output("t")});
  const Proto branch_b = graph(
      {node("Constant", {}, {"k"}, {attr_tensor("value", raw_tensor<float>("", 1, {}, {2}))}), node("Mul", {"h", "k"}, {"e"})}, {}, {output("e")});
  Proto g = graph(
      {node("Gemm", {"x", "w", "b"}, {"h"}, {attr("transB", int64_t(1)), attr("alpha", 0.5f)}, "fc"), node("F", {"h"}, {"f"}, {}, "", "own"),
       node("If", {"p"}, {"i"}, {attr_graph("then_branch", branch_a), attr_graph("else_branch", branch_b)}), node("Add", {"f", "i"}, {"s"}),
       node("Reshape", {"s", "shape"}, {"y"})},
      {input("x", 1, {"batch", 3}), input("p", 9, {})}, {value_info("y", 1, {"batch", 2})},
      {raw_tensor<float>("w", 1, {2, 3}, {1, 2, 3, 4, 5, 6}), tensor("b", 1, {2}).fixed<float>(4, {1, 2}), tensor("shape", 7, {2}).ints(7, {0, 2})});
  Proto f = Proto()
                .s(1, "F")
                .s(4, "a")
                .s(5, "r")
                .m(7, node("Softmax", {"a"}, {"r"}, {attr("axis", int64_t(1))}))
                .m(9, Proto().s(1, "").i(2, 11))
                .s(10, "own");
  return model_of(13, g).m(25, f).data;
}

// The same of sequences and optionals.
std::string sample_of_sequences() {
  const Proto vector = Proto().m(1, Proto().i(1, 1).m(2, Proto().m(1, Proto().i(1, 2)))), list = Proto().m(4, Proto().m(1, vector));
  auto value = [](const char* name, const Proto& type) { return Proto().s(1, name).m(2, type); };
  const Proto body = graph({node("Mul", {"e", "x"}, {"r"})}, {value("e", vector)}, {output("r")});
  const Proto insert = graph({node("SequenceInsert", {"m", "x"}, {"w"})}, {}, {output("w")}),
              erase = graph({node("SequenceErase", {"m"}, {"v"})}, {}, {output("v")});
  return model(18,
               {node("SequenceMap", {"s"}, {"m"}, {attr_graph("body", body)}),
                node("If", {"p"}, {"i"}, {attr_graph("then_branch", insert), attr_graph("else_branch", erase)}),
                node("SequenceAt", {"i", "at"}, {"a"}), node("SplitToSequence", {"x"}, {"parts"}, {attr("axis", int64_t(0))}),
                node("Optional", {}, {"n"}, {Proto().s(1, "type").m(14, list).i(20, 13)}), node("OptionalHasElement", {"n"}, {"h"}),
                node("OptionalGetElement", {"o"}, {"g"}), node("SequenceConstruct", {"a", "g"}, {"c"}),
                node("ConcatFromSequence", {"c"}, {"y"}, {attr("axis", int64_t(0))})},
               {value("s", list), input("x", 1, {2}), input("p", 9, {}), value("o", Proto().m(9, Proto().m(1, vector)))},
               {output("y"), output("h"), output("parts"), output("n")}, {tensor("at", 7, {}).ints(7, {1})})
      .data;
}

std::vector<std::string> samples() { return {sample(), sample_of_sequences()}; }

}  // namespace

TEST_CASE("hostile onnx: the untouched samples load, and run") {
  for (const std::string& whole : samples()) {
    CHECK(survives(whole));
    CHECK(exercise(bytes(whole)).evaluated > 0);
  }
}

TEST_CASE("hostile onnx: truncated at every byte") {
  for (const std::string& whole : samples()) {
    for (size_t n = 0; n < whole.size(); n += every(1)) survives(whole.substr(0, n));
  }
}

TEST_CASE("hostile onnx: every bit flipped") {
  for (std::string file : samples()) {
    for (size_t i = 0; i < file.size(); i += every(1)) {
      for (int bit = 0; bit < 8; ++bit) {
        file[i] = static_cast<char>(file[i] ^ (1 << bit));
        survives(file);
        file[i] = static_cast<char>(file[i] ^ (1 << bit));
      }
    }
  }
}

TEST_CASE("hostile onnx: every byte set to 00, 7f, 80 and ff") {
  for (const std::string& whole : samples()) {
    for (size_t i = 0; i < whole.size(); i += every(1)) {
      for (const char byte : {'\0', '\x7f', '\x80', '\xff'}) {
        std::string file = whole;
        file[i] = byte;
        survives(file);
      }
    }
  }
}

TEST_CASE("hostile onnx: random bytes overwritten, removed and inserted") {
  const std::string whole = sample();
  std::mt19937 random(7);
  for (int round = 0; round < (kSanitized ? 400 : 2000); ++round) {
    std::string file = whole;
    for (unsigned k = 0; k < 1 + random() % 4; ++k) {
      const size_t at = random() % file.size();
      switch (random() % 3) {
        case 0: file[at] = static_cast<char>(random()); break;
        case 1: file.erase(at, 1 + random() % 8); break;
        default: file.insert(at, 1 + random() % 8, static_cast<char>(random()));
      }
    }
    survives(file);
  }
}

TEST_CASE("hostile onnx: 100,000 messages inside one another") {
  // Graph, node, attribute, graph ... written from the outside in; lengths count down.
  std::vector<uint32_t> fields;
  for (int i = 0; i < 100000; ++i) fields.push_back(i == 0 ? 7 : i % 3 == 1 ? 1 : i % 3 == 2 ? 5 : 6);
  std::vector<std::string> heads(fields.size());
  size_t length = 0;
  for (size_t i = fields.size(); i-- > 0;) {
    Proto head;
    head.varint(fields[i] << 3 | 2);
    head.varint(length);
    heads[i] = head.data;
    length += head.data.size();
  }
  std::string file = Proto().i(1, 8).data;
  for (const auto& h : heads) file += h;
  refused_cheaply(file, "64 deep");
}

TEST_CASE("hostile onnx: groups within groups, and the end of one that never began") {
  for (const uint32_t field : {1u, 7u, 100u}) {
    std::string groups;
    for (size_t i = 0; i < flood(1000000); ++i) {
      Proto start;
      start.varint(field << 3 | 3);
      groups += start.data;
    }
    refused_cheaply(Proto().i(1, 8).data + groups, "wire type");
    Proto end;
    end.varint(field << 3 | 4);
    refused_cheaply(Proto().i(1, 8).data + end.data, "wire type");
  }
}

TEST_CASE("hostile onnx: a graph that is given a million times is merged or refused, not multiplied") {
  const std::string once = Proto().m(7, graph({node("Relu", {"x"}, {"y"})}, {input("x", 1, {2})}, {output("y")})).data;
  std::string file = Proto().i(1, 8).m(8, Proto().s(1, "").i(2, 13)).data;
  while (file.size() < flood(4000000)) file += once;
  refused_cheaply(file);
}

TEST_CASE("hostile onnx: an ir_version of 0 or 2^63 - 1, opsets of the same domain twice and of the future") {
  const Proto g = graph({node("Relu", {"x"}, {"y"})}, {input("x", 1, {2})}, {output("y")});
  for (const int64_t ir : {int64_t(0), int64_t(-1), INT64_MAX, INT64_MIN}) survives(Proto().i(1, ir).m(7, g).m(8, Proto().s(1, "").i(2, 13)).data);
  for (const int64_t opset : {int64_t(0), int64_t(-1), INT64_MAX, INT64_MIN})
    survives(Proto().i(1, 8).m(7, g).m(8, Proto().s(1, "").i(2, opset)).data);
  survives(Proto().i(1, 8).m(7, g).m(8, Proto().s(1, "").i(2, 13)).m(8, Proto().s(1, "ai.onnx").i(2, 7)).data);
}

TEST_CASE("hostile onnx: 4-bit elements, and 700 million of them on one byte") {
  for (const int type : {21, 22, 23, 24, 25}) {
    refused_cheaply(model(21, {node("DequantizeLinear", {"w", "s"}, {"y"})}, {}, {output("y")},
                          {raw_tensor<uint8_t>("w", type, {700000000}, {0x21}), raw_tensor<float>("s", 1, {}, {1})})
                        .data,
                    "'w'");
  }
}

TEST_CASE("hostile onnx: texts for people of 100 MB cost no more than the file") {
  const std::string text(flood(100 << 20), 'd');
  const std::string file =
      model(13, {node("Relu", {"x"}, {"y"})}, {input("x", 1, {2})}, {output("y")}).s(6, text).m(14, Proto().s(1, "key").s(2, text)).data;
  const int64_t before = peak_kb();
  CHECK(load_bytes(bytes(file)).ok());
  if (!kSanitized) CHECK(peak_kb() - before < 64 * 1024 + static_cast<int64_t>(file.size() / 1024));
}

TEST_CASE("hostile onnx: a million empty messages cost little, whether they are skipped, counted or read") {
  for (uint32_t field : {1u, 5u, 11u, 12u, 13u, 15u}) {
    std::string body;
    for (size_t i = 0; i < flood(1000000); ++i) body += Proto().s(field, "").data;
    CAPTURE(field);
    settled_cheaply(Proto().i(1, 8).s(7, body).data);
  }
}

TEST_CASE("hostile onnx: so do many short strings, nodes and outputs") {
  Proto n;
  for (size_t i = 0; i < flood(1000000); ++i) n.s(1, "");
  settled_cheaply(Proto().i(1, 8).m(7, Proto().m(1, n)).data);
  Proto strings = tensor("w", 8, {static_cast<int64_t>(flood(2000000))});
  for (size_t i = 0; i < flood(2000000); ++i) strings.s(6, "");
  settled_cheaply(model(13, {}, {}, {output("w")}, {strings}).data);
  Proto outputs = Proto().s(4, "Split").s(1, "x");
  for (size_t i = 0; i < flood(200000); ++i) outputs.s(2, "o" + std::to_string(i));
  settled_cheaply(model(13, {outputs}, {input("x", 1, {1})}, {output("o1")}).data);
}

TEST_CASE("hostile onnx: lengths that lie") {
  using namespace std::string_literals;
  refused_cheaply("\x08\x08\x3a\xff\xff\xff\xff\x0f"s, "past the end");                      // a graph of 4 GB
  refused_cheaply("\x08\x08\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s, "past the end");  // of 2^64 - 1 bytes
  refused_cheaply("\x08\x08\x3a\x04\x0a\x05\x0a\x01x"s, "past the end");                     // a node longer than its graph
  refused_cheaply("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"s);                  // a number of twelve bytes
  refused_cheaply("\x08\x08\x3b\x3c"s, "wire type");                                         // a group
  refused_cheaply("\x08\x08\x00"s, "field number");
}

TEST_CASE("hostile onnx: shapes of 2^60 elements, negative and overflowing") {
  for (const std::vector<int64_t>& dims :
       std::vector<std::vector<int64_t>>{{int64_t(1) << 60}, {-1}, {INT64_MIN}, {INT64_MAX, INT64_MAX}, {int64_t(1) << 32, int64_t(1) << 32}}) {
    CAPTURE(dims[0]);
    refused_cheaply(model(13, {}, {}, {output("w")}, {raw_tensor<float>("w", 1, dims, {1})}).data, "'w'");
    refused_cheaply(model(13, {}, {}, {output("w")}, {tensor("w", 7, dims).ints(7, {1})}).data, "'w'");
    const Proto sparse = Proto().m(1, raw_tensor<float>("w", 1, {1}, {1})).m(2, raw_tensor<int64_t>("", 7, {1}, {0})).ints(3, dims);
    refused_cheaply(model_of(13, graph({}, {}, {output("w")}).m(15, sparse)).data, "'w'");
  }
}

TEST_CASE("hostile onnx: small constants that unfold to huge values are not folded into memory") {
  const Proto shape = raw_tensor<int64_t>("s", 7, {2}, {int64_t(1) << 28, 16});
  const Proto one = raw_tensor<float>("c", 1, {}, {1});
  const int64_t before = peak_kb();
  survives(model(13, {node("Expand", {"c", "s"}, {"e"}), node("Relu", {"e"}, {"y"})}, {}, {output("y")}, {shape, one}).data);
  survives(model(13, {node("ConstantOfShape", {"s"}, {"e"}), node("Relu", {"e"}, {"y"})}, {}, {output("y")}, {shape}).data);
  survives(
      model(13, {node("Tile", {"c1", "s"}, {"e"}), node("Relu", {"e"}, {"y"})}, {}, {output("y")}, {shape, raw_tensor<float>("c1", 1, {1, 1}, {1})})
          .data);
  if (!kSanitized) CHECK(peak_kb() - before < 80 * 1024);
}

TEST_CASE("hostile onnx: sequences of many elements are not taken apart into memory") {
  std::vector<Proto> splits, inserts{node("SplitToSequence", {"x"}, {"s0"})}, maps{node("SplitToSequence", {"x"}, {"s"})};
  const Proto body = graph({node("Neg", {"e"}, {"r"})}, {input("e", 1, {1})}, {output("r")});
  const size_t few = flood(3000), many = flood(40000);
  for (size_t i = 0; i < few; ++i) {
    const std::string n = std::to_string(i);
    splits.push_back(node("SplitToSequence", {"x"}, {"s" + n}));
    splits.push_back(node("SequenceAt", {"s" + n, "i"}, {"y" + n}));
    maps.push_back(node("SequenceMap", {"s"}, {"m" + n}, {attr_graph("body", body)}));
  }
  for (size_t k = 0; k < many; ++k) inserts.push_back(node("SequenceInsert", {"s0", "x"}, {"s" + std::to_string(k + 1)}));
  inserts.push_back(node("SequenceLength", {"s" + std::to_string(many)}, {"y"}));
  const Proto i = tensor("i", 7, {}).ints(7, {1000});
  std::vector<Proto> each, mapped;
  for (size_t k = 0; k < few; ++k) {
    each.push_back(output("y" + std::to_string(k)));
    mapped.push_back(output("m" + std::to_string(k)));
  }
  settled_cheaply(model(18, splits, {input("x", 1, {1024})}, each, {i}).data);
  settled_cheaply(model(18, inserts, {input("x", 1, {1000})}, {output("y")}).data);
  settled_cheaply(model(18, maps, {input("x", 1, {1024})}, mapped).data);
}

TEST_CASE("hostile onnx: long cycles and long chains end at once") {
  std::vector<Proto> nodes;
  for (int i = 0; i < 10000; ++i) nodes.push_back(node("Relu", {"v" + std::to_string(i)}, {"v" + std::to_string((i + 1) % 10000)}));
  refused_cheaply(model(13, nodes, {}, {output("v0")}).data, "cycle");
}

TEST_CASE("hostile onnx: names of a megabyte do not fill the error") {
  const std::string name(1 << 20, 'n');
  auto model_result = load_bytes(bytes(model(13, {node(name, {"x"}, {"y"}, {}, name, name)}, {input("x", 1, {1})}, {output("y")})));
  REQUIRE(!model_result.ok());
  CHECK(model_result.error().message().size() < 1000);
}

}  // namespace tern::test::in_onnx
