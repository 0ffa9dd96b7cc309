// Tables as inputs: a row is one sample. Read by libcsv, when the build found it. Next: csv.cpp (the file), csv_array.cpp (its meaning).
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "tern/tern.h"

namespace tern::command {

// The fields of a .csv, all rows as wide as the first.
struct Table {
  std::string text;            // of all fields, row by row
  std::vector<size_t> ends;    // of each field in it
  std::vector<bool> absent;    // nothing between the separators, not even quotes
  std::vector<int64_t> lines;  // of each row in the file, from 1
  size_t columns = 0;
  bool heading = true;  // the first row may be one

  size_t rows() const { return lines.size(); }
  std::string_view field(size_t row, size_t column) const {
    const size_t i = row * columns + column, begin = i == 0 ? 0 : ends[i - 1];
    return std::string_view(text).substr(begin, ends[i] - begin);
  }
};
// The separator is what the first line holds: tab, else semicolon, else comma. A byte-order mark is passed over; empty lines may end the file,
// and are errors before. Errors: rows of other widths, broken quotes, another encoding, nothing in it (invalid, with line and column); a build
// without libcsv (unsupported).
Result<Table> read_table(std::string_view bytes);
// A .txt: each line is one field, whatever it holds, and no heading. CR LF ends a line too. Errors: nothing in it (invalid).
Result<Table> table_of_lines(std::string_view bytes);

// What an input takes of a table.
struct TablePart {
  size_t first_row = 0;  // below the heading
  std::vector<size_t> columns;
};
// A first row of words alone is a heading; of an input of strings, when it names an input. An input takes the columns of its name ("x", or "x[0]",
// "x_1" … in the order of these numbers); all of them when the heading names no input of the model.
// Errors: a heading that names other inputs of the model only; no rows (invalid).
Result<TablePart> part_of_table(const Table& table, const Port& port, const std::vector<Port>& ports);
bool heading_names(const Table& table, const std::string& input);

// The dims that a table gives an input of so many axes whose known ones are these (-1: open): [rows, columns] for two; of more, the inner ones together
// are the columns; of one, a single column or a single row.
std::vector<int64_t> dims_of_table(const Table& table, const TablePart& part, std::vector<int64_t> known);
// Errors: rows or columns that are not the input's, a field that is empty or that the dtype cannot hold (invalid, with line and column).
Result<Array> array_of_table(const Table& table, const TablePart& part, DType dtype, const std::vector<int64_t>& dims);

}  // namespace tern::command
