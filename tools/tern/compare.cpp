// See compare.h.
#include "tools/tern/compare.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "loaders/load.h"
#include "loaders/npy/npy.h"
#include "loaders/onnx/onnx.h"
#include "runtime/model.h"
#include "tools/tern/arrays.h"
#include "tools/tern/print.h"

namespace tern::command {
namespace {

// The bits of a float as an integer that counts through all values in order; nothing for other dtypes.
std::optional<int64_t> ordered(const Array& a, size_t i) {
  auto from = [&]<class U>(U bits) {
    std::memcpy(&bits, a.bytes.data() + i * sizeof bits, sizeof bits);
    const U magnitude = bits & static_cast<U>(~U(0) >> 1);
    return magnitude == bits ? static_cast<int64_t>(magnitude) : -static_cast<int64_t>(magnitude);
  };
  if (a.dtype == DType::f64) return from(uint64_t());
  if (a.dtype == DType::f32) return from(uint32_t());
  if (a.dtype == DType::f16 || a.dtype == DType::bf16) return from(uint16_t());
  return std::nullopt;
}

int64_t ulp_between(const Array& a, const Array& b, size_t i) {
  auto x = ordered(a, i), y = ordered(b, i);
  if (!x || !y) return 0;
  int64_t d;
  return __builtin_sub_overflow(*x, *y, &d) || d == INT64_MIN ? INT64_MAX : std::abs(d);
}

std::vector<int64_t> position(size_t i, const std::vector<int64_t>& dims) {
  std::vector<int64_t> at(dims.size());
  for (size_t d = dims.size(); d-- > 0;) {
    at[d] = static_cast<int64_t>(i) % dims[d];
    i /= static_cast<size_t>(dims[d]);
  }
  return at;
}

// A file of test data: what it holds is told by what the model has at its place.
Result<Array> read_value(const std::string& path, const Port& port) {
  auto bytes = read_file(path);
  if (!bytes) return bytes.error();
  auto value = load_value_proto(*bytes, port.kind);
  if (!value) return value.error().within(path);
  return to_array(*value, port.dtype);
}

Result<Recording> read_pb_folder(const std::string& folder, const Model& model) {
  const std::vector<Port> inputs = model.inputs(), outputs = model.outputs();
  Recording r;
  r.name = folder.substr(folder.rfind('/') + 1);
  r.found = list_folder(folder);
  for (const std::string& file : r.found) {
    const bool input = file.rfind("input_", 0) == 0;
    if ((!input && file.rfind("output_", 0) != 0) || file.size() < 4 || file.substr(file.size() - 3) != ".pb") continue;
    const std::string digits = file.substr(input ? 6 : 7, file.size() - 3 - (input ? 6 : 7));
    if (digits.empty() || digits.size() > 4 || digits.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto n = static_cast<size_t>(std::stoi(digits));
    const std::vector<Port>& ports = input ? inputs : outputs;
    auto a = read_value(folder + "/" + file, n < ports.size() ? ports[n] : Port());
    if (!a) return a.error();
    auto& list = input ? r.inputs : r.outputs;
    list.resize(std::max(list.size(), n + 1));
    list[n] = std::move(*a);
  }
  return r;
}

}  // namespace

std::vector<std::string> list_folder(const std::string& path) {
  std::vector<std::string> names;
  if (DIR* d = opendir(path.c_str())) {
    while (const dirent* e = readdir(d)) {
      if (e->d_name[0] != '.') names.emplace_back(e->d_name);
    }
    closedir(d);
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool is_folder(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

namespace {

Difference compare_elements(const std::vector<Array>& actual, const std::vector<Array>& expected, const Tolerance& tolerance) {
  Difference all;
  if (actual.size() != expected.size()) {
    all.same = false;
    all.reason = "it has " + std::to_string(actual.size()) + " elements, expected " + std::to_string(expected.size());
    return all;
  }
  for (size_t i = 0; i < expected.size(); ++i) {
    const Difference d = compare(actual[i], expected[i], tolerance);
    if (!d.same && all.same) all.reason = "element " + std::to_string(i) + ": " + d.reason;
    if (i == 0 || !(d.worst_absolute <= all.worst_absolute)) all.where = d.where;
    all.same = all.same && d.same;
    all.worst_absolute = std::max(all.worst_absolute, d.worst_absolute);
    all.worst_relative = std::max(all.worst_relative, d.worst_relative);
    all.worst_ulp = std::max(all.worst_ulp, d.worst_ulp);
  }
  return all;
}

}  // namespace

Difference compare(const Array& actual, const Array& expected, const Tolerance& tolerance) {
  if (actual.sequence && expected.sequence) return compare_elements(actual.elements, expected.elements, tolerance);
  Difference d;
  auto differ = [&](std::string reason) {
    d.same = false;
    if (d.reason.empty()) d.reason = std::move(reason);
  };
  if (actual.sequence != expected.sequence) {
    differ(actual.sequence ? "it is a sequence, expected none" : "it is no sequence, expected one");
    return d;
  }
  if (actual.dtype != expected.dtype) {
    differ(std::string("dtype is ") + name(actual.dtype) + ", expected " + name(expected.dtype));
    return d;
  }
  if (actual.dims != expected.dims) {
    differ("shape is " + shape_text(actual.dims) + ", expected " + shape_text(expected.dims));
    return d;
  }
  for (size_t i = 0; i < count(expected); ++i) {
    const auto at = [&] {
      return shape_text(position(i, expected.dims)) + " is " + element(actual, i).str() + ", expected " + element(expected, i).str();
    };
    if (expected.dtype == DType::string) {
      if (actual.strings[i] != expected.strings[i]) differ(at());
      continue;
    }
    if (std::memcmp(actual.bytes.data() + i * size_of(actual.dtype), expected.bytes.data() + i * size_of(actual.dtype), size_of(actual.dtype)) == 0)
      continue;
    const double x = as_double(actual, i), y = as_double(expected, i);
    if (std::isnan(x) && std::isnan(y)) continue;
    // Integers beyond 2^53 are equal as doubles when they are not: their distance in doubles is then 0, their bits are not.
    const double absolute = x == y && !is_float(expected.dtype) ? 1 : x == y ? 0 : std::fabs(x - y);
    const double relative = absolute == 0 ? 0 : y == 0 ? HUGE_VAL : absolute / std::fabs(y);
    const int64_t ulp = absolute == 0 ? 0 : ulp_between(actual, expected, i);
    if (d.where.empty() || !(absolute <= d.worst_absolute)) {
      d.worst_absolute = absolute;
      d.where = position(i, expected.dims);
    }
    d.worst_relative = std::max(d.worst_relative, relative);
    d.worst_ulp = std::max(d.worst_ulp, ulp);
    const bool finite = std::isfinite(x) && std::isfinite(y);
    const bool close = absolute == 0 || (finite && absolute <= tolerance.atol + tolerance.rtol * std::fabs(y)) ||
                       (finite && is_float(expected.dtype) && tolerance.ulp > 0 && ulp <= tolerance.ulp);
    if (!close) differ(at());
  }
  return d;
}

Result<std::vector<Recording>> read_recordings(const std::string& path, const Model& model) {
  std::vector<Recording> all;
  if (is_folder(path)) {
    std::vector<std::string> folders;
    for (const std::string& n : list_folder(path)) {
      if (n.rfind("test_data_set_", 0) == 0 && is_folder(path + "/" + n)) folders.push_back(path + "/" + n);
    }
    if (folders.empty()) folders.push_back(path);
    for (const std::string& folder : folders) {
      auto r = read_pb_folder(folder, model);
      if (!r) return r.error();
      if (r->outputs.empty()) return invalid(folder + ": holds no output_N.pb; wanted output_0.pb and on; it holds " + joined(r->found));
      all.push_back(std::move(*r));
    }
    return all;
  }
  auto bytes = read_file(path);
  if (!bytes) return bytes.error();
  if (!path.ends_with(".npz") && (bytes->size() < 2 || std::memcmp(bytes->data(), "PK", 2) != 0)) {
    return invalid(path + ": neither a folder of ONNX test data nor an .npz with arrays in_NAME and out_NAME");
  }
  auto arrays = read_npz(*bytes);
  if (!arrays) return arrays.error().within(path);
  Recording r;
  r.name = path.substr(path.rfind('/') + 1);
  size_t outputs = 0;
  auto take = [&](const std::string& key) -> std::optional<Array> {
    for (const auto& [array_name, tensor] : *arrays) {
      if (array_name == key) return to_array(tensor);
    }
    return std::nullopt;
  };
  for (const auto& [array_name, tensor] : *arrays) r.found.push_back(array_name);
  for (const Port& p : model.inputs()) {
    r.inputs.push_back(take("in_" + p.name));
    if (!r.inputs.back()) return invalid(path + ": holds nothing for input " + p.name + "; wanted in_" + p.name + "; it holds " + joined(r.found));
  }
  std::string wanted;
  const std::vector<Port> ports = model.outputs();
  for (const Port& p : ports) {
    wanted += (wanted.empty() ? "out_" : ", out_") + p.name;
    r.outputs.push_back(take("out_" + p.name));
    outputs += r.outputs.back().has_value();
  }
  for (const std::string& name : r.found) {  // all of what was recorded is compared, or it is said
    const bool known = !name.starts_with("out_") || std::any_of(ports.begin(), ports.end(), [&](const Port& p) { return name.substr(4) == p.name; });
    if (!known && outputs > 0) return invalid(path + ": holds " + name + ", which the model does not give; its outputs are " + wanted);
  }
  if (outputs == 0) return invalid(path + ": holds no output of the model; wanted " + wanted + "; it holds " + joined(r.found));
  all.push_back(std::move(r));
  return all;
}

}  // namespace tern::command
