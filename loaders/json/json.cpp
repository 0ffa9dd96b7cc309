// The parser: one pass over the text with a stack of its own. See json.h.
#include "loaders/json/json.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

namespace tern {
namespace {

constexpr size_t kMostBytes = size_t(256) << 20;  // sizes fit in 28 bits

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The bytes of the UTF-8 sequence that begins at s[at]; 0 when it is none: overlong, a surrogate, beyond U+10FFFF, cut off.
size_t utf8_length(std::string_view s, size_t at) {
  auto byte = [&](size_t i) { return at + i < s.size() ? static_cast<uint8_t>(s[at + i]) : 0u; };
  auto follows = [&](size_t i) { return (byte(i) & 0xc0) == 0x80; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    if ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f)) return 0;
    return follows(1) && follows(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    if ((first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f)) return 0;
    return follows(1) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

void append_utf8(std::string& to, uint32_t c) {
  auto put = [&](uint32_t byte) { to.push_back(static_cast<char>(byte)); };
  if (c < 0x80) return put(c);
  if (c < 0x800) {
    put(0xc0 | c >> 6);
  } else {
    if (c < 0x10000) {
      put(0xe0 | c >> 12);
    } else {
      put(0xf0 | c >> 18);
      put(0x80 | (c >> 12 & 0x3f));
    }
    put(0x80 | (c >> 6 & 0x3f));
  }
  put(0x80 | (c & 0x3f));
}

}  // namespace

class Json::Parser {
 public:
  Parser(std::string_view text, const Limits& limits) : limits_(limits), s_(text) { out_.text_ = text; }

  Result<Json> run() {
    if (s_.size() > std::min(limits_.bytes, kMostBytes))
      return invalid("JSON of more than " + std::to_string(std::min(limits_.bytes, kMostBytes) >> 20) + " MB");
    // No more values than these characters announce: the array is made once, in its size.
    out_.nodes_.reserve(
        1 + static_cast<size_t>(std::count_if(s_.begin(), s_.end(), [](char c) { return c == ',' || c == ':' || c == '[' || c == '{'; })));
    if (Status s = document(); !s) return s.error();
    return std::move(out_);
  }

 private:
  struct Frame {
    Id id;
    size_t first;  // its children in open_
  };

  Status fail(const char* what) const { return fail(what, at_); }
  Status fail(const char* what, size_t at) const { return invalid("JSON: byte " + std::to_string(at) + ": " + what); }
  void skip_blanks() {
    while (at_ < s_.size() && (s_[at_] == ' ' || s_[at_] == '\n' || s_[at_] == '\r' || s_[at_] == '\t')) ++at_;
  }
  bool take(char c) {
    skip_blanks();
    if (at_ == s_.size() || s_[at_] != c) return false;
    ++at_;
    return true;
  }
  Id add(Kind kind, size_t at, size_t size, bool escaped = false) {
    out_.nodes_.push_back({static_cast<uint32_t>(at), static_cast<uint32_t>(size), static_cast<uint32_t>(kind), escaped});
    return static_cast<Id>(out_.nodes_.size() - 1);
  }

  Status document() {
    while (true) {
      if (Status s = value(); !s) return s;
      // A container that was opened and has something inside waits for its first item.
      if (entered_) {
        entered_ = false;
        continue;
      }
      if (Status s = after_value(); !s) return s;
      if (frames_.empty()) break;
    }
    skip_blanks();
    return at_ == s_.size() ? Status() : fail("something follows the value");
  }

  // Closes what is complete, up to the comma before the next item or the end.
  Status after_value() {
    while (!frames_.empty()) {
      const bool object = top_kind() == Kind::object;
      if (take(',')) return object ? key() : Status();
      if (!take(object ? '}' : ']')) return fail(object ? "a comma or } is expected" : "a comma or ] is expected");
      if (Status s = close(); !s) return s;
    }
    return {};
  }

  Kind top_kind() const { return static_cast<Kind>(out_.nodes_[frames_.back().id].kind); }

