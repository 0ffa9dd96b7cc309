// The file: libcsv finds fields, line by line so that errors can say where. See csv.h. Next: csv_array.cpp.
#include "tools/tern/csv.h"

#ifdef TERN_CSV
#include <csv.h>

#include <algorithm>
#include <exception>
#endif

namespace tern::command {

#ifndef TERN_CSV

Result<Table> read_table(std::string_view) { return unsupported("this build has no libcsv (package libcsv-dev); save the table as .npy"); }

#else

namespace {

std::string place(int64_t line, size_t column) { return "line " + std::to_string(line) + ", column " + std::to_string(column) + ": "; }

struct Reader {
  Table table;
  int64_t line = 0;
  size_t width = 0;  // of the row that is being read
  std::string error;

  void field(const char* text, size_t size) {
    ++width;
    if (table.columns > 0 && width > table.columns && error.empty()) {
      error = place(line, width) + "one too many, the rows above have " + std::to_string(table.columns) + " columns";
    }
    if (!error.empty()) return;
    if (text != nullptr) table.text.append(text, size);
    table.ends.push_back(table.text.size());
    table.absent.push_back(text == nullptr);
  }
  void row() {
    if (table.columns == 0) table.columns = width;
    if (width < table.columns && error.empty()) {
      error = place(line, width + 1) + "missing, the rows above have " + std::to_string(table.columns) + " columns";
    }
    table.lines.push_back(line);
    width = 0;
  }
};

// No exception may pass through libcsv, which is C.
template <class F>
void guarded(void* reader, F f) noexcept {
  auto& r = *static_cast<Reader*>(reader);
  try {
    f(r);
  } catch (const std::exception&) {
    r.error = "no memory for the table";  // short enough to need none
  }
}
void on_field(void* text, size_t size, void* reader) {
  guarded(reader, [&](Reader& r) { r.field(static_cast<const char*>(text), size); });
}
void on_row(int, void* reader) {
  guarded(reader, [](Reader& r) { r.row(); });
}

char separator_of(std::string_view line) {
  char found = ',';
  bool quoted = false;
  for (char c : line) {
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == '\t') return c;
    if (c == ';') found = c;
  }
  return found;
}

// libcsv passes over such lines without a word.
bool blank(std::string_view line, char separator) { return line.find_first_not_of(separator == '\t' ? " \r\n" : " \t\r\n") == line.npos; }

}  // namespace

Result<Table> read_table(std::string_view bytes) {
  if (bytes.starts_with("\xef\xbb\xbf")) bytes.remove_prefix(3);
  if (bytes.starts_with("\xff\xfe") || bytes.starts_with("\xfe\xff") || bytes.find('\0') != bytes.npos)
    return invalid("the table is no UTF-8; save it as that");
  constexpr unsigned char kOptions = CSV_STRICT | CSV_STRICT_FINI | CSV_EMPTY_IS_NULL;
  csv_parser parser;
  if (csv_init(&parser, kOptions) != 0) return unsupported("no memory for the table");
  csv_set_blk_size(&parser, 1 << 16);
  const char separator = separator_of(bytes.substr(0, bytes.find('\n')));
  csv_set_delim(&parser, static_cast<unsigned char>(separator));
  constexpr int kBetweenRows = 0;  // of parser.pstate
  Reader reader;
  int64_t blank_line = 0;
  while (!bytes.empty() && reader.error.empty()) {
    const size_t size = std::min(bytes.find('\n'), bytes.size() - 1) + 1;
    const std::string_view line = bytes.substr(0, size);
    bytes.remove_prefix(size);
    ++reader.line;
    if (parser.pstate == kBetweenRows && blank(line, separator)) {
      if (blank_line == 0) blank_line = reader.line;
      continue;
    }
    if (blank_line > 0) reader.error = "line " + std::to_string(blank_line) + ": empty, with rows below it";
    else if (csv_parse(&parser, line.data(), size, on_field, on_row, &reader) != size)
      reader.error = place(reader.line, reader.width + 1) + "a quote where none may be";
  }
  if (reader.error.empty() && csv_fini(&parser, on_field, on_row, &reader) != 0)
    reader.error = place(reader.line, reader.width + 1) + "a quote is never closed";
  csv_free(&parser);
  if (!reader.error.empty()) return invalid(reader.error);
  if (reader.table.rows() == 0) return invalid("the table is empty");
  return std::move(reader.table);
}

#endif

}  // namespace tern::command
