// While becomes Loop. What the body leaves alone is captured, lists that every iteration writes at the next place are scan outputs, other lists are
// carried as tensors. The body is built with the types of the initial values, and again with open extents for those that it changes. See loop.h.
#include "loaders/tensorflow/run/loop.h"

#include "kernels/dtype_code.h"
#include "loaders/tensorflow/run/lists.h"

namespace tern::tensorflow {
namespace {

class Loop {
 public:
  Loop(Call& c, const Site& site, LoopFunctions f) : c_(c), b_(c.b), site_(site), f_(f), variables_(c.count()) {}

  Values run() {
    const std::vector<bool> live = alive(true);
    trips_ = trips_of(b_, site_, f_, c_.values(), live);
    const std::vector<bool> needed = trips_.exact ? alive(false) : live;
    for (size_t i = 0; i < variables_.size() && b_.ok(); ++i) begin(i, needed[i]);
    constexpr int kMostAttempts = 4;  // each opens all extents that were found to change, and takes lists for what they are
    for (int attempt = 0; attempt < kMostAttempts && b_.ok(); ++attempt) {
      Builder body(b_.program, &b_);
      build(body);
      if (!body.ok()) return c_.fail(body.status().error());
      if (settled(body)) return emit(body);
    }
    return c_.fail(unsupported("what it carries changes in a way that is not supported"));
  }

 private:
  enum class Kind { absent, fixed, tensors, scanned, list, sequence };
  struct Variable {
    Kind kind = Kind::absent;
    std::vector<ValueId> initial;         // of tensors and lists, in the graph around
    std::vector<TypeInfo> types;          // of each in the body
    std::vector<std::vector<bool>> open;  // extents that change
    Value inside, next;                   // in the body, before and after an iteration
  };

  std::vector<bool> alive(bool with_condition) {
    std::vector<bool> live(variables_.size());
    std::vector<int32_t> open(site_.used);
    if (with_condition) {
      const auto read = LoopFunctions::arguments(b_, site_.runner, *f_.condition, f_.condition->returns()[0]);
      open.insert(open.end(), read.begin(), read.end());
    }
    while (!open.empty() && b_.ok()) {
      const auto i = static_cast<size_t>(open.back());
      open.pop_back();
      if (live[i]) continue;
      live[i] = true;
      const auto read = LoopFunctions::arguments(b_, site_.runner, *f_.body, f_.body->returns()[i]);
      open.insert(open.end(), read.begin(), read.end());
    }
    return live;
  }

  void begin(size_t i, bool needed) {
    Variable& v = variables_[i];
    if (!needed) return;
    const Value& given = c_.value(i);
    const auto* held = given.get<Value::List>();
    if (f_.invariant(i)) {
      v.kind = Kind::fixed;
    } else if (held != nullptr) {
      v.kind = tensors_of(given).empty() ? Kind::scanned : Kind::list;
      v.initial = tensors_of(given);
    } else if (given.id() != kNone) {
      v.kind = Kind::tensors;
      v.initial = tensors_of(given);
    } else {
      v.kind = Kind::fixed;  // a handle; the body must give it back
    }
    for (const ValueId t : v.initial) v.types.push_back(b_.type(t));
    settle_types(v);
  }
  void settle_types(Variable& v) {
    v.open.resize(v.types.size());
    for (size_t t = 0; t < v.types.size(); ++t) v.open[t].resize(static_cast<size_t>(v.types[t].shape.rank()));
  }

