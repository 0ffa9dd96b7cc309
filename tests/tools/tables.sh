#!/usr/bin/env bash
# Tables as inputs: rows are samples, columns must match, a field is what it says or an error that says where. Usage: tables.sh TERN TEST_DATA
set -u
. "$(dirname "$0")/lib.sh"
models=$data/command
printf '1,2,3\n' >"$work/t.csv"
if "$tern" run "$models/rows_f32.onnx" --input "$work/t.csv" 2>&1 | grep -q 'no libcsv'; then
  expect 4 "without libcsv" run "$models/rows_f32.onnx" --input "$work/t.csv"
  says "libcsv-dev"
  finish
  exit
fi
# gives MODEL TEXT VALUES: the table reads as these values of the first output, as JSON prints them
gives() {
  printf -- "$2" >"$work/t.csv"
  expect 0 "$2" run "$models/$1.onnx" --input "$work/t.csv" --json
  check "$1 of '$2': [$3]" grep -qF "\"values\": [$3]" "$work/out"
}
# refuses MODEL TEXT WHY
refuses() {
  printf -- "$2" >"$work/t.csv"
  expect 3 "$2" run "$models/$1.onnx" --input "$work/t.csv"
  check "$1 of '$2' says: $3" grep -qF -- "$3" "$work/err"
}
shape() { check "its shape is $1" grep -qF "\"shape\": [$1]" "$work/out"; }

# ---- rows and columns ----
gives rows_f32 '1,2,3\n4,5,6\n' '1, 2, 3, 4, 5, 6'
shape '2, 3'
gives rows_f32 '1,2,3\n4,5,6' '1, 2, 3, 4, 5, 6'
gives rows_f32 '1,2,3\r\n4,5,6\r\n\r\n\n' '1, 2, 3, 4, 5, 6'
gives rows_f32 '1;2;3\n' '1, 2, 3'
gives rows_f32 '1\t2\t3\n' '1, 2, 3'
gives rows_f32 ' 1 , 2 ,  3 \n' '1, 2, 3'
refuses rows_f32 '1,2\n3,4\n5,6\n' 'line 1, column 3: missing; the input takes 3 rows of 3'
refuses rows_f32 '1,2,3,4\n' 'line 1, column 4: one too many; the input takes 1 row of 3'
refuses rows_f32 '1,2,3\n4,5\n' 'line 2, column 3: missing, the rows above have 3 columns'
refuses rows_f32 '1,2,3\n4,5,6,7\n' 'line 2, column 4: one too many, the rows above have 3 columns'
refuses rows_f32 '1,2,3\n\n4,5,6\n' 'line 2: empty, with rows below it'
refuses rows_f32 '' 'empty'
refuses rows_f32 '\n\n' 'the table is empty'
gives one_row '1,2,3\n' '1, 2, 3'
refuses one_row '1,2,3\n4,5,6\n' 'line 2, column 1: a row too many; the input takes 1 row of 3'
refuses one_row '1\n2\n3\n' 'line 1, column 2: missing'
gives axis '1\n2\n3\n4\n' '1, 2, 3, 4'
gives axis '1,2,3,4\n' '1, 2, 3, 4'
refuses axis '1,2\n3,4\n' 'one too many'
gives axis4 '1,2,3,4\n' '1, 2, 3, 4'
gives axis4 '1\n2\n3\n4\n' '1, 2, 3, 4'
refuses axis4 '1,2\n3,4\n' 'one too many; the input takes 4 rows of 1'
refuses axis4 '1\n2\n3\n' 'line 4: a row is missing; the input takes 4 rows of 1'
gives scalar '7\n' '7'
refuses scalar '7,8\n' 'column 2: one too many'
gives series '1,2,3,4\n5,6,7,8\n' '1, 2, 3, 4, 5, 6, 7, 8'
shape '2, 2, 2'
refuses series '1,2,3\n' 'column'

expect 0 "a window of a trained model" run "$data/models/volatility_lstm/model.onnx" --input "$data/models/volatility_lstm/window.csv" --json
shape '1, 1'
tr ',' '\n' <"$data/models/volatility_lstm/window.csv" | paste -d, - - - >"$work/t.csv"
expect 3 "its days as rows, which would be samples" run "$data/models/volatility_lstm/model.onnx" --input "$work/t.csv"
check "it says what a row is" grep -q 'line 1, column 4: missing; the input takes 22 rows of 66; if the whole table is one sample, write it as one row' "$work/err"

