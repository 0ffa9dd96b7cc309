// See pickle.h. One function an opcode family; the switch at the end is the list of all opcodes.
#include "loaders/torch/pickle/pickle.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>

#include "runtime/base/byte_reader.h"

namespace tern::torch {
namespace {

constexpr size_t kMostStack = 1 << 20, kMostMarks = 1 << 20;
constexpr size_t kFreeMemory = size_t(32) << 20, kMemoryPerByte = 16;  // what a pickle may cost: 32 MB, and 16 bytes for each that was read
constexpr size_t kMostItems = 1 << 16;                                 // of a block, unless one container needs more

// Python 2's modules under their names of today.
std::string_view modern(std::string_view module) {
  if (module == "__builtin__") return "builtins";
  if (module == "copy_reg") return "copyreg";
  return module;
}

bool is_utf8(std::string_view s) {
  for (size_t i = 0; i < s.size();) {
    const auto c = static_cast<unsigned char>(s[i]);
    const size_t n = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;
    if (n == 0 || i + n > s.size()) return false;
    for (size_t k = 1; k < n; ++k) {
      if ((static_cast<unsigned char>(s[i + k]) & 0xc0) != 0x80) return false;
    }
    const auto next = static_cast<unsigned char>(n > 1 ? s[i + 1] : 0);  // no longer form than needed, no surrogates, nothing beyond U+10FFFF
    if ((c == 0xe0 && next < 0xa0) || (c == 0xed && next > 0x9f) || (c == 0xf0 && next < 0x90) || (c == 0xf4 && next > 0x8f)) return false;
    i += n;
  }
  return true;
}

void append_utf8(std::string& s, uint32_t c) {
  if (c < 0x80) {
    s += static_cast<char>(c);
  } else if (c < 0x800) {
    s += static_cast<char>(0xc0 | c >> 6);
    s += static_cast<char>(0x80 | (c & 63));
  } else if (c < 0x10000) {
    s += static_cast<char>(0xe0 | c >> 12);
    s += static_cast<char>(0x80 | (c >> 6 & 63));
    s += static_cast<char>(0x80 | (c & 63));
  } else {
    s += static_cast<char>(0xf0 | c >> 18);
    s += static_cast<char>(0x80 | (c >> 12 & 63));
    s += static_cast<char>(0x80 | (c >> 6 & 63));
    s += static_cast<char>(0x80 | (c & 63));
  }
}

// \n, \', \x41 (S: bytes), \u0041, \U00000041 (V: Latin-1): what protocol 0 writes.
std::string unescaped(std::string_view s, bool unicode) {
  std::string out;
  for (size_t i = 0; i < s.size(); ++i) {
    const char next = i + 1 < s.size() ? s[i + 1] : '\0';
    const size_t digits = unicode ? (next == 'u' ? 4 : next == 'U' ? 8 : 0) : (next == 'x' ? 2 : 0);
    if (s[i] != '\\' || next == '\0') {
      if (unicode) append_utf8(out, static_cast<unsigned char>(s[i]));
      else out += s[i];
    } else if (digits > 0 && i + 2 + digits <= s.size()) {
      uint32_t c = 0;
      auto [end, error] = std::from_chars(s.data() + i + 2, s.data() + i + 2 + digits, c, 16);
      if (error != std::errc() || end != s.data() + i + 2 + digits || c > 0x10ffff || (unicode && c >= 0xd800 && c < 0xe000)) c = '?';
      if (unicode) append_utf8(out, c);
      else out += static_cast<char>(c);
      i += 1 + digits;
    } else if (!unicode) {
      out += next == 'n' ? '\n' : next == 't' ? '\t' : next == 'r' ? '\r' : next;
      ++i;
    } else {
      out += s[i];
    }
  }
  return out;
}

}  // namespace

double Pickle::real(ObjectId id) const { return std::bit_cast<double>(objects_[id].word); }

std::span<const ObjectId> Pickle::items(ObjectId id) const {
  const Kind k = kind(id);
  if (k != Kind::tuple && k != Kind::list && k != Kind::dict && k != Kind::set) return {};
  return {at(id), objects_[id].count};
}

ObjectId Pickle::get(ObjectId dict, std::string_view key) const {
  if (!is(dict, Kind::dict)) return kNoObject;
  const auto pairs = items(dict);
  for (size_t i = pairs.size(); i >= 2; i -= 2) {
    if (kind(pairs[i - 2]) == Kind::text && text(pairs[i - 2]) == key) return pairs[i - 1];
  }
  return kNoObject;
}

bool Pickle::is_call_of(ObjectId id, std::string_view qualified_name) const {
  if (!is(id, Kind::call) || kind(callable(id)) != Kind::global) return false;
  const std::string_view m = module(callable(id)), n = name(callable(id));
  return qualified_name.size() == m.size() + 1 + n.size() && qualified_name.starts_with(m) && qualified_name.ends_with(n) &&
         qualified_name[m.size()] == '.';
}

// The machine: a stack of objects, marks in it, and a memo.
class PickleMachine {
 public:
  PickleMachine(std::span<const std::byte> bytes, size_t begin) : in_(bytes), begin_(begin) {
    in_.seek(begin);
    for (Kind constant : {Kind::none, Kind::boolean, Kind::tuple}) make(constant);  // None, False, (): there is one of each
    make(Kind::boolean, 1);
  }

