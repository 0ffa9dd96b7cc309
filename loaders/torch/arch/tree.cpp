// See tree.h.
#include "loaders/torch/arch/tree.h"

#include <charconv>
#include <cmath>
#include <set>

#include "loaders/torch/arch/lexer.h"
#include "loaders/torch/module/dtypes.h"

namespace tern::torch {
namespace {

constexpr size_t kMostModules = 100000;          // with all repeats
constexpr size_t kMostBytes = size_t(64) << 20;  // of the tree's text, with all repeats
constexpr size_t kMostLiterals = 200000;
constexpr size_t kMostArguments = 1000;    // of one module
constexpr size_t kMostName = 200;          // characters
constexpr size_t kLongestArgument = 1000;  // of an argument that is no literal
constexpr int kMostNested = 20;            // lists in lists

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

struct Tree {
  std::shared_ptr<Module> module;
  size_t modules = 1, bytes = 0;  // with all repeats
  std::set<std::string> names;    // of the children
};

class Reader {
 public:
  Reader(const SourceText& source, size_t offset) : source_(source), text_(source.text), pos_(offset) {}
  size_t pos() const { return pos_; }
  const Error& error() const { return error_; }
  // At a class's name.
  bool module(Tree& out, const std::string& path, int depth);

 private:
  bool fail(size_t offset, const std::string& what) {
    if (error_.code() == Code::kOk) error_ = tern::torch::at(source_, source_.place_of(offset), what);
    return false;
  }
  char at(size_t i) const { return i < text_.size() ? text_[i] : '\0'; }
  void blanks(bool lines);
  std::string_view word();
  bool starts(std::string_view s) const { return text_.substr(std::min(pos_, text_.size()), s.size()) == s; }
  bool add(Tree& parent, const std::string& name, const Tree& child, size_t times, size_t offset);

  std::optional<std::string> child_name();
  bool child(Tree& parent, const std::string& name, const std::string& path, int depth);
  bool argument(Module& m, const std::string& path);
  bool parameter(Module& m, const std::string& name);
  std::optional<Literal> literal(int depth);
  std::optional<Literal> number();
  bool raw(std::string& out, const std::string& cls);
  bool at_end_of_argument();