  Status value() {
    skip_blanks();
    if (at_ == s_.size()) return fail("a value is missing");
    const size_t begin = at_;
    const char c = s_[at_];
    Id id = 0;
    if (c == '{' || c == '[') return open(c == '{');
    if (c == '"') {
      if (Status s = text(id); !s) return s;
    } else if (c == '-' || is_digit(c)) {
      if (Status s = number(id); !s) return s;
    } else if (word("null")) {
      id = add(Kind::null, begin, at_ - begin);
    } else if (word("true") || word("false")) {
      id = add(Kind::boolean, begin, at_ - begin);
    } else if (word("NaN") || word("Infinity")) {
      id = add(Kind::real, begin, at_ - begin);
    } else {
      return fail("no JSON value");
    }
    open_.push_back(id);
    return {};
  }

  bool word(std::string_view w) {
    if (s_.substr(at_, w.size()) != w) return false;
    at_ += w.size();
    return true;
  }

  Status open(bool object) {
    if (frames_.size() >= limits_.depth) return fail("nested too deeply");
    ++at_;
    const Id id = add(object ? Kind::object : Kind::array, 0, 0);
    open_.push_back(id);
    frames_.push_back({id, open_.size()});
    if (take(object ? '}' : ']')) return close();
    entered_ = true;
    return object ? key() : Status();
  }

  Status key() {
    skip_blanks();
    if (at_ == s_.size() || s_[at_] != '"') return fail("a key in quotes is expected");
    Id id = 0;
    if (Status s = text(id); !s) return s;
    open_.push_back(id);
    return take(':') ? Status() : fail("a colon is expected");
  }

  Status close() {
    const Frame frame = frames_.back();
    frames_.pop_back();
    std::vector<Id>& children = out_.children_;
    Node& n = out_.nodes_[frame.id];
    n.at = static_cast<uint32_t>(children.size());
    const bool object = static_cast<Kind>(n.kind) == Kind::object;
    const size_t count = (open_.size() - frame.first) / (object ? 2 : 1);
    n.size = static_cast<uint32_t>(count);
    children.insert(children.end(), open_.begin() + static_cast<std::ptrdiff_t>(frame.first), open_.end());
    open_.resize(frame.first);
    if (!object) return {};
    const size_t order = children.size();
    for (size_t i = 0; i < count; ++i) children.push_back(static_cast<Id>(i));
    std::sort(children.begin() + static_cast<std::ptrdiff_t>(order), children.end(),
              [&](Id a, Id b) { return out_.key(frame.id, a) < out_.key(frame.id, b); });
    for (size_t i = order + 1; i < children.size(); ++i) {
      if (out_.key(frame.id, children[i - 1]) == out_.key(frame.id, children[i])) return fail("a key of this object is there twice");
    }
    return {};
  }

  // at_ is at the quote.
  Status text(Id& id) {
    const size_t begin = ++at_;
    while (at_ < s_.size() && s_[at_] != '"' && s_[at_] != '\\') {
      if (Status s = character(); !s) return s;
    }
    if (at_ < s_.size() && s_[at_] == '"') {
      id = add(Kind::string, begin, at_++ - begin);
      return {};
    }
    std::string& to = out_.unescaped_;
    const size_t start = to.size();
    to.append(s_.substr(begin, at_ - begin));
    while (at_ < s_.size() && s_[at_] != '"') {
      const size_t from = at_;
      if (s_[at_] == '\\') {
        if (Status s = escape(to); !s) return s;
      } else if (Status s = character(); !s) {
        return s;
      } else {
        to.append(s_.substr(from, at_ - from));
      }
    }
    if (at_ == s_.size()) return fail("a string does not end");
    ++at_;
    id = add(Kind::string, start, to.size() - start, true);
    return {};
  }

  Status character() {
    if (static_cast<uint8_t>(s_[at_]) < 0x20) return fail("a control character in a string");
    const size_t n = utf8_length(s_, at_);
    if (n == 0) return fail("a string is not UTF-8");
    at_ += n;
    return {};
  }