  Result<Pickle> run() {
    while (!stopped_) {
      at_ = in_.position();
      auto op = in_.read<uint8_t>();
      if (!op) return error("the pickle is truncated: it has no STOP").error();
      op_ = *op;
      if (Status s = step(); !s) return s.error();
      if (memory_ > kFreeMemory + kMemoryPerByte * (in_.position() - begin_))
        return error("the pickle needs more memory than its size explains").error();
    }
    if (!pop(p_.root_)) return empty().error();
    p_.bytes_ = in_.position() - begin_;
    return std::move(p_);
  }
  size_t position() const { return in_.position(); }

 private:
  using Kind = Pickle::Kind;

  Status error(const std::string& why) const {
    char where[64];
    if (op_ > 32 && op_ < 127) std::snprintf(where, sizeof where, "pickle byte %zu, opcode '%c': ", at_, op_);
    else std::snprintf(where, sizeof where, "pickle byte %zu, opcode 0x%02x: ", at_, op_);
    return invalid(where + why);
  }
  Status truncated() const { return error("the pickle is truncated"); }

  // ---- objects ----
  static constexpr ObjectId kNone = 0, kFalse = 1, kEmptyTuple = 2, kTrue = 3;
  Status push(ObjectId id) {
    if (stack_.size() >= kMostStack) return error("the stack is too deep");
    stack_.push_back(id);
    return {};
  }
  ObjectId make(Kind kind, uint64_t word = 0, uint32_t count = 0) {
    memory_ += sizeof(Pickle::Object);
    p_.objects_.push_back({kind, false, false, count, word});
    return static_cast<ObjectId>(p_.objects_.size() - 1);
  }
  Status push_new(Kind kind, uint64_t word = 0, uint32_t count = 0) { return push(make(kind, word, count)); }
  Status push_view(Kind kind, std::string_view s) { return push_new(kind, reinterpret_cast<uint64_t>(s.data()), static_cast<uint32_t>(s.size())); }
  Status push_owned(Kind kind, std::string s) {
    memory_ += s.size() + 64;
    p_.owned_.push_back(std::move(s));
    return push_view(kind, p_.owned_.back());
  }
  // Room for n items, in a block with others.
  ObjectId* room(size_t n) {
    if (n > room_left_) {
      room_left_ = std::max(n, std::min(kMostItems, size_t(64) << std::min<size_t>(p_.blocks_.size(), 10)));
      memory_ += room_left_ * sizeof(ObjectId);
      p_.blocks_.push_back(std::make_unique_for_overwrite<ObjectId[]>(room_left_));
      room_ = p_.blocks_.back().get();
    }
    room_left_ -= n;
    return std::exchange(room_, room_ + n);
  }
  ObjectId make(Kind kind, std::span<const ObjectId> items) {
    ObjectId* to = items.empty() ? nullptr : room(items.size());
    std::copy(items.begin(), items.end(), to);
    return make(kind, reinterpret_cast<uint64_t>(to), static_cast<uint32_t>(items.size()));
  }
  // More items for a container. Those that grow have room for a power of two; what they leave behind is lost.
  void grow(ObjectId id, std::span<const ObjectId> items) {
    Pickle::Object& o = p_.objects_[id];
    auto* to = reinterpret_cast<ObjectId*>(o.word);
    const size_t count = o.count, all = count + items.size(), has = o.grown ? std::bit_ceil(count) : count;
    if (all > has) {
      ObjectId* wider = room(std::bit_ceil(all));
      std::copy(to, to + count, wider);
      to = wider;
      o.grown = true;
    }
    std::copy(items.begin(), items.end(), to + count);
    o.word = reinterpret_cast<uint64_t>(to);
    o.count = static_cast<uint32_t>(all);
  }