  void build(Builder& body) {
    body.input("iteration", {DType::i64, Shape(std::vector<Dim>())});
    going_ = body.input("going", {DType::boolean, Shape(std::vector<Dim>())});
    Values arguments;
    for (size_t i = 0; i < variables_.size(); ++i) {
      Variable& v = variables_[i];
      std::vector<ValueId> inputs;
      for (const TypeInfo& type : v.types) inputs.push_back(body.input("carried_" + std::to_string(i) + (inputs.empty() ? "" : "_imaginary"), type));
      switch (v.kind) {
        case Kind::absent: v.inside = Value(); break;
        case Kind::fixed: v.inside = body.capture(c_.value(i)); break;
        case Kind::tensors: v.inside = with_tensors(c_.value(i), inputs); break;
        case Kind::scanned:
        case Kind::sequence:
        case Kind::list: v.inside = list_inside(body, i, inputs); break;
      }
      arguments.push_back(v.inside);
    }
    std::vector<Edge> wanted;
    for (size_t i = 0; i < variables_.size(); ++i) {
      if (variables_[i].kind != Kind::absent) wanted.push_back(f_.body->returns()[i]);
    }
    const Values made = site_.runner.run(body, *f_.body, {&arguments, false, nullptr, nullptr, site_.scope.depth + 1}, wanted);
    for (size_t i = 0, k = 0; i < variables_.size(); ++i) {
      if (variables_[i].kind != Kind::absent) variables_[i].next = made[k++];
    }
  }

  Value list_inside(Builder& body, size_t i, const std::vector<ValueId>& inputs) {
    const bool scanned = variables_[i].kind == Kind::scanned || variables_[i].kind == Kind::sequence;
    TensorList list = *c_.value(i).get<Value::List>()->list;
    list.elements = kNone;
    list.use = nullptr;
    if (scanned) list = *body.capture(Value::list(std::move(list))).get<Value::List>()->list;
    if (scanned) list.use = std::make_shared<TensorList::Use>();
    if (variables_[i].kind == Kind::list) list.elements = inputs[0];
    if (variables_[i].kind == Kind::sequence) list.sequence = inputs[0];
    list.item = list.index = kNone;
    return Value::list(std::move(list));
  }

  // Whether the body gives what it takes. What is not so is changed for the next attempt.
  bool settled(Builder& body) {
    bool all = true;
    for (size_t i = 0; i < variables_.size() && b_.ok(); ++i) {
      Variable& v = variables_[i];
      const std::string which = "variable " + std::to_string(i);
      if (v.kind == Kind::absent) continue;
      if (v.kind == Kind::fixed && !f_.invariant(i) && !same_handle(v.inside, v.next)) {
        c_.fail(unsupported(which + " is " + v.inside.kind() + " before an iteration and " + v.next.kind() + " after it"));
      }
      if (v.kind == Kind::scanned && !scans(body, v)) {
        v.initial = {zeros(body, *c_.value(i).get<Value::List>()->list, item_of(body, v))};
        v.kind = Kind::list;
        v.types = {b_.type(v.initial[0])};
        settle_types(v);
        all = false;
      } else if (v.kind == Kind::scanned && ragged(body, i)) {
        Attributes attrs;
        attrs.set("dtype", int64_t(code_of(item_of(body, v).dtype)));
        v.initial = {b_.emit("SequenceEmpty", {}, std::move(attrs))};
        v.kind = Kind::sequence;
        v.types = {b_.type(v.initial[0])};
        settle_types(v);
        all = false;
      } else if (v.kind == Kind::tensors || v.kind == Kind::list) {
        all = same_types(body, v, which) && all;
      }
    }
    return all && b_.ok();
  }

  // The extent of a dimension that only the body has a name for: that of what is carried, which an iteration does not change.
  std::optional<Int> extent(const Builder& body, const Dim& d) {
    if (b_.resolvable(d)) return d;
    for (const Variable& v : variables_) {
      if (v.kind != Kind::tensors) continue;
      const std::vector<ValueId> next = tensors_of(v.next);
      for (size_t t = 0; t < v.types.size() && t < next.size(); ++t) {
        const Shape &before = v.types[t].shape, &after = body.shape(next[t]);
        for (int axis = 0; axis < std::min(before.rank(), after.rank()); ++axis) {
          if (before[axis] == d || after[axis] == d) return b_.size(v.initial[t], axis);
        }
      }
    }
    return std::nullopt;
  }

