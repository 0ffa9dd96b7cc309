// The table of formats, and what the rows of those without a magic number look for. See formats.h. Next: load.cpp.
#include "loaders/formats.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstring>

#include "loaders/hdf5/hdf5.h"
#include "loaders/keras/keras.h"
#include "loaders/onnx/onnx.h"
#include "loaders/tensorflow/tensorflow.h"
#include "loaders/torch/export/export.h"
#include "loaders/torch/torch.h"
#include "loaders/torch/weights_file.h"
#include "runtime/base/mapping.h"

namespace tern {
namespace {

// ---- protocol buffers: what the first fields of a message hold ----

// The payload of a message that begins with this length-delimited field, as far as it is there; empty when it begins otherwise.
std::string_view field(std::string_view message, char tag) {
  if (message.empty() || message[0] != tag) return {};
  uint64_t length = 0;
  size_t i = 1;
  for (int shift = 0; i < message.size() && shift < 63; shift += 7) {
    const auto b = static_cast<unsigned char>(message[i++]);
    length |= uint64_t(b & 127) << shift;
    if (b < 128) return message.substr(i, std::min<uint64_t>(length, message.size() - i));
  }
  return {};
}
std::string_view after(std::string_view message, std::string_view payload) {
  return message.substr(static_cast<size_t>(payload.data() + payload.size() - message.data()));
}
bool begins_with_one_of(std::string_view s, std::string_view tags) { return !s.empty() && tags.find(s[0]) != tags.npos; }

constexpr std::string_view kMetaInfo = "\x12\x1a\x22\x2a";  // fields 2 to 5 of MetaInfoDef: operators, any, tags, version
bool is_saved_model(const Content& c) {                     // schema version 1, then MetaGraphDef, which begins with MetaInfoDef
  return c.at(0, "\x08\x01") && begins_with_one_of(field(field(c.all.substr(2), '\x12'), '\x0a'), kMetaInfo);
}
bool is_meta_graph(const Content& c) { return begins_with_one_of(field(c.all, '\x0a'), kMetaInfo); }
bool is_graph_def(const Content& c) {  // NodeDef: a name, an operator
  const std::string_view node = field(c.all, '\x0a'), name = field(node, '\x0a');
  return is_word(name) && is_word(field(after(node, name), '\x12'));
}
bool is_core_ml(const Content& c) {  // specification version, then a description, which begins with an input: a name
  if (c.all.size() < 3 || c.all[0] != '\x08' || c.all[1] < 1 || c.all[1] > 31) return false;
  return is_word(field(field(field(c.all.substr(2), '\x12'), '\x0a'), '\x0a'));
}

// ---- texts ----

std::string_view trimmed(std::string_view s) {
  if (s.starts_with("\xef\xbb\xbf")) s.remove_prefix(3);
  return s.substr(std::min(s.find_first_not_of(" \t\r\n"), s.size()));
}
bool has_word(std::string_view s, std::string_view lower) {  // in any case of letters
  return std::search(s.begin(), s.end(), lower.begin(), lower.end(), [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; }) !=
         s.end();
}
bool is_html(const Content& c) {
  const std::string_view s = trimmed(c.head).substr(0, 512);
  return s.starts_with('<') && (has_word(s, "<!doctype html") || has_word(s, "<html") || has_word(s, "<head") || has_word(s, "<error>"));
}
bool is_json_with(const Content& c, std::string_view key, size_t within = std::string_view::npos) {
  const std::string_view s = trimmed(c.head);
  return s.starts_with('{') && s.substr(0, within).find(key) != s.npos;
}
bool is_xml_with(const Content& c, std::string_view tag) {
  const std::string_view s = trimmed(c.head);
  return s.starts_with('<') && s.substr(0, 4096).find(tag) != s.npos;
}

// ---- pickles ----

// An object of this package before those of the others, which it may be made of, and no tensors of PyTorch beside it.
bool is_pickle_of(const Content& c, std::string_view package) {
  const size_t mine = c.first_of(package);
  if (mine == c.head.npos || c.first_of("torch") != c.head.npos) return false;
  return std::all_of(std::begin(Content::kPackages), std::end(Content::kPackages),
                     [&](std::string_view other) { return other == "joblib" || mine <= c.first_of(other); });
}
bool is_joblib(const Content& c) { return c.first_of("joblib") != c.head.npos; }

// ---- others ----

// A map of msgpack whose first key is a short text, as flax writes them.
bool is_msgpack(const Content& c) {
  if (c.all.size() < 4) return false;
  const auto first = static_cast<unsigned char>(c.all[0]);
  const size_t key = first == 0xde ? 3 : first == 0xdf ? 5 : first > 0x80 && first < 0x90 ? 1 : 0;
  if (key == 0 || c.all.size() <= key) return false;
  const auto length = static_cast<unsigned char>(c.all[key]);
  return length > 0xa0 && length < 0xc0 && is_word(c.all.substr(key + 1, length - 0xa0)) && c.all.size() > key + 1 + (length - 0xa0);
}
bool is_tensorrt(const Content& c) {
  if (c.at(0, "ftrt") || c.at(0, "ptrt")) return true;
  uint32_t json = 0;  // some exporters write a JSON text and its length before the engine
  if (c.all.size() > 8) std::memcpy(&json, c.all.data(), 4);
  return c.at(4, "{") && json < c.all.size() && (c.at(4 + size_t(json), "ftrt") || c.at(4 + size_t(json), "ptrt"));
}
bool is_xgboost(const Content& c) {
  if (is_json_with(c, "\"learner\"", 256) || c.at(0, "binf")) return true;
  if (c.at(0, "{") && c.all.substr(0, 20).find("learner") != c.all.npos && c.all.find("learner") < 20) return true;  // UBJSON: {, a length, the key
  const std::string_view s = c.all.substr(0, 512);
  return c.at(0, std::string_view("\0\0\0\x3f", 4)) && (s.find("gbtree") != s.npos || s.find("gblinear") != s.npos || s.find("dart") != s.npos);
}
bool is_zlib(const Content& c) { return c.all.size() > 2 && c.all[0] == '\x78' && (0x7800 + static_cast<unsigned char>(c.all[1])) % 31 == 0; }
bool is_numpy_zip(const Content& c) {
  if (!c.zip) return false;
  const auto& entries = c.zip->entries();
  return !entries.empty() && std::all_of(entries.begin(), entries.end(), [](const auto& e) { return std::string_view(e.name).ends_with(".npy"); });
}
bool is_text(const Content& c) {
  return std::all_of(c.all.begin(), c.all.begin() + static_cast<std::ptrdiff_t>(std::min<size_t>(c.all.size(), 512)), [](char b) {
    const auto u = static_cast<uint8_t>(b);
    return b == '\n' || b == '\r' || b == '\t' || (u >= 32 && u != 127);
  });
}

// The first row that recognises a file counts, so what is told by more stands before what is told by less: an archive of Keras before any ZIP
// archive that may be PyTorch's, a pickle of scikit-learn before any pickle, ONNX, which has no magic number, at the end.
constexpr Format kFormats[] = {
    // no models
    {"a pointer of Git LFS", [](const Content& c) { return c.at(0, "version https://git-lfs"); }, "fetch the file itself with git lfs pull",
     Code::kInvalid},
    {"a web page", is_html, "download the file itself, as a browser's link to the raw file does", Code::kInvalid},
    {"a NumPy array", [](const Content& c) { return c.at(0, "\x93NUMPY"); }, "arrays are inputs of a model", Code::kInvalid},
    {"a NumPy .npz file", is_numpy_zip, "arrays are inputs of a model", Code::kInvalid},
    // TensorFlow and Keras
    {.name = "a Keras model (.keras)", .recognises = keras::looks_like_archive, .load = keras::load_archive},
    {.name = "a Keras model or its weights (HDF5)",
     .recognises = [](const Content& c) { return hdf5::looks_like_hdf5(c.source.bytes); },
     .load = keras::load_hdf5},
    {.name = "weights of Keras in several files (JSON)", .recognises = keras::looks_like_index, .load = keras::load_index},
    {"an architecture of Keras without weights (JSON)",
     [](const Content& c) { return is_json_with(c, "\"class_name\"", 512) && is_json_with(c, "\"config\""); },
     "name the file of its weights, and give this one in LoadOptions::architecture"},
    {"a TensorFlow SavedModel as text", [](const Content& c) { return c.head.find("saved_model_schema_version") == 0; },
     "save it in binary (saved_model.pb), as TensorFlow does by itself"},
    {.name = "a TensorFlow SavedModel", .recognises = is_saved_model, .load = tensorflow::load_saved_model},
    {"a TensorFlow graph as text", [](const Content& c) { return c.at(0, "node {") || c.at(0, "node{"); },
     "write it in binary (tf.io.write_graph with as_text=False)"},
    {.name = "a frozen TensorFlow graph (GraphDef)", .recognises = is_graph_def, .load = tensorflow::load_frozen_graph},
    {"a TensorFlow meta graph", is_meta_graph, "it holds no weights: export the model as a SavedModel, and name its folder"},
    {"a TensorFlow checkpoint", [](const Content& c) { return c.all.ends_with("\x57\xfb\x80\x8b\x24\x75\x47\xdb"); },
     "it holds weights and no model: load it in TensorFlow, save the model as a SavedModel or .keras file, and name that"},
    {"a TensorFlow Lite model", [](const Content& c) { return c.at(4, "TFL3"); },
     "convert it to ONNX with tf2onnx, or export the model it was made of"},
    {"a TensorFlow.js model", [](const Content& c) { return is_json_with(c, "\"weightsManifest\"") || is_json_with(c, "\"graph-model\""); },
     "export the model it was made of to ONNX"},
    // PyTorch's others
    {"a TorchScript archive", [](const Content& c) { return c.has_ending("/constants.pkl") || c.has("constants.pkl"); },
     "save the state_dict (torch.save(model.state_dict(), ...)) or export the model with torch.export"},
    {"a torch.package archive", [](const Content& c) { return c.has_ending(".data/extern_modules"); },
     "save the state_dict (torch.save(model.state_dict(), ...)) or export the model with torch.export"},
    {"a container of PyTorch 1.0's previews", [](const Content& c) { return c.at(0, "PYTORCH1"); },
     "load it with that version and save it with a newer PyTorch"},
    {"an ExecuTorch program", [](const Content& c) { return c.at(4, "ET1"); }, "save the exported program it was made of with torch.export.save"},
    // trees and other estimators
    {"a joblib file of scikit-learn", [](const Content& c) { return is_pickle_of(c, "sklearn") && is_joblib(c); },
     "convert the model to ONNX with skl2onnx"},
    {"a pickled scikit-learn model", [](const Content& c) { return is_pickle_of(c, "sklearn"); }, "convert it to ONNX with skl2onnx"},
    {"a pickled XGBoost model", [](const Content& c) { return is_pickle_of(c, "xgboost"); }, "convert it to ONNX with onnxmltools"},
    {"a pickled LightGBM model", [](const Content& c) { return is_pickle_of(c, "lightgbm"); }, "convert it to ONNX with onnxmltools"},
    {"a pickled CatBoost model", [](const Content& c) { return is_pickle_of(c, "catboost"); }, "save it with save_model(..., format='onnx')"},
    {"a pickled Keras model", [](const Content& c) { return is_pickle_of(c, "keras") || is_pickle_of(c, "tensorflow"); },
     "export it with model.export('model.onnx', format='onnx') in Keras"},
    {"a joblib file", is_joblib, "convert the model that it holds to ONNX (skl2onnx for scikit-learn)"},
    {"an XGBoost model", is_xgboost, "convert it to ONNX with onnxmltools"},
    {"a LightGBM model", [](const Content& c) { return c.at(0, "tree\nversion=v") || c.at(0, "tree\r\nversion=v"); },
     "convert it to ONNX with onnxmltools"},
    {"a CatBoost model", [](const Content& c) { return c.at(0, "CBM1"); }, "save it with save_model(..., format='onnx')"},
    {"a PMML document", [](const Content& c) { return is_xml_with(c, "<PMML"); }, "convert the model that it was made of to ONNX"},
    // other runtimes
    {"a GGUF model", [](const Content& c) { return c.at(0, "GGUF"); }, "take the safetensors or PyTorch weights that it was made of"},
    {"a GGML model", [](const Content& c) { return c.at(0, "lmgg") || c.at(0, "tjgg") || c.at(0, "fmgg") || c.at(0, "algg"); },
     "take the safetensors or PyTorch weights that it was made of"},
    {"a model in onnxruntime's own format (.ort)", [](const Content& c) { return c.at(4, "ORTM"); }, "take the ONNX file that it was made of"},
    {"a Core ML model", is_core_ml, "export the model that it was made of to ONNX"},
    {"an OpenVINO model (IR)", [](const Content& c) { return is_xml_with(c, "<net "); }, "take the ONNX file or the weights that it was made of"},
    {"a TensorRT engine", is_tensorrt, "take the ONNX file that it was built from"},
    {"parameters of JAX (msgpack)", is_msgpack, "export the model with jax2onnx, or save its weights with safetensors"},
    {"a configuration of Hugging Face", [](const Content& c) { return is_json_with(c, "\"model_type\"") || is_json_with(c, "\"architectures\""); },
     "name the weights beside it (model.safetensors) or the ONNX file", Code::kInvalid},
    // compressed and packed
    {"a gzip-compressed file", [](const Content& c) { return c.at(0, "\x1f\x8b"); }, "decompress it with gunzip"},
    {"a zstd-compressed file", [](const Content& c) { return c.at(0, "\x28\xb5\x2f\xfd"); }, "decompress it with unzstd"},
    {"an xz-compressed file",
     [](const Content& c) {
       return c.at(0, std::string_view("\xfd"
                                       "7zXZ\0",
                                       6));
     },
     "decompress it with unxz"},
    {"an lzma-compressed file", [](const Content& c) { return c.at(0, std::string_view("\x5d\0\0", 3)) && c.all.size() > 13; },
     "decompress it with unlzma"},
    {"a bzip2-compressed file", [](const Content& c) { return c.at(0, "BZh") && c.at(4, "1AY&SY"); }, "decompress it with bunzip2"},
    {"an lz4-compressed file", [](const Content& c) { return c.at(0, "\x04\x22\x4d\x18"); }, "decompress it with unlz4"},
    {"a zlib-compressed file, as joblib writes them", is_zlib, "load it with joblib and convert the model to ONNX (skl2onnx for scikit-learn)"},
    {"a 7z archive", [](const Content& c) { return c.at(0, "7z\xbc\xaf\x27\x1c"); }, "unpack it and name the model inside"},
    {"a RAR archive", [](const Content& c) { return c.at(0, "Rar!\x1a\x07"); }, "unpack it and name the model inside"},
    {"a tar archive of PyTorch 0.1",
     [](const Content& c) { return c.at(257, "ustar") && (c.at(0, "sys_info") || c.at(0, "pickle") || c.at(0, "storages")); },
     "load it with an old PyTorch and save it again"},
    {"a tar archive", [](const Content& c) { return c.at(257, "ustar"); }, "unpack it and name the model inside"},
    // what tern reads
    {.name = "a program of torch.export", .recognises = torch::looks_like_export, .load = torch::load_export},
    {.name = "weights or a module of PyTorch", .recognises = torch::WeightsFile::recognises, .load = torch::load_torch},
    {.name = "a text", .recognises = is_text, .code = Code::kInvalid},
    {.name = "an ONNX model",
     .recognises = [](const Content& c) { return looks_like_onnx(c.source.bytes); },
     .load = [](const Content& c, const LoadOptions& o) { return load_onnx(c.source.bytes, c.source.directory, o, c.source.owner); }},
};

struct Folder {
  const char* member;  // whose presence tells
  Format format;
};
constexpr Folder kFolders[] = {
    {"saved_model.pbtxt", {"a TensorFlow SavedModel folder as text", nullptr, "save it in binary (saved_model.pb), as TensorFlow does by itself"}},
    {"variables/variables.index",
     {"the folder of a TensorFlow SavedModel without its saved_model.pb", nullptr, "copy the whole folder", Code::kInvalid}},
    {"checkpoint",
     {"a folder of TensorFlow checkpoints", nullptr,
      "they hold weights and no model: load one in TensorFlow, save the model as a SavedModel or .keras file, and name that"}},
    {"Data/com.apple.CoreML", {"a Core ML package", nullptr, "export the model that it was made of to ONNX"}},
    {"coremldata.bin", {"a compiled Core ML model", nullptr, "export the model that it was made of to ONNX"}},
    {"manifest.ocdbt", {"a checkpoint of JAX (Orbax)", nullptr, "export the model with jax2onnx, or save its weights with safetensors"}},
    {"_CHECKPOINT_METADATA", {"a checkpoint of JAX (Orbax)", nullptr, "export the model with jax2onnx, or save its weights with safetensors"}},
    {"__model__", {"a PaddlePaddle model", nullptr, "convert it to ONNX with paddle2onnx"}},
    {"MLmodel", {"an MLflow model", nullptr, "name the model file inside"}},
    {"model.safetensors.index.json", {"a folder of Hugging Face", nullptr, "name the index inside: model.safetensors.index.json", Code::kInvalid}},
    {"model.safetensors", {"a folder of Hugging Face", nullptr, "name the weights inside: model.safetensors", Code::kInvalid}},
    {"pytorch_model.bin", {"a folder of Hugging Face", nullptr, "name the weights inside: pytorch_model.bin", Code::kInvalid}},
    {"model.onnx", {"a folder", nullptr, "name the model inside: model.onnx", Code::kInvalid}},
};

}  // namespace

const Format* format_of(const Content& content) {
  const auto* f = std::find_if(std::begin(kFormats), std::end(kFormats), [&](const Format& row) { return row.recognises(content); });
  return f == std::end(kFormats) ? nullptr : f;
}

Error refusal(const Format& f) {
  std::string message = std::string(f.name) + (f.code == Code::kInvalid ? ", not a model" : ", which is not read");
  if (!f.remedy.empty()) message += "; " + std::string(f.remedy);
  return Error(f.code, std::move(message));
}

Result<Source> open_model(const std::string& path, const FileOptions& how) {
  struct stat info;
  const bool folder = ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
  if (folder && ::lstat((path + "/saved_model.pb").c_str(), &info) == 0) return map_beneath(path, "saved_model.pb", how);
  if (auto refused = refuse_known_folder(path)) return refused->within(path);
  return map_file(path, how);
}

std::optional<Error> refuse_known_folder(const std::string& path) {
  struct stat info;
  if (::stat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) return std::nullopt;
  for (const Folder& f : kFolders) {
    if (::stat((path + "/" + f.member).c_str(), &info) == 0) return refusal(f.format);
  }
  return std::nullopt;
}

}  // namespace tern