  // ---- the stack ----
  bool bare(size_t n) const { return stack_.size() - (marks_.empty() ? 0 : marks_.back()) < n; }  // fewer than n above the last mark?
  bool pop(ObjectId& id) {
    if (bare(1)) return false;
    id = stack_.back();
    stack_.pop_back();
    return true;
  }
  Status empty() const { return error("the stack has too few objects"); }
  // What lies above the last mark, until the next push. Taking it away takes the mark too.
  std::span<const ObjectId> marked_items() const { return std::span(stack_).subspan(marks_.back()); }
  void drop_marked() {
    stack_.resize(marks_.back());
    marks_.pop_back();
  }
  Status no_mark() const { return error("there is no mark"); }

  // ---- reading ----
  bool line(std::string_view& s) {  // up to the newline, which is eaten
    const auto rest = *in_.take(in_.left());
    in_.seek(in_.position() - rest.size());
    const void* end = rest.empty() ? nullptr : std::memchr(rest.data(), '\n', rest.size());
    if (end == nullptr) return false;
    const auto n = static_cast<size_t>(static_cast<const std::byte*>(end) - rest.data());
    s = {reinterpret_cast<const char*>(rest.data()), n};
    in_.take(n + 1);
    return true;
  }
  template <class Length>
  bool counted(std::string_view& s) {
    auto n = in_.read<Length>();
    if (!n || static_cast<uint64_t>(*n) > in_.left() || static_cast<uint64_t>(*n) > UINT32_MAX) return false;
    auto piece = in_.take(static_cast<size_t>(*n));
    s = {reinterpret_cast<const char*>(piece->data()), piece->size()};
    return true;
  }
  template <class Length>
  Status text() {
    std::string_view s;
    if (!counted<Length>(s)) return truncated();
    return push_view(is_utf8(s) ? Kind::text : Kind::bytes, s);  // Python 2 had one type for both
  }
  template <class Length>
  Status bytes() {
    std::string_view s;
    return counted<Length>(s) ? push_view(Kind::bytes, s) : truncated();
  }
  template <class T>
  Status number() {
    auto n = in_.read<T>();
    return n ? push_new(Kind::integer, static_cast<uint64_t>(static_cast<int64_t>(*n))) : truncated();
  }
  template <class Length>
  Status long_number() {
    std::string_view s;
    if (!counted<Length>(s)) return truncated();
    if (s.size() > 8) return push_view(Kind::big_integer, s);
    int64_t n = 0;
    if (!s.empty()) {
      std::memcpy(&n, s.data(), s.size());
      const auto spare = static_cast<int>(64 - 8 * s.size());
      n = static_cast<int64_t>(static_cast<uint64_t>(n) << spare) >> spare;
    }
    return push_new(Kind::integer, static_cast<uint64_t>(n));
  }
  Status decimal() {  // I and L
    std::string_view s;
    if (!line(s)) return truncated();
    if (op_ == 'I' && (s == "00" || s == "01")) return push(s == "01" ? kTrue : kFalse);
    if (s.ends_with('L')) s.remove_suffix(1);
    int64_t n = 0;
    auto [end, failed] = std::from_chars(s.data(), s.data() + s.size(), n);
    if (end != s.data() + s.size() || s.empty()) return error("is no number");
    if (failed != std::errc()) return push_view(Kind::big_integer, s);
    return push_new(Kind::integer, static_cast<uint64_t>(n));
  }
  Status real_text() {
    std::string_view s;
    if (!line(s)) return truncated();
    double d = 0;
    auto [end, failed] = std::from_chars(s.data(), s.data() + s.size(), d);
    if (s.empty() || failed != std::errc() || end != s.data() + s.size()) return error("is no number");
    return push_new(Kind::real, std::bit_cast<uint64_t>(d));
  }
  Status real_binary() {  // big-endian
    auto bits = in_.read<uint64_t>();
    return bits ? push_new(Kind::real, __builtin_bswap64(*bits)) : truncated();
  }
  Status old_string() {  // 'text' with quotes
    std::string_view s;
    if (!line(s)) return truncated();
    while (!s.empty() && (s.back() == ' ' || s.back() == '\r')) s.remove_suffix(1);
    if (s.size() < 2 || s.front() != s.back() || (s.front() != '\'' && s.front() != '"')) return error("a text has no quotes");
    std::string text = unescaped(s.substr(1, s.size() - 2), false);
    const Kind kind = is_utf8(text) ? Kind::text : Kind::bytes;
    return push_owned(kind, std::move(text));
  }
  Status old_unicode() {
    std::string_view s;
    return line(s) ? push_owned(Kind::text, unescaped(s, true)) : truncated();
  }

