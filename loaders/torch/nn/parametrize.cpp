// See parametrize.h.
#include "loaders/torch/nn/parametrize.h"

#include <algorithm>
#include <cmath>

#include "runtime/base/checked.h"

namespace tern::torch {

std::optional<Parametrized> parametrized(std::string_view name, const std::function<bool(const std::string&)>& has) {
  using Kind = Parametrized::Kind;
  const size_t dot = name.rfind('.');
  const std::string own(name), path(name.substr(0, dot == name.npos ? 0 : dot + 1)), leaf(name.substr(dot == name.npos ? 0 : dot + 1));
  const std::string list = path + "parametrizations." + leaf + ".";
  if (has(list + "original0") && has(list + "original1")) return Parametrized{Kind::weight_norm, {list + "original0", list + "original1"}};
  if (has(list + "original")) {
    if (has(list + "0._u") && has(list + "0._v")) return Parametrized{Kind::spectral_norm, {list + "original", list + "0._u", list + "0._v"}};
    if (has(list + "0.base")) return Parametrized{Kind::orthogonal, {list + "original", list + "0.base"}};
    return Parametrized{Kind::spectral_norm, {list + "original"}};
  }
  if (has(own + "_orig") && has(own + "_u") && has(own + "_v")) return Parametrized{Kind::spectral_norm, {own + "_orig", own + "_u", own + "_v"}};
  if (has(own + "_g") && has(own + "_v")) return Parametrized{Kind::weight_norm, {own + "_g", own + "_v"}};
  return std::nullopt;
}

std::string parametrized_name(std::string_view name) {
  const bool g = name.ends_with("_g");
  if (!g && !name.ends_with("_v")) return {};
  const std::string_view whole = name.substr(0, name.size() - 2);
  const size_t leaf = whole.rfind('.') + 1;  // npos + 1 is 0
  return std::string(whole.substr(0, leaf)) + "parametrizations." + std::string(whole.substr(leaf)) + (g ? ".original0" : ".original1");
}

namespace {

// g v / ||v||, the norm over every axis along which g has one element.
template <class T>
Result<Tensor> weight_norm(const Tensor& g, const Tensor& v) {
  const Dims d = v.dims();
  std::vector<int64_t> stride(static_cast<size_t>(d.rank), 0);  // of g, along the axes of v
  int64_t count = 1;
  if (g.dims().rank != 0 && g.dims().rank != d.rank) return invalid("weight_norm: the shapes of weight_g and weight_v do not fit");
  for (int i = d.rank; i-- > 0 && g.dims().rank > 0;) {
    if (g.dims()[i] != 1 && g.dims()[i] != d[i]) return invalid("weight_norm: the shapes of weight_g and weight_v do not fit");
    if (g.dims()[i] != 1) stride[static_cast<size_t>(i)] = count;
    count *= g.dims()[i];
  }
  auto out = Tensor::allocate(v.dtype(), d);
  if (!out) return out.error();
  std::vector<double> sums(static_cast<size_t>(count), 0.0);
  const T* from = v.data<T>();
  T* to = out->mutable_data<T>();
  auto each = [&](auto f) {  // f(element, its norm)
    std::vector<int64_t> index(static_cast<size_t>(d.rank), 0);
    int64_t at = 0;
    for (int64_t e = 0; e < v.count(); ++e) {
      f(e, static_cast<size_t>(at));
      for (int i = d.rank; i-- > 0;) {
        const auto axis = static_cast<size_t>(i);
        at += stride[axis];
        if (++index[axis] < d[i]) break;
        at -= stride[axis] * d[i];
        index[axis] = 0;
      }
    }
  };
  each([&](int64_t e, size_t n) { sums[n] += double(from[e]) * double(from[e]); });
  each([&](int64_t e, size_t n) { to[e] = static_cast<T>(double(from[e]) * (double(g.data<T>()[n]) / std::sqrt(sums[n]))); });
  return out;
}

// W / (u' W v), W as a matrix whose rows are the axis `dim`.
template <class T>
Result<Tensor> spectral_norm(const std::vector<Tensor>& parts, int dim) {
  const Tensor& w = parts[0];
  const Dims d = w.dims();
  double sigma = 0;
  if (parts.size() == 1) {
    if (d.rank != 1) return unsupported("has a parametrization that is not known");
    for (int64_t i = 0; i < w.count(); ++i) sigma += double(w.data<T>()[i]) * double(w.data<T>()[i]);
    sigma = std::max(std::sqrt(sigma), 1e-12);
  } else {
    const int64_t rows = parts[1].count(), columns = parts[2].count();
    auto fits = [&](int axis) {
      return axis >= 0 && axis < d.rank && parts[1].dims().rank == 1 && parts[2].dims().rank == 1 && d[axis] == rows &&
             checked_mul(rows, columns) == w.count();
    };
    for (int axis = 0; axis < d.rank && !fits(dim); ++axis) dim = axis;
    if (!fits(dim)) return invalid("spectral_norm: the shapes of weight, u and v do not fit");
    const int64_t outer = d.count(0, dim), inner = d.count(dim + 1, d.rank);
    for (int64_t o = 0; o < outer; ++o) {
      for (int64_t r = 0; r < rows; ++r) {
        const T* row = w.data<T>() + (o * rows + r) * inner;
        double sum = 0;
        for (int64_t i = 0; i < inner; ++i) sum += double(row[i]) * double(parts[2].data<T>()[o * inner + i]);
        sigma += double(parts[1].data<T>()[r]) * sum;
      }
    }
  }
  auto out = Tensor::allocate(w.dtype(), d);
  if (!out) return out.error();
  for (int64_t i = 0; i < w.count(); ++i) out->mutable_data<T>()[i] = static_cast<T>(double(w.data<T>()[i]) / sigma);
  return out;
}

template <class T>
Result<Tensor> fold_as(Parametrized::Kind kind, const std::vector<Tensor>& parts, int dim) {
  switch (kind) {
    case Parametrized::Kind::weight_norm: return weight_norm<T>(parts[0], parts[1]);
    case Parametrized::Kind::spectral_norm: return spectral_norm<T>(parts, dim);
    case Parametrized::Kind::orthogonal: break;
  }
  return unsupported("the parametrization orthogonal is not supported");
}

}  // namespace

Result<Tensor> fold(Parametrized::Kind kind, const std::vector<Tensor>& parts, int dim) {
  for (const Tensor& t : parts) {
    if (t.dtype() != parts[0].dtype()) return invalid("the parts of a parametrized weight have different dtypes");
  }
  if (parts[0].dtype() == DType::f32) return fold_as<float>(kind, parts, dim);
  if (parts[0].dtype() == DType::f64) return fold_as<double>(kind, parts, dim);
  return unsupported(std::string("a parametrized weight of dtype ") + name(parts[0].dtype()) + " is not supported");
}

}  // namespace tern::torch
