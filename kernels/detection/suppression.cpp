// NonMaxSuppression and SoftNonMaxSuppression. See detection.h.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "kernels/detection/detection.h"
#include "kernels/op.h"
#include "kernels/portable_math.h"

namespace tern {
namespace {

struct Limits {
  int64_t most = 0;
  float iou = 0, score = -INFINITY;
  bool any_score = false;  // no threshold was given: NaN alone is out
};

Error too_many(int64_t boxes) { return unsupported("the choice among " + std::to_string(boxes) + " boxes costs more than the budget"); }

// The best of equal scores is the one of the lowest index.
std::vector<int64_t> ranked(std::span<const float> scores, const Limits& limits) {
  std::vector<int64_t> order;
  for (size_t i = 0; i < scores.size(); ++i) {
    if (limits.any_score ? !std::isnan(scores[i]) : scores[i] > limits.score) order.push_back(static_cast<int64_t>(i));
  }
  std::stable_sort(order.begin(), order.end(), [&](int64_t i, int64_t j) { return scores[static_cast<size_t>(i)] > scores[static_cast<size_t>(j)]; });
  return order;
}

// Indices of the boxes that stay. Null: more work than `work`, from which it is taken.
std::optional<std::vector<int64_t>> suppress(std::span<const Box> boxes, std::span<const float> scores, const Limits& limits, int64_t& work) {
  std::vector<int64_t> taken;
  for (int64_t i : ranked(scores, limits)) {
    if (static_cast<int64_t>(taken.size()) >= limits.most) break;
    if ((work -= static_cast<int64_t>(taken.size()) + 1) < 0) return {};
    // The nearest in score overlap most often.
    const bool covered = std::any_of(taken.rbegin(), taken.rend(),
                                     [&](int64_t j) { return overlap(boxes[static_cast<size_t>(i)], boxes[static_cast<size_t>(j)]) > limits.iou; });
    if (!covered) taken.push_back(i);
  }
  return taken;
}

std::vector<Box> boxes_of(const float* p, int64_t n, bool centers) {
  std::vector<Box> boxes;
  for (int64_t i = 0; i < n; ++i, p += 4) {
    if (!centers) boxes.push_back(corners(p));
    else boxes.push_back({p[1] - p[3] / 2, p[0] - p[2] / 2, p[1] + p[3] / 2, p[0] + p[2] / 2});
  }
  return boxes;
}

template <class T>
T number(const ComputeRequest& r, size_t i, T otherwise) {
  return r.has(i) && r.inputs[i].count() > 0 ? r.inputs[i].data<T>()[0] : otherwise;
}

// Input `most` is a whole number, those after it are numbers, all others f32.
Status check_numbers(InferContext& c, size_t most) {
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    if (!c.has(i)) continue;
    const DType want = i == most ? DType::i64 : DType::f32;
    if (c.dtype(i) != want) return bad_dtype(c.dtype(i));
    if (i >= most && c.shape(i).known() && c.shape(i).concrete().count() != 1)
      return invalid("input " + std::to_string(i) + " is " + c.shape(i).text() + ": it must be one number");
  }
  return {};
}

// ---- NonMaxSuppression ----

Status infer_suppression(InferContext& c) {
  if (Status s = check_numbers(c, 2); !s) return s;
  const Shape &boxes = c.shape(0), &scores = c.shape(1);
  if (boxes.ranked() && (boxes.rank() != 3 || (boxes[2].known() && boxes[2].value() != 4)))
    return invalid("boxes are " + boxes.text() + ", not [batch, boxes, 4]");
  if (scores.ranked() && scores.rank() != 3) return invalid("scores are " + scores.text() + ", not [batch, classes, boxes]");
  c.set(0, DType::i64, Shape{c.fresh(), Dim(3)});
  return {};
}

Result<std::vector<Tensor>> compute_suppression(const ComputeRequest& r) {
  const Tensor &boxes = r.inputs[0], &scores = r.inputs[1];
  const int64_t batch = boxes.dims()[0], n = boxes.dims()[1], classes = scores.dims()[1];
  if (scores.dims()[0] != batch || scores.dims()[2] != n)
    return invalid("boxes of " + to_string(boxes.dims()) + " have scores of " + to_string(scores.dims()));
  const Limits limits{number<int64_t>(r, 2, 0), number<float>(r, 3, 0), number<float>(r, 4, 0), !r.has(4)};
  std::vector<int64_t> chosen;
  int64_t work = r.work;
  for (int64_t b = 0; b < batch; ++b) {
    const std::vector<Box> mine = boxes_of(boxes.data<float>() + b * n * 4, n, r.attrs.i("center_point_box") != 0);
    for (int64_t k = 0; k < classes; ++k) {
      const auto taken = suppress(mine, {scores.data<float>() + (b * classes + k) * n, static_cast<size_t>(n)}, limits, work);
      if (!taken || static_cast<int64_t>((chosen.size() + 3 * taken->size()) * sizeof(int64_t)) > r.budget) return too_many(n);
      for (int64_t i : *taken) chosen.insert(chosen.end(), {b, k, i});
    }
  }
  const auto rows = static_cast<int64_t>(chosen.size() / 3);
  return std::vector<Tensor>{Tensor::of<int64_t>({rows, 3}, chosen)};
}

// ---- SoftNonMaxSuppression ----

Status infer_soft(InferContext& c) {
  if (Status s = check_numbers(c, 2); !s) return s;
  const Shape &boxes = c.shape(0), &scores = c.shape(1);
  if (boxes.ranked() && (boxes.rank() != 2 || (boxes[1].known() && boxes[1].value() != 4)))
    return invalid("boxes are " + boxes.text() + ", not [boxes, 4]");
  if (scores.ranked() && scores.rank() != 1) return invalid("scores are " + scores.text() + ", not [boxes]");
  const Dim n = c.fresh();
  c.set(0, DType::i64, Shape{n});
  c.set(1, DType::f32, Shape{n});
  return {};
}

struct Candidate {
  int64_t box;
  float score;
  size_t seen;  // how many of the boxes that were taken have lowered its score
  bool operator<(const Candidate& o) const { return score != o.score ? score < o.score : box > o.box; }
};

Result<std::vector<Tensor>> compute_soft(const ComputeRequest& r) {
  const Tensor& scores = r.inputs[1];
  const int64_t n = r.inputs[0].dims()[0], most = number<int64_t>(r, 2, 0);
  if (scores.count() != n) return invalid("boxes of " + to_string(r.inputs[0].dims()) + " have scores of " + to_string(scores.dims()));
  const float iou = number<float>(r, 3, 0), least = number<float>(r, 4, 0), sigma = number<float>(r, 5, 0);
  const std::vector<Box> boxes = boxes_of(r.inputs[0].data<float>(), n, false);
  std::vector<Candidate> heap;
  for (int64_t i = 0; i < n; ++i) {
    if (scores.data<float>()[i] > least) heap.push_back({i, scores.data<float>()[i], 0});
  }
  std::make_heap(heap.begin(), heap.end());
  std::vector<int64_t> taken;
  std::vector<float> kept;
  int64_t work = r.work;
  while (static_cast<int64_t>(taken.size()) < most && !heap.empty()) {
    std::pop_heap(heap.begin(), heap.end());
    Candidate next = heap.back();
    heap.pop_back();
    const float before = next.score;
    bool covered = false;
    for (size_t j = taken.size(); j-- > next.seen && !covered && next.score > least;) {
      if (--work < 0) return too_many(n);
      const float s = overlap(boxes[static_cast<size_t>(next.box)], boxes[static_cast<size_t>(taken[j])]);
      if (sigma > 0) next.score *= portable::exp(-0.5f / sigma * s * s);
      else covered = s > iou;
    }
    if (--work < 0) return too_many(n);
    next.seen = taken.size();
    if (covered || !(next.score > least)) continue;
    if (next.score == before) {
      taken.push_back(next.box);
      kept.push_back(next.score);
    } else {
      heap.push_back(next);
      std::push_heap(heap.begin(), heap.end());
    }
  }
  return std::vector<Tensor>{Tensor::ints(taken), Tensor::of<float>({static_cast<int64_t>(kept.size())}, kept)};
}

constexpr AttrSpec kSuppressionAttrs[] = {{"center_point_box", AttrKind::i, 0}};

}  // namespace

constinit const OpDef kNonMaxSuppression = {.name = "NonMaxSuppression",
                                            .inputs = {2, 5},
                                            .outputs = {1, 1},
                                            .attrs = kSuppressionAttrs,
                                            .infer = infer_suppression,
                                            .compute = compute_suppression,
                                            .data_dependent = true};

constinit const OpDef kSoftNonMaxSuppression = {.name = "SoftNonMaxSuppression",
                                                .inputs = {6, 6},
                                                .outputs = {2, 2},
                                                .infer = infer_soft,
                                                .compute = compute_soft,
                                                .data_dependent = true,
                                                .tern_only = true};

}  // namespace tern