  // ---- globals and calls ----
  ObjectId make_global(std::string_view module, std::string_view name) {
    const std::string key = std::string(modern(module)) + '\n' + std::string(name);
    auto [it, fresh] = globals_.emplace(key, p_.globals_.size());
    if (fresh) {
      memory_ += 2 * key.size() + 160;
      p_.globals_.push_back({std::string(modern(module)), std::string(name)});
    }
    return make(Kind::global, it->second);
  }
  Status global_lines() {
    std::string_view module, name;
    if (!line(module) || !line(name)) return truncated();
    return push(make_global(module, name));
  }
  Status stack_global() {
    ObjectId name, module;
    if (!pop(name) || !pop(module)) return empty();
    if (p_.kind(name) != Kind::text || p_.kind(module) != Kind::text) return error("the name of a global is no text of the file");
    return push(make_global(p_.text(module), p_.text(name)));
  }
  Status push_call(ObjectId callable, ObjectId arguments, ObjectId keywords = kNoObject) {
    // Legacy files write a class as the persistent id ('module', class, file, source).
    if (p_.kind(callable) == Kind::persistent) {
      const auto id = p_.items(p_.pid(callable));
      if (id.size() == 4 && p_.kind(id[1]) == Kind::global) callable = id[1];
    }
    if (p_.kind(callable) == Kind::global) p_.globals_[p_.objects_[callable].word].called = true;
    return push(make(Kind::call, std::array{callable, arguments, kNoObject, keywords}));
  }
  Status reduce() {
    ObjectId callable, arguments;
    if (!pop(arguments) || !pop(callable)) return empty();
    if (p_.kind(arguments) != Kind::tuple) return error("the arguments of a call are no tuple");
    return push_call(callable, arguments);
  }
  Status new_object_ex() {
    ObjectId callable, arguments, keywords;
    if (!pop(keywords) || !pop(arguments) || !pop(callable)) return empty();
    if (p_.kind(arguments) != Kind::tuple || p_.kind(keywords) != Kind::dict) return error("the arguments of a call are no tuple and dict");
    return push_call(callable, arguments, keywords);
  }
  Status instance() {  // i: mark arguments, then a global's lines
    std::string_view module, name;
    if (!line(module) || !line(name)) return truncated();
    if (marks_.empty()) return no_mark();
    const ObjectId arguments = make(Kind::tuple, marked_items());
    drop_marked();
    return push_call(make_global(module, name), arguments);
  }
  Status object() {  // o: mark class arguments
    if (marks_.empty()) return no_mark();
    if (bare(1)) return empty();
    const ObjectId callable = marked_items().front(), arguments = make(Kind::tuple, marked_items().subspan(1));
    drop_marked();
    return push_call(callable, arguments);
  }
  Status build() {
    ObjectId state, target;
    if (!pop(state) || !pop(target)) return empty();
    if (p_.kind(target) == Kind::call) reinterpret_cast<ObjectId*>(p_.objects_[target].word)[2] = state;
    return push(target);
  }