  Status escape(std::string& to) {
    const size_t begin = at_++;
    const char c = at_ < s_.size() ? s_[at_++] : '\0';
    constexpr std::string_view kFrom = "\"\\/bfnrt", kTo = "\"\\/\b\f\n\r\t";
    if (const size_t i = kFrom.find(c); i != kFrom.npos) {
      to.push_back(kTo[i]);
      return {};
    }
    auto unit = c == 'u' ? hex() : std::nullopt;
    if (!unit) return fail("an unknown escape", begin);
    if (*unit >= 0xd800 && *unit <= 0xdfff) {
      auto low = *unit <= 0xdbff && word("\\u") ? hex() : std::nullopt;
      if (!low || *low < 0xdc00 || *low > 0xdfff) return fail("half of a surrogate pair", begin);
      unit = 0x10000 + ((*unit - 0xd800) << 10) + (*low - 0xdc00);
    }
    append_utf8(to, *unit);
    return {};
  }

  std::optional<uint32_t> hex() {
    if (s_.size() - at_ < 4) return std::nullopt;
    uint32_t value = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = s_[at_ + static_cast<size_t>(i)];
      const int digit = is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
      if (digit < 0) return std::nullopt;
      value = value << 4 | static_cast<uint32_t>(digit);
    }
    at_ += 4;
    return value;
  }

  bool digits() {
    const size_t begin = at_;
    while (at_ < s_.size() && is_digit(s_[at_])) ++at_;
    return at_ > begin;
  }

  Status number(Id& id) {
    const size_t begin = at_;
    if (word("-Infinity")) {
      id = add(Kind::real, begin, at_ - begin);
      return {};
    }
    word("-");
    const size_t whole = at_;
    bool real = false, good = digits() && (s_[whole] != '0' || at_ == whole + 1);
    if (good && word(".")) real = true, good = digits();
    if (good && (word("e") || word("E"))) {
      real = true;
      if (!word("-")) word("+");
      good = digits();
    }
    if (!good) return fail("no number", begin);
    const char *from = s_.data() + begin, *to = s_.data() + at_;
    int64_t n = 0;
    double d = 0;
    const bool integer = !real && std::from_chars(from, to, n).ec == std::errc();
    if (!integer && std::from_chars(from, to, d).ec != std::errc()) return fail("a number out of range", begin);
    id = add(integer ? Kind::integer : Kind::real, begin, at_ - begin);
    return {};
  }

  const Limits limits_;
  const std::string_view s_;
  size_t at_ = 0;
  bool entered_ = false;
  Json out_;
  std::vector<Frame> frames_;
  std::vector<Id> open_;  // values (and keys) that no closed container holds yet
};

Result<Json> Json::parse(std::string_view text, const Limits& limits) { return Parser(text, limits).run(); }

Json::Kind Json::kind(Id id) const { return static_cast<Kind>(node(id).kind); }

std::string_view Json::text_of(const Node& n) const {
  return std::string_view(n.escaped ? std::string_view(unescaped_) : text_).substr(n.at, n.size);
}

bool Json::boolean(Id id) const { return kind(id) == Kind::boolean && text_of(node(id)) == "true"; }

int64_t Json::integer(Id id) const {
  int64_t n = 0;
  if (kind(id) != Kind::integer) return 0;
  const std::string_view t = text_of(node(id));
  std::from_chars(t.data(), t.data() + t.size(), n);
  return n;
}

double Json::number(Id id) const {
  if (kind(id) != Kind::integer && kind(id) != Kind::real) return 0;
  const std::string_view t = text_of(node(id));
  if (t == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (t.ends_with("Infinity")) return t[0] == '-' ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
  double d = 0;
  std::from_chars(t.data(), t.data() + t.size(), d);
  return d;
}

std::string_view Json::string(Id id) const { return kind(id) == Kind::string ? text_of(node(id)) : std::string_view(); }

size_t Json::size(Id id) const { return is(id, Kind::array) || is(id, Kind::object) ? node(id).size : 0; }

Json::Id Json::item(Id id, size_t i) const { return children_[node(id).at + (kind(id) == Kind::object ? 2 * i + 1 : i)]; }

std::string_view Json::key(Id object, size_t i) const { return text_of(node(children_[node(object).at + 2 * i])); }

Json::Id Json::get(Id object, std::string_view name) const {
  if (!is(object, Kind::object)) return kNothing;
  const size_t count = node(object).size;
  const Id* order = children_.data() + node(object).at + 2 * count;
  const Id* found = std::lower_bound(order, order + count, name, [&](Id i, std::string_view t) { return key(object, i) < t; });
  return found != order + count && key(object, *found) == name ? item(object, *found) : kNothing;
}

}  // namespace tern
