// CombinedNonMaxSuppression. See detection.h.
#include <algorithm>
#include <vector>

#include "kernels/detection/detection.h"
#include "kernels/op.h"

namespace tern {
namespace {

struct Sizes {
  int64_t batch, boxes, kinds, classes;  // kinds: 1 box for all classes, or one for each
  int64_t of_class, total;               // at most
  float iou, score;
};

struct Detection {
  float score;
  int64_t kind;  // class
  const float* box;
};

// Those of one class, best first. False: more than the budget of work.
bool detect(const Sizes& z, const float* boxes, const float* scores, int64_t k, std::vector<Detection>& found, int64_t& work) {
  std::vector<Detection> all;
  for (int64_t i = 0; i < z.boxes; ++i) {
    const float score = scores[i * z.classes + k];
    if (score > z.score) all.push_back({score, k, boxes + (i * z.kinds + (z.kinds == 1 ? 0 : k)) * 4});
  }
  std::stable_sort(all.begin(), all.end(), [](const Detection& a, const Detection& b) { return a.score > b.score; });
  const size_t first = found.size();
  for (const Detection& d : all) {
    const auto taken = static_cast<int64_t>(found.size() - first);
    if (taken >= z.of_class) break;
    if ((work -= taken + 1) < 0) return false;
    const bool covered = std::any_of(found.begin() + static_cast<int64_t>(first), found.end(),
                                     [&](const Detection& o) { return overlap(corners(d.box), corners(o.box)) > z.iou; });
    if (!covered) found.push_back(d);
  }
  return true;
}

// Known numbers, which sizes are made of.
int64_t rows(int64_t of_class, int64_t total, int64_t classes, bool pad_per_class) {
  if (!pad_per_class) return total;
  return classes > 0 && of_class > total / classes ? total : std::min(total, of_class * classes);
}

Status infer(InferContext& c) {
  for (size_t i : {size_t(0), size_t(1)}) {
    if (c.dtype(i) != DType::f32) return bad_dtype(c.dtype(i));
  }
  const Shape &boxes = c.shape(0), &scores = c.shape(1);
  if (boxes.ranked() && (boxes.rank() != 4 || (boxes[3].known() && boxes[3].value() != 4)))
    return invalid("boxes are " + boxes.text() + ", not [batch, boxes, classes, 4]");
  if (scores.ranked() && scores.rank() != 3) return invalid("scores are " + scores.text() + ", not [batch, boxes, classes]");
  const int64_t of_class = c.attrs.i("of_class"), total = c.attrs.i("total");
  if (of_class < 1 || total < 1) return invalid("at most " + std::to_string(of_class) + " boxes of a class and " + std::to_string(total) + " in all");
  const Dim batch = boxes.ranked() ? boxes[0] : c.fresh();
  Dim n(total);
  if (c.attrs.i("pad_per_class") != 0) {
    n = scores.ranked() && scores[2].known() ? Dim(rows(of_class, total, scores[2].value(), true)) : c.fresh();
  }
  c.set(0, DType::f32, Shape{batch, n, Dim(4)});
  c.set(1, DType::f32, Shape{batch, n});
  c.set(2, DType::f32, Shape{batch, n});
  c.set(3, DType::i32, Shape{batch});
  return {};
}

Result<std::vector<Tensor>> compute(const ComputeRequest& r) {
  const Tensor &boxes = r.inputs[0], &scores = r.inputs[1];
  const Sizes z{boxes.dims()[0],       boxes.dims()[1],    boxes.dims()[2],  scores.dims()[2],
                r.attrs.i("of_class"), r.attrs.i("total"), r.attrs.f("iou"), r.attrs.f("score")};
  if (scores.dims()[0] != z.batch || scores.dims()[1] != z.boxes || (z.kinds != 1 && z.kinds != z.classes))
    return invalid("boxes of " + to_string(boxes.dims()) + " have scores of " + to_string(scores.dims()));
  const int64_t n = rows(z.of_class, z.total, z.classes, r.attrs.i("pad_per_class") != 0);
  if (z.batch > 0 && n > r.budget / 24 / z.batch)
    return unsupported("room for " + std::to_string(n) + " boxes of each image is more than the budget");
  auto places = Tensor::allocate(DType::f32, {z.batch, n, 4}), best = Tensor::allocate(DType::f32, {z.batch, n}),
       kinds = Tensor::allocate(DType::f32, {z.batch, n}), counts = Tensor::allocate(DType::i32, {z.batch});
  for (const auto* t : {&places, &best, &kinds, &counts}) {
    if (!*t) return t->error();
  }
  const bool clip = r.attrs.i("clip_boxes") != 0;
  int64_t work = r.work;
  for (int64_t b = 0; b < z.batch; ++b) {
    std::vector<Detection> found;
    for (int64_t k = 0; k < z.classes; ++k) {
      const float* mine = boxes.data<float>() + b * z.boxes * z.kinds * 4;
      if (!detect(z, mine, scores.data<float>() + b * z.boxes * z.classes, k, found, work))
        return unsupported("the choice among " + std::to_string(z.boxes) + " boxes costs more than the budget");
    }
    std::stable_sort(found.begin(), found.end(), [](const Detection& p, const Detection& q) { return p.score > q.score; });
    found.resize(std::min(found.size(), static_cast<size_t>(n)));
    counts->mutable_data<int32_t>()[b] = static_cast<int32_t>(found.size());
    for (int64_t i = 0; i < n; ++i) {
      const bool there = i < static_cast<int64_t>(found.size());
      const Detection d = there ? found[static_cast<size_t>(i)] : Detection{0, 0, nullptr};
      best->mutable_data<float>()[b * n + i] = d.score;
      kinds->mutable_data<float>()[b * n + i] = static_cast<float>(d.kind);
      for (int64_t side = 0; side < 4; ++side) {
        const float v = there ? d.box[side] : 0;
        places->mutable_data<float>()[(b * n + i) * 4 + side] = clip ? std::clamp(v, 0.0f, 1.0f) : v;
      }
    }
  }
  return std::vector<Tensor>{std::move(*places), std::move(*best), std::move(*kinds), std::move(*counts)};
}

constexpr AttrSpec kAttrs[] = {{"clip_boxes", AttrKind::i, 1},    {"iou", AttrKind::f, kRequired},   {"of_class", AttrKind::i, kRequired},
                               {"pad_per_class", AttrKind::i, 0}, {"score", AttrKind::f, kRequired}, {"total", AttrKind::i, kRequired}};

}  // namespace

constinit const OpDef kCombinedNonMaxSuppression = {.name = "CombinedNonMaxSuppression",
                                                    .inputs = {2, 2},
                                                    .outputs = {4, 4},
                                                    .attrs = kAttrs,
                                                    .infer = infer,
                                                    .compute = compute,
                                                    .data_dependent = true,
                                                    .tern_only = true};

}  // namespace tern
