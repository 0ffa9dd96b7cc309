// What detectors end with: of overlapping boxes the best one. See operator.h and kernels/detection. Next: recognition.cpp.
#include "loaders/tensorflow/ops/common.h"

namespace tern::tensorflow {
namespace {

// One number that operators of boxes read: [] f32 (i64).
ValueId number(Call& c, size_t i, DType dtype = DType::f32) { return c.b.cast(c.tensor(i), dtype); }

struct Chosen {
  ValueId indices;  // [n] i32
  ValueId scores;   // [n], of the dtype of the scores
};

// Of boxes [n, 4] and scores [n]; score: kNone where every one will do.
Chosen suppressed(Call& c, ValueId iou, ValueId score) {
  GraphBuilder& b = c.b;
  if (!has_rank(c, 0, 2) || !has_rank(c, 1, 1)) return {kNone, kNone};
  const ValueId boxes = unsqueeze(b, b.cast(c.tensor(0), DType::f32), {0}), scores = unsqueeze(b, b.cast(c.tensor(1), DType::f32), {0, 1});
  const ValueId rows = b.emit("NonMaxSuppression", {boxes, scores, number(c, 2, DType::i64), iou, score});
  const ValueId indices = squeeze(b, slice(b, rows, 1, 2, 3), {1});
  return {b.cast(indices, DType::i32), b.emit("Gather", {c.tensor(1), indices})};
}

// As many as max_output_size says, zeros behind those that there are.
ValueId padded(Call& c, ValueId x) {
  GraphBuilder& b = c.b;
  const ValueId most = b.reshape(number(c, 2, DType::i64), {Int(1)});
  const ValueId all = concat(b, {x, b.emit("Expand", {b.scalar_like(x, 0), most})}, 0);
  return b.emit("Slice", {all, b.ints({0}), most, b.ints({0})});
}

ValueId count(Call& c, ValueId x) { return c.b.cast(c.b.emit("Size", {x}), DType::i32); }

Values suppression_v1(Call& c) { return {suppressed(c, c.b.scalar(DType::f32, c.number("iou_threshold", 0.5)), kNone).indices}; }
Values suppression_v2(Call& c) { return {suppressed(c, number(c, 3), kNone).indices}; }
Values suppression_v3(Call& c) { return {suppressed(c, number(c, 3), number(c, 4)).indices}; }

Values suppression_v4(Call& c) {
  const Chosen y = suppressed(c, number(c, 3), number(c, 4));
  return {c.boolean("pad_to_max_output_size", false) ? padded(c, y.indices) : y.indices, count(c, y.indices)};
}

// With a sigma of 0 it is what v4 does.
Values suppression_v5(Call& c) {
  GraphBuilder& b = c.b;
  const Tensor* sigma = b.contents(c.tensor(5));
  Chosen y;
  if (sigma != nullptr && sigma->dtype() == DType::f32 && sigma->count() == 1 && sigma->data<float>()[0] == 0) {
    y = suppressed(c, number(c, 3), number(c, 4));
  } else {
    const auto soft =
        b.emit("SoftNonMaxSuppression", {number(c, 0), number(c, 1), number(c, 2, DType::i64), number(c, 3), number(c, 4), number(c, 5)}, {}, 2);
    y = {b.cast(soft[0], DType::i32), b.cast(soft[1], b.dtype(c.tensor(1)))};
  }
  const ValueId n = count(c, y.indices);
  if (!c.boolean("pad_to_max_output_size", false)) return {y.indices, y.scores, n};
  return {padded(c, y.indices), padded(c, y.scores), n};
}

float known_float(Call& c, size_t i) {
  const Tensor* t = c.b.contents(c.tensor(i));
  if (t != nullptr && t->dtype() == DType::f32 && t->count() == 1) return t->data<float>()[0];
  c.fail(unsupported("input " + std::to_string(i) + " must be one number that is known when the model is loaded"));
  return 0;
}

Values combined_suppression(Call& c) {
  const int64_t of_class = known_int(c, 2), total = known_int(c, 3);
  const float iou = known_float(c, 4), score = known_float(c, 5);
  const std::vector<ValueId> y = c.b.emit("CombinedNonMaxSuppression", {c.tensor(0), c.tensor(1)},
                                          attributes({{"of_class", of_class},
                                                      {"total", total},
                                                      {"iou", iou},
                                                      {"score", score},
                                                      {"pad_per_class", int64_t(c.boolean("pad_per_class", false))},
                                                      {"clip_boxes", int64_t(c.boolean("clip_boxes", true))}}),
                                          4);
  return {y[0], y[1], y[2], y[3]};
}

constexpr Operator kDetectionRows[] = {
    {"NonMaxSuppression", nullptr, suppression_v1},
    {"NonMaxSuppressionV2", nullptr, suppression_v2},
    {"NonMaxSuppressionV3", nullptr, suppression_v3},
    {"NonMaxSuppressionV4", "selected_indices valid_outputs", suppression_v4},
    {"NonMaxSuppressionV5", "selected_indices selected_scores valid_outputs", suppression_v5},
    {"CombinedNonMaxSuppression", "nmsed_boxes nmsed_scores nmsed_classes valid_detections", combined_suppression},
};

}  // namespace

std::span<const Operator> detection_operators() { return kDetectionRows; }

}  // namespace tern::tensorflow
