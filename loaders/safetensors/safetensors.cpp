// One file: every rule of the format is checked, also those that its first reader lets pass. See safetensors.h. Next: weights/shards.h.
#include "loaders/safetensors/safetensors.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "loaders/json/json.h"
#include "runtime/base/byte_reader.h"
#include "runtime/base/checked.h"

namespace tern {
namespace {

constexpr uint64_t kMostHeader = 100'000'000;
constexpr size_t kMostName = 4096, kMostDepth = 3;

struct ElementRow {
  std::string_view name;
  DType dtype;
  const char* torch_name;  // where dtype is none
  int64_t bits;
};
constexpr ElementRow kElements[] = {
    {"F32", DType::f32, "", 32},
    {"F16", DType::f16, "", 16},
    {"BF16", DType::bf16, "", 16},
    {"F64", DType::f64, "", 64},
    {"BOOL", DType::boolean, "", 8},
    {"U8", DType::u8, "", 8},
    {"I8", DType::i8, "", 8},
    {"U16", DType::u16, "", 16},
    {"I16", DType::i16, "", 16},
    {"U32", DType::u32, "", 32},
    {"I32", DType::i32, "", 32},
    {"U64", DType::u64, "", 64},
    {"I64", DType::i64, "", 64},
    {"C64", DType::none, "complex64", 64},
    {"F8_E4M3", DType::none, "float8_e4m3fn", 8},
    {"F8_E5M2", DType::none, "float8_e5m2", 8},
    {"F8_E4M3FNUZ", DType::none, "float8_e4m3fnuz", 8},
    {"F8_E5M2FNUZ", DType::none, "float8_e5m2fnuz", 8},
    {"F8_E8M0", DType::none, "float8_e8m0fnu", 8},
    {"F4", DType::none, "float4_e2m1fn", 4},
    {"F6_E2M3", DType::none, "float6_e2m3fn", 6},
    {"F6_E3M2", DType::none, "float6_e3m2fn", 6},
};

const ElementRow* find_element(std::string_view name) {
  auto row = std::find_if(std::begin(kElements), std::end(kElements), [&](const ElementRow& r) { return r.name == name; });
  return row == std::end(kElements) ? nullptr : row;
}

// Numbers of a list that are no less than 0.
bool read_sizes(const Json& json, Json::Id list, std::vector<int64_t>& out) {
  if (!json.is(list, Json::Kind::array)) return false;
  for (size_t i = 0; i < json.size(list); ++i) {
    const Json::Id item = json.item(list, i);
    if (!json.is(item, Json::Kind::integer) || json.integer(item) < 0) return false;
    out.push_back(json.integer(item));
  }
  return true;
}

class Header {
 public:
  Header(const Source& source, std::span<const std::byte> data, const Json& json) : source_(source), data_(data), json_(json) {}

  Result<StateDict> read() {
    if (!json_.is(json_.root(), Json::Kind::object)) return invalid("the header is no JSON object");
    std::vector<Placed> tensors;
    tensors.reserve(json_.size(json_.root()));
    for (size_t i = 0; i < json_.size(json_.root()); ++i) {
      const std::string name(json_.key(json_.root(), i));
      if (name == "__metadata__") {
        if (Status s = check_metadata(json_.item(json_.root(), i)); !s) return s.error();
        continue;
      }
      if (name.size() > kMostName) return invalid("the header has a name of " + std::to_string(name.size()) + " bytes");
      auto tensor = read_tensor(json_.item(json_.root(), i));
      if (!tensor) return tensor.error().within(name);
      tensor->entry.name = name;
      tensors.push_back(std::move(*tensor));
    }
    // By their bytes: each begins where the one before it ends, and the last at the end of the file.
    std::vector<size_t> order(tensors.size());
    std::iota(order.begin(), order.end(), size_t(0));
    const auto place = [&](size_t i) { return std::tuple(tensors[i].begin, tensors[i].end, i); };
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return place(a) < place(b); });
    uint64_t end = 0;
    StateDict out;
    out.entries.reserve(tensors.size());
    for (const size_t i : order) {
      Placed& t = tensors[i];
      if (t.begin != end)
        return invalid(t.entry.name +
                       (t.begin < end ? ": overlaps the tensor before it" : ": follows a gap of " + std::to_string(t.begin - end) + " bytes"));
      end = t.end;
      out.entries.push_back(std::move(t.entry));
    }
    if (end != data_.size()) return invalid("the tensors end at byte " + std::to_string(end) + " of " + std::to_string(data_.size()));
    add_tied(out);
    for (size_t i = 0; metadata_ != Json::kNothing && i < json_.size(metadata_); ++i) {
      out.metadata.emplace_back(json_.key(metadata_, i), json_.string(json_.item(metadata_, i)));
    }
    return out;
  }

 private:
  struct Placed {
    uint64_t begin, end;
    StateDict::Entry entry;
  };

  Status check_metadata(Json::Id metadata) {
    if (!json_.is(metadata, Json::Kind::object)) return invalid("__metadata__ is no JSON object");
    for (size_t i = 0; i < json_.size(metadata); ++i) {
      if (!json_.is(json_.item(metadata, i), Json::Kind::string)) return invalid("__metadata__ has a value that is no text");
    }
    metadata_ = metadata;
    return {};
  }

