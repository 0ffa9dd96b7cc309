// Reads one call of an operator as Python writes it, "F.max_pool2d(img, 3, stride=(2, 1))", and makes it with call(): what the recorded
// cases of tests/data/torch/ops are made of. Calls nest; names are tensors; slice(1, None), lists, tuples, numbers, strings, dtypes.
#pragma once
#include <charconv>
#include <cmath>
#include <functional>
#include <string_view>

#include "loaders/torch/module/dtypes.h"
#include "loaders/torch/ops/operator.h"

namespace tern::test {

class CallReader {
 public:
  // `tensor` gives the value of a name; kNone where there is none.
  CallReader(torch::Builder& b, std::string_view text, std::function<ValueId(std::string_view)> tensor)
      : b_(b), rest_(text), tensor_(std::move(tensor)) {}

  torch::IValue read() {
    torch::IValue v = value();
    blank();
    return rest_.empty() ? v : wrong();
  }

 private:
  void blank() {
    while (!rest_.empty() && rest_.front() == ' ') rest_.remove_prefix(1);
  }
  bool take(std::string_view token) {
    blank();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }
  torch::IValue wrong() {
    b_.fail(invalid("the case cannot be read at '" + std::string(rest_) + "'"));
    rest_ = {};
    return {};
  }

  torch::IValues items(std::string_view end, bool* comma = nullptr) {
    torch::IValues out;
    while (b_.ok() && !take(end)) {
      out.push_back(value());
      const bool more = take(",");
      if (comma != nullptr) *comma |= more;
      if (!more && !rest_.starts_with(end)) wrong();
    }
    return out;
  }

  torch::IValue number() {
    size_t n = 0;
    while (n < rest_.size() && (std::isalnum(static_cast<unsigned char>(rest_[n])) || rest_[n] == '.' || rest_[n] == '-' || rest_[n] == '+')) {
      if ((rest_[n] == '-' || rest_[n] == '+') && n > 0 && rest_[n - 1] != 'e') break;
      ++n;
    }
    const std::string_view text = rest_.substr(0, n);
    rest_.remove_prefix(n);
    if (text == "-math.inf") return -INFINITY;
    if (text.find_first_of(".e") == text.npos) {
      int64_t i = 0;
      std::from_chars(text.data(), text.data() + n, i);
      return Int(i);
    }
    double d = 0;
    std::from_chars(text.data(), text.data() + n, d);
    return d;
  }

  torch::IValue value() {
    blank();
    if (rest_.empty()) return wrong();
    const char c = rest_.front();
    if (take("...")) return torch::IValue::Ellipsis{};
    if (take("[")) return torch::IValue::list(items("]"));
    if (take("(")) {
      bool comma = false;
      torch::IValues inside = items(")", &comma);
      return inside.size() == 1 && !comma ? inside[0] : torch::IValue::tuple(std::move(inside));
    }
    if (take("'")) {
      const size_t end = std::min(rest_.find('\''), rest_.size());
      std::string text(rest_.substr(0, end));
      rest_.remove_prefix(std::min(end + 1, rest_.size()));
      return text;
    }
    if (c == '-' || std::isdigit(static_cast<unsigned char>(c))) return number();
    return name();
  }

  torch::IValue name() {
    size_t n = 0;
    while (n < rest_.size() && (std::isalnum(static_cast<unsigned char>(rest_[n])) || rest_[n] == '_' || rest_[n] == '.')) ++n;
    if (n == 0) return wrong();
    const std::string_view text = rest_.substr(0, n);
    rest_.remove_prefix(n);
    if (take("(")) return call(text);
    if (text == "None") return {};
    if (text == "True" || text == "False") return text == "True";
    if (text == "math.inf") return INFINITY;
    if (text == "math.nan") return NAN;
    if (const ValueId v = tensor_(text); v != kNone) return torch::IValue::tensor(v);
    if (auto dtype = torch::dtype_named(text)) return *dtype;
    if (text.starts_with("torch.")) return std::string(text);  // torch.strided
    return b_.ok() ? wrong() : torch::IValue();
  }

  torch::IValue call(std::string_view function) {
    torch::IValues positional;
    std::vector<std::pair<std::string, torch::IValue>> named;
    while (b_.ok() && !take(")")) {
      blank();
      const size_t equals = rest_.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
      if (equals != rest_.npos && equals > 0 && rest_[equals] == '=') {
        const std::string key(rest_.substr(0, equals));
        rest_.remove_prefix(equals + 1);
        named.emplace_back(key, value());
      } else {
        positional.push_back(value());
      }
      if (!take(",") && !rest_.starts_with(")")) wrong();
    }
    if (!b_.ok()) return {};
    if (function == "slice") {
      while (positional.size() < 3) positional.emplace_back();
      return torch::IValue::Slice{std::make_shared<torch::IValues>(std::move(positional))};
    }
    return torch::call(b_, function, positional, named);
  }

  torch::Builder& b_;
  std::string_view rest_;
  std::function<ValueId(std::string_view)> tensor_;
};

}  // namespace tern::test