  // What an iteration put into a list.
  static TypeInfo item_of(const Builder& body, const Variable& v) {
    const auto* after = v.next.get<Value::List>();
    TypeInfo item = v.inside.get<Value::List>()->list->use->item;
    if (item.dtype != DType::none || after == nullptr || after->list->elements == kNone) return item;
    item = body.type(after->list->elements);
    if (item.shape.rank() > 0) item.shape.dims().erase(item.shape.dims().begin());
    return item;
  }

  // Whether a list that is scanned has elements of several shapes: they may be so in the body, and whoever reads the list takes such.
  bool ragged(const Builder& body, size_t i) const {
    const Shape& item = variables_[i].inside.get<Value::List>()->list->use->item.shape;
    const auto changes = [&](const Dim::Term& term) {
      for (const Variable& v : variables_) {
        for (size_t t = 0; t < v.open.size(); ++t) {
          for (int axis = 0; axis < v.types[t].shape.rank(); ++axis) {
            if (v.open[t][static_cast<size_t>(axis)] && v.types[t].shape[axis].terms()[0].first == term.first) return true;
          }
        }
      }
      return false;
    };
    const auto fixed = [&](const Dim& d) { return body.resolvable(d) && std::none_of(d.terms().begin(), d.terms().end(), changes); };
    if (item.ranked() && std::all_of(item.dims().begin(), item.dims().end(), fixed)) return false;
    const Index& graph = site_.graph;
    if (!site_.runner.spend(b_, static_cast<int64_t>(graph.joins().size()))) return false;
    return std::any_of(graph.joins().begin(), graph.joins().end(), [&](int32_t n) {
      const auto& inputs = graph.inputs(n);
      return std::any_of(inputs.begin(), inputs.end(), [&](const Edge& e) { return graph.behind(e) == Edge{site_.node, static_cast<int32_t>(i)}; });
    });
  }

  // A list before the loop, of elements as the body makes them.
  ValueId zeros(const Builder& body, const TensorList& list, const TypeInfo& item) {
    if (!item.shape.ranked()) return filled(b_, list, item);
    std::vector<Int> sizes;
    for (const Dim& d : item.shape.dims()) {
      const auto size = extent(body, d);
      if (!size) return filled(b_, list, item);
      sizes.push_back(*size);
    }
    return tensorflow::zeros(b_, item.dtype, list.length, sizes);
  }

  bool same_types(Builder& body, Variable& v, const std::string& which) {
    const std::vector<ValueId> next = tensors_of(v.next);
    if (next.size() != v.types.size()) {
      c_.fail(unsupported(which + " is " + v.inside.kind() + " before an iteration and " + v.next.kind() + " after it"));
      return false;
    }
    bool all = true;
    for (size_t t = 0; t < next.size(); ++t) {
      const TypeInfo after = body.type(next[t]);
      TypeInfo& before = v.types[t];
      if (after.dtype != before.dtype || after.shape.ranked() != before.shape.ranked() || after.shape.rank() != before.shape.rank()) {
        c_.fail(unsupported(which + " is " + before.text() + " before an iteration and " + after.text() + " after it"));
        return false;
      }
      for (int d = 0; d < before.shape.rank(); ++d) {
        if (before.shape[d] == after.shape[d] || v.open[t][static_cast<size_t>(d)]) continue;
        before.shape[d] = b_.graph.fresh_dim();
        v.open[t][static_cast<size_t>(d)] = true;
        all = false;
      }
    }
    return all;
  }

  // Iteration k writes element k, and there are as many elements as iterations; or it puts one behind the end of a list that was empty.
  bool scans(const Builder& body, const Variable& v) const {
    const TensorList& before = *v.inside.get<Value::List>()->list;
    const auto* after = v.next.get<Value::List>();
    if (after == nullptr || after->list->use != before.use || before.use->read || before.use->twice || after->list->item == kNone) return false;
    if (!b_.ok() || !body.ok()) return false;
    const Int& length = c_.value(static_cast<size_t>(&v - variables_.data())).get<Value::List>()->list->length;
    const bool empty = length.known() && length.value() == 0;
    if (after->list->index == kNone) return empty;
    const bool counted = std::any_of(trips_.counters.begin(), trips_.counters.end(), [&](size_t k) {
      return variables_[k].inside.id() == after->list->index && variables_[k].kind == Kind::tensors;
    });
    if (counted && empty && after->list->grows) return true;
    return counted && trips_.exact && length.node == kNone && trips_.most.node == kNone && length.dim == trips_.most.dim;
  }