  Result<Placed> read_tensor(Json::Id about) const {
    const Json::Id dtype = json_.get(about, "dtype");
    if (!json_.is(dtype, Json::Kind::string)) return invalid("its dtype is missing");
    const ElementRow* element = find_element(json_.string(dtype));
    if (element == nullptr) return invalid("has the unknown dtype " + std::string(json_.string(dtype).substr(0, 100)));
    Placed out{};
    StoredTensor& t = out.entry.tensor;
    if (!read_sizes(json_, json_.get(about, "shape"), t.sizes)) return invalid("its shape is no list of sizes");
    std::vector<int64_t> offsets;
    if (!read_sizes(json_, json_.get(about, "data_offsets"), offsets) || offsets.size() != 2) return invalid("its data_offsets are no two numbers");
    out.begin = static_cast<uint64_t>(offsets[0]);
    out.end = static_cast<uint64_t>(offsets[1]);
    if (out.begin > out.end || out.end > data_.size()) return invalid("its data_offsets lie outside of the file");
    auto count = element_count(t);
    auto bits = count ? checked_mul(*count, element->bits) : std::nullopt;
    if (!bits) return invalid("its shape is too large");
    if (*bits % 8 != 0) return invalid("its elements do not fill whole bytes");
    if (static_cast<uint64_t>(*bits / 8) != out.end - out.begin) {
      return invalid("its shape needs " + std::to_string(*bits / 8) + " bytes, its data_offsets give " + std::to_string(out.end - out.begin));
    }
    t.dtype = element->dtype;
    t.dtype_name = element->dtype == DType::none ? element->torch_name : tern::name(element->dtype);
    t.element_size = ceil_div(element->bits, 8);
    if (element->bits % 8 != 0) {
      t.refusal = "a tensor of " + std::to_string(element->bits) + "-bit elements";
    } else {
      auto storage = std::make_shared<Storage>();
      storage->bytes = data_.subspan(out.begin, out.end - out.begin);
      storage->owner = source_.owner;
      storage->key = "data";
      storage->readable_after = static_cast<int64_t>(data_.size() - out.end);
      t.storage = std::move(storage);
    }
    t.strides.resize(t.sizes.size());
    int64_t stride = 1;
    for (size_t i = t.sizes.size(); i-- > 0;) {
      t.strides[i] = stride;
      stride *= std::max<int64_t>(t.sizes[i], 1);  // no overflow: checked_count passes over zeros
    }
    if (Status s = check_view(t); !s) return s.error();
    return out;
  }

  // A tied tensor is stored once; save_model writes its other names into __metadata__: {"lm_head.weight": "embed.weight"}.
  void add_tied(StateDict& out) const {
    if (metadata_ == Json::kNothing) return;
    std::vector<std::pair<std::string_view, size_t>> places;
    for (size_t i = 0; i < out.entries.size(); ++i) places.emplace_back(out.entries[i].name, i);
    std::sort(places.begin(), places.end());
    auto place = [&](std::string_view name) -> const size_t* {
      auto it = std::lower_bound(places.begin(), places.end(), std::pair(name, size_t(0)));
      return it != places.end() && it->first == name ? &it->second : nullptr;
    };
    std::vector<StateDict::Entry> tied;  // `places` refers to the entries: they move only after the search
    for (size_t i = 0; i < json_.size(metadata_); ++i) {
      const std::string_view removed = json_.key(metadata_, i);
      const size_t* kept = place(json_.string(json_.item(metadata_, i)));
      if (kept != nullptr && place(removed) == nullptr) tied.push_back({std::string(removed), out.entries[*kept].tensor});
    }
    std::move(tied.begin(), tied.end(), std::back_inserter(out.entries));
  }

  const Source& source_;
  const std::span<const std::byte> data_;
  const Json& json_;
  Json::Id metadata_ = Json::kNothing;
};

}  // namespace

bool looks_like_safetensors(std::span<const std::byte> bytes) {
  ByteReader in(bytes);
  auto header = in.read<uint64_t>();
  auto brace = in.read<char>();
  // A length beyond the file is one that was cut off.
  return header && brace && *brace == '{' && *header >= 2 && (*header <= kMostHeader || *header <= bytes.size() - 8);
}

Result<StateDict> load_safetensors(const Source& source) {
  ByteReader in(source.bytes);
  auto size = in.read<uint64_t>();
  if (!size) return invalid("the file is truncated before its header");
  if (*size > kMostHeader) return invalid("the header has " + std::to_string(*size) + " bytes, at most 100000000 are allowed");
  auto header = in.take(static_cast<size_t>(*size));
  if (!header) return invalid("the file is truncated in its header of " + std::to_string(*size) + " bytes");
  const std::string_view text(reinterpret_cast<const char*>(header->data()), header->size());
  if (!text.starts_with('{')) return invalid("the header does not begin with {");
  auto json = Json::parse(text, {.depth = kMostDepth});
  if (!json) return json.error().within("the header");
  return Header(source, source.bytes.subspan(in.position()), *json).read();
}

}  // namespace tern