  // ---- containers ----
  Status tuple(size_t n) {
    if (bare(n)) return empty();
    const ObjectId made = make(Kind::tuple, std::span(stack_).last(n));
    stack_.resize(stack_.size() - n);
    return push(made);
  }
  Status marked(Kind kind) {
    if (marks_.empty()) return no_mark();
    const auto items = marked_items();
    if (kind == Kind::dict && items.size() % 2 != 0) return error("a dict has a key without a value");
    const ObjectId made = make(kind, items);
    drop_marked();
    return push(made);
  }
  // Items for the object below them: a list, set or dict, or what a call would have made.
  Status add(ObjectId target, std::span<const ObjectId> items, Kind kind) {
    const Kind k = p_.kind(target);
    if (k != kind && k != Kind::call) return error("items are added to what cannot hold them");
    if (kind == Kind::dict && items.size() % 2 != 0) return error("a dict has a key without a value");
    if (k == Kind::call && !items.empty()) {
      Pickle::Object& call = p_.objects_[target];
      if (call.count > 4 && call.pairs != (kind == Kind::dict)) return error("items are added to a dict, or keys to a list");
      call.pairs = kind == Kind::dict;
    }
    grow(target, items);
    return {};
  }
  Status add_marked(Kind kind) {
    if (marks_.empty()) return no_mark();
    const size_t mark = marks_.back();
    if (mark == (marks_.size() > 1 ? marks_[marks_.size() - 2] : 0)) return empty();
    if (Status s = add(stack_[mark - 1], marked_items(), kind); !s) return s;
    drop_marked();
    return {};
  }
  Status add_some(size_t n, Kind kind) {
    if (bare(n + 1)) return empty();
    if (Status s = add(stack_[stack_.size() - n - 1], std::span(stack_).last(n), kind); !s) return s;
    stack_.resize(stack_.size() - n);
    return {};
  }

  // ---- memo ----
  Status memoize(uint64_t index) {
    if (bare(1)) return empty();
    if (index < memo_.size()) {
      memo_[index] = stack_.back();
    } else if (index == memo_.size()) {
      memory_ += 2 * sizeof(ObjectId);
      memo_.push_back(stack_.back());
      if (!sparse_memo_.empty()) sparse_memo_.erase(index);
    } else {
      if (sparse_memo_.insert_or_assign(index, stack_.back()).second) memory_ += 48;
    }
    return {};
  }
  Status recall(uint64_t index) {
    if (index < memo_.size()) return push(memo_[index]);
    auto it = sparse_memo_.find(index);
    return it == sparse_memo_.end() ? error("memo " + std::to_string(index) + " was never set") : push(it->second);
  }
  template <class T>
  Status memo_op(bool put) {
    auto n = in_.read<T>();
    return !n ? truncated() : put ? memoize(*n) : recall(*n);
  }
  Status memo_line(bool put) {
    std::string_view s;
    if (!line(s)) return truncated();
    uint64_t n = 0;
    auto [end, failed] = std::from_chars(s.data(), s.data() + s.size(), n);
    if (failed != std::errc() || end != s.data() + s.size() || n > UINT32_MAX) return error("is no memo index");
    return put ? memoize(n) : recall(n);
  }

  Status step();
  Status persistent(bool from_line) {
    ObjectId id;
    if (from_line) {
      std::string_view s;
      if (!line(s)) return truncated();
      id = make(Kind::text, reinterpret_cast<uint64_t>(s.data()), static_cast<uint32_t>(s.size()));
    } else if (!pop(id)) {
      return empty();
    }
    return push_new(Kind::persistent, id);
  }
  Status drop() {
    if (!marks_.empty() && marks_.back() == stack_.size()) {
      marks_.pop_back();
      return {};
    }
    ObjectId id;
    return pop(id) ? Status() : empty();
  }

