// What is left of overlapping boxes. How many there are depends on the scores, so that OpDef::compute makes the results, in the evaluator.
//   NonMaxSuppression          ONNX's: boxes [batch, boxes, 4], scores [batch, classes, boxes], how many of a class at most, IoU, score: [n, 3] of
//                              batch, class and box, each class with falling scores
//   SoftNonMaxSuppression      boxes [boxes, 4], scores [boxes], how many at most, IoU, score, sigma: indices [n] and scores [n]. A box loses
//                              score by exp(-IoU^2 / 2 sigma) of every box that was taken, instead of being dropped
//   CombinedNonMaxSuppression  boxes [batch, boxes, 1 or classes, 4], scores [batch, boxes, classes], how many of a class, how many in all:
//                              the best of all classes together, boxes [batch, total, 4], scores and classes [batch, total], how many [batch] i32
//   Shapes    a box is two opposite corners y1 x1 y2 x2, or, with center_point_box, its centre x y, width and height.
//   Cost      sorting, and one IoU for each pair of a candidate and a box that was taken.
//   Numerics  f32. Of equal scores the lower index comes first.
//   Edges     a box without area overlaps nothing; a score that is NaN is not above any threshold.
//   Source    onnx.ai; Bodla et al., Soft-NMS 2017; TensorFlow's operators of like names. Next: suppression.cpp, combined.cpp.
#pragma once
#include <cstdint>

namespace tern {

struct OpDef;
extern const OpDef kCombinedNonMaxSuppression, kNonMaxSuppression, kSoftNonMaxSuppression;

// Intersection over union of two boxes by their corners.
struct Box {
  float top, left, bottom, right;  // top <= bottom, left <= right
};
inline Box corners(const float* p) {
  return {p[0] < p[2] ? p[0] : p[2], p[1] < p[3] ? p[1] : p[3], p[0] < p[2] ? p[2] : p[0], p[1] < p[3] ? p[3] : p[1]};
}
inline float area(const Box& b) { return (b.bottom - b.top) * (b.right - b.left); }
inline float overlap(const Box& a, const Box& b) {
  const float mine = area(a), other = area(b);
  if (!(mine > 0) || !(other > 0)) return 0;
  const float top = a.top > b.top ? a.top : b.top, left = a.left > b.left ? a.left : b.left;
  const float bottom = a.bottom < b.bottom ? a.bottom : b.bottom, right = a.right < b.right ? a.right : b.right;
  if (!(bottom > top) || !(right > left)) return 0;
  const float both = (bottom - top) * (right - left);
  return both / (mine + other - both);
}

}  // namespace tern
