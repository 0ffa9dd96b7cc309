// Status and Result: how tern reports what went wrong. No exceptions cross the API.
// An error says what, where and what to do:  fc2 (Gemm): A is [8,512] and B is [256,10]: inner dimensions differ
// You are here: the smallest building block. Next: dtype.h, then tern.h, the whole API.
#pragma once
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace tern {

// The values equal the exit codes of the `tern` command.
enum class Code : uint8_t {
  kOk = 0,
  kUsage = 2,        // the caller asked for something that does not exist (an unknown input name, a missing dimension)
  kInvalid = 3,      // the file or the data cannot be used: missing, corrupt, hostile, mismatched
  kUnsupported = 4,  // understood, but not in this build or on this machine (operator, dtype, device)
};

class [[nodiscard]] Error {
 public:
  Error() = default;
  Error(Code code, std::string message) : code_(code), message_(std::move(message)) {}
  Code code() const { return code_; }
  const std::string& message() const { return message_; }
  // The same error with `where` and ": " before its message.
  Error within(const std::string& where) const { return Error(code_, where + ": " + message_); }

 private:
  Code code_ = Code::kOk;
  std::string message_;
};

inline Error invalid(std::string message) { return Error(Code::kInvalid, std::move(message)); }
inline Error unsupported(std::string message) { return Error(Code::kUnsupported, std::move(message)); }
inline Error usage(std::string message) { return Error(Code::kUsage, std::move(message)); }

// Success, or an Error.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::move(error)) {}  // NOLINT: implicit on purpose, so that `return invalid(...)` reads well
  bool ok() const { return error_.code() == Code::kOk; }
  explicit operator bool() const { return ok(); }
  const Error& error() const { return error_; }

 private:
  Error error_;
};

namespace detail {

// The only place of the library that prints: a mistake of the program, which would go on with what is not there.
[[noreturn]] inline void stop(const char* mistake, const std::string& about) {
  std::string line = std::string("tern: ") + mistake + ": " + about;
  for (char& c : line) {  // names of a file are in it
    if (static_cast<unsigned char>(c) < 32 || c == 127) c = '?';
  }
  std::fprintf(stderr, "%s\n", line.c_str());
  std::abort();
}

}  // namespace detail

// A T, or an Error. Test it before dereferencing: a failed one, dereferenced, prints its message on stderr and aborts, in every build.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}
  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& operator*() & { return held(*this); }
  const T& operator*() const& { return held(*this); }
  T&& operator*() && { return std::move(held(*this)); }
  T* operator->() { return &held(*this); }
  const T* operator->() const { return &held(*this); }
  // Of code kOk and without a message when all went well.
  const Error& error() const& {
    static const Error none;
    const Error* e = std::get_if<1>(&state_);
    return e != nullptr ? *e : none;
  }
  Error error() && {
    Error* e = std::get_if<1>(&state_);
    return e != nullptr ? std::move(*e) : Error();
  }

 private:
  template <class R>
  static auto& held(R& result) {
    auto* value = std::get_if<0>(&result.state_);
    if (value == nullptr) detail::stop("a failed Result was dereferenced", result.error().message());
    return *value;
  }
  std::variant<T, Error> state_;
};

}  // namespace tern