  const SourceText& source_;
  std::string_view text_;
  size_t pos_;
  size_t literals_ = 0;
  Error error_;
};

// Spaces and comments; also over the ends of lines.
void Reader::blanks(bool lines) {
  while (true) {
    const char c = at(pos_);
    if (c == ' ' || c == '\t' || c == '\r' || (c == '\n' && lines)) ++pos_;
    else if (c == '#') pos_ = std::min(text_.find('\n', pos_), text_.size());
    else return;
  }
}

// A dotted name; empty when there is none.
std::string_view Reader::word() {
  const size_t begin = pos_;
  if (!is_letter(at(pos_))) return {};
  while (is_letter(at(pos_)) || is_digit(at(pos_)) || (at(pos_) == '.' && is_letter(at(pos_ + 1)))) ++pos_;
  return text_.substr(begin, pos_ - begin);
}

// "(name): " of a child on this line. Only when a class, or what else torch may print there, follows.
std::optional<std::string> Reader::child_name() {
  const std::string_view line = text_.substr(pos_ + 1, std::min(text_.find('\n', pos_), pos_ + 1 + kMostName) - pos_ - 1);
  for (size_t end = line.find("):"); end != line.npos; end = line.find("):", end + 1)) {
    size_t next = pos_ + 1 + end + 2;
    while (at(next) == ' ') ++next;
    const size_t after = next;
    while (is_digit(at(next))) ++next;
    if (next > after && at(next) == ' ' && at(next + 1) == 'x' && at(next + 2) == ' ') next += 3;
    else next = after;
    if (!is_letter(at(next)) && at(next) != '?') continue;
    pos_ = after;
    return std::string(line.substr(0, end));
  }
  return std::nullopt;
}

bool Reader::add(Tree& parent, const std::string& name, const Tree& child, size_t times, size_t offset) {
  if (child.modules > kMostModules / times || parent.modules + child.modules * times > kMostModules) {
    return fail(offset, "the tree has more than " + std::to_string(kMostModules) + " modules");
  }
  const size_t bytes = child.bytes + name.size() + 16;
  if (bytes > kMostBytes / times || parent.bytes + bytes * times > kMostBytes) return fail(offset, "the tree is too large");
  parent.modules += child.modules * times;
  parent.bytes += bytes * times;
  return true;
}

// After "(name): ": Block(…), 4 x Block(…), None, Parameter containing: […].
bool Reader::child(Tree& parent, const std::string& name, const std::string& path, int depth) {
  const size_t begin = pos_;
  Module& m = *parent.module;
  const std::string own_path = path.empty() ? name : path + "." + name;
  if (!parent.names.insert(name).second) return fail(begin, "there are two modules " + printable(own_path));
  if (starts("?"))
    return fail(begin, "layer " + printable(own_path) + " (?): fill in its class, as print(model) shows it: ReLU(), Conv2d(3, 8, kernel_size=3)");
  if (starts("Parameter containing:") || starts("Object of type:")) return parameter(m, name);
  if (starts("None") && !is_letter(at(pos_ + 4)) && at(pos_ + 4) != '(') {
    pos_ += 4;
    if (m.args.size() >= kMostArguments) return fail(begin, printable(m.cls) + " has too many arguments");
    m.args.emplace_back(name, Literal());
    return true;
  }
  size_t times = 1;
  int64_t first = 0;
  if (is_digit(at(pos_))) {
    size_t last = 0;
    const auto [end, error] = std::from_chars(text_.data() + pos_, text_.data() + text_.size(), times);
    pos_ = static_cast<size_t>(end - text_.data()) + 3;  // " x "
    const size_t dash = name.find('-');
    const char *name_begin = name.data(), *name_end = name.data() + name.size();
    bool good = error == std::errc() && dash != name.npos && times > 0;
    if (good) {
      const auto a = std::from_chars(name_begin, name_begin + dash, first);
      const auto b = std::from_chars(name_begin + dash + 1, name_end, last);
      good = a.ec == std::errc() && b.ec == std::errc() && a.ptr == name_begin + dash && b.ptr == name_end && first >= 0 &&
             last < size_t(INT64_MAX) && last - static_cast<size_t>(first) == times - 1;
    }
    if (!good) return fail(begin, "a repeated module reads (0-3): 4 x Block(…), with as many names as repeats");
    if (times > kMostModules) return fail(begin, "the tree has more than " + std::to_string(kMostModules) + " modules");
  }
  Tree one;
  if (!module(one, own_path, depth + 1) || !add(parent, name, one, times, begin)) return false;
  if (times == 1) {
    m.children.emplace_back(name, one.module);
    return true;
  }
  for (size_t i = 0; i < times; ++i) {
    const std::string number = std::to_string(first + static_cast<int64_t>(i));
    if (number != name && !parent.names.insert(number).second)
      return fail(begin, "there are two modules " + printable(path.empty() ? number : path + "." + number));
    m.children.emplace_back(number, one.module);
  }
  return true;
}

// Parameter containing: [torch.float32 of size 3x4 (cuda:0)], of a ParameterList or a ParameterDict.
bool Reader::parameter(Module& m, const std::string& name) {
  const size_t begin = pos_, line_end = std::min(text_.find('\n', pos_), text_.size());
  const std::string_view line = text_.substr(pos_, line_end - pos_);
  pos_ = line_end;
  if (line.starts_with("Object")) return true;
  constexpr std::pair<std::string_view, std::string_view> kOld[] = {
      {"DoubleTensor", "float64"}, {"FloatTensor", "float32"}, {"HalfTensor", "float16"}, {"BFloat16Tensor", "bfloat16"}, {"LongTensor", "int64"},
      {"IntTensor", "int32"},      {"ShortTensor", "int16"},   {"CharTensor", "int8"},    {"ByteTensor", "uint8"},        {"BoolTensor", "bool"}};
  const size_t open = line.find('['), of = line.find(" of size "), close = line.rfind(']');
  if (open == line.npos || of == line.npos || close == line.npos || of < open || close < of + 9)
    return fail(begin, "expected Parameter containing: [torch.float32 of size 3x4]");
  std::string_view type = line.substr(open + 1, of - open - 1);
  for (std::string_view head : {"torch.", "cuda."}) {
    if (type.starts_with(head)) type.remove_prefix(head.size());
  }
  for (const auto& [old, now] : kOld) {
    if (type == old) type = now;
  }
  const auto dtype = dtype_named(type);
  if (!dtype) return fail(begin, "the dtype " + printable(type, 30) + " is not known");
  auto tensor = std::make_shared<StoredTensor>();
  tensor->dtype = *dtype;
  tensor->dtype_name = tern::name(*dtype);
  tensor->element_size = static_cast<int64_t>(size_of(*dtype));
  tensor->parameter = true;
  std::string_view sizes = line.substr(of + 9, close - of - 9);
  sizes = sizes.substr(0, sizes.find(' '));
  while (!sizes.empty()) {
    int64_t n = 0;
    const auto [end, error] = std::from_chars(sizes.data(), sizes.data() + sizes.size(), n);
    if (error != std::errc() || n < 0 || tensor->sizes.size() >= size_t(kMaxRank)) return fail(begin, "expected sizes such as 3x4");
    tensor->sizes.push_back(n);
    sizes.remove_prefix(static_cast<size_t>(end - sizes.data()));
    if (!sizes.empty() && sizes[0] != 'x') return fail(begin, "expected sizes such as 3x4");
    if (!sizes.empty()) sizes.remove_prefix(1);
  }
  tensor->strides.assign(tensor->sizes.size(), 0);
  tensor->refusal = "only its shape is known";
  m.tensors.push_back({name, std::move(tensor), false, true});
  return ++literals_ <= kMostLiterals || fail(begin, "the tree has too many arguments");
}

std::optional<Literal> Reader::number() {
  const size_t begin = pos_;
  size_t i = pos_ + (at(pos_) == '-' || at(pos_) == '+');
  const size_t digits = i;
  bool real = false;
  while (is_digit(at(i)) || at(i) == '.' || (at(i) == '_' && i > digits)) real |= at(i++) == '.';
  if (i == digits || (at(i - 1) == '.' && i == digits + 1)) return std::nullopt;
  if ((at(i) == 'e' || at(i) == 'E') && (is_digit(at(i + 1)) || ((at(i + 1) == '-' || at(i + 1) == '+') && is_digit(at(i + 2))))) {
    real = true;
    for (i += 2; is_digit(at(i)); ++i) {
    }
  }
  if (is_letter(at(i)) || i - begin > 100) return std::nullopt;
  std::string s(text_.substr(begin, i - begin));
  std::erase(s, '_');
  if (s[0] == '+') s.erase(0, 1);
  pos_ = i;
  const char* end = s.data() + s.size();
  if (!real) {
    int64_t n = 0;
    const auto [stop, error] = std::from_chars(s.data(), end, n);
    return error == std::errc() && stop == end ? std::optional<Literal>(Literal{n}) : std::nullopt;
  }
  double d = 0;
  const auto [stop, error] = std::from_chars(s.data(), end, d);
  return error == std::errc() && stop == end ? std::optional<Literal>(Literal{d}) : std::nullopt;
}

// Nothing when what stands there is no literal; the position is then undefined.
std::optional<Literal> Reader::literal(int depth) {
  if (++literals_ > kMostLiterals) return fail(pos_, "the tree has too many arguments"), std::nullopt;
  const char c = at(pos_);
  if (c == '\'' || c == '"') {
    size_t end = pos_ + 1;
    while (end < text_.size() && text_[end] != c && text_[end] != '\n') end += text_[end] == '\\' ? 2 : 1;
    if (at(end) != c) return std::nullopt;
    const std::string_view body = text_.substr(pos_ + 1, end - pos_ - 1);
    pos_ = end + 1;
    return Literal{unescaped(body, false)};
  }
  if (is_digit(c) || c == '.' || c == '+' || (c == '-' && at(pos_ + 1) != 'i')) return number();
  if (c == '-' && text_.substr(pos_, 4) == "-inf" && !is_letter(at(pos_ + 4))) return pos_ += 4, Literal{-double(INFINITY)};
  if (c == '?') return ++pos_, Literal{Name{"?"}};
  if (c == '(' || c == '[') {
    if (depth >= kMostNested) return std::nullopt;
    const char close = c == '(' ? ')' : ']';
    Literals items;
    bool comma = false;
    ++pos_;
    for (blanks(true); at(pos_) != close; blanks(true)) {
      auto item = literal(depth + 1);
      if (!item) return std::nullopt;
      items.push_back(std::move(*item));
      blanks(true);
      if (at(pos_) == close) break;
      if (at(pos_) != ',') return std::nullopt;
      comma = true;
      ++pos_;
    }
    ++pos_;
    if (c == '(' && items.size() == 1 && !comma) return std::move(items[0]);
    Literal l{std::move(items)};
    l.list = c == '[';
    return l;
  }
  const std::string_view name = word();
  if (name.empty() || name.size() > kLongestArgument) return std::nullopt;
  if (name == "None") return Literal();
  if (name == "True" || name == "False") return Literal{name == "True"};
  if (name == "inf" || name == "nan") return Literal{name == "inf" ? double(INFINITY) : double(NAN)};
  if (at(pos_) != '(') return Literal{Name{std::string(name)}};
  if (name != "torch.Size" && name != "Size") return std::nullopt;
  ++pos_;
  auto sizes = literal(depth + 1);
  if (!sizes || at(pos_) != ')') return std::nullopt;
  ++pos_;
  sizes->list = false;
  return sizes;
}

// An argument that is no literal, as text: up to a comma, the closing bracket or the end of the line.
bool Reader::raw(std::string& out, const std::string& cls) {
  const size_t begin = pos_;
  int depth = 0;
  for (; pos_ < text_.size(); ++pos_) {
    const char c = text_[pos_];
    if (depth == 0 && (c == ',' || c == ')' || c == '\n' || c == '#')) break;
    if (pos_ - begin > kLongestArgument) break;
    if (c == '(' || c == '[' || c == '{' || c == '<') ++depth;
    if ((c == ')' || c == ']' || c == '}' || c == '>') && depth > 0) --depth;
    if ((c >= 0 && c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == '\x7f') return fail(pos_, "this character has no place here");
  }
  if (pos_ >= text_.size()) return fail(begin, "the bracket after " + printable(cls) + " is never closed");
  out = text_.substr(begin, pos_ - begin);
  while (!out.empty() && (out.back() == ' ' || out.back() == '\t' || out.back() == '\r')) out.pop_back();
  for (char& c : out) c = c == '\n' || c == '\r' || c == '\t' ? ' ' : c;
  if (depth > 0 || out.empty() || out.size() > kLongestArgument) {
    return fail(begin, "expected an argument, a child as in (conv): Conv2d(3, 8, kernel_size=3), or ')' that closes " + printable(cls) + "(");
  }
  return true;
}

// After a literal: is the argument over?
bool Reader::at_end_of_argument() {
  blanks(false);
  return at(pos_) == ',' || at(pos_) == ')' || at(pos_) == '\n';
}

bool Reader::argument(Module& m, const std::string& path) {
  const size_t begin = pos_;
  std::string name;
  if (const std::string_view w = word(); !w.empty() && w.size() <= kMostName) {
    blanks(false);
    if (at(pos_) == '=' && at(pos_ + 1) != '=') name = w;
  }
  if (name.empty()) pos_ = begin;
  else ++pos_, blanks(true);
  const size_t value_begin = pos_;
  auto l = literal(0);
  if (error_.code() != Code::kOk) return false;
  if (!l || !at_end_of_argument()) {
    pos_ = value_begin;
    std::string text;
    if (!raw(text, m.cls)) return false;
    l = Literal{Name{std::move(text)}};
  }
  const auto* placeholder = std::get_if<Name>(&l->value);
  if (placeholder != nullptr && placeholder->text == "?") {
    return fail(value_begin, "layer " + (path.empty() ? m.cls : printable(path) + " (" + printable(m.cls) + ")") + ": fill in " +
                                 (name.empty() ? "the argument ?" : printable(name)) + ", which weights cannot tell");
  }
  if (m.args.size() >= kMostArguments) return fail(begin, printable(m.cls) + " has too many arguments");
  for (const auto& [known, other] : m.args) {
    if (!name.empty() && known == name) return fail(begin, printable(m.cls) + " gets its argument " + printable(name) + " twice");
  }
  m.args.emplace_back(std::move(name), std::move(*l));
  return true;
}

bool Reader::module(Tree& out, const std::string& path, int depth) {
  const size_t begin = pos_;
  if (depth > kMaxModuleDepth) return fail(begin, "modules nest more than " + std::to_string(kMaxModuleDepth) + " deep");
  const std::string_view name = word();
  if (name.empty() || name.size() > kMostName || at(pos_) != '(')
    return fail(begin, "expected a class and its arguments, such as ReLU() or Conv2d(3, 8, kernel_size=3)");
  ++pos_;
  out.module = std::make_shared<Module>();
  Module& m = *out.module;
  m.cls = name.substr(name.rfind('.') + 1);
  m.place = source_.place_of(begin);
  const bool sequence = m.cls == "Sequential" || m.cls == "ModuleList";  // may be written with its modules as arguments
  bool list = false;
  size_t own_begin = begin;
  while (true) {
    blanks(true);
    if (at(pos_) == ',') {
      ++pos_;
      continue;
    }
    if (pos_ >= text_.size()) return fail(begin, "the bracket after " + printable(m.cls) + " is never closed");
    if (at(pos_) == ')') break;
    if (sequence && (at(pos_) == '[' || at(pos_) == ']') && list == (at(pos_) == ']')) {
      list = !list;
      ++pos_;
      continue;
    }
    const size_t here = pos_;
    if (at(pos_) == '(') {
      if (auto child_of = child_name()) {
        out.bytes += here - own_begin;
        if (!child(out, *child_of, path, depth)) return false;
        own_begin = pos_;
        continue;
      }
    }
    if (sequence && is_letter(at(pos_))) {
      const std::string_view w = word();
      const bool call = at(pos_) == '(';
      pos_ = here;
      const std::string_view last = w.substr(w.rfind('.') + 1);
      if (call && last[0] >= 'A' && last[0] <= 'Z') {
        out.bytes += here - own_begin;
        if (!child(out, std::to_string(m.children.size()), path, depth)) return false;
        own_begin = pos_;
        continue;
      }
    }
    if (!argument(m, path)) return false;
  }
  ++pos_;
  out.bytes += pos_ - own_begin;
  return true;
}

}  // namespace

Result<std::shared_ptr<Module>> read_tree(const SourceText& source, size_t& offset) {
  Reader reader(source, offset);
  Tree tree;
  if (!reader.module(tree, "", 1)) return reader.error();
  offset = reader.pos();
  return tree.module;
}

}  // namespace tern::torch