# ---- fields ----
refuses rows_f32 '1,,3\n' 'line 1, column 2: empty'
refuses rows_f32 '1,"",3\n' 'line 1, column 2: empty'
refuses rows_f32 '1,2,\n' 'line 1, column 3: empty'
refuses rows_f32 ',,\n1,2,3\n' 'line 1, column 1: empty'
refuses rows_f32 '1,2,3\n4,five,6\n' "line 2, column 2: 'five' is no number for f32"
refuses rows_f32 'a,2,3\n' "line 1, column 1: 'a' is no number"
refuses rows_f32 '1 2 3\n' 'column 2: missing; the input takes 1 row of 3; separators are comma, semicolon and tab'
refuses rows_f32 '1,5;2,5;3,5\n' "'1,5' is no number"
gives rows_f32 '\xef\xbb\xbf1,2,3\n4,5,6\n' '1, 2, 3, 4, 5, 6'
refuses rows_f32 '\xff\xfe1\0,\0' 'no UTF-8'
gives rows_f32 '"1","2","3"\n' '1, 2, 3'
refuses rows_f32 '1,"2,3",4\n' "line 1, column 2: '2,3' is no number"
refuses rows_f32 '1,2"3,4\n' 'line 1, column 2: a quote where none may be'
refuses rows_f32 '1,2,"3\n' 'line 1, column 3: a quote is never closed'
refuses rows_f32 'a,"b\nb",c\n1,2,x\n' "line 3, column 3: 'x' is no number"
gives rows_f32 '-1.5e1,+.5,1e-400\n' '-15, 0.5, 0'
gives rows_f32 'nan,inf,-Infinity\n' 'null, null, null'
refuses rows_f32 '1,2,1e39\n' "'1e39' is too large for f32"
refuses rows_f16 '1,2,70000\n' "'70000' is too large for f16"
refuses rows_f64 '1,2,1e309\n' "'1e309' is too large for f64"
gives rows_f64 '0.1,1e308,5e-324\n' '0.1, 1e+308, 5e-324'
refuses rows_f32 '0x10,2,3\n' "'0x10' is no number"
gives rows_i64 '9007199254740993,-9223372036854775808,9223372036854775807\n' '9007199254740993, -9223372036854775808, 9223372036854775807'
gives rows_u64 '18446744073709551615,0,+1\n' '18446744073709551615, 0, 1'
gives rows_i64 '3.0,1e3,-0.0\n' '3, 1000, 0'
refuses rows_i64 '1,2.5,3\n' "line 1, column 2: '2.5' has a fraction for i64"
refuses rows_i64 '1,9007199254740993.0,3\n' 'is not exact'
refuses rows_i64 '1,9223372036854775808,3\n' 'is out of range for i64'
refuses rows_u64 '-1,2,3\n' "'-1' is out of range for u64"
refuses rows_u8 '0,255,300\n' "line 1, column 3: '300' is out of range for u8"
refuses rows_u8 '0,nan,3\n' "'nan' is no whole number for u8"
refuses rows_i32 '0,inf,3\n' "'inf' is no whole number for i32"
refuses rows_i32 '0,2147483648,3\n' 'is out of range for i32'
gives rows_bool '1,false,True\n' 'true, false, true'
gives rows_bool 'true,false,true\n' 'true, false, true'
refuses rows_bool '0,2,1\n' "'2' is neither 0, 1, true nor false"
gives rows_string 'a,"b, ""c""",\xc3\xa9\n"",2,x\n' '"a", "b, \"c\"", "é", "", "2", "x"'
refuses rows_string 'a,,c\n' 'line 1, column 2: empty'

# ---- headings ----
gives rows_f32 'a,b,c\n1,2,3\n' '1, 2, 3'
gives rows_f32 '# a,"b",\n1,2,3\n' '1, 2, 3'
refuses rows_f32 'a,b,c\n' 'has a heading and no rows'
gives rows_f32 'x_2,x_0,x_1\n3,1,2\n' '1, 2, 3'
gives rows_f32 'id,x[1],x[2],x[3]\n9,1,2,3\n' '1, 2, 3'
gives rows_f32 'x,x,x\n1,2,3\n' '1, 2, 3'
gives rows_string 'a,b,c\nd,e,f\n' '"a", "b", "c", "d", "e", "f"'
gives rows_string 'x1,x2,x3\nd,e,f\n' '"d", "e", "f"'
printf 'id,sex,fare,age\n9007199254740993,female,7.25,22\n2,male,71.5,38\n' >"$work/t.csv"
expect 0 "columns by the names of inputs" run "$models/columns.onnx" --input "$work/t.csv" --json
for values in '22, 38' '7.25, 71.5' '"female", "male"' '9007199254740993, 2'; do check "each has its own: $values" grep -qF "\"values\": [$values]" "$work/out"; done
expect 0 "the same, input by input" run "$models/columns.onnx" --input age="$work/t.csv" --input fare="$work/t.csv" --input sex="$work/t.csv" --input id="$work/t.csv" --json
check "each has its own" grep -qF '"values": [7.25, 71.5]' "$work/out"
expect 2 "an input that the heading gives too" run "$models/columns.onnx" --input "$work/t.csv" --input age=zeros
says "input age is given twice"
printf 'sex,fare,age\nfemale,7.25,22\n' >"$work/t.csv"
expect 2 "a heading that lacks an input" run "$models/columns.onnx" --input "$work/t.csv"
says "input id has no value"
expect 3 "a heading that names other inputs" run "$models/columns.onnx" --input id="$work/t.csv" --input age=zeros --input fare=zeros --input sex="$work/t.csv"
check "it says which" grep -q 'its heading names input age, and not id' "$work/err"
printf '1,2\n' >"$work/t.csv"
expect 2 "several inputs and no heading" run "$models/columns.onnx" --input "$work/t.csv"
says "its first line names none of the model's inputs"

finish