  ByteReader in_;
  size_t begin_, memory_ = 0, at_ = 0;
  uint8_t op_ = 0;
  bool stopped_ = false;
  Pickle p_;
  ObjectId* room_ = nullptr;  // what is left of the last block
  size_t room_left_ = 0;
  std::vector<ObjectId> stack_, memo_;
  std::vector<size_t> marks_;
  std::unordered_map<uint64_t, ObjectId> sparse_memo_;
  std::unordered_map<std::string, uint64_t> globals_;
};

Status PickleMachine::step() {
  switch (op_) {
    case 0x80: {  // PROTO
      auto protocol = in_.read<uint8_t>();
      return !protocol ? truncated() : *protocol > 5 ? error("protocol " + std::to_string(*protocol) + " is not known") : Status();
    }
    case 0x95: return in_.take(8) ? Status() : truncated();  // FRAME: its length says nothing new
    case '.': stopped_ = true; return {};
    // numbers
    case 'N': return push(kNone);
    case 0x88: return push(kTrue);
    case 0x89: return push(kFalse);
    case 'K': return number<uint8_t>();
    case 'M': return number<uint16_t>();
    case 'J': return number<int32_t>();
    case 0x8a: return long_number<uint8_t>();
    case 0x8b: return long_number<uint32_t>();
    case 'I':
    case 'L': return decimal();
    case 'F': return real_text();
    case 'G': return real_binary();
    // texts
    case 'S': return old_string();
    case 'V': return old_unicode();
    case 'U':
    case 0x8c: return text<uint8_t>();
    case 'T':
    case 'X': return text<uint32_t>();
    case 0x8d: return text<uint64_t>();
    case 'C': return bytes<uint8_t>();
    case 'B': return bytes<uint32_t>();
    case 0x8e:
    case 0x96: return bytes<uint64_t>();
    // containers
    case '(':
      if (marks_.size() >= kMostMarks) return error("too many marks");
      marks_.push_back(stack_.size());
      return {};
    case ')': return push(kEmptyTuple);
    case ']': return push_new(Kind::list);
    case '}': return push_new(Kind::dict);
    case 0x8f: return push_new(Kind::set);
    case 't': return marked(Kind::tuple);
    case 'l': return marked(Kind::list);
    case 'd': return marked(Kind::dict);
    case 0x91: return marked(Kind::set);
    case 0x85:
    case 0x86:
    case 0x87: return tuple(op_ - 0x84u);
    case 'a': return add_some(1, Kind::list);
    case 's': return add_some(2, Kind::dict);
    case 'e': return add_marked(Kind::list);
    case 'u': return add_marked(Kind::dict);
    case 0x90: return add_marked(Kind::set);
    // globals and calls
    case 'c': return global_lines();
    case 0x93: return stack_global();
    case 'R':
    case 0x81: return reduce();
    case 0x92: return new_object_ex();
    case 'i': return instance();
    case 'o': return object();
    case 'b': return build();
    case 'P': return persistent(true);
    case 'Q': return persistent(false);
    // stack and memo
    case '0': return drop();
    case '1':
      if (marks_.empty()) return no_mark();
      drop_marked();
      return {};
    case '2': return bare(1) ? empty() : push(stack_.back());
    case 'p': return memo_line(true);
    case 'g': return memo_line(false);
    case 'q': return memo_op<uint8_t>(true);
    case 'r': return memo_op<uint32_t>(true);
    case 'h': return memo_op<uint8_t>(false);
    case 'j': return memo_op<uint32_t>(false);
    case 0x94: return memoize(memo_.size() + sparse_memo_.size());
    case 0x82:
    case 0x83:
    case 0x84: return error("names an extension of another program's registry");
    case 0x97:
    case 0x98: return error("wants a buffer that is not in the file");
    default: return error("there is no such opcode");
  }
}

Result<Pickle> Pickle::read(std::span<const std::byte> bytes, size_t& position) {
  if (position > bytes.size()) return invalid("the pickle is missing");
  PickleMachine machine(bytes, position);
  auto pickle = machine.run();
  if (pickle) position = machine.position();
  return pickle;
}

}  // namespace tern::torch