  // The condition as one bool, of these variables.
  ValueId condition(Builder& b, const Values& variables) {
    const Edge root = f_.condition->returns()[0];
    const Value v = site_.runner.run(b, *f_.condition, {&variables, false, nullptr, nullptr, site_.scope.depth + 1}, std::span(&root, 1))[0];
    if (b.ok() && v.id() == kNone) return b.fail(unsupported("its condition is " + std::string(v.kind())));
    return b.cast(v.id(), DType::boolean);
  }

  Values emit(Builder& body) {
    std::vector<ValueId> inputs{trips_.counted ? b_.scalar(trips_.most) : b_.constant(Tensor::scalar(INT64_MAX)), kNone};
    inputs[1] = trips_.exact ? b_.constant(Tensor::scalar(true)) : condition(b_, c_.values());
    Values next;
    for (const Variable& v : variables_) next.push_back(v.kind == Kind::fixed ? v.inside : v.next);
    std::vector<ValueId>& outputs = body.graph.outputs;
    outputs.push_back(trips_.exact ? going_ : condition(body, next));
    for (const Variable& v : variables_) {
      if (v.kind != Kind::tensors && v.kind != Kind::list && v.kind != Kind::sequence) continue;
      inputs.insert(inputs.end(), v.initial.begin(), v.initial.end());
      if (v.kind == Kind::sequence) {
        const TensorList& list = *v.next.get<Value::List>()->list;
        outputs.push_back(body.emit("SequenceInsert", {list.sequence, list.item}));
        continue;
      }
      for (const ValueId t : tensors_of(v.next)) outputs.push_back(t);
    }
    for (const Variable& v : variables_) {
      if (v.kind == Kind::scanned) outputs.push_back(v.next.get<Value::List>()->list->item);
    }
    Builder* const one[] = {&body};
    const std::vector<ValueId> made = b_.emit_control("Loop", std::move(inputs), one, outputs.size() - 1);
    if (!b_.ok()) return {};
    Values out;
    size_t at = 0;
    for (size_t i = 0; i < variables_.size(); ++i) {
      const Kind kind = variables_[i].kind;
      const size_t n = kind == Kind::tensors || kind == Kind::list || kind == Kind::sequence ? variables_[i].initial.size() : 0;
      if (kind == Kind::list || kind == Kind::sequence) {
        TensorList list;
        (kind == Kind::list ? list.elements : list.sequence) = made[at];
        out.push_back(Value::list(std::move(list)));
      } else {
        out.push_back(with_tensors(c_.value(i), std::span(made).subspan(at, n)));
      }
      at += n;
    }
    for (size_t i = 0; i < variables_.size(); ++i) {
      if (variables_[i].kind != Kind::scanned) continue;
      TensorList list;
      list.elements = made[at++];
      out[i] = Value::list(std::move(list));
    }
    return out;
  }

  Call& c_;
  Builder& b_;
  const Site& site_;
  const LoopFunctions f_;
  std::vector<Variable> variables_;
  Trips trips_;
  ValueId going_ = kNone;  // in the body: the condition that it is given
};

Values while_loop(Call& c, const Site& site) {
  const LoopFunctions f{site.runner.function_attribute(c, "cond"), site.runner.function_attribute(c, "body")};
  if (!c.b.ok() || !fits(c, site, *f.body, c.count())) return {};
  if (f.condition->arguments() != c.count() || f.condition->returns().size() != 1 || f.body->returns().size() != c.count()) {
    return c.fail(invalid("its condition and body do not have its " + std::to_string(c.count()) + " variables"));
  }
  return Loop(c, site, f).run();
}

constexpr Special kLoopOperators[] = {{"While StatelessWhile", while_loop}};

}  // namespace

std::span<const Special> loop_operators() { return kLoopOperators; }

}  // namespace tern::tensorflow
