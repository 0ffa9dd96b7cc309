// trap, printf and assert.
#include "runtime/base/printable.h"
#include "tools/ptxsim/handlers.h"
#include "tools/ptxsim/text.h"
#include "tools/ptxsim/warp.h"

namespace ptxsim {
namespace {

constexpr size_t kLongestString = 4096;

// A generic address of one lane; false: nothing is there.
bool read(Warp& w, uint32_t lane, uint64_t at, void* out, uint32_t bytes) {
  if (at - kLocalWindow < kWindowBytes) {
    const uint64_t offset = at - kLocalWindow, size = w.launch->code->local.size();
    if (offset > size || size - offset < bytes) return false;
    std::memcpy(out, w.local.data() + lane * size + offset, bytes);
    return true;
  }
  if (at - kSharedWindow < kWindowBytes) {
    const uint64_t offset = at - kSharedWindow, size = w.block->shared.size();
    if (offset > size || size - offset < bytes) return false;
    std::memcpy(out, w.block->shared.data() + offset, bytes);
    return true;
  }
  const Region* r = w.launch->memory->find(at);
  if (r == nullptr || r->size - (at - r->base) < bytes) return false;
  std::memcpy(out, r->data + (at - r->base), bytes);
  return true;
}

std::string text_at(Warp& w, uint32_t lane, uint64_t at) {
  std::string text;
  char c = 0;
  while (text.size() < kLongestString && read(w, lane, at + text.size(), &c, 1) && c != '\0') text += c;
  return text;
}

uint64_t argument(Warp& w, uint32_t lane, uint32_t offset) {
  uint64_t v = 0;
  std::memcpy(&v, w.local.data() + uint64_t(lane) * w.launch->code->local.size() + offset, 8);
  return v;
}

// One lane's printf: arguments lie one after the other, each aligned to its size.
std::string formatted(Warp& w, uint32_t lane, const std::string& format, uint64_t at) {
  std::string out;
  uint64_t offset = 0;
  const auto next = [&](uint32_t bytes) {
    offset = (offset + bytes - 1) / bytes * bytes;
    uint64_t v = 0;
    read(w, lane, at + offset, &v, bytes);
    offset += bytes;
    return v;
  };
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      out += format[i];
      continue;
    }
    std::string spec = "%";
    uint32_t longs = 0;
    for (++i; i < format.size() && spec.size() < 32; ++i) {
      const char c = format[i];
      if (c == 'l' || c == 'j' || c == 'z' || c == 't') {
        longs = 2;
      } else if (c == 'h') {
      } else if (c == '*') {
        spec += std::to_string(std::min(int32_t(next(4)), 1000));
      } else if ((c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+' || c == ' ' || c == '#') {
        spec += c;
      } else {
        break;
      }
    }
    const char kind = i < format.size() ? format[i] : '%';
    char piece[1200] = "";
    size_t digits = 0;  // a width of a hostile format fits the buffer
    for (const char c : spec) digits = c >= '0' && c <= '9' ? digits + 1 : 0;
    if (digits > 3) spec = "%";
    switch (kind) {
      case '%': out += '%'; continue;
      case 'd':
      case 'i':
        std::snprintf(piece, sizeof piece, (spec + "lld").c_str(),
                      longs ? static_cast<long long>(next(8)) : static_cast<long long>(int32_t(next(4))));
        break;
      case 'u':
      case 'x':
      case 'X':
      case 'o':
        std::snprintf(piece, sizeof piece, (spec + "ll" + kind).c_str(),
                      longs ? static_cast<unsigned long long>(next(8)) : static_cast<unsigned long long>(uint32_t(next(4))));
        break;
      case 'c': std::snprintf(piece, sizeof piece, (spec + "c").c_str(), int(next(4))); break;
      case 'p': std::snprintf(piece, sizeof piece, "0x%llx", static_cast<unsigned long long>(next(8))); break;
      case 's': out += text_at(w, lane, next(8)); continue;
      case 'f':
      case 'F':
      case 'e':
      case 'E':
      case 'g':
      case 'G':
      case 'a':
      case 'A': {
        const uint64_t bits = next(8);
        double v;
        std::memcpy(&v, &bits, 8);
        std::snprintf(piece, sizeof piece, (spec + kind).c_str(), v);
        break;
      }
      default: out += spec + kind; continue;
    }
    out += piece;
  }
  return out;
}

}  // namespace

void trap(Warp& w, const Instruction&, uint32_t lanes) {
  w.launch->report(Kind::trap, w, uint32_t(__builtin_ctz(lanes)), "the kernel executed a trap: it found something that it cannot go on with");
  w.launch->stop = true;
}

void print(Warp& w, const Instruction& in, uint32_t lanes) {
  for (uint32_t rest = lanes; rest != 0; rest &= rest - 1) {
    const uint32_t l = uint32_t(__builtin_ctz(rest));
    const std::string text = formatted(w, l, text_at(w, l, argument(w, l, in.a)), argument(w, l, in.b));
    if (w.launch->options.printed) w.launch->options.printed(text);
    else std::fwrite(text.data(), 1, text.size(), stdout);
    const uint32_t count = uint32_t(text.size());
    std::memcpy(w.local.data() + uint64_t(l) * w.launch->code->local.size() + in.c, &count, 4);
  }
}

void assertion_failed(Warp& w, const Instruction& in, uint32_t lanes) {
  const uint32_t l = uint32_t(__builtin_ctz(lanes));
  w.launch->report(Kind::assertion, w, l,
                   "assertion failed: " + tern::printable(text_at(w, l, argument(w, l, in.a)), 200) + ", " +
                       tern::printable(text_at(w, l, argument(w, l, in.b)), 200) + ":" + std::to_string(uint32_t(argument(w, l, in.c))));
  w.launch->stop = true;
}

}  // namespace ptxsim
