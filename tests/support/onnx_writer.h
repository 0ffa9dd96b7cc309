// Writing ONNX files by hand, for the tests of the loader: a protobuf writer of a page, and models in a few words.
//   Proto m = model(13, {node("Relu", {"x"}, {"y"})}, {input("x", 1, {2})}, {output("y")});
//   load_graph(bytes(m), "", {});
// Field numbers are those of ONNX (loaders/README.md).
#pragma once
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tern::test {

// A message in the making: fields in the order of the calls.
class Proto {
 public:
  Proto& i(uint32_t field, int64_t v) {
    varint(field << 3);
    varint(static_cast<uint64_t>(v));
    return *this;
  }
  Proto& f(uint32_t field, float v) {
    varint(field << 3 | 5);
    append(&v, 1);
    return *this;
  }
  Proto& s(uint32_t field, std::string_view v) {
    varint(field << 3 | 2);
    varint(v.size());
    data.append(v);
    return *this;
  }
  Proto& m(uint32_t field, const Proto& v) { return s(field, v.data); }
  // Packed varints.
  Proto& ints(uint32_t field, const std::vector<int64_t>& list) {
    Proto body;
    for (int64_t v : list) body.varint(static_cast<uint64_t>(v));
    return s(field, body.data);
  }
  // Packed elements of fixed width.
  template <class T>
  Proto& fixed(uint32_t field, const std::vector<T>& list) {
    Proto body;
    body.append(list.data(), list.size());
    return s(field, body.data);
  }
  template <class T>
  void append(const T* v, size_t count) {
    data.append(reinterpret_cast<const char*>(v), count * sizeof(T));
  }
  void varint(uint64_t v) {
    for (; v >= 0x80; v >>= 7) data.push_back(static_cast<char>(v | 0x80));
    data.push_back(static_cast<char>(v));
  }
  std::string data;
};

inline std::span<const std::byte> bytes(const std::string& s) { return std::as_bytes(std::span(s.data(), s.size())); }
inline std::span<const std::byte> bytes(const Proto& p) { return bytes(p.data); }

// TensorProto without elements; add them with s(9, raw), fixed(4, floats) …
inline Proto tensor(std::string_view name, int data_type, const std::vector<int64_t>& dims) {
  Proto t;
  for (int64_t d : dims) t.i(1, d);
  return t.i(2, data_type).s(8, name);
}
template <class T>
Proto raw_tensor(std::string_view name, int data_type, const std::vector<int64_t>& dims, const std::vector<T>& values) {
  return tensor(name, data_type, dims).fixed(9, values);
}

inline Proto attr(std::string_view name, int64_t v) { return Proto().s(1, name).i(3, v).i(20, 2); }
inline Proto attr(std::string_view name, float v) { return Proto().s(1, name).f(2, v).i(20, 1); }
inline Proto attr(std::string_view name, const char* v) { return Proto().s(1, name).s(4, v).i(20, 3); }
inline Proto attr(std::string_view name, const std::vector<int64_t>& v) { return Proto().s(1, name).ints(8, v).i(20, 7); }
inline Proto attr_floats(std::string_view name, const std::vector<float>& v) { return Proto().s(1, name).fixed(7, v).i(20, 6); }
inline Proto attr_tensor(std::string_view name, const Proto& t) { return Proto().s(1, name).m(5, t).i(20, 4); }
inline Proto attr_graph(std::string_view name, const Proto& g) { return Proto().s(1, name).m(6, g).i(20, 5); }

inline Proto node(std::string_view op, const std::vector<std::string>& in, const std::vector<std::string>& out, const std::vector<Proto>& attrs = {},
                  std::string_view name = "", std::string_view domain = "") {
  Proto n;
  for (const auto& v : in) n.s(1, v);
  for (const auto& v : out) n.s(2, v);
  if (!name.empty()) n.s(3, name);
  n.s(4, op);
  for (const auto& a : attrs) n.m(5, a);
  if (!domain.empty()) n.s(7, domain);
  return n;
}

// A dimension: a number, or a text for dim_param ("" : neither).
struct DimOf {
  DimOf(int64_t v) : value(v), number(true) {}  // NOLINT
  DimOf(int v) : value(v), number(true) {}      // NOLINT
  DimOf(const char* t) : text(t) {}             // NOLINT
  int64_t value = 0;
  bool number = false;
  std::string text;
};
inline Proto value_info(std::string_view name, int elem_type, const std::vector<DimOf>& dims) {
  Proto shape;
  for (const DimOf& d : dims) {
    Proto p;
    if (d.number) p.i(1, d.value);
    else if (!d.text.empty()) p.s(2, d.text);
    shape.m(1, p);
  }
  return Proto().s(1, name).m(2, Proto().m(1, Proto().i(1, elem_type).m(2, shape)));
}
inline Proto input(std::string_view name, int elem_type, const std::vector<DimOf>& dims) { return value_info(name, elem_type, dims); }
inline Proto output(std::string_view name) { return Proto().s(1, name); }

inline Proto graph(const std::vector<Proto>& nodes, const std::vector<Proto>& inputs, const std::vector<Proto>& outputs,
                   const std::vector<Proto>& initializers = {}) {
  Proto g;
  for (const auto& n : nodes) g.m(1, n);
  g.s(2, "g");
  for (const auto& t : initializers) g.m(5, t);
  for (const auto& v : inputs) g.m(11, v);
  for (const auto& v : outputs) g.m(12, v);
  return g;
}
inline Proto model_of(int64_t opset, const Proto& g) { return Proto().i(1, 8).s(2, "hand").m(7, g).m(8, Proto().s(1, "").i(2, opset)); }
inline Proto model(int64_t opset, const std::vector<Proto>& nodes, const std::vector<Proto>& inputs, const std::vector<Proto>& outputs,
                   const std::vector<Proto>& initializers = {}) {
  return model_of(opset, graph(nodes, inputs, outputs, initializers));
}

}  // namespace tern::test
