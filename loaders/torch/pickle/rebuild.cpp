// What known globals mean: from inert calls to tensors. Nothing here runs anything: each function of torch that could have been called
// is read as the data that it would have made. See checkpoint.h. Next: walk.cpp.
#include <algorithm>
#include <cstdio>

#include "loaders/torch/module/dtypes.h"
#include "loaders/torch/pickle/checkpoint.h"
#include "runtime/base/checked.h"

namespace tern::torch {
namespace {

using Kind = Pickle::Kind;

// Scalars are swapped whole; a complex element is two of them.
std::vector<std::byte> swapped(std::span<const std::byte> bytes, size_t size) {
  std::vector<std::byte> out(bytes.begin(), bytes.end());
  for (size_t i = 0; i + size <= out.size(); i += size)
    std::reverse(out.begin() + static_cast<std::ptrdiff_t>(i), out.begin() + static_cast<std::ptrdiff_t>(i + size));
  return out;
}

}  // namespace

std::vector<int64_t> dense_strides(const std::vector<int64_t>& sizes, bool fortran) {
  std::vector<int64_t> strides(sizes.size());
  int64_t n = 1;
  for (size_t i = 0; i < sizes.size(); ++i) {
    const size_t axis = fortran ? i : sizes.size() - 1 - i;
    strides[axis] = n;
    if (__builtin_mul_overflow(n, std::max<int64_t>(sizes[axis], 1), &n)) n = 1;  // check_view refuses such sizes
  }
  return strides;
}

// Gives the tensor a storage with its scalars turned around. One storage may be read as several element sizes.
void Checkpoint::swap_bytes(StoredTensor& t) const {
  const bool complex = t.dtype_name.find("complex") != std::string::npos;
  const auto scalar = static_cast<size_t>(complex ? t.element_size / 2 : t.element_size);
  if (scalar < 2 || !t.storage || t.storage->bytes.size() % scalar != 0) return;
  char key[64];
  std::snprintf(key, sizeof key, "swapped %p %zu %zu", static_cast<const void*>(t.storage->bytes.data()), t.storage->bytes.size(), scalar);
  auto& kept = storages_[key];
  if (!kept) {
    auto bytes = std::make_shared<const std::vector<std::byte>>(swapped(t.storage->bytes, scalar));
    kept = std::make_shared<Storage>(Storage{*bytes, bytes, t.storage->key, 0});
  }
  t.storage = kept;
}

bool Checkpoint::read_ints(ObjectId id, std::vector<int64_t>& out) const {
  const Pickle& p = *pickle_;
  if (p.is_call_of(id, "torch.Size")) {  // torch.Size((2, 3))
    const auto arguments = p.items(p.arguments(id));
    if (arguments.size() != 1) return false;
    id = arguments[0];
  }
  if (!p.is(id, Kind::tuple) && !p.is(id, Kind::list)) return false;
  for (ObjectId item : p.items(id)) {
    if (!p.is(item, Kind::integer)) return false;
    out.push_back(p.integer(item));
  }
  return true;
}

Result<std::shared_ptr<const Storage>> Checkpoint::stored(const std::string& key, int64_t bytes) const {
  if (auto known = storages_.find(key); known != storages_.end()) {
    if (static_cast<int64_t>(known->second->bytes.size()) != bytes) return invalid("storage " + key + " has two sizes");
    return known->second;
  }
  auto storage = std::make_shared<Storage>();
  storage->key = key;
  auto wrong_size = [&](uint64_t size) {
    return invalid("storage " + key + " has " + std::to_string(size) + " bytes, its tensors say " + std::to_string(bytes));
  };
  if (!zip_) {
    auto piece = legacy_.find(key);
    if (piece == legacy_.end()) return invalid("storage " + key + " is not in the file");
    if (static_cast<int64_t>(piece->second.size()) != bytes) return wrong_size(piece->second.size());
    storage->bytes = piece->second;
    storage->owner = source_.owner;
  } else {
    const ZipArchive::Entry* entry = zip_->find(prefix_ + "data/" + key);
    if (entry == nullptr) return invalid("storage data/" + key + " is not in the archive");
    if (static_cast<int64_t>(entry->size) != bytes) return wrong_size(entry->size);
    if (entry->method == 0) {
      auto view = zip_->view(*entry);
      if (!view) return view.error();
      storage->bytes = *view;
      storage->owner = source_.owner;
    } else {
      if (static_cast<uint64_t>(bytes) > room_for_inflated_)
        return invalid("its storages decompress to more than the file explains; store them uncompressed");
      auto read = zip_->read(*entry, static_cast<uint64_t>(bytes));
      if (!read) return read.error();
      room_for_inflated_ -= static_cast<uint64_t>(bytes);
      auto kept = std::make_shared<const std::vector<std::byte>>(std::move(*read));
      storage->bytes = *kept;
      storage->owner = kept;
    }
  }
  if (storage->bytes.data() != nullptr && storage->owner == source_.owner && !source_.bytes.empty()) {
    storage->readable_after = source_.bytes.data() + source_.bytes.size() - (storage->bytes.data() + storage->bytes.size());
  }
  storages_.emplace(key, storage);
  return std::shared_ptr<const Storage>(storage);
}

// A storage that pickle, not torch, wrote: the bytes of a whole legacy file that holds nothing else. Each such file is read once.
Result<const Checkpoint*> Checkpoint::nested(ObjectId call) const {
  const auto arguments = pickle_->items(pickle_->arguments(call));
  if (arguments.size() != 1) return invalid("is no bytes");
  auto bytes = bytes_of(arguments[0]);
  if (!bytes) return bytes.error();
  auto& kept = nested_[(*bytes)->bytes.data()];
  if (kept) return kept.get();
  Source source = source_.part((*bytes)->bytes);
  source.owner = (*bytes)->owner;
  auto opened = open_legacy(source);
  if (!opened) return opened.error();
  if (!opened->pickle().is(opened->root(), Kind::persistent)) return invalid("is none");  // nor another nested one
  kept = std::make_shared<const Checkpoint>(std::move(*opened));
  return kept.get();
}

// ('storage', class, key, location, elements[, view]); an old one may be a piece of another: (key, offset, elements).
Result<std::shared_ptr<const Storage>> Checkpoint::storage(ObjectId persistent, const ElementType*& type) const {
  const Pickle& p = *pickle_;
  if (p.is_call_of(persistent, "torch.storage._load_from_bytes")) {
    auto inner = nested(persistent);
    if (!inner) return inner.error().within("a pickled storage");
    return (*inner)->storage((*inner)->root(), type);
  }
  if (!p.is(persistent, Kind::persistent)) return invalid("a tensor's storage is no persistent id");
  const auto items = p.items(p.pid(persistent));
  if (items.size() < 5 || !p.is(items[0], Kind::text) || p.text(items[0]) != "storage" || !p.is(items[1], Kind::global) ||
      !p.is(items[2], Kind::text) || !p.is(items[4], Kind::integer)) {
    return invalid("a persistent id is no storage");
  }
  type = element_of_storage(p.name(items[1]));
  if (type == nullptr) return unsupported("storages of class " + p.qualified(items[1]) + " are not supported");
  const std::string key(p.text(items[2]));
  auto bytes = checked_mul(p.integer(items[4]), type->bytes);
  if (!bytes || *bytes < 0) return invalid("storage " + key + " states " + std::to_string(p.integer(items[4])) + " elements");
  auto whole = stored(key, *bytes);
  if (!whole || items.size() < 6 || p.is(items[5], Kind::none)) return whole;
  const auto view = p.items(items[5]);
  if (view.size() != 3 || !p.is(view[1], Kind::integer) || !p.is(view[2], Kind::integer))
    return invalid("storage " + key + " has a view that makes no sense");
  auto begin = checked_mul(p.integer(view[1]), type->bytes), size = checked_mul(p.integer(view[2]), type->bytes);
  auto end = begin && size ? checked_add(*begin, *size) : std::nullopt;
  if (!end || *begin < 0 || *size < 0 || *end > *bytes) return invalid("storage " + key + " has a view beyond its end");
  auto piece = std::make_shared<Storage>(**whole);
  piece->bytes = (*whole)->bytes.subspan(static_cast<size_t>(*begin), static_cast<size_t>(*size));
  piece->readable_after += *bytes - *end;
  return std::shared_ptr<const Storage>(piece);
}

Result<StoredTensor> Checkpoint::view_of(ObjectId storage_id, ObjectId offset, ObjectId size, ObjectId stride) const {
  const Pickle& p = *pickle_;
  StoredTensor t;
  const ElementType* type = nullptr;
  // TypedStorage of some versions wraps the persistent id.
  auto s = storage(storage_id, type);
  if (!s) return s.error();
  t.storage = *s;
  set_type(t, *type);
  if (!p.is(offset, Kind::integer) || !read_ints(size, t.sizes) || !read_ints(stride, t.strides))
    return invalid("a tensor's offset, sizes or strides are no integers");
  t.offset = p.integer(offset);
  return t;
}

namespace {

// The functions that rebuild tensors, by the last part of their names; modules differ among versions of torch.
constexpr std::string_view kRebuilders[] = {"_rebuild_tensor",
                                            "_rebuild_tensor_v2",
                                            "_rebuild_tensor_v3",
                                            "_rebuild_parameter",
                                            "_rebuild_parameter_with_state",
                                            "_rebuild_from_type",
                                            "_rebuild_from_type_v2",
                                            "_rebuild_qtensor",
                                            "_rebuild_sparse_tensor",
                                            "_rebuild_sparse_csr_tensor",
                                            "_rebuild_meta_tensor_no_storage",
                                            "_rebuild_device_tensor_from_numpy",
                                            "_rebuild_xla_tensor",
                                            "_rebuild_device_tensor_from_cpu_tensor",
                                            "_rebuild_nested_tensor",
                                            "_rebuild_wrapper_subclass",
                                            "UninitializedParameter",
                                            "UninitializedBuffer"};

bool is_typed_tensor(std::string_view name) {  // torch.FloatTensor of files before 0.4
  return name.ends_with("Tensor") && element_of_storage(std::string(name.substr(0, name.size() - 6)) + "Storage") != nullptr;
}

bool is_torch(std::string_view module) { return module == "torch" || module.starts_with("torch."); }

}  // namespace

bool is_known_global(const Pickle::Global& g) {
  using Row = std::pair<std::string_view, std::string_view>;
  const std::string_view module = g.module, name = g.name;
  constexpr Row kKnown[] = {{"collections", "OrderedDict"},
                            {"collections", "defaultdict"},
                            {"collections", "Counter"},
                            {"builtins", "set"},
                            {"builtins", "frozenset"},
                            {"builtins", "complex"},
                            {"builtins", "bytearray"},
                            {"builtins", "slice"},
                            {"builtins", "range"},
                            {"builtins", "xrange"},
                            {"builtins", "dict"},
                            {"builtins", "list"},
                            {"builtins", "tuple"},
                            {"builtins", "int"},
                            {"builtins", "float"},
                            {"builtins", "bool"},
                            {"builtins", "str"},
                            {"builtins", "object"},
                            {"builtins", "bytes"},
                            {"_codecs", "encode"},
                            {"copyreg", "_reconstructor"},
                            {"torch", "Size"},
                            {"torch", "device"},
                            {"torch", "Tensor"},
                            {"torch.nn.parameter", "Parameter"},
                            {"torch.nn.parameter", "Buffer"},
                            {"torch.serialization", "_get_layout"},
                            {"torch.nn.backends.thnn", "_get_thnn_function_backend"},
                            {"torch.storage", "_load_from_bytes"},
                            {"argparse", "Namespace"},
                            {"datetime", "datetime"},
                            {"datetime", "date"},
                            {"datetime", "timedelta"},
                            {"pathlib", "Path"},
                            {"pathlib", "PosixPath"},
                            {"pathlib", "PurePosixPath"},
                            {"pathlib", "WindowsPath"}};
  if (std::find(std::begin(kKnown), std::end(kKnown), Row(module, name)) != std::end(kKnown)) return true;
  if (name.find('.') != name.npos) return false;  // Python would walk through attributes: torch.nn.modules.module, os.system
  if (module == "numpy" || module.starts_with("numpy.")) {
    return name == "scalar" || name == "_reconstruct" || name == "_frombuffer" || name == "ndarray" || name == "dtype" || module == "numpy.dtypes";
  }
  if (!is_torch(module)) return false;
  if (std::find(std::begin(kRebuilders), std::end(kRebuilders), name) != std::end(kRebuilders) || is_typed_tensor(name)) return true;
  if (element_of_storage(name) != nullptr || element_named(name) != nullptr || name.starts_with("per_") || name == "strided") return true;
  if (module == "torch.nn.functional" || module == "torch._C._nn") return !g.called;  // F.relu as an attribute
  for (std::string_view classes : {"torch.nn.modules.", "torch.nn.utils.", "torch.nn.parallel.", "torch.optim."}) {
    const size_t first = name.find_first_not_of('_');
    if (module.starts_with(classes) && first != name.npos && name[first] >= 'A' && name[first] <= 'Z') return true;
  }
  return false;
}

bool Checkpoint::is_tensor(ObjectId id) const {
  const Pickle& p = *pickle_;
  if (!p.is(id, Kind::call) || !p.is(p.callable(id), Kind::global)) return false;
  const ObjectId f = p.callable(id);
  if (!is_torch(p.module(f))) return false;
  return std::find(std::begin(kRebuilders), std::end(kRebuilders), p.name(f)) != std::end(kRebuilders) || is_typed_tensor(p.name(f));
}

bool Checkpoint::is_weight(ObjectId id) const {
  if (is_tensor(id)) return true;
  if (!is_array(id)) return false;
  if (!arrays_) {
    arrays_ = true;
    for (ObjectId i = 0; i < pickle_->size() && *arrays_; ++i) arrays_ = !is_tensor(i);
  }
  return *arrays_;
}

bool Checkpoint::has_weights() const {
  for (ObjectId id = 0; id < pickle_->size(); ++id) {
    if (is_weight(id)) return true;
  }
  return false;
}

// Does the pickle write into what the call has made? Python would compute with other elements than those that are stored.
bool Checkpoint::is_changed(ObjectId id) const {
  const Pickle& p = *pickle_;
  if (!p.extras(id).empty()) return true;  // tensor[i] = …, tensor.append(…)
  if (!is_tensor(id) || is_typed_tensor(p.name(p.callable(id)))) return false;
  return p.is(p.state(id), Kind::tuple) && p.items(p.state(id)).size() > 2;  // Tensor.__setstate__ sets other data; (dict, slots) does not
}

Result<StoredTensor> Checkpoint::tensor(ObjectId id) const {
  const Pickle& p = *pickle_;
  const Error changed = unsupported("the pickle changes a tensor after it was made, which tern does not do; load it in Python and save it again");
  if (is_array(id)) return is_changed(id) ? changed : from_numpy(id);
  bool parameter = false;
  for (int depth = 0; depth < 16; ++depth) {
    if (!is_tensor(id)) return invalid("an object is no tensor");
    if (is_changed(id)) return changed;
    const std::string_view name = p.name(p.callable(id));
    const auto arguments = p.items(p.arguments(id));
    if (name == "_rebuild_parameter" || name == "_rebuild_parameter_with_state") {
      if (arguments.empty()) return invalid("a parameter has no data");
      parameter = true;
      id = arguments[0];
      continue;
    }
    if (name == "_rebuild_from_type" || name == "_rebuild_from_type_v2") {  // (function, type, its arguments, state)
      if (arguments.size() < 3 || !p.is(arguments[0], Kind::global) || !p.is(arguments[1], Kind::global) || !p.is(arguments[2], Kind::tuple)) {
        return invalid("a tensor of a class makes no sense");
      }
      const std::string_view type = p.name(arguments[1]);
      if (!is_torch(p.module(arguments[1])) || (type != "Tensor" && type != "Parameter" && type != "Buffer")) {
        auto plain = rebuild(arguments[2], p.name(arguments[0]));  // what is known of it, whatever the class makes of that
        StoredTensor t = plain ? *plain : StoredTensor();
        t.refusal = "a tensor of class " + p.qualified(arguments[1]);
        t.storage = nullptr;
        if (t.dtype_name.empty()) t.dtype_name = "?";
        return t;
      }
      const std::string_view function = p.name(arguments[0]);
      const auto inner = p.items(arguments[2]);
      parameter = parameter || type == "Parameter";
      if ((function == "_rebuild_parameter" || function == "_rebuild_parameter_with_state") && !inner.empty()) {
        parameter = true;
        id = inner[0];
        continue;
      }
      auto t = rebuild(arguments[2], function);
      if (t) t->parameter = parameter;
      return t;
    }
    if (name == "_rebuild_device_tensor_from_cpu_tensor" && !arguments.empty()) {
      id = arguments[0];
      continue;
    }
    if (is_typed_tensor(name)) {  // BUILD(storage, offset, size, stride)
      const auto state = p.is(p.state(id), Kind::tuple) ? p.items(p.state(id)) : std::span<const ObjectId>();
      if (state.size() != 4) return invalid("an old tensor has no data");
      auto t = view_of(state[0], state[1], state[2], state[3]);
      if (!t) return t;
      t->parameter = parameter;
      if (Status s = check_view(*t); !s) return s.error();
      return t;
    }
    auto t = rebuild(p.arguments(id), name);
    if (!t) return t;
    t->parameter = t->parameter || parameter;
    return t;
  }
  return invalid("a tensor is wrapped too deeply");
}

// `call`: the arguments of the function of that name.
Result<StoredTensor> Checkpoint::rebuild(ObjectId call, std::string_view name) const {
  const Pickle& p = *pickle_;
  const auto a = p.items(call);
  auto metadata = [&](StoredTensor& t, size_t at) {  // {"conj": True, "neg": True}: bits that torch applies lazily
    if (a.size() <= at || !is_dict(a[at])) return;
    const ObjectId conj = get(a[at], "conj"), neg = get(a[at], "neg");
    t.conjugate = p.is(conj, Kind::boolean) && p.integer(conj) != 0;
    t.negative = p.is(neg, Kind::boolean) && p.integer(neg) != 0;
  };
  auto checked = [&](Result<StoredTensor> t) -> Result<StoredTensor> {
    if (!t) return t;
    if (big_endian_) swap_bytes(*t);
    if (Status s = check_view(*t); !s) return s.error();
    return t;
  };
  if ((name == "_rebuild_tensor" || name == "_rebuild_tensor_v2" || name == "_rebuild_qtensor") && a.size() >= 4) {
    auto t = view_of(a[0], a[1], a[2], a[3]);
    if (t && name == "_rebuild_tensor_v2") metadata(*t, 6);
    if (t && (t->dtype_name == "quint4x2" || t->dtype_name == "quint2x4")) {
      t->refusal = "a packed quantised tensor (" + t->dtype_name + ")";  // several elements in a byte
      t->storage = nullptr;
    }
    return checked(std::move(t));
  }
  if (name == "_rebuild_tensor_v3" && a.size() >= 7) {
    auto t = view_of(a[0], a[1], a[2], a[3]);
    if (!t) return t;
    const ElementType* type = p.is(a[6], Kind::global) ? element_named(p.name(a[6])) : nullptr;
    if (type == nullptr) {
      return unsupported("a tensor of dtype " + (p.is(a[6], Kind::global) ? p.qualified(a[6]) : std::string("?")) + " is not supported");
    }
    set_type(*t, *type);
    metadata(*t, 7);
    return checked(std::move(t));
  }
  StoredTensor t;
  t.dtype_name = "?";
  if (name.starts_with("_rebuild_sparse")) {  // (layout, (indices, values, size, …)) or (layout, (crow, col, values, size))
    t.refusal = "a sparse tensor";
    const auto parts = a.size() >= 2 ? p.items(a[1]) : std::span<const ObjectId>();
    for (ObjectId part : parts) {
      std::vector<int64_t> sizes;
      if (is_tensor(part)) {
        const std::string_view inner = p.name(p.callable(part));
        if (!inner.starts_with("_rebuild_tensor")) continue;
        auto values = rebuild(p.arguments(part), inner);  // the last tensor among them; not deeper
        if (!values) continue;
        t.dtype = values->dtype;
        t.dtype_name = values->dtype_name;
        t.element_size = values->element_size;
      } else if (read_ints(part, sizes)) {
        t.sizes = sizes;
      }
    }
    t.strides = dense_strides(t.sizes, false);
    return t;
  }
  if (name == "_rebuild_meta_tensor_no_storage" && a.size() >= 3 && p.is(a[0], Kind::global)) {
    const ElementType* type = element_named(p.name(a[0]));
    if (type == nullptr || !read_ints(a[1], t.sizes) || !read_ints(a[2], t.strides)) return invalid("a meta tensor makes no sense");
    set_type(t, *type);
    t.refusal = "a meta tensor (it has no data)";
    return checked(std::move(t));
  }
  if ((name == "_rebuild_device_tensor_from_numpy" || name == "_rebuild_xla_tensor") && !a.empty()) return checked(from_numpy(a[0]));
  if (name.starts_with("Uninitialized")) t.refusal = "an uninitialised parameter of a lazy module";
  else if (name == "_rebuild_nested_tensor") t.refusal = "a nested tensor";
  else if (name == "_rebuild_wrapper_subclass") t.refusal = "a wrapper subclass of a tensor";
  else return invalid("the arguments of " + std::string(name) + " make no sense");
  return t;
}

}  // namespace tern::torch
