// See vocabulary.h.
#include "loaders/tensorflow/run/vocabulary.h"

#include <algorithm>
#include <charconv>

#include "runtime/base/printable.h"

namespace tern::tensorflow {
namespace {

// A name beneath a folder, with no way out of it.
bool is_beneath(const std::string& name) {
  if (name.empty() || name[0] == '/' || name.find_first_of(std::string_view("\\\0", 2)) != name.npos) return false;
  for (size_t at = 0; at <= name.size();) {
    const size_t end = std::min(name.find('/', at), name.size());
    if (name.substr(at, end - at) == "..") return false;
    at = end + 1;
  }
  return true;
}

// The lines of a text without their ends.
std::vector<std::string> lines_of(std::span<const std::byte> bytes, const VocabularyFormat& format) {
  const std::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::vector<std::string> lines;
  int64_t skip = format.skipped;
  for (size_t at = 0; at < all.size() && (format.most < 0 || static_cast<int64_t>(lines.size()) < format.most);) {
    const size_t end = std::min(all.find('\n', at), all.size());
    std::string line(all.substr(at, end - at));
    std::erase(line, '\r');
    at = end + 1;
    if (skip-- <= 0) lines.push_back(std::move(line));
  }
  return lines;
}

Result<std::string> field_of(const std::string& line, size_t number, int64_t which, const std::string& delimiter) {
  if (which == kLineNumber) return std::to_string(number);
  if (which == kWholeLine) return line;
  size_t at = 0;
  for (int64_t column = 0;; ++column) {
    const size_t end = std::min(delimiter.empty() ? line.npos : line.find(delimiter, at), line.size());
    if (column == which) return line.substr(at, end - at);
    if (end == line.size()) return invalid("line " + std::to_string(number + 1) + " has no column " + std::to_string(which));
    at = end + delimiter.size();
  }
}

template <class T>
Result<Tensor> numbers(const std::vector<std::string>& texts) {
  std::vector<T> all;
  for (const std::string& text : texts) {
    T n{};
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc() || end != text.data() + text.size()) return invalid("'" + printable(text, 40) + "' is not a number");
    all.push_back(n);
  }
  return Tensor::of<T>({static_cast<int64_t>(all.size())}, all);
}

Result<Tensor> column_of(const std::vector<std::string>& lines, int64_t which, DType dtype, const std::string& delimiter) {
  std::vector<std::string> texts;
  for (size_t i = 0; i < lines.size(); ++i) {
    auto field = field_of(lines[i], i, which, delimiter);
    if (!field) return field.error();
    texts.push_back(std::move(*field));
  }
  switch (dtype) {
    case DType::string: return Tensor::strings({static_cast<int64_t>(texts.size())}, texts);
    case DType::i64: return numbers<int64_t>(texts);
    case DType::i32: return numbers<int32_t>(texts);
    case DType::f32: return numbers<float>(texts);
    default: return unsupported(std::string("a table of ") + name(dtype) + " out of a text is not supported");
  }
}

}  // namespace

Status fill_from_file(LookupTable& table, Program& program, const std::string& file, const VocabularyFormat& format) {
  if (!is_beneath(file)) return invalid("its name leads out of the model's folder");
  if (program.folder.empty()) return invalid("the model came from memory; name its folder in LoadOptions::directory");
  auto source = map_beneath(program.folder, "assets/" + file, program.contents.source.how);
  if (!source) return source.error();
  const auto count = std::count(source->bytes.begin(), source->bytes.end(), std::byte{'\n'}) + 1;
  constexpr int64_t kLine = 160;  // a line in memory, as texts and as rows
  if (count > program.contents.budget / kLine) return invalid("it has more lines than LoadOptions::budget allows");
  program.contents.budget -= count * kLine;
  const std::vector<std::string> lines = lines_of(source->bytes, format);
  auto keys = column_of(lines, format.key, table.key_dtype, format.delimiter);
  if (!keys) return keys.error();
  auto values = column_of(lines, format.value, table.value_dtype, format.delimiter);
  if (!values) return values.error();
  table.keys = std::move(*keys);
  table.values = std::move(*values);
  return {};
}

}  // namespace tern::tensorflow
